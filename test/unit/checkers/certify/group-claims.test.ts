/** Claims about consumer groups: which the certifier refuses, though a checker might have made them. */
import { describe, expect, it } from 'vitest';
import type { RecordSeen } from '../../../../src/history/event.ts';
import { claims } from '../../../support/claims.ts';
import {
  history,
  type HistoryBuilder,
  type OperationRow,
} from '../../../support/history-builder.ts';

const k = { key: 'k' };
type Build = (h: HistoryBuilder) => unknown;
const values = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const from = (offset: number): RecordSeen[] =>
  values.slice(offset).map((value, i): RecordSeen => [offset + i, value]);

/** Process 1 commits 2 unless `commit` says otherwise; process 2 is assigned t/0 at 100 ms and begins at `first`. */
function begins(
  first: number,
  build: Build = () => undefined,
  {
    commit = {},
    stable = false,
  }: { readonly commit?: OperationRow; readonly stable?: boolean } = {},
) {
  const h = history();
  values.forEach((value, offset) =>
    h.send(0, 't/0', value, { at: [offset, offset + 0.5], ok: offset, as: value }),
  );
  h.commit(1, 'g', { 't/0': 2 }, { at: [20, 21], as: 'commit', ...commit });
  h.subscribe(2, 'g', { at: [90, 91], stable });
  h.rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 100 });
  build(h);
  return h.poll(2, { 't/0': from(first) }, { at: [110, 111], as: 'poll' });
}

describe('claims of commit-regression', () => {
  const claimed = (h: HistoryBuilder, more: object = {}) =>
    claims(h, 'commit-regression', 'commit poll', more);

  it('hold below what was surely committed, not at it, nor below what only may be', () => {
    expect(claimed(begins(1))).toBe(true);
    expect(claimed(begins(2))).toBe(false);
    expect(claimed(begins(1, undefined, { commit: { info: true } }))).toBe(false);
    expect(claimed(begins(0, (h) => h.commit(3, 'g', { 't/0': 1 }, { at: [30, 31], info: true })))).toBe(true); // prettier-ignore
    expect(claimed(begins(1, (h) => h.commit(3, 'g', { 't/0': 1 }, { at: [30, 31], info: true })))).toBe(false); // prettier-ignore
  });

  it('name the offset of the first record, its log, and an event that assigned it', () => {
    const h = begins(1, (b) => b.rebalance(77, { assigned: ['t/0'] }, { at: 50, as: 'stranger' }));
    expect(claimed(h, { offset: 1, log: 't/0' })).toBe(true);
    expect(claimed(h, { offset: 2 })).toBe(false);
    expect(claimed(h, { log: 't/1' })).toBe(false);
    expect(claimed(h, { events: [] })).toBe(false);
    expect(claimed(h, { events: [h.index('stranger')] })).toBe(false);
    expect(claims(h, 'commit-regression', 'commit')).toBe(false);
  });

  it('go by the last group that the member joined', () => {
    const moved = (h: HistoryBuilder) => h.subscribe(2, 'h', { at: [92, 93] });
    expect(claimed(begins(1, moved))).toBe(false);
    const back = (h: HistoryBuilder) => moved(h).subscribe(2, 'g', { at: [94, 95] });
    expect(claimed(begins(1, back))).toBe(true);
  });
});

