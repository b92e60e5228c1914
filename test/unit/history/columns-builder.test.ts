/** What the columns hold, by example. */
import { describe, expect, test } from 'vitest';
import { opKinds, opStatus } from '../../../src/history/columns.ts';
import type { History, LogColumns } from '../../../src/history/columns.ts';
import { readEvents } from '../../../src/history/load-text.ts';
import { history } from '../../support/history-builder.ts';

function logOf(loaded: History, name: string): LogColumns {
  return loaded.logs[loaded.logByName.get(name)!]!;
}

/** Value ids as values. */
function valuesOf(loaded: History, ids: Int32Array): unknown[] {
  return [...ids].map((id) => loaded.values[id]);
}

function metasOf(loaded: History, ids: Int32Array): unknown[] {
  return [...ids].map((id) => loaded.metas[id]);
}

describe('operations', () => {
  const loaded = history()
    .send(0, 't/0', 1, { at: [1, 5], ok: 7 })
    .send(1, 't/0', 2, { at: [2, 6], fail: 'TOO_LARGE' })
    .send(2, 't/0', 3, { at: [3, 8], info: 'REQUEST_TIMED_OUT', session: 'shared' })
    .send(3, 't/0', 4, { at: 4, session: 'shared' })
    .fault('kill', 'f1', { at: [9, 10] })
    .load();
  const { ops } = loaded;

  test('one row per invocation, in order', () => {
    expect(ops.count).toBe(5);
    expect([...ops.invokeIndex]).toEqual([0, 1, 2, 3, 7]);
    expect([...ops.completeIndex]).toEqual([4, 5, 6, -1, 8]);
    expect([...ops.kind]).toEqual([
      opKinds.send,
      opKinds.send,
      opKinds.send,
      opKinds.send,
      opKinds.other,
    ]);
    const { ok, fail, info, open } = opStatus;
    expect([...ops.status]).toEqual([ok, fail, info, open, ok]);
  });

  test('info and open operations return never, but info has an end', () => {
    expect([...ops.invNs]).toEqual([1e6, 2e6, 3e6, 4e6, 9e6]);
    expect([...ops.retNs]).toEqual([5e6, 6e6, Infinity, Infinity, 10e6]);
    expect([...ops.endNs]).toEqual([5e6, 6e6, 8e6, Infinity, 10e6]);
  });

  test('processes, sessions and errors', () => {
    expect([...ops.process].map((id) => loaded.processes[id])).toEqual([
      0,
      1,
      2,
      3,
      'nemesis:kill',
    ]);
    expect([...ops.session].map((id) => loaded.sessions[id])).toEqual([
      'process 0',
      'process 1',
      'shared',
      'shared',
      'process nemesis:kill',
    ]);
    expect([...ops.error].map((id) => loaded.errors[id]?.code)).toEqual([
      undefined,
      'TOO_LARGE',
      'REQUEST_TIMED_OUT',
      undefined,
      undefined,
    ]);
    expect(loaded.eventCount).toBe(9);
    expect(loaded.lastTimeNs).toBe(10e6);
  });
});

