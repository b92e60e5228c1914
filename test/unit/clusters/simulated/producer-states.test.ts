/** KAFKA.md part B section 5, idempotence: epoch and the last five batches per producer. */
import fc from 'fast-check';
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

it('after the end of its log was cut it knows nothing of the rest', () => {
  const states = knowing(sent(0), sent(1), sent(2));
  states.truncate([sent(0)], [sent(1), sent(2)]);
  expect(states.judge(sent(1))).toEqual(append);
  expect(states.judge(sent(2))).toEqual(outOfOrder);
  states.forget();
  expect(states.judge(sent(2))).toEqual(append);
});

it('after any cut it knows what a reading of the shorter log would tell', () => {
  const step = fc.record({
    producerId: fc.integer({ min: -1, max: 3 }),
    bumps: fc.boolean(),
    count: fc.integer({ min: 1, max: 2 }),
  });
  const script = fc.tuple(fc.array(step, { maxLength: 30 }), fc.nat(), fc.array(step));
  fc.assert(
    fc.property(script, ([steps, cutAt, more]) => {
      const log = logOf(steps);
      const keep = log.length === 0 ? 0 : cutAt % log.length;
      const kept = log.slice(0, keep);
      const cut = knowing(...log);
      cut.truncate(kept, log.slice(keep));
      const fresh = knowing(...kept);
      // Also what is appended later must be judged alike.
      for (const batch of [...log, ...logOf([...steps.slice(0, keep), ...more])]) {
        expect(cut.judge(batch)).toEqual(fresh.judge(batch));
        cut.note(batch);
        fresh.note(batch);
      }
    }),
  );
});

interface Step {
  readonly producerId: number;
  readonly bumps: boolean;
  readonly count: number;
}

/** Each producer's sequences count up, and from 0 again when its epoch is raised. */
function logOf(steps: readonly Step[]): readonly RecordBatch[] {
  const places = new Map<number, { epoch: number; sequence: number }>();
  let baseOffset = 0;
  return steps.map(({ producerId, bumps, count }) => {
    const place = places.get(producerId) ?? { epoch: 0, sequence: 0 };
    const { epoch, sequence } = bumps ? { epoch: place.epoch + 1, sequence: 0 } : place;
    places.set(producerId, { epoch, sequence: sequence + count });
    const head = { baseOffset, producerId, producerEpoch: epoch, baseSequence: sequence };
    baseOffset += count;
    return batchOf(
      Array.from({ length: count }, () => 'v'),
      head,
    );
  });
}
