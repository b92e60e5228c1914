import { describe, expect, it } from 'vitest';
import { disagreements } from '../../../../checkers/facts/scan-comparison.ts';
import { recordScansOf } from '../../../../checkers/facts/scans.ts';
import { history, type ScanRow } from '../../../support/history-builder.ts';
import type { RecordSeen } from '../../../../src/history/event.ts';

type Side = readonly [records: readonly RecordSeen[], row?: ScanRow];

/** [offset, ids of the two scans, what they hold there], of complete scans a, b, c … of one log. */
function differences(sides: readonly Side[], compacted = false) {
  const h = history();
  sides.forEach(([records, row], i) => {
    h.scan(9 + i, 't/0', records, { scan: 'abcd'[i]!, ...row });
  });
  const loaded = h.load();
  const found = disagreements(loaded.logs[0]!, recordScansOf(loaded, 0), compacted);
  return found.map(({ offset, scans, values }) => [
    offset,
    scans.map(({ id }) => id).join(''),
    ...values.map((value) => (value < 0 ? null : loaded.values[value])),
  ]);
}

const both: readonly RecordSeen[] = [
  [0, 10],
  [2, 12],
];

describe('disagreements of scans', () => {
  it('are none where all hold the same wherever both read', () => {
    expect(differences([[both], [both], [both]])).toEqual([]);
    expect(differences([[both], [[[0, 10]], { end: 1 }]])).toEqual([]);
    expect(differences([[both], [[[2, 12]], { start: 1 }]])).toEqual([]);
    expect(
      differences([
        [[], { end: 3 }],
        [[], { end: 3 }],
      ]),
    ).toEqual([]);
    expect(differences([[both, { chunk: 1 }], [both]])).toEqual([]);
  });

  it('are found between scans whose starts fall while their ends rise', () => {
    const low: Side = [both, { end: 6 }];
    const high: Side = [[[2, 12]], { start: 2, end: 5 }];
    expect(differences([low, high])).toEqual([]);
    expect(differences([[[[0, 11]], { end: 6 }], high])).toEqual([[2, 'ab', null, 12]]);
    // The first and the last disagree where the one between them reads nothing.
    const between: Side = [[[2, 12]], { start: 2, end: 5 }];
    expect(differences([[both], between, [[[2, 12]], { end: 6 }]])).toEqual([[0, 'ac', 10, null]]);
    // Ends equal: the one that starts lower is compared first.
    expect(differences([[[[2, 12]], { start: 2, end: 3 }], [both], [both]])).toEqual([]);
    expect(
      differences([[[[2, 12]], { start: 2, end: 3 }], [both], [[[2, 12]], { end: 3 }]]),
    ).toEqual([[0, 'bc', 10, null]]);
  });

  it('are found where one scan holds two records at one offset, and another three', () => {
    const at0 = (...held: readonly number[]) => held.map((value): RecordSeen => [0, value]);
    expect(differences([[at0(10, 11)], [at0(10, 11, 12)]])).toEqual([[0, 'ab', 10, 12]]);
    expect(differences([[at0(10, 11, 12)], [at0(12, 11, 10)]])).toEqual([]);
  });

  it('tell the offset, the two scans and what they hold', () => {
    const other: readonly RecordSeen[] = [
      [0, 10],
      [2, 99],
      [3, 13],
    ];
    expect(differences([[both], [other]])).toEqual([[2, 'ab', 12, 99]]);
    expect(differences([[both, { end: 4 }], [other]])).toEqual([
      [2, 'ab', 12, 99],
      [3, 'ab', null, 13],
    ]);
    expect(differences([[both], [both], [other]])).toEqual([[2, 'ac', 12, 99]]);
    expect(differences([[[], { end: 3 }], [both]])).toEqual([
      [0, 'ab', null, 10],
      [2, 'ab', null, 12],
    ]);
  });

  it('on compacted logs are between what two scans hold, never by absence', () => {
    expect(differences([[both], [[[2, 12]], { end: 3 }]], true)).toEqual([]);
    expect(differences([[both], [[[2, 99]], { end: 3 }]], true)).toEqual([[2, 'ab', 12, 99]]);
    expect(differences([[both], [[], { end: 3 }], [[[0, 11]], { end: 3 }]], true)).toEqual([
      [0, 'ac', 10, 11],
    ]);
  });

  it('are found where one scan holds two values at one offset', () => {
    const twice: readonly RecordSeen[] = [
      [0, 10],
      [2, 12],
      [2, 13],
    ];
    expect(differences([[both], [twice]])).toEqual([[2, 'ab', 12, 13]]);
    expect(differences([[twice], [both]])).toEqual([[2, 'ab', 13, 12]]);
    expect(differences([[both], [both], [twice]])).toEqual([[2, 'ac', 12, 13]]);
    expect(differences([[[[2, 13]], { start: 1 }], [twice]])).toEqual([[2, 'ab', 13, 12]]);
    const again: readonly RecordSeen[] = [
      [0, 10],
      [2, 12],
      [2, 12],
    ];
    expect(differences([[both], [again]])).toEqual([]);
  });
});
