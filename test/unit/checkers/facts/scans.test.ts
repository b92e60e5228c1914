import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderByKey } from '../../../../checkers/facts/key-order.ts';
import { chunkAt, scansOf } from '../../../../checkers/facts/scans.ts';
import { showTime, showValueOf } from '../../../../checkers/facts/witness-text.ts';
import { history } from '../../../support/history-builder.ts';

interface Chunk {
  readonly from: number;
  readonly next: number;
  readonly start?: number;
  readonly end?: number;
  readonly lastStable?: number;
  readonly scan?: string;
}

/** Scans of t/0 that come of these committed chunks, all read by process 9. */
function scansFrom(chunks: readonly Chunk[]) {
  const h = history();
  for (const { from, next, start = 0, end = 9, ...rest } of chunks) {
    const asked = { log: 't/0', view: 'committed', from, ...rest };
    h.audit(9, asked, { ...asked, next, start, end, records: [] });
  }
  return scansOf(h.load(), 0).map(({ auditedEnd, complete, chunks: tiles, start }) => ({
    auditedEnd,
    complete,
    tiles: tiles.length,
    start,
  }));
}

describe('a scan', () => {
  it('tiles from the start and is complete at the end of its first chunk', () => {
    const chunks = [
      { from: 0, next: 4 },
      { from: 4, next: 9, end: 12 },
    ];
    expect(scansFrom(chunks)).toEqual([{ auditedEnd: 9, complete: true, tiles: 2, start: 0 }]);
  });

  it('stops at a gap, and goes on when the missing chunk is read', () => {
    const gap = [
      { from: 0, next: 4 },
      { from: 6, next: 9 },
    ];
    expect(scansFrom(gap)).toEqual([{ auditedEnd: 4, complete: false, tiles: 1, start: 0 }]);
    const filled = scansFrom([...gap, { from: 4, next: 9 }]);
    expect(filled).toMatchObject([{ auditedEnd: 9, complete: true }]);
  });

  it('is none if it begins above the log start', () => {
    expect(scansFrom([{ from: 3, next: 9 }])).toEqual([]);
    expect(scansFrom([{ from: 3, next: 9, start: 3 }])).toMatchObject([
      { complete: true, start: 3 },
    ]);
  });

  it('passes a gap that retention made while it was read', () => {
    const chunks = [
      { from: 0, next: 4 },
      { from: 6, next: 9, start: 6 },
    ];
    expect(scansFrom(chunks)).toMatchObject([{ auditedEnd: 9, complete: true, start: 6 }]);
  });

  it('ends at the last stable offset', () => {
    const scans = scansFrom([{ from: 0, next: 9, lastStable: 5 }]);
    expect(scans).toMatchObject([{ auditedEnd: 5, complete: false }]);
  });

  it('begins anew where its id is used again from the start', () => {
    const chunks = [
      { from: 0, next: 9, scan: 'same' },
      { from: 0, next: 9, scan: 'same' },
    ];
    expect(scansFrom(chunks)).toHaveLength(2);
  });

  it('finds the chunk that read an offset', () => {
    const h = history().scan(
      9,
      't/0',
      [
        [0, 1],
        [1, 2],
        [5, 3],
        [6, 4],
      ],
      { chunk: 1, end: 8 },
    );
    const scan = scansOf(h.load(), 0)[0]!;
    const positions = [0, 1, 4, 5, 6, 7].map((offset) =>
      scan.chunks.indexOf(chunkAt(scan, offset)!),
    );
    expect(positions).toEqual([0, 1, 2, 2, 3, 3]);
    expect(chunkAt(scan, 8)).toBeNull();
  });
});

describe('orderByKey', () => {
  it('sorts by key, then by position, however far keys lie apart', () => {
    const halves = fc.integer({ min: 0, max: 60 }).map((key) => key / 2);
    const far = fc.integer({ min: 0, max: 2 ** 50 });
    fc.assert(
      fc.property(fc.array(fc.oneof(halves, far)), (keys) => {
        const expected = keys.map((_, i) => i).toSorted((a, b) => keys[a]! - keys[b]! || a - b);
        expect([...orderByKey(Float64Array.from(keys))]).toEqual(expected);
      }),
    );
  });
});

describe('witness text', () => {
  it('shows built-in values by producer and sequence, others as JSON', () => {
    const values = [3 * 2 ** 32 + 17, 2 ** 32, 17, -1, 'a"b', null, true];
    const h = history();
    values.forEach((value, i) => h.send(i, 't/0', value));
    const loaded = h.load();
    const shown = values.map((value) => showValueOf(loaded, loaded.values.indexOf(value)));
    expect(shown).toEqual(['p3#17', 'p1#0', '17', '-1', '"a\\"b"', 'null', 'true']);
    expect(showTime(1_234_567_890)).toBe('1.234568s');
  });
});
