/** zombie-commit: which instance of a transactional id is the newer, and what the older one did after it. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder, type OperationRow } from '../../support/history-builder.ts';
import { claims } from '../../support/claims.ts';
import { resultOf } from '../../support/judged.ts';

const anomaly = 'zombie-commit';

interface Init extends OperationRow {
  readonly id?: string;
  readonly producerId?: number;
  readonly epoch?: number;
}

function init(h: HistoryBuilder, process: number, row: Init): HistoryBuilder {
  const { id = 'x', producerId = process, epoch = 0, ...ending } = row;
  return h.op(process, 'init', { id }, { completed: { id, producerId, epoch }, ...ending });
}

const sends = (value: string) => [['send', 't/0', value]];

function txn(h: HistoryBuilder, process: number, row: OperationRow = {}, id = 'x'): HistoryBuilder {
  return h.op(process, 'txn', sends(`by ${process}`), {
    completed: [['send', 't/0', [process, `by ${process}`]]],
    txn: { id },
    ...row,
  });
}

/** Process 1 inits x, then process 2 does; process 1 commits in the end. */
const zombie = (second: Init = {}, row: OperationRow = {}, header: object = {}) =>
  txn(
    init(init(history(header), 1, { at: [1, 2], as: 'old' }), 2, {
      at: [3, 4],
      as: 'new',
      ...second,
    }),
    1,
    { at: [10, 12], as: 'txn', ...row },
  );
const outcome = (h: HistoryBuilder) => resultOf(h, anomaly).outcome;

