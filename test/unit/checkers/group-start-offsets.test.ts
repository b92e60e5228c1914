/** Which offsets a group may have committed: what the clock leaves open, and what became of offsets in transactions. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import type { RawBatch, RecordSeen } from '../../../src/history/event.ts';
import { history, type HistoryBuilder, type OperationRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const values = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

type Build = (h: HistoryBuilder) => unknown;

/** Six records in t/0; process 1 commits 2; process 2 is assigned the log at 100 ms, and begins at `first`. */
function begins(
  first: number,
  build: Build,
  { stable = false, errorNs = 0 }: { readonly stable?: boolean; readonly errorNs?: number } = {},
): HistoryBuilder {
  const h = history({ clock: { errorNs } });
  values.forEach((value, offset) =>
    h.send(0, 't/0', value, { at: [offset, offset + 0.5], ok: offset }),
  );
  h.commit(1, 'g', { 't/0': 2 }, { at: [20, 21], as: 'commit' });
  h.subscribe(2, 'g', { at: [90, 91], stable });
  h.rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 100 });
  build(h);
  const seen = values.slice(first).map((value, i): RecordSeen => [first + i, value]);
  return h
    .poll(2, { 't/0': seen }, { at: [110, 111], as: 'poll' })
    .scan(99, 't/0', values.map((value, offset): RecordSeen => [offset, value]), { at: [900, 901] }); // prettier-ignore
}

const regression = (...args: Parameters<typeof begins>) =>
  resultOf(begins(...args), 'commit-regression').outcome;
const skip = (...args: Parameters<typeof begins>) =>
  resultOf(begins(...args), 'group-skip').outcome;

describe('commits near each other', () => {
  const errorNs = 1e6;

  it('replace each other within a process whatever the clock; between processes only beyond its error', () => {
    const then =
      (process: number, ms: number): Build =>
      (h) =>
        h
          .commit(1, 'g', { 't/0': 1 }, { at: [30, 31] })
          .commit(process, 'g', { 't/0': 3 }, { at: [ms, ms + 1] });
    expect(regression(1, then(1, 32), { errorNs })).toBe('found');
    expect(regression(1, then(3, 32), { errorNs })).toBe('absent');
    expect(regression(1, then(3, 33), { errorNs })).toBe('absent');
    expect(regression(1, then(3, 33.5), { errorNs })).toBe('found');
  });

  it('go by the latest of a process that displaces', () => {
    const h: Build = (b) =>
      b
        .commit(1, 'g', { 't/0': 1 }, { at: [30, 31] })
        .commit(1, 'g', { 't/0': 3 }, { at: [31.5, 32] })
        .commit(1, 'g', { 't/0': 4 }, { at: [32.5, 33], fail: true });
    expect(regression(1, h, { errorNs })).toBe('found');
    expect(regression(3, h, { errorNs })).toBe('absent');
  });

  it('are possible where they may have begun before the assignment', () => {
    const begun =
      (process: number, ms: number): Build =>
      (h) =>
        h.commit(process, 'g', { 't/0': 4 }, { at: [ms, 105] });
    expect(skip(4, begun(3, 100))).toBe('absent');
    expect(skip(4, begun(3, 100.1))).toBe('found');
    expect(skip(4, begun(3, 101.5), { errorNs })).toBe('absent');
    expect(skip(4, begun(3, 102), { errorNs })).toBe('absent');
    expect(skip(4, begun(3, 102.5), { errorNs })).toBe('found');
    expect(skip(4, begun(2, 101.5), { errorNs })).toBe('found');
  });

  it('are named by the first where two committed the same', () => {
    const twice: Build = (h) => h.commit(3, 'g', { 't/0': 2 }, { at: [20, 21] });
    const low = begins(0, twice);
    expect(resultOf(low, 'commit-regression').witnesses[0]!.operations).toEqual([
      low.index('commit'),
      low.index('poll'),
    ]);
    const high = begins(3, twice);
    expect(resultOf(high, 'group-skip').witnesses[0]!.operations).toContain(high.index('commit'));
  });
});

/** Process 5 commits offset 4 in a transaction of id x. */
const transaction = (h: HistoryBuilder, row: OperationRow = {}) =>
  h.op(5, 'txn', [['offsets', 'g', { 't/0': 4 }]], { at: [30, 40], txn: { id: 'x' }, ...row });

