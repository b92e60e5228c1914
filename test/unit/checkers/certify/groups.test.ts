/** What a claim about a consumer group must get right to be believed; transactions and the order of keys above all. */
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../../checkers/certify/index.ts';
import type { RecordSeen } from '../../../../src/history/event.ts';
import type { AnomalyName } from '../../../../src/spi/verdict.ts';
import { history, type HistoryBuilder } from '../../../support/history-builder.ts';

/** Whether a claim that names every operation is believed. */
function believed(h: HistoryBuilder, anomaly: AnomalyName, more: object = {}): boolean {
  const events = h.events();
  const operations = events
    .filter(({ type }) => type !== 'invoke' && type !== 'event')
    .map(({ index }) => index);
  const witness = { operations, layer: 'unknown', explanation: '', ...more } as const;
  return certifyWitness(h.header, events, anomaly, witness).holds;
}

const k = { key: 'k' };
const outOfOrder = 'key-processed-out-of-order';

type Polled = Readonly<Record<string, readonly RecordSeen[]>>;

interface Swap {
  readonly later?: Polled;
  readonly earlier?: Polled;
  readonly next?: number;
  readonly group?: string;
  readonly committer?: number;
  readonly ending?: object;
  readonly earlierAt?: readonly [number, number];
  readonly between?: (h: HistoryBuilder) => HistoryBuilder;
}

/** Process 1 polls offset 1 and commits 2, then process 2 polls offset 0 of the same key and commits 1. */
function swapped({
  later = { 't/0': [[1, 'b', k]] },
  earlier = { 't/0': [[0, 'a', k]] },
  next = 2,
  group = 'g',
  committer = 1,
  ending = {},
  earlierAt = [50, 51],
  between = (h) => h,
}: Swap = {}): HistoryBuilder {
  const h = history()
    .subscribe(1, 'g', { at: [1, 2] })
    .rebalance(1, { generation: 1, assigned: ['t/0', 't/1'] }, { at: 3 })
    .poll(1, later, { at: [10, 11] });
  between(h);
  return h
    .commit(committer, group, { 't/0': next, 't/1': next }, { at: [20, 21], ...ending })
    .subscribe(2, 'g', { at: [41, 42] })
    .rebalance(2, { generation: 2, assigned: ['t/0', 't/1'] }, { at: 44 })
    .poll(2, earlier, { at: earlierAt })
    .commit(2, 'g', { 't/0': 1, 't/1': 1 }, { at: [60, 61] });
}

