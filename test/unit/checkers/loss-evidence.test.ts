/** By what a write is shown to be lost, and what it takes: one evidence each, with its twin. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

describe('the evidence of a lost-write', () => {
  it('is a reader that went past it, from offset 0 on', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, as: 'the lost one' })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[1, 11]] }, { at: [7, 8], as: 'the poll' });
    const { witnesses, count } = resultOf(h, 'lost-write');
    expect(count).toBe(1);
    expect(witnesses[0]).toMatchObject({
      operations: [h.index('the lost one'), h.index('the poll')],
      offset: 0,
      evidence: 'read-past',
    });
  });

  it('is no reader where somebody saw it, were it the first operation of all', () => {
    const h = history()
      .poll(6, { 't/0': [[1, 10]] }, { at: [1, 5] })
      .send(0, 't/0', 10, { at: [2, 3], ok: 1 })
      .send(0, 't/0', 11, { at: [4, 5], ok: 2 })
      .assign(5, ['t/0'], 'beginning', { at: [6, 7] })
      .poll(5, { 't/0': [[2, 11]] }, { at: [8, 9] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('is no reader that had gone by before it was sent', () => {
    const reader = (at: readonly [number, number]) =>
      history()
        .send(0, 't/0', 11, { at: [1, 2], ok: 1 })
        .assign(5, ['t/0'], 'beginning', { at: [2, 3] })
        .poll(5, { 't/0': [[1, 11]] }, { at })
        .send(0, 't/0', 10, { at: [6, 7], ok: 0 });
    expect(resultOf(reader([4, 5]), 'lost-write')).toMatchObject({ outcome: 'unknown' });
    expect(resultOf(reader([4, 6.5]), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('stays the first one: a scan without it, then an end below it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'the lost one' })
      .scan(9, 't/0', [[0, 10]], { at: [5, 6], end: 2, scan: 'a', as: 'without it' })
      .scan(9, 't/0', [[0, 10]], { at: [7, 8], end: 1, scan: 'b' });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({
      operations: [h.index('the lost one'), h.index('without it')],
      evidence: 'absent',
    });
  });

  it('is an end that a scan of the raw log measured, and not what that scan is without', () => {
    const h = (offset: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: offset, as: 'the lost one' })
        .rawScan(9, 't/0', [], { at: [3, 4], end: 1, as: 'the end' });
    expect(resultOf(h(1), 'lost-write')).toMatchObject({
      outcome: 'found',
      witnesses: [{ evidence: 'cut-tail', operations: [1, 3] }],
    });
    expect(resultOf(h(0), 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('is an end that was below it after the answer, though a later one, after a sight, was not', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .rawScan(9, 't/0', [], { at: [3, 4], end: 1, scan: 'a', as: 'the end' })
      .poll(5, { 't/0': [[1, 10]] }, { at: [5, 6] })
      .rawScan(9, 't/0', [], { at: [7, 8], end: 2, scan: 'b' });
    const { count, witnesses } = resultOf(h, 'lost-write');
    expect(count).toBe(1);
    expect(witnesses[0]!.operations).toContain(h.index('the end'));
  });

  it('is an end under acks=1 once followers had thirty seconds, whatever is sent later', () => {
    const h = (ms: number) =>
      history({ config: { acks: 1 } })
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .rawScan(9, 't/0', [], { at: [ms, ms + 1], end: 0 })
        .send(1, 't', 11, { at: [50_000, 50_001], info: true });
    expect(resultOf(h(30_002.5), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h(30_001.5), 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('is a reader that went past it, where an audit afterwards found the log start below it', () => {
    const h = (start: number) =>
      history({ config: { 'retention.ms': 1_000 } })
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
        .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
        .poll(5, { 't/0': [[1, 11]] }, { at: [7, 8] })
        .rawScan(9, 't/0', [], { at: [9, 10], start, end: 2 });
    expect(resultOf(h(0), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h(1), 'lost-write')).toMatchObject({ count: 0 });
  });

  it('is an end below it for what an uncertain send left, seen once by a poll', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .scan(9, 't/0', [], { at: [5, 6], end: 0 });
    const result = resultOf(h, 'lost-write');
    expect(result.witnesses[0]).toMatchObject({ evidence: 'cut-tail', position: 'tail' });
    expect(result.witnesses[0]!.explanation).toContain(
      'Whatever the answer to the send, it took effect: it was seen.',
    );
  });

  it('is no end below an aborted record that an uncommitted reader saw', () => {
    const h = history()
      .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], fail: true })
      .assign(5, ['t/0'], 'beginning', { at: [1, 2], isolation: 'read_uncommitted' })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .scan(9, 't/0', [], { at: [5, 6], end: 0 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('is an end that was measured after the answer; the twin was asked for before', () => {
    const cut = (at: readonly [number, number]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 4], ok: 0 })
        .scan(9, 't/0', [], { at, end: 0 });
    expect(resultOf(cut([5, 6]), 'lost-write')).toMatchObject({ outcome: 'found' });
    expect(resultOf(cut([3, 6]), 'lost-write')).toMatchObject({ outcome: 'unknown' });
  });

  it('is the lowest of the ends that were measured after it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 1, as: 'the lost one' })
      .scan(8, 't/0', [], { at: [3, 4], end: 1, scan: 'a', as: 'at 1' })
      .scan(9, 't/0', [], { at: [5, 6], end: 0, scan: 'b', as: 'at 0' })
      .scan(8, 't/0', [], { at: [7, 8], end: 1, scan: 'c' });
    expect(resultOf(h, 'lost-write').witnesses[0]?.operations).toEqual([
      h.index('the lost one'),
      h.index('at 0'),
    ]);
  });
});

describe('records of open transactions', () => {
  const open = (view: 'committed' | 'uncommitted') =>
    history()
      .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], info: true })
      .assign(5, ['t/0'], 'beginning', { at: [1, 2], isolation: 'read_uncommitted' })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .scan(9, 't/0', [], { at: [5, 6], end: 5, view });

  // Their certifier knows no transactions yet: `checkHistory` alone.
  it('are owed to uncommitted views alone', () => {
    const committed = checkHistory(open('committed').load()).anomalies;
    const uncommitted = checkHistory(open('uncommitted').load()).anomalies;
    for (const anomaly of ['lost-write', 'truncated-read'] as const) {
      expect(committed[anomaly]).toMatchObject({ outcome: 'unknown', checked: 1 });
      expect(uncommitted[anomaly]).toMatchObject({ outcome: 'found', checked: 1 });
    }
  });
});

describe('truncated-read by an end below what was read', () => {
  it('is told only of offsets that the scan did not read', () => {
    const read = (offset: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 3 })
        .poll(5, { 't/0': [[offset, 10]] }, { at: [3, 4] })
        .scan(9, 't/0', [], { at: [5, 6], end: 3, as: 'the scan' });
    const beyond = resultOf(read(3), 'truncated-read').witnesses[0]!;
    expect(beyond.explanation).toContain('measured that the log ends at 3');
    const within = resultOf(read(2), 'truncated-read').witnesses[0]!;
    expect(within.explanation).toContain('read offsets 0 to 2 and does not hold it there');
  });
});

describe('what decides that nothing else stands at an offset', () => {
  it('is a complete scan, or an end of the whole cluster that was measured later', () => {
    const scanned = (row: object) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 4 })
        .scan(9, 't/0', [], { at: [3, 4], end: 2, ...row });
    expect(resultOf(scanned({}), 'inconsistent-offsets').outcome).toBe('absent');
    expect(resultOf(scanned({ linearizable: false }), 'inconsistent-offsets').outcome).toBe(
      'unknown',
    );
    expect(resultOf(scanned({ end: 6, upTo: 5 }), 'inconsistent-offsets')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
  });
});

describe('duplicates that one scan holds', () => {
  it('are found though a later scan holds neither', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .scan(
        9,
        't/0',
        [
          [0, 10],
          [1, 10],
        ],
        { at: [3, 4], scan: 'a' },
      ) // prettier-ignore
      .scan(9, 't/0', [], { at: [5, 6], end: 2, scan: 'b' });
    const result = resultOf(h, 'duplicate');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]).toMatchObject({ offset: 0, otherOffset: 1 });
    expect(result.witnesses[0]!.explanation).toMatch(/^process 0 sent 10 to t\/0/);
  });

  it('are none where two scans hold it at one place each and the first is gone', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .scan(9, 't/0', [[0, 10]], { at: [3, 4], end: 2, scan: 'a' })
      .scan(9, 't/0', [[1, 10]], { at: [5, 6], end: 2, scan: 'b' });
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'absent', count: 0 });
  });
});

describe('a record that several operations saw', () => {
  it('counts once as read before it was sent', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2] })
      .poll(6, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .send(0, 't/0', 10, { at: [5, 6], ok: 0 })
      .poll(6, { 't/0': [[0, 10]] }, { at: [7, 8] });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
  });

  it('may have been seen by an audit alone', () => {
    const h = history()
      .scan(9, 't/0', [[0, 10]], { at: [1, 2] })
      .send(0, 't/0', 10, { at: [5, 6], ok: 0 });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
  });

  it('counts once as corrupt', () => {
    const sent = { key: 'a' };
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, meta: sent })
      .poll(5, { 't/0': [[0, 10, { key: 'b' }]] }, { at: [3, 4] })
      .poll(6, { 't/0': [[0, 10, { key: 'c' }]] }, { at: [5, 6] })
      .scan(9, 't/0', [[0, 10, sent]], { at: [7, 8] });
    expect(resultOf(h, 'corrupt-record')).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
  });
});