describe('claims about offsets in transactions', () => {
  const claimed = (micros: readonly unknown[], row: OperationRow, more: Build, stable = false) =>
    claims(
      begins(
        2,
        (h) => {
          h.op(5, 'txn', micros, { at: [30, 40], txn: { id: 'x' }, ...row });
          more(h);
        },
        { stable },
      ),
      'commit-regression',
      'commit poll',
    );
  const offsets = (next: number, group = 'g') => ['offsets', group, { 't/0': next }];
  const nothing: Build = () => undefined;
  const taken =
    (id: string, row: OperationRow = {}): Build =>
    (h) =>
      h.op(6, 'init', { id }, { at: [50, 60], completed: { id, producerId: 1, epoch: 1 }, ...row });
  const read =
    (group: string, next: number, row: object = {}): Build =>
    (h) =>
      h.committed(7, group, { 't/0': next }, { at: [50, 60], ...row });

  it('hold once they surely displaced what was committed before', () => {
    expect(claimed([offsets(4)], {}, nothing)).toBe(false);
    expect(claimed([offsets(4)], {}, nothing, true)).toBe(true);
    expect(claimed([offsets(4)], { info: true }, nothing, true)).toBe(false);
    expect(claimed([offsets(4, 'h')], {}, nothing, true)).toBe(false);
    expect(claimed([offsets(4)], {}, taken('x'))).toBe(true);
    expect(claimed([offsets(4)], {}, taken('y'))).toBe(false);
    expect(claimed([offsets(4)], {}, taken('x', { fail: true }))).toBe(false);
    expect(claimed([offsets(4)], { txn: {} }, taken('x'))).toBe(false);
    expect(claimed([offsets(4)], { info: true }, taken('x'))).toBe(false);
    expect(claimed([offsets(4)], {}, read('g', 4))).toBe(true);
    expect(claimed([offsets(4)], { info: true }, read('g', 4))).toBe(true);
    expect(claimed([offsets(4)], {}, read('g', 2))).toBe(false);
    expect(claimed([offsets(4)], {}, read('h', 4))).toBe(false);
    expect(claimed([offsets(4)], {}, read('g', 4, { fail: true }))).toBe(false);
  });

  it('hold by no read of what another commit wrote as well, and no init before', () => {
    const both: Build = (h) => {
      h.commit(3, 'g', { 't/0': 4 }, { at: [25, 26], info: true });
      read('g', 4)(h);
    };
    expect(claimed([offsets(4)], {}, both)).toBe(false);
    const before: Build = (h) =>
      h.op(6, 'init', { id: 'x' }, { at: [25, 26], completed: { id: 'x', producerId: 1, epoch: 1 } }); // prettier-ignore
    expect(claimed([offsets(4)], {}, before)).toBe(false);
  });

  it('go by the last that an acknowledged one lists, and by all of an uncertain one', () => {
    const listed = [offsets(1), offsets(4)];
    expect(claimed(listed, { completed: listed }, taken('x'))).toBe(true);
    expect(claimed(listed, { completed: listed.toReversed() }, taken('x'))).toBe(false);
    expect(claimed(listed, { completed: [] }, taken('x'))).toBe(false);
    expect(claimed([offsets(4), offsets(1)], { info: true }, read('g', 4))).toBe(false);
    expect(claimed([offsets(4), offsets(3)], { info: true }, read('g', 4))).toBe(true);
  });
});

describe('claims of group-skip', () => {
  const claimed = (h: HistoryBuilder, more: object = {}) =>
    claims(h, 'group-skip', 'commit poll', more);

  it('hold above all that may be committed, and name an offset that was skipped', () => {
    expect(claimed(begins(4))).toBe(true);
    expect(claimed(begins(2))).toBe(false);
    expect(claimed(begins(4, (h) => h.commit(3, 'g', { 't/0': 4 }, { at: [30, 31], info: true })))).toBe(false); // prettier-ignore
    expect([1, 2, 3, 4].map((offset) => claimed(begins(4), { offset }))).toEqual([false, true, true, false]); // prettier-ignore
  });

  it('are refused where the first record is not certain', () => {
    const h = begins(4, (b) => b.poll(2, { 't/0': [[2, 'c']] }, { at: [95, 105] }));
    expect(claimed(h)).toBe(false);
    expect(claims(begins(1, (b) => b.poll(2, { 't/0': [[2, 'c']] }, { at: [95, 105] })), 'commit-regression', 'commit poll')).toBe(true); // prettier-ignore
  });
});