describe('claims of keys processed out of order', () => {
  it('hold of the record that came late, and of no other log or offset', () => {
    expect(believed(swapped(), outOfOrder)).toBe(true);
    expect(believed(swapped(), outOfOrder, { log: 't/0', offset: 0 })).toBe(true);
    expect(believed(swapped(), outOfOrder, { log: 't/1' })).toBe(false);
    expect(believed(swapped(), outOfOrder, { offset: 1 })).toBe(false);
  });

  it('need two records of one key in one log, the second behind the first', () => {
    const other = { 't/0': [[1, 'b', { key: 'l' }]] as RecordSeen[] };
    expect(believed(swapped({ later: other }), outOfOrder)).toBe(false);
    const elsewhere = { 't/1': [[1, 'b', k]] as RecordSeen[] };
    expect(believed(swapped({ later: elsewhere }), outOfOrder)).toBe(false);
    const same = { 't/0': [[0, 'a', k]] as RecordSeen[] };
    expect(believed(swapped({ later: same }), outOfOrder)).toBe(false);
    const keyless = { 't/0': [[1, 'b']] as RecordSeen[] };
    const both = swapped({ later: keyless, earlier: { 't/0': [[0, 'a']] } });
    expect(believed(both, outOfOrder)).toBe(false);
  });

  it('need proved commits that cover the records, of the process that read them and of its group', () => {
    expect(believed(swapped({ next: 1 }), outOfOrder)).toBe(false);
    expect(believed(swapped({ group: 'h' }), outOfOrder)).toBe(false);
    expect(believed(swapped({ committer: 5 }), outOfOrder)).toBe(false);
    expect(believed(swapped({ ending: { info: true } }), outOfOrder)).toBe(false);
    expect(believed(swapped({ ending: { fail: true } }), outOfOrder)).toBe(false);
  });

  it('need that the later one had been processed when the earlier one was begun', () => {
    expect(believed(swapped({ earlierAt: [45, 51] }), outOfOrder)).toBe(true);
    const atOnce = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 })
      .subscribe(2, 'g', { at: [1, 2] })
      .rebalance(2, { generation: 1, assigned: ['t/0'] }, { at: 3 })
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 15] })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [14, 16] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .commit(2, 'g', { 't/0': 1 }, { at: [20, 21] });
    expect(believed(atOnce, outOfOrder)).toBe(false);
  });

  it('end with what the reader had: nothing counts that it committed after it gave the log up', () => {
    const with_ = (between: (h: HistoryBuilder) => HistoryBuilder) =>
      believed(swapped({ between }), outOfOrder);
    expect(with_((h) => h.rebalance(1, { revoked: ['t/0'] }, { at: 15 }))).toBe(false);
    expect(with_((h) => h.rebalance(1, { lost: ['t/0'] }, { at: 15 }))).toBe(false);
    expect(with_((h) => h.rebalance(1, { assigned: ['t/0'] }, { at: 15 }))).toBe(false);
    expect(with_((h) => h.rebalance(1, { revoked: ['t/1'] }, { at: 15 }))).toBe(true);
    expect(with_((h) => h.rebalance(3, { revoked: ['t/0'] }, { at: 15 }))).toBe(true);
    expect(with_((h) => h.close(1, { at: [14, 15] }))).toBe(false);
    expect(with_((h) => h.close(1, { at: [14, 15], fail: true }))).toBe(true);
    expect(with_((h) => h.close(3, { at: [14, 15] }))).toBe(true);
    expect(with_((h) => h.subscribe(1, 'g', { at: [14, 15] }))).toBe(false);
    expect(with_((h) => h.rebalance(1, { revoked: ['t/0'] }, { at: 30 }))).toBe(true);
    expect(with_((h) => h.close(1, { at: [5, 6] }))).toBe(true);
  });

  it('are void where the earlier record may have been processed before', () => {
    const before = (row: object) =>
      believed(
        swapped({
          later: { 't/0': [[1, 'b', k]] },
          between: (h) =>
            h
              .poll(1, { 't/0': [[0, 'a', k]] }, { at: [5, 6] })
              .commit(1, 'g', { 't/0': 1 }, { at: [7, 8], ...row }),
        }),
        outOfOrder,
        { offset: 0 },
      );
    expect(before({})).toBe(false);
    expect(before({ fail: true })).toBe(false);
  });

  it('go by readers of the group, not by scans', () => {
    const h = history()
      .scan(9, 't/0', [[1, 'b', k]], { at: [10, 11], start: 1 })
      .subscribe(2, 'g', { at: [41, 42] })
      .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 44 })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(believed(h, outOfOrder)).toBe(false);
    const stranger = history()
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .subscribe(2, 'g', { at: [41, 42] })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(believed(stranger, outOfOrder)).toBe(false);
  });

  it('take a transaction for the worker that processed what its offsets cover: the first one', () => {
    const worked = (first: object, second: readonly [number, number]) =>
      history()
        .subscribe(1, 'g', { at: [1, 2] })
        .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 })
        .op(1, 'txn', [['poll'], ['offsets', 'g', { 't/0': 2 }]], {
          at: [10, 20],
          txn: { id: 'x' },
          completed: [
            ['poll', { 't/0': [[1, 'b', k]] }],
            ['offsets', 'g', { 't/0': 2 }],
          ],
          ...first,
        })
        .subscribe(2, 'g', { at: [21, 22] })
        .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 23 })
        .op(2, 'txn', [['poll'], ['offsets', 'g', { 't/0': 1 }]], {
          at: second,
          txn: { id: 'y' },
          completed: [
            ['poll', { 't/0': [[0, 'a', k]] }],
            ['offsets', 'g', { 't/0': 1 }],
          ],
        });
    expect(believed(worked({}, [30, 40]), outOfOrder)).toBe(true);
    expect(believed(worked({ info: true }, [30, 40]), outOfOrder)).toBe(false);
  });
});

