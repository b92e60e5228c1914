import { describe, expect, it } from 'vitest';
import { history, type ScanRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header, RecordSeen } from '../../../src/history/event.ts';

interface Side extends ScanRow {
  readonly records: readonly RecordSeen[];
}

/** Two scans of t/0, one after the other. */
function scans(first: Side, second: Side, header: Partial<Header> = {}) {
  return history(header)
    .scan(8, 't/0', first.records, { scan: 'first', as: 'first', ...first })
    .scan(9, 't/0', second.records, { scan: 'second', as: 'second', ...second });
}

const both: readonly RecordSeen[] = [
  [0, 10],
  [2, 12],
];

describe('scan-divergence', () => {
  it('found: two replicas hold different values at one offset', () => {
    const h = scans(
      { records: both },
      {
        records: [
          [0, 10],
          [2, 99],
        ],
        replica: 2,
      },
    );
    const result = resultOf(h, 'scan-divergence');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('first'), h.index('second')],
        log: 't/0',
        offset: 2,
        values: [12, 99],
        layer: 'unknown',
      },
    ]);
    expect(result.witnesses[0]?.explanation).toContain('replica 2');
  });

  it('found: one holds a record where the other holds nothing, below both ends', () => {
    const h = scans({ records: both }, { records: [[0, 10]], end: 3 });
    expect(resultOf(h, 'scan-divergence')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('absent: the twins agree; a gap in both is legal', () => {
    const h = scans({ records: both }, { records: both, replica: 2 });
    expect(resultOf(h, 'scan-divergence')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('absent: they differ only at or above the lower end, or below a start', () => {
    const h = scans({ records: [[0, 10]], end: 1 }, { records: both });
    expect(resultOf(h, 'scan-divergence')).toMatchObject({ outcome: 'absent', checked: 1 });
    const later = scans({ records: both }, { records: [[2, 12]], start: 2 });
    expect(resultOf(later, 'scan-divergence')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('absent: on a compacted log absence is no disagreement, another value is', () => {
    const header = { topics: { t: { cleanup: 'compact' } } };
    const h = scans({ records: both }, { records: [[2, 12]] }, header);
    expect(resultOf(h, 'scan-divergence')).toMatchObject({ outcome: 'absent', checked: 1 });
    const other = scans({ records: both }, { records: [[2, 99]] }, header);
    expect(resultOf(other, 'scan-divergence')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('not-exercised: an incomplete scan has nothing to agree with, nor has one of another view', () => {
    const h = scans({ records: both }, { records: [[0, 99]], end: 3, upTo: 1 });
    expect(resultOf(h, 'scan-divergence')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
    const views = scans({ records: both }, { records: [[0, 10]], end: 3, view: 'uncommitted' });
    expect(resultOf(views, 'scan-divergence').outcome).toBe('not-exercised');
  });

  it('finds the odd one out among many, each offset once, and whatever their starts', () => {
    const h = history();
    for (let i = 0; i < 5; i++) {
      const records: RecordSeen[] =
        i === 3
          ? [
              [4, 14],
              [5, 99],
            ]
          : [
              [4, 14],
              [5, 15],
            ];
      h.scan(9, 't/0', records, { scan: `s${i}`, start: i % 2 === 0 ? 4 : 0, end: 6 + i });
    }
    const result = resultOf(h, 'scan-divergence');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 4 });
    expect(result.witnesses[0]?.offset).toBe(5);
  });
});

describe('scan-divergence where one scan holds two values at an offset', () => {
  const against = (...second: readonly RecordSeen[]) =>
    resultOf(
      history()
        .scan(
          8,
          't/0',
          [
            [0, 'a'],
            [0, 'b'],
          ],
          { at: [1, 2], replica: 1 },
        ) // prettier-ignore
        .scan(9, 't/0', second, { at: [3, 4], replica: 2 }),
      'scan-divergence',
    );

  it('is none where the other holds both too, in whatever order', () => {
    expect(against([0, 'a'], [0, 'b'])).toMatchObject({ outcome: 'absent', count: 0 });
    expect(against([0, 'b'], [0, 'a'])).toMatchObject({ outcome: 'absent', count: 0 });
  });

  it('is one where the other holds but one of them', () => {
    expect(against([0, 'a'])).toMatchObject({ outcome: 'found', count: 1 });
    expect(against([0, 'b'], [0, 'b'])).toMatchObject({ outcome: 'found', count: 1 });
    expect(against([0, 'b'], [0, 'c'])).toMatchObject({ outcome: 'found', count: 1 });
  });
});

describe('the layer of scan-divergence', () => {
  it('is the processor where others write too', () => {
    const h = (writers: 'recorded' | 'external') =>
      history({ topics: { t: { partitions: 1, writers } } })
        .scan(8, 't/0', [[0, 'a']], { at: [1, 2], replica: 1 })
        .scan(9, 't/0', [[0, 'b']], { at: [3, 4], replica: 2 });
    expect(resultOf(h('external'), 'scan-divergence').witnesses[0]?.layer).toBe('processor');
    expect(resultOf(h('recorded'), 'scan-divergence').witnesses[0]?.layer).toBe('unknown');
  });
});