describe('claims of stale-commit', () => {
  const claimed = (commit: object, event: object = {}, process = 2) => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .subscribe(3, 'h', { at: [5, 6] })
      .rebalance(process, { generation: 2, assigned: ['t/0'], ...event }, { at: 20, as: 'newer' })
      .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], generation: 1, as: 'commit', ...commit });
    return claims(h, 'stale-commit', 'commit', { events: [h.index('newer')] });
  };

  it('hold of an acknowledged commit after another member of a newer generation', () => {
    expect(claimed({})).toBe(true);
    expect(claimed({ fail: true })).toBe(false);
    expect(claimed({ info: true })).toBe(false);
    expect(claimed({ at: [10, 31] })).toBe(false);
    expect(claimed({ generation: 2 })).toBe(false);
    expect(claimed({ generation: undefined })).toBe(false);
    expect(claimed({ generation: -1 })).toBe(false);
    expect(claimed({ generation: 0 })).toBe(true);
    expect(claimed({ generation: 0 }, { generation: undefined })).toBe(false);
    expect(claimed({}, { generation: undefined })).toBe(false);
  });

  it('go by members where both are told, else by processes, and by the group', () => {
    expect(claimed({ member: 'm' }, { member: 'm' })).toBe(false);
    expect(claimed({ member: 'm' }, { member: 'n' }, 1)).toBe(true);
    expect(claimed({ member: 'm' }, {}, 1)).toBe(false);
    expect(claimed({ member: 'm' }, {}, 2)).toBe(true);
    expect(claimed({}, { member: 'n' }, 1)).toBe(false);
    expect(claimed({}, { member: 'n' }, 2)).toBe(true);
    expect(claimed({}, {}, 1)).toBe(false);
    expect(claimed({}, {}, 3)).toBe(false);
    expect(claimed({}, {}, 77)).toBe(false);
  });

  it('are of commits alone', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2], as: 'subscribe' })
      .subscribe(2, 'g', { at: [3, 4] })
      .rebalance(2, { generation: 2 }, { at: 20 })
      .op(1, 'txn', [['offsets', 'g', { 't/0': 1 }]], { at: [30, 31], as: 'txn' });
    expect(claims(h, 'stale-commit', 'txn')).toBe(false);
    expect(claims(h, 'stale-commit', 'subscribe')).toBe(false);
  });
});

describe('claims of double-ownership', () => {
  const told = (one: object, two: object, groups: readonly [string, string] = ['g', 'g']) => {
    const h = history()
      .subscribe(1, groups[0], { at: [1, 2], as: 'first' })
      .subscribe(2, groups[1], { at: [3, 4], as: 'second' })
      .rebalance(1, { generation: 3, assigned: ['t/0'], ...one }, { at: 10, as: 'one' })
      .rebalance(2, { generation: 3, assigned: ['t/0'], ...two }, { at: 20, as: 'two' })
      .rebalance(77, { generation: 3, assigned: ['t/0'] }, { at: 30, as: 'stranger' });
    return {
      holds: (labels = 'first second', events = ['one', 'two'], more: object = {}) =>
        claims(h, 'double-ownership', labels, { events: events.map((as) => h.index(as)), ...more }),
    };
  };

  it('hold of two members of one generation of one group that own one log', () => {
    expect(told({}, {}).holds()).toBe(true);
    expect(told({}, {}, ['g', 'h']).holds()).toBe(false);
    expect(told({}, { generation: 4 }).holds()).toBe(false);
    expect(told({ generation: 0 }, { generation: 0 }).holds()).toBe(true);
    expect(told({ generation: undefined }, { generation: 0 }).holds()).toBe(false);
    expect(told({ generation: 0 }, { generation: undefined }).holds()).toBe(false);
    expect(told({ generation: undefined }, { generation: undefined }).holds()).toBe(false);
    expect(told({ generation: -1 }, { generation: -1 }).holds()).toBe(false);
    expect(told({}, { assigned: ['t/1'] }).holds()).toBe(false);
  });

  it('go by members where both are told, else by processes', () => {
    expect(told({ member: 'm' }, { member: 'm' }).holds()).toBe(false);
    expect(told({ member: 'm' }, { member: 'n' }).holds()).toBe(true);
    expect(told({ member: 'm' }, {}).holds()).toBe(true);
    expect(told({}, { member: 'n' }).holds()).toBe(true);
    expect(told({ member: 'm' }, {}).holds('first second', ['one'])).toBe(false);
    expect(told({}, {}).holds('first second', ['two'])).toBe(false);
  });

  it('name both subscriptions, both events, and the log', () => {
    expect(told({}, {}).holds('first')).toBe(false);
    expect(told({}, {}).holds('second')).toBe(false);
    expect(told({}, {}).holds('first second', ['one', 'stranger'])).toBe(false);
    expect(told({}, {}).holds('first second', ['one', 'two'], { log: 't/0' })).toBe(true);
    expect(told({}, {}).holds('first second', ['one', 'two'], { log: 't/1' })).toBe(false);
  });

  /** Process 1 has t/0 since generation 1; what it is told later, and process 2 is given t/0 in generation 3. */
  const kept = (...events: object[]) => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2], as: 'first' })
      .subscribe(2, 'g', { at: [3, 4], as: 'second' })
      .rebalance(1, { generation: 1, assigned: ['t/0', 't/1'] }, { at: 10 });
    events.forEach((event, i) => h.rebalance(1, { generation: 3, ...event }, { at: 20 + i }));
    h.rebalance(2, { generation: 3, assigned: ['t/0'] }, { at: 30 });
    return claims(h, 'double-ownership', 'first second');
  };

  it('hold of what the last event of the generation left to a member', () => {
    expect(kept({ revoked: [] })).toBe(true);
    expect(kept({})).toBe(false);
    expect(kept({ revoked: ['t/0'] })).toBe(false);
    expect(kept({ revoked: ['t/1'] })).toBe(true);
    expect(kept({ revoked: [], lost: ['t/0'] })).toBe(false);
    expect(kept({ revoked: [], assigned: ['t/1'] })).toBe(false);
    expect(kept({ revoked: [], assigned: ['t/2'] })).toBe(true);
    expect(kept({ revoked: [] }, { revoked: ['t/0'] })).toBe(false);
    expect(kept({ revoked: [] }, { revoked: ['t/1'] })).toBe(true);
    expect(kept({ revoked: [] }, {})).toBe(false);
  });

  it('are refused of what was owned before a new subscription', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4], as: 'second' })
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 10 })
      .subscribe(1, 'g', { at: [11, 12], as: 'first' })
      .rebalance(1, { generation: 3, revoked: [] }, { at: 20 })
      .rebalance(2, { generation: 3, assigned: ['t/0'] }, { at: 30 });
    expect(claims(h, 'double-ownership', 'first second')).toBe(false);
  });
});

