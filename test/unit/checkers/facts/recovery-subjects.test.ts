import { describe, expect, it } from 'vitest';
import { subjectsAfter } from '../../../../checkers/facts/recovery-subjects.ts';
import { history, type HistoryBuilder } from '../../../support/history-builder.ts';

/** Subjects after 10 ms, with operations by the labels of their processes. */
function subjects(h: HistoryBuilder) {
  const loaded = h.load();
  const who = (op: number | null) =>
    op === null || op < 0 ? null : loaded.processes[loaded.ops.process[op]!]!;
  return subjectsAfter(loaded, 10e6).map(({ name, count, attempts, ...subject }) => ({
    name,
    count,
    by: [who(attempts.first), who(attempts.last)],
    acknowledged: who(subject.acknowledged),
    read: subject.read,
    lastReadAttempt: who(subject.lastReadAttempt),
  }));
}

describe('logs that were attempted after a moment', () => {
  it('are those that were sent to after it, with the first acknowledgement', () => {
    const h = history()
      .send(1, 't/0', 1, { at: [9, 11], ok: 0 })
      .send(2, 't/1', 2, { at: [10, 12], ok: 0 })
      .send(3, 't/2', 3, { at: [11, 12], info: true })
      .send(4, 't/2', 4, { at: [12, 13], ok: 0 })
      .send(5, 't/2', 5, { at: [13, 14], ok: 1 })
      .send(6, 't', 6, { at: [13, 14], info: true });
    expect(subjects(h)).toEqual([
      { name: 't/2', count: 3, by: [3, 5], acknowledged: 4, read: false, lastReadAttempt: null },
    ]);
  });

  it('are read once a committed reader or scan returned what was acknowledged', () => {
    const sent = () =>
      history()
        .send(1, 't/0', 1, { at: [8, 9], ok: 0 })
        .send(1, 't/0', 2, { at: [11, 12], ok: 1 })
        .send(2, 't/0', 3, { at: [11, 12], info: true });
    const read = (h: HistoryBuilder) => subjects(h)[0]!.read;
    expect(read(sent().poll(5, { 't/0': [[1, 2]] }, { at: [13, 14] }))).toBe(true);
    expect(read(sent().poll(5, { 't/0': [[0, 1]] }, { at: [13, 14] }))).toBe(false);
    expect(read(sent().poll(5, { 't/0': [[2, 3]] }, { at: [13, 14] }))).toBe(false);
    const uncommitted = sent()
      .assign(5, ['t/0'], 'beginning', { at: [11, 12], isolation: 'read_uncommitted' })
      .poll(5, { 't/0': [[1, 2]] }, { at: [13, 14] });
    expect(read(uncommitted)).toBe(false);
    expect(read(uncommitted.scan(9, 't/0', [[1, 2]], { at: [15, 16] }))).toBe(true);
    expect(read(sent().scan(9, 't/0', [[1, 2]], { at: [15, 16], view: 'uncommitted' }))).toBe(
      false,
    );
  });

  it('are not read by an uncommitted scan, though its rows come right after those of a committed one', () => {
    const h = history()
      .send(1, 't/0', 1, { at: [11, 12], ok: 0 })
      .scan(9, 't/0', [], { at: [12.5, 13], upTo: 0, end: 1 })
      .scan(8, 't/0', [[0, 1]], { at: [14, 15], view: 'uncommitted' });
    expect(subjects(h)[0]!.read).toBe(false);
  });

  it('do not take one value for that of another log', () => {
    const h = history()
      .send(1, 't/0', 1, { at: [11, 12], ok: 0 })
      .send(1, 't/1', 2, { at: [13, 14], ok: 0 })
      .poll(5, { 't/1': [[4, 1]], 't/0': [[0, 1]] }, { at: [15, 16] });
    expect(subjects(h).map(({ name, read }) => [name, read])).toEqual([
      ['t/0', true],
      ['t/1', false],
    ]);
  });
});