const init = (
  h: HistoryBuilder,
  process: number,
  at: readonly [number, number],
  row: OperationRow = {},
) => h.op(process, 'init', { id: 'x' }, { at, completed: { id: 'x', producerId: 1, epoch: 1 }, ...row }); // prettier-ignore

describe('what a transaction lists', () => {
  const settled = (micros: readonly unknown[], completed: readonly unknown[]): Build => {
    return (h) => {
      h.op(5, 'txn', micros, { at: [30, 40], txn: { id: 'x' }, completed });
      init(h, 6, [50, 60]);
    };
  };
  const offsets = (next: number) => ['offsets', 'g', { 't/0': next }];

  it('counts by the last of its completion where it is acknowledged', () => {
    const twice = settled([offsets(1), offsets(4)], [offsets(1), offsets(4)]);
    expect(regression(1, twice)).toBe('found');
    expect(regression(4, twice)).toBe('absent');
    const nothing = settled([offsets(4)], []);
    expect(skip(4, nothing)).toBe('found');
    expect(skip(2, nothing)).toBe('absent');
  });

  it('may all be in force where it is uncertain', () => {
    const uncertain: Build = (h) =>
      transaction(h, { info: true }).attempt(5, [offsets(3)], { at: 35 });
    for (const first of [2, 3, 4]) expect(skip(first, uncertain)).toBe('absent');
    expect(skip(5, uncertain)).toBe('found');
  });

  it('is of its own group alone', () => {
    const other: Build = (h) =>
      h.op(5, 'txn', [['offsets', 'h', { 't/0': 4 }]], { at: [30, 40], info: true });
    expect(skip(4, other)).toBe('found');
  });
});

describe('a later init of the same transactional id', () => {
  const after =
    (...inits: ((h: HistoryBuilder) => unknown)[]): Build =>
    (h) => {
      transaction(h);
      for (const each of inits) each(h);
    };

  it('settles the offsets once the first of them has returned', () => {
    const slow = (h: HistoryBuilder) => init(h, 6, [50, 150]);
    expect(regression(2, after(slow))).toBe('absent');
    expect(
      regression(
        2,
        after(slow, (h) => init(h, 7, [55, 60])),
      ),
    ).toBe('found');
    const quick = (h: HistoryBuilder) => init(h, 6, [50, 60]);
    expect(
      regression(
        2,
        after(quick, (h) => init(h, 7, [55, 150])),
      ),
    ).toBe('found');
  });

  it('is none that came before, was not acknowledged, or is of another id', () => {
    const before = (h: HistoryBuilder) => init(h, 6, [10, 15]);
    expect(regression(2, after(before))).toBe('absent');
    expect(
      regression(
        2,
        after(before, (h) => init(h, 7, [50, 60])),
      ),
    ).toBe('found');
    for (const row of [{ fail: true }, { info: true }] as const) {
      expect(
        regression(
          2,
          after((h) => init(h, 6, [50, 60], row)),
        ),
      ).toBe('absent');
    }
    const other = { id: 'y', producerId: 2, epoch: 0 };
    expect(
      regression(
        2,
        after((h) => h.op(6, 'init', { id: 'y' }, { at: [50, 60], completed: other })),
      ),
    ).toBe('absent');
  });

  it('settles nothing of a transaction that is uncertain, or that tells no id', () => {
    const taken =
      (row: OperationRow): Build =>
      (h) => {
        transaction(h, row);
        init(h, 6, [50, 60]);
      };
    expect(regression(2, taken({}))).toBe('found');
    expect(regression(2, taken({ info: true }))).toBe('absent');
    expect(regression(2, taken({ txn: {} }))).toBe('absent');
  });
});