describe('sends', () => {
  test('offsets of ok and info count, that of fail does not', () => {
    const loaded = history()
      .send(0, 't/0', 1, { ok: 7 })
      .send(0, 't/0', 2, { ok: null })
      .op(0, 'send', [['send', 't/0', 3]], { fail: 'X', completed: [['send', 't/0', [9, 3]]] })
      .send(0, 't/0', 4, { info: true, offset: 10 })
      .load();
    const { sends } = logOf(loaded, 't/0');
    expect([...sends.offset]).toEqual([7, -1, -1, 10]);
    expect(valuesOf(loaded, sends.value)).toEqual([1, 2, 3, 4]);
    expect([...sends.op]).toEqual([0, 1, 2, 3]);
    expect([...sends.recordedIndex]).toEqual([0, 2, 4, 6]);
  });

  test('a send moves to the log that its completion names', () => {
    const loaded = history()
      .send(0, 't', 'a', { at: [1, 5], ok: 3, to: 't/1' })
      .send(1, 't/1', 'b', { at: [2, 3], ok: 2 })
      .send(2, 't', 'c', { at: [3, 9], info: true })
      .send(3, 't', 'd', { at: [4, 9], info: true, offset: 0, to: 't/0' })
      .load();
    expect(loaded.logs.map((log) => [log.id, log.name, log.partition])).toEqual([
      [0, 't', null],
      [1, 't/0', 0],
      [2, 't/1', 1],
    ]);
    expect(valuesOf(loaded, logOf(loaded, 't').sends.value)).toEqual(['c']);
    expect(valuesOf(loaded, logOf(loaded, 't/0').sends.value)).toEqual(['d']);
    // Rows stand in order of recording, whenever the partition became known.
    const { sends } = logOf(loaded, 't/1');
    expect(valuesOf(loaded, sends.value)).toEqual(['a', 'b']);
    expect([...sends.clientChose]).toEqual([1, 0]);
    expect([...sends.offset]).toEqual([3, 2]);
  });

  test('findSend looks in the log, then among those whose partition was never learned', () => {
    const loaded = history()
      .send(0, 't/0', 'a', { ok: 3 })
      .send(0, 't', 'b', { info: true })
      .send(1, 't', 'c', { ok: 0, to: 't/1' })
      .load();
    const [alone, zero, one] = ['t', 't/0', 't/1'].map((name) => loaded.logByName.get(name)!);
    const id = (value: string): number => loaded.values.indexOf(value);
    expect(loaded.findSend(zero!, id('a'))).toEqual({ log: zero, row: 0 });
    expect(loaded.findSend(one!, id('a'))).toBeNull();
    expect(loaded.findSend(zero!, id('b'))).toEqual({ log: alone, row: 0 });
    expect(loaded.findSend(one!, id('b'))).toEqual({ log: alone, row: 0 });
    expect(loaded.findSend(one!, id('c'))).toEqual({ log: one, row: 0 });
    expect(loaded.findSend(zero!, id('c'))).toBeNull();
  });

  test('an attempt is the time of its send', () => {
    const loaded = history()
      .op(0, 'txn', [['send', 't/0', 1]], {
        at: [1, 9],
        completed: [
          ['send', 't/0', [0, 1]],
          ['send', 't/0', [1, 2]],
        ],
      })
      .attempt(0, [['send', 't/0', 2], ['commit']], { at: 4 })
      .load();
    const { sends } = logOf(loaded, 't/0');
    expect([...sends.op]).toEqual([0, 0]);
    expect([...sends.invNs]).toEqual([1e6, 4e6]);
    expect([...sends.recordedIndex]).toEqual([0, 1]);
    expect([...sends.offset]).toEqual([0, 1]);
    expect(loaded.observations.map((event) => event.f)).toEqual(['attempt']);
    expect(loaded.rare.map(({ f, op }) => [f, op])).toEqual([['txn', 0]]);
  });

  test('what was sent is what the invocation said; the completion adds to it', () => {
    const loaded = history()
      .op(0, 'send', [['send', 't/0', 1, { key: 'sent' }]], {
        completed: [['send', 't/0', [0, 1], { key: 'other', timestamp: 5 }]],
      })
      .send(0, 't/0', 2, { ok: 1 })
      .load();
    const { sends } = logOf(loaded, 't/0');
    expect(metasOf(loaded, sends.meta)).toEqual([{ key: 'sent', timestamp: 5 }, {}]);
    expect(sends.meta[1]).toBe(0);
  });
});

describe('reads', () => {
  test('in order of completion, whatever became of the poll', () => {
    const loaded = history()
      .poll(
        1,
        {
          't/1': [[4, 'b']],
          't/0': [
            [0, 'a'],
            [2, 'c', { key: 'k' }],
          ],
        },
        { at: [1, 9] },
      )
      .poll(2, { 't/0': [[0, 'a']] }, { at: [2, 3], info: true })
      .poll(3, null, { at: [2, 4], fail: 'OFFSET_OUT_OF_RANGE' })
      .op(4, 'txn', [['poll']], { at: [10, 11], completed: [['poll', { 't/0': [[5, 1]] }]] })
      .load();
    const { reads } = logOf(loaded, 't/0');
    expect([...reads.op]).toEqual([1, 0, 0, 3]);
    expect([...reads.offset]).toEqual([0, 0, 2, 5]);
    expect(valuesOf(loaded, reads.value)).toEqual(['a', 'a', 'c', 1]);
    expect(metasOf(loaded, reads.meta)).toEqual([{}, {}, { key: 'k' }, {}]);
    expect([...logOf(loaded, 't/1').reads.offset]).toEqual([4]);
    expect(loaded.findSend(0, reads.value[0]!)).toBeNull();
  });
});

