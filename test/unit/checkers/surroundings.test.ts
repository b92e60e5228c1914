/** What stands around a witness: the raw log, the delivered view, and sends that nobody ever saw. */
import { describe, expect, it } from 'vitest';
import type { RawBatch } from '../../../src/history/event.ts';
import { surroundingLines } from '../../../src/report/surroundings.ts';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const batch = (base: number, more: Partial<RawBatch> = {}): RawBatch => ({
  base,
  last: base,
  leaderEpoch: 3,
  producerId: 7,
  epoch: 0,
  sequence: base,
  transactional: false,
  control: null,
  ...more,
});

/** Offsets 0 to 6 but 3, whose record was acknowledged and is lost; three uncertain sends, of which one was seen. */
function lost() {
  const h = history();
  for (let i = 0; i < 7; i++) h.send(0, 't/0', `v${i}`, { at: [i, i + 0.5], ok: i });
  const held = [0, 1, 2, 4, 5, 6].map((i) => [i, `v${i}`] as const);
  return h
    .send(1, 't/0', 'u1', { at: [10, 11], info: true, as: 'u1' })
    .send(2, 't/0', 'seen', { at: [10, 11], info: true })
    .send(3, 't', 'u2', { at: 9, as: 'u2' })
    .send(4, 't/1', 'other', { at: [10, 11], info: true })
    .scan(9, 't/0', [...held, [7, 'seen']], { at: [20, 21] })
    .rawScan(
      9,
      't/0',
      [0, 1, 2, 4, 5, 6, 7].map((i) => batch(i)),
      { at: [22, 23] },
    ) // prettier-ignore
    .send(5, 't/0', 'later', { at: [30, 31], info: true });
}

describe('the surroundings of a witness', () => {
  const witnessIn = (h = lost()) => resultOf(h, 'lost-write').witnesses[0]!;

  it('hold two offsets on either side of the raw log and of the delivered view', () => {
    const { raw, delivered } = witnessIn().surroundings!;
    expect(raw).toMatchObject({ replica: null });
    expect(raw!.batches.map(({ base }) => base)).toEqual([1, 2, 4, 5]);
    expect(delivered).toMatchObject({ view: 'committed', replica: null });
    expect(delivered!.records).toEqual([[1, 'v1'], [2, 'v2'], [4, 'v4'], [5, 'v5']]); // prettier-ignore
  });

  it('count the uncertain sends to the log that nobody saw, up to the witness', () => {
    const h = lost();
    expect(witnessIn(h).surroundings!.uncertain).toEqual({
      count: 2,
      operations: [h.index('u1'), h.index('u2')].toSorted((a, b) => a - b),
    });
  });

  it('are told in words', () => {
    const h = lost();
    expect(surroundingLines(witnessIn(h))).toEqual([
      'raw log: [1] producer 7, epoch 0, sequence 1, leader epoch 3; [2] producer 7, epoch 0, sequence 2, leader epoch 3; ' +
        '[3] nothing; [4] producer 7, epoch 0, sequence 4, leader epoch 3; [5] producer 7, epoch 0, sequence 5, leader epoch 3',
      'committed view: [1] "v1"; [2] "v2"; [3] nothing; [4] "v4"; [5] "v5"',
      `uncertain: 2 sends to this log of which nobody learned the outcome (events ${h.index('u2')}, ${h.index('u1')}); ` +
        'whatever became of them, they are other records and explain nothing here',
    ]);
  });

  it('are absent where a witness names no offset, and silent of what nobody scanned', () => {
    const twice = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 0 })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 0 });
    const [conflict] = resultOf(twice, 'inconsistent-offsets').witnesses;
    expect(conflict!.surroundings).toEqual({
      raw: null,
      delivered: null,
      uncertain: { count: 0, operations: [] },
    });
    expect(surroundingLines(conflict!)).toEqual([]);
    const owners = history()
      .subscribe(1, 'g')
      .subscribe(2, 'g')
      .rebalance(1, { generation: 1, assigned: ['t/0'] })
      .rebalance(2, { generation: 1, assigned: ['t/0'] });
    expect(resultOf(owners, 'double-ownership').witnesses[0]).not.toHaveProperty('surroundings');
  });

  it('tell markers, plain batches and replicas', () => {
    const lines = surroundingLines({
      operations: [1],
      offset: 5,
      layer: 'broker',
      explanation: '',
      surroundings: {
        raw: {
          replica: 2,
          batches: [
            batch(3, { control: 'abort', producerId: 9 }),
            batch(4, { last: 6, producerId: -1, epoch: -1, sequence: -1, transactional: true }),
          ],
        },
        delivered: { view: 'uncommitted', scan: 's', replica: 3, records: [[5, 4294967299]] },
        uncertain: { count: 9, operations: [4] },
      },
    });
    expect(lines).toEqual([
      'raw log of replica 2: [3] abort marker of producer 9; [4 to 6] no producer id, transactional, leader epoch 3',
      'uncommitted view of replica 3: [5] p1#3',
      'uncertain: 9 sends to this log of which nobody learned the outcome (first events 4); whatever became of them, they are ' +
        'other records and explain nothing here',
    ]);
  });
});
