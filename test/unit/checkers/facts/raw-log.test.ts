import { describe, expect, it } from 'vitest';
import { heldAt, rawAt, recordScansOf } from '../../../../checkers/facts/scans.ts';
import type { RawBatch } from '../../../../src/history/event.ts';
import { history, type HistoryBuilder } from '../../../support/history-builder.ts';

function batch(base: number, last: number): RawBatch {
  return {
    base,
    last,
    leaderEpoch: 0,
    producerId: 7,
    epoch: 0,
    sequence: base,
    transactional: false,
    control: null,
  };
}

/** Bases of the batches that the raw log holds at offsets 0 to 9; '-' nothing, '?' unread. */
function raw(h: HistoryBuilder): string {
  const loaded = h.load();
  return Array.from({ length: 10 }, (_, offset) => {
    const fact = rawAt(loaded, 0, offset);
    return !fact.read ? '?' : (fact.batch?.base ?? '-');
  }).join('');
}

describe('what the raw log holds', () => {
  it('is a batch from its base to its last offset, nothing between batches, nothing at the end', () => {
    const h = history().rawScan(9, 't/0', [batch(1, 3), batch(5, 5), batch(6, 7)], { end: 8 });
    expect(raw(h)).toBe('-111-566--');
  });

  it('is found in batches that stand in no order too', () => {
    const h = history().rawScan(9, 't/0', [batch(6, 7), batch(5, 5), batch(1, 3)], { end: 8 });
    expect(raw(h)).toBe('-111-566--');
  });

  it('is unread below where a scan starts and beyond where an incomplete one stopped', () => {
    const h = history().rawScan(9, 't/0', [batch(2, 3)], { start: 2, end: 8, upTo: 6 });
    expect(raw(h)).toBe('??22--????');
  });

  it('is told by the last raw scan of the leader, else by the last of a replica', () => {
    const h = history()
      .rawScan(9, 't/0', [batch(0, 0)], { scan: 'a', end: 4 })
      .rawScan(9, 't/0', [batch(1, 1)], { scan: 'b', end: 4, upTo: 3 })
      .rawScan(9, 't/0', [batch(2, 2), batch(5, 5)], { scan: 'c', end: 8, upTo: 6, replica: 2 });
    expect(raw(h)).toBe('-1--------');
    const replicas = history()
      .rawScan(9, 't/0', [batch(1, 1)], { scan: 'b', end: 9, upTo: 3, replica: 1 })
      .rawScan(9, 't/0', [batch(2, 2)], { scan: 'c', end: 9, upTo: 4, start: 2, replica: 2 });
    expect(raw(replicas)).toBe('-12-??????');
    expect(raw(history().scan(9, 't/0', [[0, 1]]))).toBe('??????????');
  });
});

describe('what a scan holds', () => {
  it('is the first record at an offset, in the chunk that read it', () => {
    const loaded = history()
      .scan(
        9,
        't/0',
        [
          [0, 'a'],
          [2, 'b'],
          [2, 'c'],
          [4, 'd'],
        ],
        { chunk: 3, end: 6 },
      ) // prettier-ignore
      .load();
    const scan = recordScansOf(loaded, 0)[0]!;
    const held = [0, 1, 2, 3, 4, 5, 6].map((offset) => {
      const value = heldAt(loaded.logs[0]!, scan, offset);
      return value < 0 ? '-' : loaded.values[value];
    });
    expect(held.join('')).toBe('a-b-d--');
  });
});
