import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplicaLog } from '../../../../src/clusters/simulated/replica-log.ts';
import { nsPerMs } from '../../../../src/core/units.ts';
import { batchOf, valuesOf } from '../../../support/model-batches.ts';

/** Appends batches of these sizes, each in its epoch, a millisecond apart. */
function logOf(...batches: readonly (readonly [epoch: number, count: number])[]): ReplicaLog {
  const log = new ReplicaLog();
  batches.forEach(([leaderEpoch, count], position) => {
    const baseOffset = log.end;
    const values = Array.from({ length: count }, (_, at) => `${baseOffset + at}`);
    log.append(batchOf(values, { baseOffset, leaderEpoch }), position * nsPerMs);
  });
  return log;
}

describe('a log', () => {
  it('is empty at first', () => {
    const log = new ReplicaLog();
    expect([log.end, log.lastEpoch]).toEqual([0, -1]);
    expect(log.read(0, Infinity, 1_000)).toEqual([]);
    expect(log.endOfEpoch(5)).toEqual({ epoch: -1, end: 0 });
    expect(log.loseUnsynced(0, 1)).toBe(0);
  });

  it('never goes backwards', () => {
    const log = logOf([0, 2]);
    expect(() => {
      log.append(batchOf(['again'], { baseOffset: 1, leaderEpoch: 0 }), 0);
    }).toThrow(/backwards/);
  });
});

describe('leader epochs', () => {
  it('end where the next one begins; the newest ends with the log', () => {
    const log = logOf([0, 2], [2, 3], [2, 1], [5, 1]);
    expect(log.lastEpoch).toBe(5);
    expect(log.endOfEpoch(0)).toEqual({ epoch: 0, end: 2 });
    // Epochs that are not in the log: the newest that is older.
    expect(log.endOfEpoch(1)).toEqual({ epoch: 0, end: 2 });
    expect(log.endOfEpoch(4)).toEqual({ epoch: 2, end: 6 });
    expect(log.endOfEpoch(9)).toEqual({ epoch: 5, end: 7 });
    expect(log.endOfEpoch(-1)).toEqual({ epoch: -1, end: 0 });
  });

  it('that wrote nothing leave no trace once another begins', () => {
    const log = logOf([0, 2]);
    log.beginEpoch(3);
    expect(log.endOfEpoch(3)).toEqual({ epoch: 3, end: 2 });
    log.beginEpoch(4);
    expect(log.endOfEpoch(3)).toEqual({ epoch: 0, end: 2 });
    log.beginEpoch(4);
    log.append(batchOf(['x'], { baseOffset: 2, leaderEpoch: 4 }), 0);
    expect(log.endOfEpoch(4)).toEqual({ epoch: 4, end: 3 });
  });

  it('that wrote nothing do not hide older ones that are copied later', () => {
    // Leads in epoch 5, writes nothing, and follows again: what it missed of epoch 4 comes now.
    const log = logOf([4, 2]);
    log.beginEpoch(5);
    log.append(batchOf(['x'], { baseOffset: 2, leaderEpoch: 4 }), 0);
    expect(log.endOfEpoch(4)).toEqual({ epoch: 4, end: 3 });
    expect(log.endOfEpoch(5)).toEqual({ epoch: 4, end: 3 });
  });
});

describe('reading', () => {
  const log = logOf([0, 2], [0, 3], [0, 1]);

  it('begins with the batch that holds the offset, and ends below the bound', () => {
    expect(valuesOf(log.read(0, Infinity, 10_000))).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(valuesOf(log.read(3, Infinity, 10_000))).toEqual(['2', '3', '4', '5']);
    expect(valuesOf(log.read(0, 2, 10_000))).toEqual(['0', '1']);
    expect(log.read(6, Infinity, 10_000)).toEqual([]);
    expect(log.read(0, 0, 10_000)).toEqual([]);
  });

  it('brings at least one batch, and no more than fit', () => {
    expect(log.read(0, Infinity, 1)).toHaveLength(1);
    expect(log.read(0, Infinity, 400)).toHaveLength(2);
  });
});

describe('truncation', () => {
  it('cuts batches, epochs, the checkpoint and what is known of producers', () => {
    const log = logOf([0, 2], [1, 2]);
    const of = { producerId: 7, producerEpoch: 0 };
    log.append(batchOf(['p'], { ...of, baseOffset: 4, leaderEpoch: 1, baseSequence: 0 }), 0);
    log.append(batchOf(['q'], { ...of, baseOffset: 5, leaderEpoch: 2, baseSequence: 1 }), 0);
    log.checkpoint = 6;
    log.truncateTo(5);
    expect([log.end, log.lastEpoch, log.checkpoint]).toEqual([5, 1, 5]);
    expect(log.producers.judge(batchOf(['q'], { ...of, baseSequence: 1 }))).toEqual({
      kind: 'append',
    });
    log.truncateTo(2);
    expect([log.end, log.lastEpoch]).toEqual([2, 0]);
    expect(log.endOfEpoch(2)).toEqual({ epoch: 0, end: 2 });
    log.truncateTo(9);
    expect(log.end).toBe(2);
  });

  it('takes the whole of a batch that it falls into', () => {
    const log = logOf([0, 2], [0, 3]);
    log.truncateTo(3);
    expect(log.end).toBe(2);
  });

  it('leaves a prefix, and epochs that rise, wherever it cuts and whatever follows', () => {
    const step = fc.oneof(
      fc.record({ append: fc.integer({ min: 1, max: 4 }), raise: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ cut: fc.integer({ min: 0, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const log = new ReplicaLog();
        let model: { readonly value: string; readonly epoch: number }[] = [];
        let epoch = 0;
        steps.forEach((one, position) => {
          if ('cut' in one) {
            log.truncateTo(one.cut);
            expect(log.end).toBeLessThanOrEqual(Math.max(one.cut, 0));
            model = model.slice(0, log.end);
            // What a follower copies after a cut may be older than what it had.
            epoch = Math.max(log.lastEpoch, 0);
            return;
          }
          epoch += one.raise;
          const leaderEpoch = epoch;
          const values = Array.from({ length: one.append }, (_, at) => `${position}.${at}`);
          log.append(batchOf(values, { baseOffset: log.end, leaderEpoch }), 0);
          model.push(...values.map((value) => ({ value, epoch: leaderEpoch })));
        });
        expect(valuesOf(log.batches)).toEqual(model.map(({ value }) => value));
        for (let asked = 0; asked <= 60; asked++) {
          const upTo = model.filter((record) => record.epoch <= asked);
          expect(log.endOfEpoch(asked).end).toBe(upTo.length);
        }
      }),
    );
  });
});

describe('a power loss', () => {
  it('takes what is younger than the flush interval, and says how many records that were', () => {
    const log = logOf([0, 2], [0, 3], [1, 1]);
    log.checkpoint = 6;
    // Appended at 0, 1 and 2 ms; at 10 ms, whatever came after 8.5 ms before is gone.
    expect(log.loseUnsynced(10 * nsPerMs, 8.5 * nsPerMs)).toBe(1);
    expect([log.end, log.lastEpoch, log.checkpoint]).toEqual([5, 0, 5]);
    expect(log.loseUnsynced(10 * nsPerMs, 9.5 * nsPerMs)).toBe(3);
    expect(log.loseUnsynced(60_000 * nsPerMs, 5_000 * nsPerMs)).toBe(0);
    expect(log.end).toBe(2);
    expect(log.loseUnsynced(nsPerMs, 30_000 * nsPerMs)).toBe(2);
    expect(log.end).toBe(0);
  });
});