describe('the last attempt to read a log', () => {
  const sent = () => history().send(1, 't/0', 1, { at: [11, 12], ok: 0 });
  const last = (h: HistoryBuilder) => subjects(h)[0]!.lastReadAttempt;

  it('is a poll of a process that was assigned it, whatever came of it', () => {
    const assigned = () => sent().assign(5, ['t/0'], 'beginning', { at: [1, 2] });
    expect(last(assigned().poll(5, {}, { at: [13, 14] }))).toBe(5);
    expect(last(assigned().poll(5, null, { at: [13, 14], fail: true }))).toBe(5);
    expect(last(sent().poll(5, {}, { at: [13, 14] }))).toBe(null);
    const elsewhere = sent().assign(5, ['t/1'], 'beginning', { at: [1, 2] });
    expect(last(elsewhere.poll(5, {}, { at: [13, 14] }))).toBe(null);
  });

  it('is a later one of another process, or an audit', () => {
    const two = sent()
      .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
      .assign(6, ['t/0'], 'beginning', { at: [1, 2] })
      .poll(6, {}, { at: [13, 14] })
      .poll(5, {}, { at: [15, 16] });
    expect(last(two)).toBe(5);
    expect(last(two.scan(9, 't/0', [], { at: [17, 18] }))).toBe(9);
    expect(last(two.poll(6, {}, { at: [19, 20] }))).toBe(6);
  });

  it('ends with the assignment', () => {
    const closed = sent()
      .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
      .poll(5, {}, { at: [3, 4] })
      .close(5, { at: [5, 6] })
      .poll(5, {}, { at: [13, 14] });
    const loaded = closed.load();
    const [subject] = subjectsAfter(loaded, 10e6);
    expect(loaded.ops.invNs[subject!.lastReadAttempt]).toBe(3e6);
    const revoked = (lost: object) =>
      sent()
        .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [1, 2] })
        .event('rebalance', { assigned: ['t/0'] }, { at: 2.5, process: 5 })
        .poll(5, {}, { at: [3, 4] })
        .event('rebalance', lost, { at: 5, process: 5 })
        .poll(5, {}, { at: [13, 14] })
        .load();
    const inv = (h: ReturnType<HistoryBuilder['load']>) =>
      h.ops.invNs[subjectsAfter(h, 10e6)[0]!.lastReadAttempt];
    expect(inv(revoked({ revoked: ['t/0'] }))).toBe(3e6);
    expect(inv(revoked({ lost: ['t/0'] }))).toBe(3e6);
    expect(inv(revoked({ revoked: ['t/1'] }))).toBe(13e6);
  });

  it('is a poll without any assignment of a process that read it so', () => {
    const implicit = sent()
      .poll(5, { 't/0': [[0, 1]] }, { at: [13, 14] })
      .poll(5, {}, { at: [15, 16] });
    const loaded = implicit.load();
    expect(loaded.ops.invNs[subjectsAfter(loaded, 10e6)[0]!.lastReadAttempt]).toBe(15e6);
  });
});