describe("a read of the group's offsets", () => {
  const read =
    (...reads: Build[]): Build =>
    (h) => {
      transaction(h);
      for (const each of reads) each(h);
    };
  const returned =
    (process: number, at: readonly [number, number], row: object = {}): Build =>
    (h) =>
      h.committed(process, 'g', { 't/0': 4 }, { at, ...row });

  it('proves them displaced from the first that returned on', () => {
    expect(regression(2, read(returned(7, [50, 105])))).toBe('absent');
    expect(regression(2, read(returned(7, [50, 105]), returned(8, [55, 60])))).toBe('found');
    expect(regression(2, read(returned(7, [50, 60]), returned(8, [55, 105])))).toBe('found');
    expect(regression(2, read(returned(7, [50, 60]), returned(8, [70, 80])))).toBe('found');
  });

  it('proves it of an uncertain transaction too', () => {
    const uncertain: Build = (h) => {
      transaction(h, { info: true });
      h.committed(7, 'g', { 't/0': 4 }, { at: [50, 60] });
    };
    expect(regression(2, uncertain)).toBe('found');
    expect(regression(2, uncertain, { stable: true })).toBe('found');
    expect(regression(4, uncertain)).toBe('absent');
  });

  it('says nothing if it failed, or was of another group or log', () => {
    expect(regression(2, read(returned(7, [50, 60], { fail: true })))).toBe('absent');
    const of =
      (group: string, log: string): Build =>
      (h) =>
        h.committed(7, group, { [log]: 4 }, { at: [50, 60] });
    expect(regression(2, read(of('h', 't/0')))).toBe('absent');
    expect(regression(2, read(of('g', 't/1')))).toBe('absent');
    expect(regression(2, read(of('g', 't/0')))).toBe('found');
  });

  it('proves neither of two that committed the same, nor a plain one that is uncertain', () => {
    const plain: Build = (h) => h.commit(3, 'g', { 't/0': 4 }, { at: [41, 42], info: true });
    expect(regression(2, read(plain, returned(7, [50, 60])))).toBe('absent');
    const alone: Build = (h) => {
      h.op(5, 'txn', [['offsets', 'g', { 't/0': 3 }]], { at: [30, 40] });
      h.commit(3, 'g', { 't/0': 4 }, { at: [41, 42], info: true });
      h.committed(7, 'g', { 't/0': 4 }, { at: [50, 60] });
    };
    expect(regression(2, alone)).toBe('absent');
  });
});

describe('a transaction that something else resolves', () => {
  const batch = (base: number, control: RawBatch['control']): RawBatch => ({
    base,
    last: base,
    leaderEpoch: 0,
    producerId: 1,
    epoch: 0,
    sequence: control === null ? 0 : -1,
    transactional: true,
    control,
  });
  const uncertain = (h: HistoryBuilder) =>
    h.op(5, 'txn', [['send', 'u/0', 'x'], ['offsets', 'g', { 't/0': 4 }]], { at: [30, 40], info: true, txn: { id: 'x' } }); // prettier-ignore
  /** The certifier takes a transaction whose end is not known for uncertain, so it is not asked. */
  const outcomes = (h: HistoryBuilder) => {
    const { anomalies } = checkHistory(h.load());
    return [anomalies['commit-regression'].outcome, anomalies['group-skip'].outcome];
  };

  it('commits nothing where the raw log holds the marker of its abort', () => {
    const marked = (control: 'abort' | 'commit'): Build => {
      return (h) =>
        uncertain(h)
          .scan(8, 'u/0', [[0, 'x']], { at: [50, 51], end: 2, view: 'uncommitted' })
          .rawScan(8, 'u/0', [batch(0, null), batch(1, control)], { at: [52, 60] });
    };
    expect(outcomes(begins(4, marked('abort')))).toEqual(['absent', 'found']);
    expect(outcomes(begins(4, marked('commit')))).toEqual(['absent', 'absent']);
    expect(outcomes(begins(2, marked('commit'), { stable: true }))).toEqual(['found', 'absent']);
    expect(outcomes(begins(2, marked('abort'), { stable: true }))).toEqual(['absent', 'absent']);
  });

  it('displaces older offsets, for who asks for stable ones, when its witness returns', () => {
    const seen = (at: readonly [number, number]): Build => {
      return (h) => uncertain(h).poll(8, { 'u/0': [[0, 'x']] }, { at });
    };
    expect(outcomes(begins(2, seen([50, 60]), { stable: true }))[0]).toBe('found');
    expect(outcomes(begins(2, seen([50, 60])))[0]).toBe('absent');
    expect(outcomes(begins(2, seen([95, 105]), { stable: true }))[0]).toBe('absent');
  });
});

describe('the attempt to commit', () => {
  it('is of the transaction that is open then, whatever was attempted before', () => {
    const second =
      (ms: number): Build =>
      (h) =>
        h
          .op(5, 'txn', [['offsets', 'g', { 't/0': 2 }]], { at: [30, 40] })
          .attempt(5, [['commit']], { at: 35 })
          .op(5, 'txn', [], { at: [50, 140], completed: [['offsets', 'g', { 't/0': 4 }]] })
          .attempt(5, [['offsets', 'g', { 't/0': 4 }]], { at: 92 })
          .attempt(5, [['commit']], { at: ms });
    expect(skip(4, second(95))).toBe('absent');
    expect(skip(4, second(105))).toBe('found');
  });
});