describe(anomaly, () => {
  it('is found where an older instance began a transaction after the newer one was there, and it was committed', () => {
    const h = zombie();
    const result = resultOf(h, anomaly);
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('old'), h.index('new'), h.index('txn')],
      id: 'x',
      layer: 'unknown',
    });
    expect(result.witnesses[0]!.explanation).toContain('it was not fenced');
  });

  it('is absent where the newer init had not returned, failed, is uncertain, or is of another id', () => {
    expect(outcome(zombie({ at: [3, 11] }))).toBe('absent');
    expect(outcome(zombie({ fail: true }))).toBe('absent');
    expect(outcome(zombie({ info: true }))).toBe('absent');
    expect(outcome(zombie({ id: 'y' }))).toBe('absent');
  });

  it('owes nothing for what was aborted, is uncertain, or is empty', () => {
    expect(outcome(zombie({}, { fail: true }))).toBe('not-exercised');
    expect(outcome(zombie({}, { info: true }))).toBe('not-exercised');
    const did = (micros: readonly unknown[], completed = micros) =>
      init(init(history(), 1, { at: [1, 2] }), 2, { at: [3, 4] }).op(1, 'txn', micros, {
        completed,
        at: [10, 12],
        txn: { id: 'x' },
      });
    expect(outcome(did([]))).toBe('not-exercised');
    expect(outcome(did([['poll']], [['poll', { 't/1': [] }]]))).toBe('not-exercised');
    expect(outcome(did([['offsets', 'g', { 't/1': 1 }]]))).toBe('found');
  });

  it('is found too where only a later send, or the commit, was attempted after the newer init', () => {
    const attempted = (value: unknown, ms: number) => {
      const h = init(init(history(), 1, { at: [1, 2] }), 2, { at: [6, 8] });
      h.event('attempt', value, { at: ms, process: 1 });
      return h.op(1, 'txn', sends('a'), {
        at: [5, 12],
        completed: [['send', 't/0', [0, 'a']]],
        txn: { id: 'x' },
      });
    };
    expect(outcome(attempted([['commit']], 9))).toBe('found');
    expect(outcome(attempted([['commit']], 7))).toBe('absent');
    expect(outcome(attempted([['offsets', 'g', { 't/1': 1 }]], 9))).toBe('absent');
    const early = init(init(history(), 1, { at: [1, 2] }), 2, { at: [6, 8] })
      .attempt(1, [['send', 't/1', 'b']], { at: 7 })
      .attempt(1, [['commit']], { at: 9 })
      .op(1, 'txn', sends('a'), {
        at: [5, 12],
        completed: [...sends('a').map(() => ['send', 't/0', [0, 'a']]), ['send', 't/1', [0, 'b']]],
        txn: { id: 'x' },
      });
    expect(outcome(early)).toBe('found');
  });

  it('goes by epochs within one producer id, and by time else', () => {
    const epochs = (first: number, second: number, producerId = 7) =>
      txn(
        init(init(history(), 1, { at: [1, 4], producerId: 7, epoch: first }), 2, {
          at: [2, 5],
          producerId,
          epoch: second,
        }),
        1,
        { at: [10, 12] },
      );
    expect(outcome(epochs(0, 1))).toBe('found');
    expect(outcome(epochs(1, 0))).toBe('absent');
    // Two inits at once, and nothing tells which came first.
    expect(outcome(epochs(1, 1))).toBe('unknown');
    expect(outcome(epochs(0, 1, 8))).toBe('unknown');
    expect(resultOf(epochs(0, 1, 8), anomaly).reason).toContain('epochs of one producer id');
  });

  it('is of the last init before it: a process that took its id again is the newer one', () => {
    const again = (ms: number) =>
      txn(
        init(init(init(history(), 1, { at: [1, 2] }), 2, { at: [3, 4] }), 1, { at: [ms, ms + 1] }),
        1,
        { at: [10, 12] },
      );
    expect(outcome(again(5))).toBe('absent');
    const late = init(zombie(), 1, { at: [20, 21] });
    expect(outcome(late)).toBe('found');
  });

  it('is open where its id, or its own init, is not in the history', () => {
    const unnamed = zombie({}, { txn: {} });
    expect(resultOf(unnamed, anomaly)).toMatchObject({ outcome: 'unknown', checked: 1 });
    expect(resultOf(unnamed, anomaly).reason).toContain('tells no transactional id');
    const stranger = txn(init(history(), 2, { at: [3, 4] }), 1, { at: [10, 12] });
    expect(resultOf(stranger, anomaly).reason).toContain('no init of it by that process');
  });

  it('takes the id from either event', () => {
    const h = zombie({}, { txn: { id: 'x', producerId: 1, epoch: 2 } });
    expect(outcome(h)).toBe('found');
  });

  it('allows for clocks that err', () => {
    const header = (ms: number) => ({ clock: { errorNs: ms * 1_000_000 } });
    const h = (ms: number) => zombie({ producerId: 1, epoch: 2, at: [3, 4] }, { at: [10, 12] }, header(ms)); // prettier-ignore
    expect(outcome(h(0))).toBe('found');
    const apart = (ms: number) =>
      txn(
        init(init(history(header(ms)), 1, { at: [1, 2], producerId: 1, epoch: 1 }), 2, {
          at: [3, 4],
          producerId: 1,
          epoch: 2,
        }),
        1,
        { at: [10, 12] },
      );
    expect(outcome(apart(2))).toBe('found');
    expect(outcome(apart(3))).toBe('absent');
  });

  it('goes by the newer instance that returned first, and names the three in order of events', () => {
    const three = (second: Init, third: Init) =>
      txn(
        init(
          init(init(history(), 1, { at: [1, 4], producerId: 7, as: 'old' }), 2, second),
          3,
          third,
        ),
        1,
        { at: [10, 12], as: 'txn' },
      );
    const late = { at: [5, 20], producerId: 7, epoch: 1 } as const;
    expect(outcome(three(late, { at: [6, 7], producerId: 7, epoch: 2 }))).toBe('found');
    expect(outcome(three(late, { at: [6, 21], producerId: 7, epoch: 2 }))).toBe('absent');
    const h = three({ at: [2, 3], producerId: 7, epoch: 1, as: 'new' }, late);
    expect(resultOf(h, anomaly).witnesses[0]!.operations).toEqual([h.index('new'), h.index('old'), h.index('txn')]); // prettier-ignore
    // One that nobody can place had not returned yet: it decides nothing.
    expect(outcome(three({ at: [2, 11], producerId: 8 }, late))).toBe('absent');
  });

  it('is believed only with both inits', () => {
    const h = zombie();
    expect(claims(h, anomaly, 'old new txn')).toBe(true);
    for (const named of ['new txn', 'old txn', 'old new']) {
      expect([named, claims(h, anomaly, named)]).toEqual([named, false]);
    }
  });
});