describe('groups and transactional ids that were attempted after a moment', () => {
  const commit = { group: 'g', offsets: { 't/0': 1 } };
  const committed = { group: 'g', logs: ['t/0'] };

  it('are subjects of their own, in order of their first attempt', () => {
    const h = history()
      .op(1, 'init', { id: 'early' }, { at: [8, 9], completed: id('early') })
      .op(1, 'init', { id: 'at it' }, { at: [10, 10.5], completed: id('at it') })
      .op(1, 'subscribe', { group: 'h', topics: ['t'] }, { at: [11, 12] })
      .op(2, 'init', { id: 'x' }, { at: [13, 14], completed: id('x') })
      .op(3, 'init', { id: 'x' }, { at: [15, 16], fail: true });
    expect(subjects(h)).toEqual([
      { name: 'group h', count: 1, by: [1, 1], acknowledged: 1, read: true, lastReadAttempt: null },
      {
        name: 'transactional id x',
        count: 2,
        by: [2, 3],
        acknowledged: 2,
        read: true,
        lastReadAttempt: null,
      },
    ]);
  });

  it('that committed are read by what asks for the committed offsets afterwards', () => {
    const asked = { completed: commit };
    const before = history()
      .op(2, 'committed', committed, { at: [11, 12], ...asked })
      .op(1, 'commit', commit, { at: [13, 14] });
    expect(subjects(before)[0]).toMatchObject({ acknowledged: 1, read: false, lastReadAttempt: 2 });
    const after = before.op(3, 'committed', committed, { at: [15, 16], ...asked });
    expect(subjects(after)[0]).toMatchObject({ read: true, lastReadAttempt: 3 });
    const failed = history()
      .op(1, 'commit', commit, { at: [11, 12] })
      .op(3, 'committed', committed, { at: [13, 14], fail: true });
    expect(subjects(failed)[0]).toMatchObject({ acknowledged: 1, read: false, lastReadAttempt: 3 });
    const refused = history()
      .op(1, 'commit', commit, { at: [11, 12], fail: true })
      .op(3, 'committed', committed, { at: [13, 14], ...asked });
    expect(subjects(refused)[0]).toMatchObject({ acknowledged: null, read: false });
  });

  it('of transactions are read where their records are', () => {
    const txn = (row: object) =>
      history().op(1, 'txn', [['send', 't/0', 1], ['send', 't/1', 2]], {
        at: [11, 12],
        txn: { id: 'x' },
        completed: [['send', 't/0', [0, 1]], ['send', 't/1', [0, 2]]],
        ...row,
      }); // prettier-ignore
    const ofId = (h: HistoryBuilder) =>
      subjects(h).find(({ name }) => name === 'transactional id x')!;
    expect(ofId(txn({}))).toMatchObject({ acknowledged: 1, read: false });
    expect(ofId(txn({}).poll(5, { 't/0': [[0, 1]] }, { at: [13, 14] })).read).toBe(true);
    expect(ofId(txn({}).poll(5, { 't/1': [[0, 2]] }, { at: [13, 14] })).read).toBe(true);
    expect(ofId(txn({}).scan(9, 't/1', [[0, 2]], { at: [13, 14] })).read).toBe(true);
    expect(ofId(txn({}).scan(9, 't/1', [[0, 2]], { at: [13, 14], view: 'uncommitted' })).read).toBe(
      false,
    );
    const afterCommitted = txn({})
      .scan(8, 't/1', [], { at: [12.5, 12.8], upTo: 0, end: 1 })
      .scan(9, 't/1', [[0, 2]], { at: [13, 14], view: 'uncommitted' });
    expect(ofId(afterCommitted).read).toBe(false);
    const lax = txn({})
      .assign(5, ['t/0'], 'beginning', { at: [1, 2], isolation: 'read_uncommitted' })
      .poll(5, { 't/0': [[0, 1]] }, { at: [13, 14] });
    expect(ofId(lax).read).toBe(false);
    expect(ofId(txn({ info: true }).poll(5, { 't/0': [[0, 1]] }, { at: [13, 14] }))).toMatchObject({
      acknowledged: null,
      read: false,
    });
    // Its value in another log is none of its records.
    expect(ofId(txn({}).poll(5, { 't/0': [[4, 2]] }, { at: [13, 14] })).read).toBe(false);
    const empty = history().op(1, 'txn', [], { at: [11, 12], txn: { id: 'x' } });
    expect(ofId(empty)).toMatchObject({ acknowledged: 1, read: true });
    // A plain send with nothing read changes nothing for the id.
    const plain = empty.send(2, 't/0', 1, { at: [13, 14], ok: 0 });
    expect(ofId(plain)).toMatchObject({ acknowledged: 1, read: true });
  });
});

function id(name: string) {
  return { id: name, producerId: 7, epoch: 0 };
}