/** t/0 with six records, read and committed by process 1; process 2 is assigned it at 100 ms, and begins at `first`. */
function handedOver(first: number, commits: (h: HistoryBuilder) => HistoryBuilder): HistoryBuilder {
  const h = history();
  const values = ['a', 'b', 'c', 'd', 'e', 'f'];
  const seen = values.map((value, offset): RecordSeen => [offset, value]);
  for (const [offset, value] of values.entries())
    h.send(0, 't/0', value, { at: [offset / 10, offset / 10 + 0.05], ok: offset });
  commits(h);
  return h
    .subscribe(2, 'g', { at: [90, 91] })
    .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 100 })
    .poll(2, { 't/0': seen.slice(first) }, { at: [110, 111] })
    .scan(99, 't/0', seen, { at: [900, 901] });
}

describe('claims of where a member began', () => {
  const at =
    (next: number, row: object = {}) =>
    (h: HistoryBuilder) =>
      h.commit(1, 'g', { 't/0': next }, { at: [30, 31], ...row });

  it('hold of the log, offset and rebalance that they name', () => {
    const h = handedOver(0, at(2));
    const [rebalance] = h.events().filter(({ f }) => f === 'rebalance');
    expect(believed(h, 'commit-regression')).toBe(true);
    expect(believed(h, 'commit-regression', { events: [rebalance!.index] })).toBe(true);
    expect(believed(h, 'commit-regression', { events: [] })).toBe(false);
    expect(believed(h, 'commit-regression', { offset: 1 })).toBe(false);
    expect(believed(h, 'commit-regression', { log: 't/1' })).toBe(false);
    expect(believed(handedOver(2, at(2)), 'commit-regression')).toBe(false);
  });

  it('of a skip need a visible record between', () => {
    expect(believed(handedOver(3, at(2)), 'group-skip', { offset: 2 })).toBe(true);
    expect(believed(handedOver(3, at(2)), 'group-skip', { offset: 3 })).toBe(false);
    expect(believed(handedOver(2, at(2)), 'group-skip')).toBe(false);
    expect(
      believed(
        handedOver(1, (h) => h),
        'group-skip',
        { offset: 0 },
      ),
    ).toBe(true);
  });

  it('count neither failed commits nor those of other groups', () => {
    expect(believed(handedOver(0, at(2, { fail: true })), 'commit-regression')).toBe(false);
    const other = (h: HistoryBuilder) => h.commit(1, 'h', { 't/0': 2 }, { at: [30, 31] });
    expect(believed(handedOver(0, other), 'commit-regression')).toBe(false);
  });

  const txn =
    (more: (h: HistoryBuilder) => HistoryBuilder = (h) => h, row: object = {}) =>
    (h: HistoryBuilder) =>
      more(
        h
          .commit(1, 'g', { 't/0': 0 }, { at: [5, 6] })
          .op(7, 'txn', [['offsets', 'g', { 't/0': 2 }]], {
            at: [30, 31],
            txn: { id: 'x' },
            ...row,
          }),
      );
  const again =
    (row: object, id = 'x') =>
    (h: HistoryBuilder) =>
      h.op(8, 'init', { id }, { at: [40, 41], completed: { id, producerId: 1, epoch: 1 }, ...row });

  it.each([
    ['a transaction that nobody has seen', txn(), false],
    ['one whose id was taken again', txn(again({})), true],
    ['one whose id somebody failed to take', txn(again({ fail: true })), false],
    ['one whose id was taken too late', txn(again({ at: [40, 200] })), false],
    ['one beside which another id was taken', txn(again({}, 'y')), false],
    ['an uncertain one whose id was taken again', txn(again({}), { info: true }), false],
    ['one that was read', txn((h) => h.committed(9, 'g', { 't/0': 2 }, { at: [40, 41] })), true],
    [
      'one beside which another offset was read',
      txn((h) => h.committed(9, 'g', { 't/0': 0 }, { at: [40, 41] })),
      false,
    ],
    [
      'one of another group that was read',
      txn((h) => h.committed(9, 'h', { 't/0': 2 }, { at: [40, 41] })),
      false,
    ],
    [
      'one that was read in vain',
      txn((h) => h.committed(9, 'g', { 't/0': 2 }, { at: [40, 41], fail: true })),
      false,
    ],
    [
      'an uncertain one that was read',
      txn((h) => h.committed(9, 'g', { 't/0': 2 }, { at: [40, 41] }), { info: true }),
      true,
    ],
    [
      'one that failed and was "read"',
      txn((h) => h.committed(9, 'g', { 't/0': 2 }, { at: [40, 41] }), { fail: true }),
      false,
    ],
    [
      'one that was read where another may have committed the same',
      txn((h) =>
        h
          .commit(6, 'g', { 't/0': 2 }, { at: [8, 9], info: true })
          .committed(9, 'g', { 't/0': 2 }, { at: [40, 41] }),
      ),
      false,
    ],
  ])('%s', (_what, commits, holds) => {
    expect(believed(handedOver(0, commits), 'commit-regression')).toBe(holds);
  });

  it('a transaction begins to count when it attempts to commit', () => {
    const open = (ms: number) =>
      txn((h) => h.attempt(7, [['commit']], { at: ms }), { at: [30, 500] });
    // It may be in force by then, and so nothing is skipped that it covers.
    expect(believed(handedOver(2, open(95)), 'group-skip')).toBe(false);
    expect(believed(handedOver(2, open(105)), 'group-skip')).toBe(true);
  });
});

