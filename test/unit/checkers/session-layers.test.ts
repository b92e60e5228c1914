import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const all = [
  [0, 10],
  [1, 11],
  [2, 12],
] as const;

const batch = {
  base: 0,
  last: 2,
  leaderEpoch: 0,
  producerId: 7,
  epoch: 0,
  sequence: 0,
  transactional: false,
  control: null,
};

/** Three records, and a reader that goes from the first to the third and back to the second. */
function misread(header = {}): HistoryBuilder {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
    .send(0, 't/0', 12, { at: [5, 6], ok: 2 })
    .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
    .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
    .poll(5, { 't/0': [all[2]] }, { at: [11, 12] })
    .poll(5, { 't/0': [all[1]] }, { at: [13, 14] })
    .scan(9, 't/0', all, { at: [20, 21] });
}

describe.each(['poll-skip', 'nonmonotonic-poll'] as const)('layer of %s', (anomaly) => {
  const layerOf = (h: HistoryBuilder): unknown => resultOf(h, anomaly).witnesses[0]?.layer;

  it('is unknown without a raw scan', () => {
    expect(layerOf(misread())).toBe('unknown');
  });

  it('is the client’s where the raw log holds the records: the delivered view is wrong', () => {
    expect(layerOf(misread().rawScan(9, 't/0', [batch], { at: [22, 23] }))).toBe('client');
  });

  it('is the broker’s where the raw log holds one of them no more', () => {
    const lacking = [
      { ...batch, last: 0 },
      { ...batch, base: 2, sequence: 2 },
    ];
    expect(layerOf(misread().rawScan(9, 't/0', lacking, { at: [22, 23] }))).toBe('broker');
  });

  it('is the processor’s in an external topic', () => {
    expect(layerOf(misread({ topics: { t: { writers: 'external' } } }))).toBe('processor');
  });
});