describe('claims of key-processed-out-of-order', () => {
  const anomaly = 'key-processed-out-of-order';
  const labels = 'later beyond earlier covers';
  /** Process 1 polls the record at 1 and commits; process 2 then that at 0; `build` adds what it likes. */
  const swapped = (
    { key = 'k', group = 'g', log = 't/0', next = 2, row = {}, late = {} }: {
      readonly key?: string | undefined; readonly group?: string; readonly log?: string;
      readonly next?: number; readonly row?: OperationRow; readonly late?: OperationRow;
    } = {},
    build: Build = () => undefined,
  ) => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, group, { at: [3, 4] })
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11], as: 'later' })
      .commit(1, 'g', { 't/0': next }, { at: [20, 21], as: 'beyond', ...row })
      .poll(2, { [log]: [[0, 'a', { key }]] }, { at: [50, 51], as: 'earlier' })
      .commit(2, group, { [log]: 1 }, { at: [60, 61], as: 'covers', ...late });
    build(h);
    return h;
  }; // prettier-ignore
  const claimed = (h: HistoryBuilder, more: object = {}) => claims(h, anomaly, labels, more);

  it('hold of two records of one key, log and group, both surely processed', () => {
    expect(claimed(swapped())).toBe(true);
    expect(claimed(swapped({ key: 'l' }))).toBe(false);
    expect(claimed(swapped({ group: 'h' }))).toBe(false);
    expect(claimed(swapped({ log: 't/1' }))).toBe(false);
    expect(claimed(swapped({ next: 1 }))).toBe(false);
    expect(claimed(swapped({ row: { info: true } }))).toBe(false);
    expect(claimed(swapped({ row: { fail: true } }))).toBe(false);
    expect(claimed(swapped({ late: { info: true } }))).toBe(false);
  });

  it('name the log and the lower of the two offsets, and the poll of the higher', () => {
    expect(claimed(swapped(), { log: 't/0', offset: 0 })).toBe(true);
    expect(claimed(swapped(), { offset: 1 })).toBe(false);
    expect(claimed(swapped(), { log: 't/1' })).toBe(false);
    expect(claims(swapped(), anomaly, 'beyond earlier covers')).toBe(false);
  });

  it('are refused of records in their order, and of those without a key', () => {
    const inOrder = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .poll(1, { 't/0': [[0, 'a', k]] }, { at: [10, 11], as: 'later' })
      .commit(1, 'g', { 't/0': 1 }, { at: [20, 21], as: 'beyond' })
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [50, 51], as: 'earlier' })
      .commit(1, 'g', { 't/0': 2 }, { at: [60, 61], as: 'covers' });
    expect(claimed(inOrder)).toBe(false);
    const keyless = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .poll(1, { 't/0': [[1, 'b']] }, { at: [10, 11], as: 'later' })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21], as: 'beyond' })
      .poll(2, { 't/0': [[0, 'a']] }, { at: [50, 51], as: 'earlier' })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61], as: 'covers' });
    expect(claimed(keyless)).toBe(false);
  });

  it('are of polls: what a member saw as an auditor it did not process', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .scan(1, 't/0', [[1, 'b', k]], { at: [10, 11], as: 'later' })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21], as: 'beyond' })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51], as: 'earlier' })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61], as: 'covers' });
    expect(claimed(h)).toBe(false);
  });

  it('are refused where the log was given up before the commit, by whatever word', () => {
    const between = (build: Build) => claimed(swapped({}, build));
    for (const word of ['assigned', 'revoked', 'lost']) {
      expect(between((h) => h.rebalance(1, { [word]: ['t/0'] }, { at: 15 }))).toBe(false);
      expect(between((h) => h.rebalance(1, { [word]: ['t/1'] }, { at: 15 }))).toBe(true);
      expect(between((h) => h.rebalance(2, { [word]: ['t/0'] }, { at: 15 }))).toBe(true);
      expect(between((h) => h.rebalance(1, { [word]: ['t/0'] }, { at: 5 }))).toBe(true);
    }
    expect(between((h) => h.close(1, { at: [12, 13] }))).toBe(false);
    expect(between((h) => h.close(1, { at: [12, 13], fail: true }))).toBe(true);
    expect(between((h) => h.close(3, { at: [12, 13] }))).toBe(true);
    expect(between((h) => h.close(1, { at: [22, 23] }))).toBe(true);
    expect(between((h) => h.subscribe(1, 'g', { at: [12, 13] }))).toBe(false);
    expect(between((h) => h.assign(1, ['t/0'], 'beginning', { at: [12, 13] }))).toBe(false);
    expect(between((h) => h.poll(1, {}, { at: [12, 13] }))).toBe(true);
    expect(between((h) => h.event('phase', { phase: 'drain' }, { at: 12 }))).toBe(true);
  });

  it('are refused where another may have processed the earlier record before', () => {
    const also = (row: OperationRow) =>
      swapped({}, (h) =>
        h
          .subscribe(3, 'g', { at: [5, 6] })
          .poll(3, { 't/0': [[0, 'a', k]] }, { at: [7, 8] })
          .commit(3, 'g', { 't/0': 1 }, { at: [9, 10], ...row }),
      );
    expect(claimed(also({ info: true }))).toBe(false);
    expect(claimed(also({}))).toBe(false);
    expect(claimed(also({ fail: true }))).toBe(true);
  });

  it('go by the first transaction that covers a record', () => {
    const covered = (at: readonly [number, number], row: OperationRow, more: Build) => {
      const session = 's';
      const micros = [['offsets', 'g', { 't/0': 2 }]];
      const h = history()
        .subscribe(1, 'g', { at: [1, 2], session })
        .subscribe(2, 'g', { at: [3, 4] })
        .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11], session, as: 'later' })
        .op(1, 'txn', micros, { at, session, as: 'beyond', ...row });
      more(h);
      return h
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51], as: 'earlier' })
        .op(2, 'txn', [['offsets', 'g', { 't/0': 1 }]], { at: [60, 61], as: 'covers' });
    };
    const nothing: Build = () => undefined;
    expect(claimed(covered([20, 30], {}, nothing))).toBe(true);
    expect(claimed(covered([20, 65], {}, nothing))).toBe(false);
    const second: Build = (h) =>
      h.op(3, 'txn', [['offsets', 'g', { 't/0': 2 }]], {
        at: [31, 40],
        session: 's',
        as: 'second',
      });
    const h = covered([20, 30], { info: true }, second);
    expect(claims(h, anomaly, 'later beyond second earlier covers')).toBe(false);
  });
});
