/** Where compaction-lost-key and compaction-resurrected-key begin to hold: one millisecond, one offset, one record off. */
import { describe, expect, it } from 'vitest';
import type { Meta, RecordSeen } from '../../../src/history/event.ts';
import { history, type HistoryBuilder, type ScanRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const key = (name: string, tombstone = false) => ({
  meta: { key: name, ...(tombstone ? { tombstone } : {}) },
});
const compacted = (config: object = {}, header: object = {}) =>
  history({ topics: { t: { cleanup: 'compact' } }, config: { ...config }, ...header });
const inexact = (ms: number) => ({ clock: { errorNs: ms * 1_000_000 } });
/** k=a at 0, then its tombstone at 1, invoked at 3 ms; l=c at 2. */
const deleted = (retention?: number, header: object = {}) =>
  compacted(retention === undefined ? {} : { 'delete.retention.ms': retention }, header)
    .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
    .send(0, 't/0', 'T', { at: [3, 4], ok: 1, ...key('k', true), as: 'T' })
    .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') });
const scan = (h: HistoryBuilder, records: readonly RecordSeen[], row: ScanRow = {}) =>
  h.scan(9, 't/0', records, { at: [100, 101], end: 3, as: 'scan', ...row });
const lost = (h: HistoryBuilder) => resultOf(h, 'compaction-lost-key');
const resurrected = (h: HistoryBuilder) => resultOf(h, 'compaction-resurrected-key');
const outcomes = (h: HistoryBuilder) => [lost(h).outcome, resurrected(h).outcome];

describe('the age of a tombstone', () => {
  it('is from its invocation to the return of the last chunk, and a day is enough where nothing is said', () => {
    const day = 86_400_000;
    expect(outcomes(scan(deleted(), [[2, 'c']], { at: [100, day + 3] }))[0]).toBe('absent');
    expect(outcomes(scan(deleted(), [[2, 'c']], { at: [100, day + 2] }))[0]).toBe('found');
    const twice = (retention: number) =>
      scan(deleted(retention).send(0, 't/0', 'd', { at: [7, 8], ok: 3, ...key('l') }), [[2, 'c'], [3, 'd']], { at: [100, 200], end: 4, chunk: 1 }); // prettier-ignore
    expect(outcomes(twice(197))[0]).toBe('absent');
    expect(outcomes(twice(198))[0]).toBe('found');
  });

  it('is as much more as two clocks may differ', () => {
    const at = (retention: number) => scan(deleted(retention, inexact(1)), [[2, 'c']]);
    expect(outcomes(at(100))[0]).toBe('absent');
    expect(outcomes(at(101))[0]).toBe('found');
    const slow = (retention: number) =>
      scan(deleted(retention, inexact(1)), [[0, 'a'], [2, 'c']], { at: [100, 120], chunk: 1 }); // prettier-ignore
    expect(outcomes(slow(22))).toEqual(['unknown', 'unknown']);
    expect(outcomes(slow(23))).toEqual(['absent', 'found']);
  });

  it('counts for a later tombstone too, wherever it stands, but for no earlier one', () => {
    const later = (row: object) =>
      scan(
        compacted({ 'delete.retention.ms': 50 })
          .send(0, 't/0', 'a', { at: [1, 2], ok: 1, ...key('k') })
          .send(5, 't/0', 'T', { at: [3, 4], ...row, ...key('k', true) })
          .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') }),
        [[2, 'c']],
      );
    expect(outcomes(later({ ok: 5 }))).toEqual(['absent', 'absent']);
    expect(outcomes(later({ info: true }))).toEqual(['absent', 'absent']);
    expect(outcomes(later({ ok: 0 }))).toEqual(['found', 'absent']);
    // At one offset neither is the later one.
    expect(outcomes(later({ ok: 1 }))).toEqual(['found', 'absent']);
  });
});

describe('a tombstone that explains nothing, beside an uncertain record that may have superseded', () => {
  const beside = (tombstone: object, retention = 50, records: readonly RecordSeen[] = []) =>
    scan(
      compacted({ 'delete.retention.ms': retention }, inexact(1))
        .send(5, 't', 'd', { at: [1, 2], info: true, ...key('k') })
        .send(0, 't/0', 'a', { at: [1, 2], ok: 1, ...key('k') })
        .send(0, 't/0', 'T', { at: [3, 4], ...tombstone, ...key('k', true) })
        .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') }),
      [...records, [2, 'c']],
    );

  it('leaves it open: it stands before, or beside, or is too young', () => {
    for (const ok of [0, 1]) expect(outcomes(beside({ ok }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(beside({ ok: 3 }, 100))).toEqual(['absent', 'absent']);
    expect(outcomes(beside({ ok: 3 }, 101))).toEqual(['unknown', 'unknown']);
  });

  it('is none where it is the missing record itself, whatever else is shown at its offset', () => {
    const h = (retention: number) =>
      scan(
        compacted({ 'delete.retention.ms': retention })
          .send(0, 't/0', 'T', { at: [3, 4], ok: 1, ...key('k', true) })
          .send(0, 't/0', 'x', { at: [5, 6], ok: null, ...key('k') }),
        [[1, 'x']],
      );
    expect(outcomes(h(50))).toEqual(['absent', 'absent']);
    expect(outcomes(h(500))).toEqual(['absent', 'found']);
  });

  it('need not have a partition to explain', () => {
    const h = compacted({ 'delete.retention.ms': 50 })
      .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
      .send(5, 't', 'T', { at: [3, 4], info: true, ...key('k', true) });
    expect(outcomes(scan(h, []))).toEqual(['absent', 'absent']);
  });
});

describe('what supersedes', () => {
  const sentAt = (ms: number) =>
    scan(
      compacted({}, inexact(1))
        .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
        .send(5, 't/0', 'd', { at: [ms, ms + 1], info: true, ...key('k') })
        .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') }),
      [[2, 'c']],
    );

  it('was sent before the scan returned, as far as two clocks may differ', () => {
    expect(outcomes(sentAt(103))).toEqual(['unknown', 'unknown']);
    expect(outcomes(sentAt(104))).toEqual(['found', 'absent']);
  });

  it('stands above what it supersedes: of two at one offset neither does', () => {
    const two = (records: readonly RecordSeen[]) =>
      scan(
        compacted()
          .send(0, 't/0', 'a', { at: [1, 2], ok: 1, ...key('k') })
          .send(0, 't/0', 'b', { at: [3, 4], ok: 1, ...key('k') })
          .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') }),
        records,
      );
    expect(outcomes(two([[2, 'c']]))).toEqual(['found', 'absent']);
    expect(outcomes(two([[1, 'b'], [2, 'c']]))).toEqual(['absent', 'found']); // prettier-ignore
  });

  it('is not what stands in another log', () => {
    const h = (log: string) =>
      scan(
        compacted()
          .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
          .send(5, 't', 'd', { at: [3, 4], info: true, ...key('k') })
          .poll(6, { [log]: [[7, 'd', { key: 'k' }]] }, { at: [200, 201] }),
        [],
      );
    expect(outcomes(h('t/1'))[0]).toBe('found');
    expect(outcomes(h('t/0'))).toEqual(['unknown', 'unknown']);
  });

  it('is not what failed, unless it was seen all the same, nor what was aborted, though it was seen', () => {
    const h = (f: 'send' | 'txn', seen: boolean) => {
      const log = compacted();
      if (seen) log.poll(6, { 't/0': [[7, 'd', { key: 'k' }]] }, { at: [0, 6] });
      log.send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') });
      log.op(5, f, [['send', 't/0', 'd', { key: 'k' }]], { at: [3, 4], fail: true });
      return scan(log, []);
    };
    expect(outcomes(h('send', false))[0]).toBe('found');
    expect(outcomes(h('send', true))[0]).toBe('unknown');
    expect(outcomes(h('txn', false))[0]).toBe('found');
    expect(outcomes(h('txn', true))[0]).toBe('found');
  });
});

describe('what is owed behind the end that a scan measured', () => {
  it('has its place after the last chunk', () => {
    const h = (chunk: number) =>
      scan(
        compacted()
          .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
          .send(0, 't/0', 'c', { at: [3, 4], ok: 2, ...key('l') })
          .send(0, 't/0', 'b', { at: [5, 6], ok: 7, ...key('k') })
          .send(5, 't', 'd', { at: [7, 8], info: true, ...key('k') }),
        [[0, 'a'], [2, 'c']], // prettier-ignore
        { chunk },
      );
    expect(outcomes(h(2))).toEqual(['absent', 'found']);
    expect(outcomes(h(1))).toEqual(['unknown', 'unknown']);
  });
});

describe('what is owed', () => {
  it('is what a committed transaction wrote, and not what an uncertain one did', () => {
    const h = (ending: object) =>
      scan(
        compacted().op(0, 'txn', [['send', 't/0', 'a', { key: 'k' }]], {
          at: [1, 2],
          completed: [['send', 't/0', [0, 'a'], { key: 'k' }]],
          ...ending,
        }),
        [],
      );
    expect(outcomes(h({}))).toEqual(['found', 'absent']);
    expect(outcomes(h({ info: true }))[0]).not.toBe('found');
  });

  it('is what others wrote, once somebody saw it: the processor, or whoever writes there, lost it', () => {
    const external = (meta: Meta, records: readonly RecordSeen[]) =>
      scan(
        history({ topics: { t: { cleanup: 'compact', writers: 'external' } } })
          .poll(6, { 't/0': [[0, 'a', { key: 'k' }], [1, 'b', meta], [2, 'c', { key: 'm' }]] }, { at: [5, 6], as: 'poll' }), // prettier-ignore
        records,
      );
    const h = external({ key: 'k' }, [[2, 'c', { key: 'm' }]]);
    const { outcome, checked, witnesses } = lost(h);
    expect({ outcome, checked }).toEqual({ outcome: 'found', checked: 2 });
    expect(witnesses[0]).toMatchObject({ offset: 1, value: 'b', key: 'k', layer: 'processor' });
    expect(witnesses[0]!.operations).toEqual([h.index('poll'), h.index('scan')]);
    expect(witnesses[0]!.explanation).toContain('which nobody here sent and somebody saw');
    // Nobody knows when a tombstone of theirs was written: it may be old.
    expect(outcomes(external({ key: 'k', tombstone: true }, [[2, 'c', { key: 'm' }]]))).toEqual(['absent', 'absent']); // prettier-ignore
    expect(outcomes(external({ key: 'l' }, [[1, 'b', { key: 'l' }], [2, 'c', { key: 'm' }]]))[0]).toBe('found'); // prettier-ignore
  });

  it('is what somebody saw in a scan, though not in a poll', () => {
    const h = history({ topics: { t: { cleanup: 'compact', writers: 'external' } } })
      .scan(8, 't/0', [[0, 'a', { key: 'k' }]], { at: [1, 2], end: 1, scan: 's1' })
      .scan(9, 't/0', [], { at: [3, 4], end: 1, scan: 's2' });
    expect(outcomes(h)).toEqual(['found', 'absent']);
  });

  it('is open while one of its offsets is unknown, or a record was proved too late for the scan', () => {
    const none = compacted().send(0, 't/0', 'a', { at: [1, 2], ok: null, ...key('k') });
    expect(outcomes(scan(none, []))).toEqual(['unknown', 'unknown']);
    const shown = (row: object, scanRow: ScanRow = {}) =>
      scan(
        compacted()
          .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
          .send(1, 't/0', 'b', { at: [3, 4], ...row, ...key('k') }),
        [[0, 'a']],
        scanRow,
      );
    expect(outcomes(shown({ ok: null }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(shown({ at: [99, 102], ok: 5 }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(shown({ ok: 3 }, { linearizable: false }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(shown({ ok: 2 }, { linearizable: false }))).toEqual(['absent', 'found']);
  });

  it('is nothing of what may have been sent there', () => {
    const h = compacted().send(0, 't', 'a', { at: [1, 2], info: true, ...key('k') });
    expect(outcomes(scan(h, []))).toEqual(['not-exercised', 'not-exercised']);
  });
});

describe('an aborted record on top', () => {
  const onTop = (owed: boolean, view: 'committed' | 'uncommitted') => {
    const h = compacted();
    const at = owed ? 1 : 0;
    if (owed) h.send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') });
    h.op(3, 'txn', [['send', 't/0', 'X', { key: 'k' }]], {
      at: [7, 8],
      fail: true,
      completed: [['send', 't/0', [at, 'X'], { key: 'k' }]],
      as: 'abort',
    });
    return scan(h, [...(owed ? [[0, 'a'] as const] : []), [at, 'X']], { end: 2, view });
  };

  it('is found though nothing else of the key is owed, and names its transaction', () => {
    for (const owed of [true, false]) {
      const h = onTop(owed, 'committed');
      expect(resurrected(h)).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
      expect(resurrected(h).witnesses[0]).toMatchObject({
        operations: [h.index('abort'), h.index('scan')],
        offset: owed ? 1 : 0,
        value: 'X',
        key: 'k',
      });
      expect(lost(h).outcome).not.toBe('found');
      expect(resurrected(onTop(owed, 'uncommitted')).outcome).not.toBe('found');
    }
  });
});

describe('witnesses', () => {
  it('come in the order in which scans end, and name the write, who saw it, and the chunks', () => {
    const h = compacted()
      .send(5, 't/0', 'a', { at: [1, 2], info: true, ...key('k'), as: 'write' })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 1, ...key('m') })
      .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') })
      .send(0, 't/0', 'd', { at: [7, 8], ok: 3, ...key('l') })
      .poll(6, { 't/0': [[0, 'a', { key: 'k' }]] }, { at: [9, 10], as: 'sight' })
      .scan(8, 't/0', [[1, 'b'], [2, 'c'], [3, 'd']], { at: [100, 160], end: 4, chunk: 1, scan: 's1', as: 'late' }) // prettier-ignore
      .scan(9, 't/0', [[0, 'a'], [2, 'c'], [3, 'd']], { at: [110, 130], end: 4, scan: 's2' }); // prettier-ignore
    const { witnesses } = lost(h);
    expect(witnesses.map((each) => each['key'])).toEqual(['m', 'k']);
    expect(witnesses[1]!.operations).toEqual([
      h.index('write'),
      h.index('sight'),
      ...h.events().filter(({ type, process, time }) => type === 'ok' && process === 8 && time !== 140_000_000).map(({ index }) => index), // prettier-ignore
    ]);
    expect(witnesses[1]!.explanation).toContain(`at 0.16s (event ${h.index('late')})`);
  });
});