describe('audits', () => {
  const loaded = history()
    .scan(
      5,
      't/0',
      [
        [0, 1],
        [2, 3],
        [3, 4],
      ],
      { at: [10, 16], chunk: 2, end: 6, scan: 'final' },
    )
    .scan(6, 't/0', [[0, 1]], { at: [11, 13], view: 'uncommitted', replica: 2, upTo: 1, end: 6 })
    .rawScan(
      7,
      't/0',
      [
        {
          base: 0,
          last: 3,
          leaderEpoch: 0,
          producerId: -1,
          epoch: -1,
          sequence: -1,
          transactional: false,
          control: null,
        },
      ],
      { at: [17, 18], linearizable: false },
    )
    .op(8, 'audit', { log: 't/0', view: 'committed', from: 0 }, { at: [17, 19], info: true })
    .load();
  const { audits, audited } = logOf(loaded, 't/0');

  test('one chunk per ok, in order of completion', () => {
    const shown = audits.map(({ op, scan, view, replica, from, next }) => {
      return [op, scan, view, replica, from, next];
    });
    expect(shown).toEqual([
      [0, 'final', 'committed', null, 0, 3],
      [1, 'process 6', 'uncommitted', 2, 0, 1],
      [2, 'final', 'committed', null, 3, 6],
      [3, 'process 7', 'raw', null, 0, 4],
    ]);
    expect(audits.map(({ end, lastStable }) => [end, lastStable])).toEqual([
      [6, 6],
      [6, 6],
      [6, 6],
      [4, 4],
    ]);
    expect(audits.map(({ linearizable }) => linearizable)).toEqual([true, true, true, false]);
  });

  test('each chunk names its records', () => {
    const records = audits.map(({ recordsFrom, recordsTo }) => [
      [...audited.offset.subarray(recordsFrom, recordsTo)],
      valuesOf(loaded, audited.value.subarray(recordsFrom, recordsTo)),
    ]);
    expect(records).toEqual([
      [
        [0, 2],
        [1, 3],
      ],
      [[0], [1]],
      [[3], [4]],
      [[], []],
    ]);
    expect(audits.map(({ batches }) => batches.length)).toEqual([0, 0, 0, 1]);
  });
});

describe('the rest', () => {
  test('rare operations keep their events', () => {
    const loaded = history()
      .assign(1, ['t/0'], { 't/0': 5 }, { at: [1, 2] })
      .op(1, 'init', { id: 'x' }, { at: [3, 4], completed: { id: 'x', producerId: 9, epoch: 0 } })
      .fault('kill', 'f1', { at: 5, targets: ['node-2'] })
      .load();
    expect(loaded.rare.map(({ f, process, completed }) => [f, process, completed?.type])).toEqual([
      ['assign', 1, 'ok'],
      ['init', 1, 'ok'],
      ['kill', 'nemesis:kill', undefined],
    ]);
    expect(loaded.rare[1]!.completed!.value).toEqual({ id: 'x', producerId: 9, epoch: 0 });
  });

  test('logs are sorted by topic, then by number of the partition', () => {
    const loaded = history()
      .poll(0, { 'b/10': [], 'b/2': [], 'a/0': [], 'a-b/0': [] })
      .send(1, 'b', 1, { open: true })
      .load();
    expect(loaded.logs.map(({ name }) => name)).toEqual(['a/0', 'a-b/0', 'b', 'b/2', 'b/10']);
    expect(loaded.logs.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
  });

  test('readEvents gives the events as they stand in the file', () => {
    const built = history().send(0, 't/0', 1, { ok: 7 }).event('phase', { phase: 'drain' });
    const { header, events, warnings } = readEvents(`${built.text()}{"ind`, 'f');
    expect(header).toEqual(built.header);
    expect(events).toEqual(built.events());
    expect(warnings).toHaveLength(1);
  });
});
