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
  const names = ['G0', 'torn-transaction', 'offsets-not-atomic'] as const;
  const completed = {
    send: ['send', 't/1', [0, 'y']],
    poll: ['poll', { 't/0': [[0, 'x']] }],
    offsets: ['offsets', 'g', { 't/0': 1 }],
  };
  const invoked = { send: ['send', 't/1', 'y'], poll: ['poll'], offsets: completed.offsets };

  it.each([
    [['send'], [1, 1, 0]],
    [['poll'], [1, 0, 0]],
    [['offsets'], [1, 0, 1]],
    [
      ['poll', 'send'],
      [1, 1, 0],
    ],
    [
      ['poll', 'send', 'offsets'],
      [1, 1, 1],
    ],
    [[], [0, 0, 0]],
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
    expect(counts(h, names)).toEqual([0, 0, 0]);
  });
});

describe('obligations of stores', () => {
  it('are states that did not fail', () => {
    const state = { input: 'in/0', store: 's' };
    const h = history()
      .op(1, 'state', state, { completed: { ...state, position: 0, entries: [] } })
      .op(2, 'state', state, { info: true })
      .op(3, 'state', state, { fail: true });
    expect(counts(h, ['wrong-state'])).toEqual([2]);
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
