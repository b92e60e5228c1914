/** How often each kind of obligation arose that no checker decides yet. */
import { describe, expect, it } from 'vitest';
import { notBuiltChecker } from '../../../checkers/not-built.ts';
import type { AnomalyName } from '../../../src/spi/verdict.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';

function counts(h: HistoryBuilder, names: readonly AnomalyName[]) {
  const result = notBuiltChecker.check(h.load(), { witnessesMax: 1 });
  return names.map((name) => result[name]!.checked);
}

describe('obligations of transactions', () => {
  const names = [
    'G0',
    'torn-transaction',
    'precommitted-read',
    'offsets-not-atomic',
    'key-processed-out-of-order',
  ] as const;
  const completed = {
    send: ['send', 't/1', [0, 'y']],
    poll: ['poll', { 't/0': [[0, 'x']] }],
    offsets: ['offsets', 'g', { 't/0': 1 }],
  };
  const invoked = { send: ['send', 't/1', 'y'], poll: ['poll'], offsets: completed.offsets };

  it.each([
    [['send'], [1, 1, 0, 0, 0]],
    [['poll'], [1, 0, 0, 0, 0]],
    [['offsets'], [1, 0, 0, 1, 1]],
    [
      ['poll', 'send'],
      [1, 1, 1, 0, 0],
    ],
    [
      ['poll', 'send', 'offsets'],
      [1, 1, 1, 1, 1],
    ],
    [[], [0, 0, 0, 0, 0]],
  ] as const)('%j', (micro, expected) => {
    const h = history().op(
      1,
      'txn',
      micro.map((name) => invoked[name]),
      { completed: micro.map((name) => completed[name]) },
    );
    expect(counts(h, names)).toEqual(expected);
  });

  it('are none of a plain send, and none of what failed', () => {
    const h = history()
      .send(0, 't/0', 1, { ok: 0 })
      .op(1, 'txn', [['send', 't/1', 'y']], { fail: true });
    expect(counts(h, names)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('obligations of groups', () => {
  const names = ['group-skip', 'stale-commit', 'wrong-state'] as const;

  it('are subscriptions and assigned logs, commits and states, but for those that failed', () => {
    const subscribe = { group: 'g', topics: ['t'] };
    const commit = { group: 'g', offsets: { 't/0': 1 } };
    const h = history()
      .op(1, 'subscribe', subscribe)
      .op(2, 'subscribe', subscribe, { fail: true })
      .event('rebalance', { assigned: ['t/0', 't/1'] }, { process: 1 })
      .event('rebalance', { revoked: ['t/0'] }, { process: 1 })
      .event('leader', { assigned: ['t/0'] })
      .op(1, 'commit', commit)
      .op(3, 'commit', commit, { info: true })
      .op(1, 'commit', commit, { fail: true });
    expect(counts(h, names)).toEqual([3, 2, 0]);
  });
});

describe('obligations of compaction', () => {
  it('are keyed sends to compacted topics that did not fail', () => {
    const h = history({ topics: { t: { cleanup: 'compact' }, u: { cleanup: 'delete' } } })
      .send(0, 't/0', 1, { ok: 0, meta: { key: 'k' } })
      .send(0, 't/0', 2, { ok: 1 })
      .send(0, 't/0', 3, { fail: true, meta: { key: 'k' } })
      .send(0, 'u/0', 4, { ok: 0, meta: { key: 'k' } })
      .send(0, 'v/0', 5, { ok: 0, meta: { key: 'k' } })
      .send(1, 't/1', 6, { info: true, meta: { key: 'l' } });
    expect(counts(h, ['compaction-lost-key', 'compaction-resurrected-key'])).toEqual([2, 2]);
  });
});

describe('obligations of transforms', () => {
  const names = ['processed-early', 'wrong-fold', 'final-twice', 'wrong-revision'] as const;
  const fold = { fold: 'count' };

  it.each([
    ['one-to-one', [2, 0, 0, 0]],
    [fold, [2, 2, 0, 0]],
    [{ ...fold, mode: 'final' }, [2, 2, 0, 0]],
    [{ ...fold, mode: 'final', windowMs: 10 }, [2, 2, 2, 0]],
    [{ ...fold, mode: 'revisions', windowMs: 10 }, [2, 2, 0, 2]],
  ])('that owe %j', (owes, expected) => {
    const transforms = [{ group: 'g', input: 'in', output: 'out', owes }];
    const h = history({ transforms })
      .send(0, 'in/0', 1, { ok: 0 })
      .send(0, 'in/0', 2, { fail: true })
      .send(0, 'in/1', 3, { info: true })
      .send(1, 'out/0', 4, { ok: 0 });
    expect(counts(h, names)).toEqual(expected);
  });

  it('count inputs that nobody here wrote by what was seen of them, in each log the most', () => {
    const transforms = [
      { group: 'g', input: 'in', output: 'out', owes: 'filter' },
      { group: 'h', input: 'nowhere', output: 'out', owes: 'filter' },
    ];
    const h = history({ transforms })
      .poll(5, { 'in/0': [[0, 1], [1, 2]], 'in/1': [[0, 3]] }) // prettier-ignore
      .scan(9, 'in/0', [[0, 1]])
      .scan(9, 'in/1', [[0, 3], [1, 4], [2, 5]]); // prettier-ignore
    expect(counts(h, ['processed-early'])).toEqual([5]);
  });
});
