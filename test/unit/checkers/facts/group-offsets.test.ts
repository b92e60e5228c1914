/** Which offsets may be in force at a moment; here mostly those of transactions, which displace late. */
import { describe, expect, it } from 'vitest';
import { groupCommits, possibleOffsets } from '../../../../checkers/facts/group-offsets.ts';
import { history, type HistoryBuilder } from '../../../support/history-builder.ts';

/** An older plain commit of 2, and a process that is asked about. */
const older = (errorMs = 0): HistoryBuilder =>
  history({ clock: { errorNs: errorMs * 1_000_000 } }).commit(1, 'g', { 't/0': 2 }, { at: [1, 2] });

interface Committed {
  readonly next?: number;
  readonly id?: string;
  readonly at: readonly [number, number];
  readonly process?: number;
  readonly info?: true;
  readonly fail?: true;
}

/** A transaction that commits offsets; its invocation and its completion list them. */
function txn(h: HistoryBuilder, row: Committed): HistoryBuilder {
  const { next = 5, id = 'x', process = 7, ...ending } = row;
  return h.op(process, 'txn', [['offsets', 'g', { 't/0': next }]], { ...ending, txn: { id } });
}

function init(h: HistoryBuilder, at: readonly [number, number], row: object = {}): HistoryBuilder {
  const { id = 'x', process = 8, ...ending } = row as { id?: string; process?: number };
  const completed = { id, producerId: 1, epoch: 1 };
  return h.op(process, 'init', { id }, { at, completed, ...ending });
}

/** Least and greatest possible offset of t/0 at a moment, and "none" where nothing may be committed. */
function at(h: HistoryBuilder, ms: number, stable = false): readonly (number | string)[] {
  const loaded = h.load();
  const event = { ns: ms * 1e6, index: Number.MAX_SAFE_INTEGER, process: -2 };
  const commits = groupCommits(loaded, 'g', 't/0');
  const { least, greatest, none } = possibleOffsets(loaded, commits, event, stable);
  return [...(none ? ['none'] : []), least?.next ?? '-', greatest?.next ?? '-'];
}

describe('plain commits', () => {
  it('are in force from their invocation on, and surely from their return on', () => {
    const h = history().commit(1, 'g', { 't/0': 2 }, { at: [1, 5] });
    expect([at(h, 0.5), at(h, 3), at(h, 6)]).toEqual([
      ['none', '-', '-'],
      ['none', 2, 2],
      [2, 2],
    ]);
  });

  it('displace those that returned before they began, and no others', () => {
    const h = older()
      .commit(3, 'g', { 't/0': 9 }, { at: [3, 6] })
      .commit(4, 'g', { 't/0': 4 }, { at: [5, 8] });
    expect([at(h, 4), at(h, 7), at(h, 9)]).toEqual([
      [2, 9],
      [4, 9],
      [4, 9],
    ]);
  });

  it('of which the outcome is not known are possible for ever; of other groups and logs never', () => {
    const h = history()
      .commit(1, 'g', { 't/0': 1 }, { at: [1, 2], info: true })
      .commit(2, 'g', { 't/0': 3 }, { at: [3, 4] })
      .commit(3, 'h', { 't/0': 8 }, { at: [5, 6] })
      .commit(4, 'g', { 't/1': 9 }, { at: [5, 6] })
      .commit(5, 'g', { 't/0': 7 }, { at: [5, 6], fail: true });
    expect(at(h, 10)).toEqual([1, 3]);
  });

  it('of the process that asks are ordered by program, whatever the clock says', () => {
    const h = history().commit(1, 'g', { 't/0': 2 }, { at: [5, 6], as: 'commit' });
    const loaded = h.load();
    const commits = groupCommits(loaded, 'g', 't/0');
    const event = { ns: 5e6, index: h.invokeIndex('commit') - 1, process: 0 };
    expect(possibleOffsets(loaded, commits, event, false).least).toBeNull();
    const stranger = { ...event, process: -2 };
    expect(possibleOffsets(loaded, commits, stranger, false).least?.next).toBe(2);
  });
});

