/** KAFKA.md part B section 5, idempotence: epoch and the last five batches per producer. */
import { describe, expect, it } from 'vitest';
import { ProducerStates } from '../../../../src/clusters/simulated/producer-states.ts';
import type { RecordBatch } from '../../../../src/kafka-protocol/record-batch.ts';
import { batchOf } from '../../../support/model-batches.ts';

/** A batch of `count` records, at ten times its sequence. */
function sent(baseSequence: number, count = 1, producerEpoch = 0, producerId = 7): RecordBatch {
  const values = Array.from({ length: count }, (_, position) => `${baseSequence + position}`);
  const baseOffset = 10 * baseSequence;
  return batchOf(values, { baseOffset, producerId, producerEpoch, baseSequence });
}

function knowing(...batches: readonly RecordBatch[]): ProducerStates {
  const states = new ProducerStates();
  for (const batch of batches) states.note(batch);
  return states;
}

const outOfOrder = { kind: 'refused', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' };
const append = { kind: 'append' };

describe('a batch', () => {
  it('of a producer that is not known may begin anywhere', () => {
    expect(new ProducerStates().judge(sent(40))).toEqual(append);
    expect(knowing(sent(0)).judge(sent(40, 1, 0, 8))).toEqual(append);
  });

  it('must follow the newest', () => {
    const states = knowing(sent(0, 3));
    expect(states.judge(sent(3))).toEqual(append);
    expect(states.judge(sent(4))).toEqual(outOfOrder);
  });

  it('is a duplicate if it is one of the last five, and then at its old offsets', () => {
    const states = knowing(...[0, 1, 2, 3, 4, 5].map((sequence) => sent(sequence)));
    for (const sequence of [1, 2, 3, 4, 5]) {
      const offset = 10 * sequence;
      expect(states.judge(sent(sequence))).toMatchObject({
        kind: 'duplicate',
        baseOffset: offset,
        lastOffset: offset,
      });
    }
    const forgotten = { kind: 'refused', error: 'DUPLICATE_SEQUENCE_NUMBER' };
    expect(states.judge(sent(0))).toEqual(forgotten);
  });

  it('that begins like a known one and is longer or shorter is no duplicate', () => {
    const states = knowing(sent(0), sent(1, 3));
    expect(states.judge(sent(1, 2))).toEqual(outOfOrder);
    expect(states.judge(sent(1, 4))).toEqual(outOfOrder);
  });

  it('of an older epoch is fenced; a newer one begins at sequence 0 and forgets the older', () => {
    const states = knowing(sent(0, 1, 1), sent(1, 1, 1));
    expect(states.judge(sent(2, 1, 0))).toEqual({
      kind: 'refused',
      error: 'INVALID_PRODUCER_EPOCH',
    });
    expect(states.judge(sent(2, 1, 2))).toEqual(outOfOrder);
    expect(states.judge(sent(0, 1, 2))).toEqual(append);
    states.note(sent(0, 1, 2));
    expect(states.judge(sent(1, 1, 2))).toEqual(append);
    expect(states.judge(sent(0, 1, 2))).toMatchObject({ kind: 'duplicate' });
  });
});

it('batches without a producer id leave no trace', () => {
  const states = knowing(batchOf(['plain']));
  expect(states.judge(batchOf(['plain']))).toEqual(append);
});

it('what is rebuilt from a shorter log knows nothing of the rest', () => {
  const states = knowing(sent(0), sent(1), sent(2));
  states.rebuild([sent(0)]);
  expect(states.judge(sent(1))).toEqual(append);
  expect(states.judge(sent(2))).toEqual(outOfOrder);
  states.forget();
  expect(states.judge(sent(2))).toEqual(append);
});
