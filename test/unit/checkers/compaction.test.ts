/** compaction-lost-key and compaction-resurrected-key, and scan-divergence between scans of a compacted log. */
import { describe, expect, it } from 'vitest';
import type { RecordSeen } from '../../../src/history/event.ts';
import type { AnomalyName, AnomalyResult } from '../../../src/spi/verdict.ts';
import { history, type HistoryBuilder, type ScanRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const key = (name: string, tombstone = false) => ({
  meta: { key: name, ...(tombstone ? { tombstone } : {}) },
});
const compacted = (config: object = {}) =>
  history({ topics: { t: { cleanup: 'compact' } }, config: { ...config } });
/** k=a at 0, k=b at 1, l=c at 2. */
const written = (config?: object) =>
  compacted(config)
    .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
    .send(0, 't/0', 'b', { at: [3, 4], ok: 1, ...key('k'), as: 'b' })
    .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') });
/** k=a at 0, then its tombstone at 1. */
const deleted = (config?: object, row: object = { ok: 1 }) =>
  compacted(config)
    .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
    .send(0, 't/0', 'T', { at: [3, 4], ...row, ...key('k', true), as: 'T' });
const scan = (h: HistoryBuilder, records: readonly RecordSeen[], row: ScanRow = {}) =>
  h.scan(9, 't/0', records, { at: [100, 101], end: 3, as: 'scan', ...row });
const both = (h: HistoryBuilder): readonly [AnomalyResult, AnomalyResult] => [
  resultOf(h, 'compaction-lost-key'),
  resultOf(h, 'compaction-resurrected-key'),
];
const outcomes = (h: HistoryBuilder) => both(h).map(({ outcome }) => outcome);

describe('a complete scan of a compacted log', () => {
  it('may lack what a later record of the key superseded', () => {
    const h = scan(written(), [[1, 'b'], [2, 'c']]); // prettier-ignore
    for (const result of both(h)) expect(result).toMatchObject({ outcome: 'absent', checked: 2 });
    expect(outcomes(scan(written(), [[0, 'a'], [1, 'b'], [2, 'c']]))).toEqual(['absent', 'absent']); // prettier-ignore
  });

  it('must not lack the key', () => {
    const h = scan(written(), [[2, 'c']]);
    const [lost, resurrected] = both(h);
    expect(lost).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(lost.witnesses[0]).toMatchObject({
      operations: [h.index('b'), h.index('scan')],
      log: 't/0',
      offset: 1,
      value: 'b',
      key: 'k',
      layer: 'unknown',
    });
    expect(resurrected.outcome).toBe('absent');
  });

  it('must not show a superseded record as the last', () => {
    const h = scan(written(), [[0, 'a'], [2, 'c']]); // prettier-ignore
    const [lost, resurrected] = both(h);
    expect(resurrected).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(resurrected.witnesses[0]).toMatchObject({ offset: 0, value: 'a', key: 'k', missing: 1 });
    expect(resurrected.witnesses[0]!.explanation).toContain('what was superseded is back');
    expect(lost.outcome).toBe('absent');
  });

  it('says nothing where it is incomplete, too early, or absent', () => {
    expect(outcomes(scan(written(), [[2, 'c']], { end: 4, upTo: 3 }))).toEqual([
      'unknown',
      'unknown',
    ]);
    expect(outcomes(scan(written(), [[2, 'c']], { at: [0.5, 7] }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(written())).toEqual(['unknown', 'unknown']);
    expect(both(written())[0].reason).toContain('no complete scan');
  });

  it('owes nothing below its start, nor of uncertain records that nobody saw', () => {
    expect(outcomes(scan(written(), [[2, 'c']], { start: 2, from: 2 }))[0]).not.toBe('found');
    const h = scan(compacted().send(0, 't/0', 'a', { at: [1, 2], info: true, ...key('k') }), []);
    expect(outcomes(h)).toEqual(['not-exercised', 'not-exercised']);
  });

  it('asks nothing of logs that are not compacted, nor of records without a key', () => {
    const h = history().send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') });
    expect(outcomes(scan(h, [], { end: 1 }))).toEqual(['not-exercised', 'not-exercised']);
    const keyless = compacted().send(0, 't/0', 'a', { at: [1, 2], ok: 0 });
    expect(outcomes(scan(keyless, [], { end: 1 }))).toEqual(['not-exercised', 'not-exercised']);
  });

  it('counts a key once, however many scans show it', () => {
    const h = scan(scan(written(), [[0, 'a'], [2, 'c']]), [[0, 'a'], [2, 'c']], { at: [110, 111], scan: 'again' }); // prettier-ignore
    expect(both(h)[1]).toMatchObject({ count: 1 });
  });

  it("is the broker's fault where the raw log agrees, the client's where it does not hold what was shown", () => {
    const raw = (base: number, last: number) =>
      scan(written(), [[0, 'a'], [2, 'c']]).rawScan(8, 't/0', [
        { base, last, leaderEpoch: 0, producerId: 1, epoch: 0, sequence: 0, transactional: false, control: null },
      ], { at: [120, 121], end: 3 }); // prettier-ignore
    expect(both(raw(0, 2))[1].witnesses[0]?.layer).toBe('broker');
    expect(both(raw(2, 2))[1].witnesses[0]?.layer).toBe('client');
  });
});

describe('what an uncertain or unseen record may have superseded', () => {
  const more = (row: object, scanRow: ScanRow = {}) =>
    scan(written().send(5, 't/0', 'd', { at: [7, 8], ...row, ...key('k') }), [[2, 'c']], scanRow);

  it('is no loss', () => {
    expect(outcomes(more({ info: true }))).toEqual(['unknown', 'unknown']);
    expect(outcomes(more({ at: [102, 103], info: true }))).toEqual(['found', 'absent']);
    expect(outcomes(more({ fail: true }))).toEqual(['found', 'absent']);
    expect(outcomes(more({ at: [99, 103], ok: 3 }))).toEqual(['unknown', 'unknown']);
    expect(both(more({ info: true }))[0].reason).toContain('may have superseded');
  });

  it('is none either where the client left the partition open', () => {
    const h = written().send(5, 't', 'd', { at: [7, 8], info: true, ...key('k') });
    expect(outcomes(scan(h, [[2, 'c']]))).toEqual(['unknown', 'unknown']);
  });

  it('is owed where it was seen, though its answer named another partition', () => {
    const h = written()
      .send(5, 't', 'd', { at: [7, 8], info: true, to: 't/1', ...key('m') })
      .poll(6, { 't/0': [[3, 'd', { key: 'm' }]] }, { at: [10, 11] });
    expect(outcomes(scan(h, [[1, 'b'], [2, 'c']], { end: 4 }))).toEqual(['found', 'absent']); // prettier-ignore
  });

  it('explains no older record that came in the same chunk', () => {
    const h = (chunk: number) =>
      scan(written().send(5, 't/0', 'd', { at: [7, 8], info: true, ...key('k') }), [[0, 'a'], [2, 'c']], { chunk }); // prettier-ignore
    expect(outcomes(h(2))).toEqual(['absent', 'found']);
    expect(outcomes(h(1))).toEqual(['unknown', 'unknown']);
  });
});

describe('tombstones', () => {
  const soon = { 'delete.retention.ms': 50 };

  it('take the key away, and go themselves once the retention has passed', () => {
    expect(outcomes(scan(deleted(), [[1, 'T', { key: 'k', tombstone: true }]]))).toEqual([
      'absent',
      'absent',
    ]);
    expect(outcomes(scan(deleted(soon), []))).toEqual(['absent', 'absent']);
  });

  it('must not go sooner; the default is a day', () => {
    for (const config of [{}, { 'delete.retention.ms': 99 }]) {
      expect(outcomes(scan(deleted(config), []))).toEqual(['found', 'absent']);
    }
    expect(outcomes(scan(deleted({ 'delete.retention.ms': 98 }), []))).toEqual([
      'absent',
      'absent',
    ]);
    expect(outcomes(scan(deleted({ 'delete.retention.ms': '98' }), []))).toEqual([
      'absent',
      'absent',
    ]);
  });

  it('bring nothing back when they go', () => {
    const h = scan(deleted(soon), [[0, 'a']]);
    const [lost, resurrected] = both(h);
    expect(resurrected).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(resurrected.witnesses[0]).toMatchObject({ offset: 0, value: 'a', missing: 1 });
    expect(resurrected.witnesses[0]!.operations).toEqual([h.index('T'), h.index('scan')]);
    expect(resurrected.witnesses[0]!.explanation).toContain('what was deleted is back');
    expect(lost.outcome).toBe('absent');
  });

  it('explain an absence though they are uncertain, if they are old enough', () => {
    const uncertain = { info: true };
    expect(outcomes(scan(deleted(soon, uncertain), []))).toEqual(['absent', 'absent']);
    expect(outcomes(scan(deleted({}, uncertain), []))).toEqual(['unknown', 'unknown']);
    expect(outcomes(scan(deleted(soon, uncertain), [[0, 'a']]))).toEqual(['absent', 'absent']);
  });

  it('may be cleaned while a scan is under way, if it takes as long', () => {
    const slow = (chunk: number, retention: number) =>
      deleted({ 'delete.retention.ms': retention })
        .send(0, 't/0', 'c', { at: [5, 6], ok: 2, ...key('l') })
        .scan(9, 't/0', [[0, 'a'], [2, 'c']], { at: [100, 120], end: 3, chunk }); // prettier-ignore
    expect(outcomes(slow(2, 20))).toEqual(['absent', 'found']);
    expect(outcomes(slow(1, 20))).toEqual(['unknown', 'unknown']);
    expect(outcomes(slow(1, 21))).toEqual(['absent', 'found']);
  });
});

describe('of several missing records', () => {
  it('each is explained, not only the last', () => {
    const shown = (records: readonly RecordSeen[]) =>
      scan(
        written({ 'delete.retention.ms': 50 })
          .send(5, 't/0', 'T', { at: [7, 8], ok: 3, ...key('k', true) })
          .send(5, 't/0', 'e', { at: [9, 10], ok: 4, ...key('l') }),
        [...records, [2, 'c'], [4, 'e']],
        { at: [100, 200], end: 5, chunk: records.length + 1 },
      );
    const [lost, resurrected] = both(shown([[0, 'a']]));
    expect(lost.outcome).toBe('absent');
    expect(resurrected).toMatchObject({ outcome: 'found', count: 1 });
    expect(resurrected.witnesses[0]).toMatchObject({ offset: 0, missing: 1 });
    expect(resurrected.witnesses[0]!.explanation).toMatch(
      /^A proved record of key "k", at offset 1/,
    );
    expect(outcomes(shown([[0, 'a'], [1, 'b']]))).toEqual(['unknown', 'unknown']); // prettier-ignore
  });
});

describe('an aborted record', () => {
  const aborted = (view: 'committed' | 'uncommitted') =>
    scan(
      written().op(3, 'txn', [['send', 't/0', 'X', { key: 'k' }]], {
        at: [7, 8],
        fail: true,
        completed: [['send', 't/0', [3, 'X'], { key: 'k' }]],
      }),
      [[1, 'b'], [2, 'c'], [3, 'X']], // prettier-ignore
      { end: 5, view },
    );

  it('must not be the last of its key in a committed view', () => {
    expect(outcomes(aborted('committed'))).toEqual(['absent', 'found']);
    expect(outcomes(aborted('uncommitted'))).toEqual(['absent', 'absent']);
  });
});

describe('scan-divergence between scans of a compacted log', () => {
  const divergence: AnomalyName = 'scan-divergence';
  const replicas = (
    h: HistoryBuilder,
    first: readonly RecordSeen[],
    second: readonly RecordSeen[],
    row: ScanRow = {},
  ) =>
    h
      .scan(8, 't/0', first, { at: [100, 101], end: 3, replica: 1, as: 'first', ...row })
      .scan(9, 't/0', second, { at: [100, 101], end: 3, replica: 3, as: 'second' });

  it('is found where one replica shows a key that another has not got', () => {
    const h = replicas(deleted({ 'delete.retention.ms': 50 }), [], [[0, 'a']]);
    const result = resultOf(h, divergence);
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('first'), h.index('second')].toSorted((a, b) => a - b),
      offset: 0,
      value: 'a',
      key: 'k',
    });
  });

  it('is found where two replicas show different last records', () => {
    expect(resultOf(replicas(written(), [[0, 'a'], [2, 'c']], [[1, 'b'], [2, 'c']]), divergence)).toMatchObject({ outcome: 'found', count: 1 }); // prettier-ignore
  });

  it('is absent where each lacks only what was superseded, or a tombstone', () => {
    expect(resultOf(replicas(written(), [[0, 'a'], [1, 'b'], [2, 'c']], [[1, 'b'], [2, 'c']]), divergence).outcome).toBe('absent'); // prettier-ignore
    expect(resultOf(replicas(deleted(), [], [[0, 'a'], [1, 'T']]), divergence).outcome).toBe('absent'); // prettier-ignore
  });

  it('is absent where the key may have been written again behind the lower end', () => {
    const again = (row: object) =>
      replicas(written().send(5, 't/0', 'd', { at: [7, 8], ...row, ...key('k') }), [[1, 'b'], [2, 'c']], [[2, 'c']]); // prettier-ignore
    expect(resultOf(again({ info: true }), divergence).outcome).toBe('absent');
    expect(resultOf(again({ ok: 3 }), divergence).outcome).toBe('absent');
    expect(resultOf(again({ fail: true }), divergence).outcome).toBe('found');
  });

  it('is found where the other scan read as far as what may explain it, and shows none of it', () => {
    const h = (row: object, scanRow: ScanRow, last: readonly RecordSeen[] = []) =>
      replicas(
        written().send(5, 't/0', 'd', { at: [7, 8], ok: 3, ...key('k') }).send(5, 't/0', 'e', { at: [9, 10], ...row, ...key('k') }), // prettier-ignore
        [[1, 'b'], [2, 'c'], ...last], // prettier-ignore
        [[2, 'c']],
        { end: 5, ...scanRow },
      );
    const outcome = (builder: HistoryBuilder) => resultOf(builder, divergence).outcome;
    expect(outcome(h({ fail: true }, {}))).toBe('found');
    expect(outcome(h({ fail: true }, { end: 3 }))).toBe('absent');
    expect(outcome(h({ fail: true }, { chunk: 2 }, [[3, 'd']]))).toBe('absent');
    // Only what came in another chunk can have been superseded meanwhile.
    expect(outcome(h({ ok: 6 }, { chunk: 2 }))).toBe('absent');
    expect(outcome(h({ ok: 4 }, { chunk: 2 }))).toBe('found');
    expect(outcome(h({ ok: 6 }, {}))).toBe('absent');
  });

  it('is found where a tombstone went from the other while it was read, unless that took as long', () => {
    // prettier-ignore
    const h = (retention: number, sent: number) =>
      compacted({ 'delete.retention.ms': retention })
        .send(0, 't/0', 'a', { at: [1, 2], ok: 0, ...key('k') })
        .send(0, 't/0', 'T', { at: [sent, sent + 1], ok: 1, ...key('k', true) })
        .send(0, 't/0', 'c', { at: [20, 21], ok: 2, ...key('l') })
        .scan(8, 't/0', [[0, 'a'], [1, 'T'], [2, 'c']], { at: [40, 41], end: 3, replica: 1 })
        .scan(9, 't/0', [[0, 'a'], [2, 'c']], { at: [5, 60], end: 3, chunk: 1, replica: 3 });
    const outcome = (retention: number, sent = 3) =>
      resultOf(h(retention, sent), divergence).outcome;
    expect(outcome(55)).toBe('absent');
    // From the first chunk to the second it takes 55 ms, though the tombstone is 57 ms old.
    expect(outcome(56)).toBe('found');
    expect(outcome(50, 10)).toBe('absent');
    expect(outcome(50, 11)).toBe('found');
  });

  it('is judged by the last record of a key alone, and a tombstone says no more than nothing', () => {
    // Below both ends the scans differ in b, but the last record of the first stands above the end of the second.
    const h = replicas(
      written().send(5, 't/0', 'd', { at: [200, 201], ok: 3, ...key('k') }),
      [[1, 'b'], [2, 'c'], [3, 'd']], // prettier-ignore
      [[2, 'c']],
      { at: [300, 301], end: 4 },
    );
    expect(resultOf(h, divergence).outcome).toBe('absent');
    expect(resultOf(replicas(deleted(), [[0, 'a'], [1, 'T']], []), divergence).outcome).toBe('absent'); // prettier-ignore
    expect(resultOf(replicas(deleted(), [[0, 'a'], [1, 'T']], [[0, 'a']]), divergence).outcome).toBe('found'); // prettier-ignore
  });
});