describe('offsets in an acknowledged transaction', () => {
  it('displace older ones at its return for a reader of stable offsets alone', () => {
    const h = txn(older(), { at: [10, 12] });
    expect([at(h, 11), at(h, 20), at(h, 20, true)]).toEqual([
      [2, 5],
      [2, 5],
      [5, 5],
    ]);
  });

  it('displace once a later init of their id has returned: the one that returned first', () => {
    const h = txn(older(), { at: [10, 12] });
    init(h, [20, 60]);
    init(h, [30, 40], { process: 9 });
    init(h, [35, 50], { process: 10 });
    expect([at(h, 39), at(h, 41)]).toEqual([
      [2, 5],
      [5, 5],
    ]);
    const one = init(txn(older(), { at: [10, 12] }), [20, 30]);
    expect([at(one, 29), at(one, 31)]).toEqual([
      [2, 5],
      [5, 5],
    ]);
  });

  it('do not by an init that failed, of another id, or invoked before them', () => {
    const h = txn(older(), { at: [10, 12] });
    init(h, [20, 30], { fail: true });
    init(h, [20, 30], { id: 'y', process: 9 });
    init(h, [5, 14], { process: 10 });
    expect(at(h, 50)).toEqual([2, 5]);
  });

  it('displace once somebody has read what they alone committed: from the first such answer on', () => {
    const read = (
      h: HistoryBuilder,
      next: number,
      ms: readonly [number, number],
      process: number,
    ) => h.committed(process, 'g', { 't/0': next }, { at: ms });
    const h = txn(older(), { at: [10, 12] });
    read(h, 5, [20, 60], 11);
    read(h, 5, [30, 40], 12);
    read(h, 2, [13, 14], 13);
    expect([at(h, 39), at(h, 41)]).toEqual([
      [2, 5],
      [5, 5],
    ]);
    const shared = txn(older().commit(3, 'g', { 't/0': 5 }, { at: [1, 2], info: true }), {
      at: [10, 12],
    });
    expect(at(read(shared, 5, [20, 21], 11), 30)).toEqual([2, 5]);
    const others = txn(older(), { at: [10, 12] })
      .committed(11, 'h', { 't/0': 5 }, { at: [20, 21] })
      .committed(12, 'g', { 't/1': 5 }, { at: [20, 21] })
      .committed(13, 'g', { 't/0': 5 }, { at: [20, 21], fail: true });
    expect(at(others, 30)).toEqual([2, 5]);
  });

  it('do not by a read that came before they began; nor does a plain commit by a read of it', () => {
    const early = older().committed(11, 'g', { 't/0': 5 }, { at: [5, 6] });
    expect(at(txn(early, { at: [10, 12] }), 30)).toEqual([2, 5]);
    // Where two clocks may err so much, the read may have come after all.
    const near = (errorMs: number) =>
      txn(older(errorMs).committed(11, 'g', { 't/0': 5 }, { at: [3, 4] }), { at: [10, 12] });
    expect([at(near(2), 30), at(near(3), 30)]).toEqual([
      [2, 5],
      [5, 5],
    ]);
    const sameProcess = older().committed(7, 'g', { 't/0': 5 }, { at: [5, 10] });
    expect(at(txn(sameProcess, { at: [10, 12] }), 30)).toEqual([2, 5]);
    const plain = txn(older(), { at: [10, 12], next: 4 })
      .committed(11, 'g', { 't/0': 7 }, { at: [13, 14] })
      .commit(3, 'g', { 't/0': 7 }, { at: [20, 40] });
    expect(at(plain, 30)).toEqual([2, 7]);
  });

  it('are those that it lists last', () => {
    const h = older().op(7, 'txn', [], {
      at: [10, 12],
      txn: { id: 'x' },
      completed: [
        ['offsets', 'g', { 't/0': 4 }],
        ['offsets', 'g', { 't/0': 6 }],
      ],
    });
    expect(at(h, 20, true)).toEqual([6, 6]);
  });
});

describe('offsets in an uncertain transaction', () => {
  it('may be any that it listed anywhere; none where it failed', () => {
    const h = older()
      .op(7, 'txn', [['offsets', 'g', { 't/0': 4 }]], {
        at: [10, 20],
        txn: { id: 'x' },
        info: true,
      })
      .attempt(7, [['offsets', 'g', { 't/0': 8 }]], { at: 12 });
    expect(at(h, 30)).toEqual([2, 8]);
    expect(groupCommits(h.load(), 'g', 't/0').map(({ next }) => next)).toEqual([2, 4, 8]);
    expect(at(txn(older(), { at: [10, 12], fail: true }), 30)).toEqual([2, 2]);
  });

  it('begin at the attempt to commit, where that is recorded: of this transaction, not of the one before', () => {
    const h = txn(older(), { at: [10, 20], next: 3 }).attempt(7, [['commit']], { at: 11 });
    txn(h, { at: [30, 60], info: true }).attempt(7, [['commit']], { at: 50 });
    expect([at(h, 45), at(h, 55)]).toEqual([
      [2, 3],
      [2, 5],
    ]);
    const untold = txn(older(), { at: [30, 60], info: true });
    expect([at(untold, 29), at(untold, 31)]).toEqual([
      [2, 2],
      [2, 5],
    ]);
  });

  it('displace once they were read', () => {
    const h = txn(older(), { at: [10, 12], info: true });
    h.committed(11, 'g', { 't/0': 5 }, { at: [20, 21] });
    expect([at(h, 19), at(h, 25)]).toEqual([
      [2, 5],
      [5, 5],
    ]);
  });
});