describe('claims of double ownership and stale commits', () => {
  const owners = (a: object, b: object, groups: readonly [string, string] = ['g', 'g']) =>
    history()
      .subscribe(1, groups[0], { at: [1, 2] })
      .subscribe(2, groups[1], { at: [1, 2] })
      .rebalance(1, { generation: 0, assigned: ['t/0'], ...a }, { at: 3 })
      .rebalance(2, { generation: 0, assigned: ['t/0'], ...b }, { at: 4 });

  it('need one generation of one group, and two members', () => {
    const double = (...args: Parameters<typeof owners>) =>
      believed(owners(...args), 'double-ownership');
    expect(double({}, {})).toBe(true);
    expect(double({}, { generation: 1 })).toBe(false);
    expect(double({ generation: -1 }, { generation: -1 })).toBe(false);
    expect(double({}, {}, ['g', 'h'])).toBe(false);
    expect(double({ member: 'm' }, { member: 'm' })).toBe(false);
    expect(double({ member: 'm' }, { member: 'n' })).toBe(true);
    expect(double({ member: '' }, { member: '' })).toBe(true);
    expect(double({}, { assigned: ['t/1'] })).toBe(false);
  });

  it('count what an incremental member kept, by its last word of that generation', () => {
    const kept = (more: (h: HistoryBuilder) => HistoryBuilder) =>
      believed(
        more(
          history()
            .subscribe(1, 'g', { at: [1, 2] })
            .subscribe(2, 'g', { at: [1, 2] })
            .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 }),
        ).rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 9 }),
        'double-ownership',
      );
    expect(
      kept((h) => h.rebalance(1, { generation: 2, assigned: ['t/1'], revoked: [] }, { at: 5 })),
    ).toBe(true);
    expect(kept((h) => h.rebalance(1, { generation: 2, assigned: ['t/1'] }, { at: 5 }))).toBe(
      false,
    );
    expect(
      kept((h) => h.rebalance(1, { generation: 2, assigned: [], revoked: ['t/0'] }, { at: 5 })),
    ).toBe(false);
    expect(
      kept((h) =>
        h.rebalance(1, { generation: 2, assigned: [], lost: ['t/0'], revoked: [] }, { at: 5 }),
      ),
    ).toBe(false);
    expect(
      kept((h) =>
        h
          .subscribe(1, 'g', { at: [4, 4.5] })
          .rebalance(1, { generation: 2, assigned: [], revoked: [] }, { at: 5 }),
      ),
    ).toBe(false);
  });

  it('of stale commits need an event of a newer generation, told to another member, before the invocation', () => {
    const stale = (commit: object, event: object = {}, eventAt = 20) =>
      believed(
        history()
          .subscribe(1, 'g', { at: [1, 2] })
          .subscribe(2, 'g', { at: [1, 2] })
          .rebalance(2, { generation: 1, ...event }, { at: eventAt })
          .commit(1, 'g', { 't/0': 2 }, { at: [30, 31], generation: 0, ...commit }),
        'stale-commit',
      );
    expect(stale({})).toBe(true);
    expect(stale({ generation: 1 })).toBe(false);
    expect(stale({ generation: -1 })).toBe(false);
    expect(stale({ generation: undefined })).toBe(false);
    expect(stale({}, { generation: undefined })).toBe(false);
    expect(stale({ info: true })).toBe(false);
    expect(stale({}, {}, 40)).toBe(false);
    expect(stale({ member: 'm' }, { member: 'm' })).toBe(false);
  });
});
