/** poll-skip: what had to be visible between two records of an epoch, and what could rightly be missing. */
import { describe, expect, it } from 'vitest';
import type { RecordSeen } from '../../../src/history/event.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const retention = { config: { 'retention.ms': 1000 } };

/** 10, 11 and 12 acknowledged at 5, 6 and 7; a reader from offset 0 that began with 12. */
function begun(header: object = {}): HistoryBuilder {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 6 })
    .send(0, 't/0', 12, { at: [5, 6], ok: 7 })
    .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
    .poll(5, { 't/0': [[7, 12]] }, { at: [9, 15], as: 'the poll' });
}

const chunk = (start: number) => ({ log: 't/0', view: 'committed', from: start, start, end: 8 });
/** An audit that says where the log starts, and reads nothing. */
const audit = (h: HistoryBuilder, start: number, at: readonly [number, number], scan: string) =>
  h.audit(
    9,
    { ...chunk(start), scan },
    { ...chunk(start), scan, next: start, records: [] },
    { at },
  );

describe('poll-skip where retention removes records', () => {
  it('is unknown without an audit, and found by one that met a lower start later', () => {
    expect(resultOf(begun(retention), 'poll-skip')).toMatchObject({ outcome: 'unknown', count: 0 });
    const later = resultOf(audit(begun(retention), 0, [16, 17], 'a'), 'poll-skip');
    expect(later).toMatchObject({ outcome: 'found', count: 2, checked: 1 });
    const above = resultOf(audit(begun(retention), 6, [16, 17], 'a'), 'poll-skip');
    expect(above).toMatchObject({ outcome: 'found', count: 1 });
    const beyond = audit(begun(retention), 7, [16, 17], 'a');
    expect(resultOf(beyond, 'poll-skip')).toMatchObject({ outcome: 'absent', count: 0 });
  });

  it('is not decided by an audit that was asked for before the poll had returned', () => {
    const h = audit(begun(retention), 0, [14, 17], 'a');
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('takes the least start from there on, in order of invocation', () => {
    const falling = audit(audit(begun(retention), 6, [16, 17], 'a'), 5, [18, 19], 'b');
    expect(resultOf(falling, 'poll-skip')).toMatchObject({ outcome: 'found', count: 2 });
    // The audit that was asked for first, before the poll had returned, ended last.
    const h = begun(retention);
    const late = { ...chunk(0), scan: 'long' };
    h.audit(8, late, { ...late, next: 0, records: [] }, { at: [14, 30] });
    expect(resultOf(audit(h, 6, [16, 17], 'b'), 'poll-skip')).toMatchObject({ count: 1 });
  });

  it('without retention takes the highest start that any audit met', () => {
    expect(resultOf(audit(begun(), 6, [1, 2], 'a'), 'poll-skip')).toMatchObject({ count: 1 });
    expect(resultOf(audit(begun(), 0, [1, 2], 'a'), 'poll-skip')).toMatchObject({ count: 2 });
  });
});

describe('poll-skip and what was sent', () => {
  it('leaves out what was sent after the reader had gone by, and counts the rest', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 13, { at: [3, 4], ok: 3 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[3, 13]] }, { at: [7, 8] })
      .send(1, 't/0', 11, { at: [9, 10], ok: 1 })
      .send(1, 't/0', 12, { at: [11, 12], ok: 2 });
    const result = resultOf(h, 'poll-skip');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]).toMatchObject({ offset: 0, value: 10, skipped: 1 });
    expect(result.witnesses[0]!.explanation).toContain('began to read t/0 at offset 0');
    expect(result.witnesses[0]!.explanation).toContain('never the record between. That is 10');
  });

  it('counts an offset once, whatever stands there', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .send(1, 't/0', 11, { at: [1, 2], ok: 1 })
      .send(0, 't/0', 12, { at: [3, 4], ok: 2 })
      .send(0, 't/0', 13, { at: [5, 6], ok: 3 })
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': [[3, 13]] }, { at: [9, 10] });
    const result = resultOf(h, 'poll-skip');
    expect(result).toMatchObject({ outcome: 'found', count: 2 });
    expect(result.witnesses[0]!.explanation).toContain('never the 2 records between. The first');
  });

  it('does not count what a failed send left, were it the first operation of all', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], fail: true })
      .send(0, 't/0', 11, { at: [3, 4], ok: 2 })
      .poll(6, { 't/0': [[1, 10]] }, { at: [5, 6] })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[2, 11]] }, { at: [7, 8] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ count: 0 });
  });

  it('is found for what somebody else saw, and names that sight', () => {
    const h = history()
      .poll(6, { 't/0': [[1, 10]] }, { at: [1, 2], as: 'the sight' })
      .assign(5, ['t/0'], { 't/0': 1 }, { at: [3, 4] })
      .poll(5, { 't/0': [[3, 11]] }, { at: [7, 8], as: 'the poll' });
    const result = resultOf(h, 'poll-skip');
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the sight'), h.index('the poll')],
      offset: 1,
    });
    expect(result.witnesses[0]!.explanation).toContain('process 6 saw it at 0.002s (event 1)');
  });

  it('is absent where the next offset follows, also for the first of an epoch', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .assign(5, ['t/0'], { 't/0': 2 }, { at: [3, 4] })
      .poll(5, { 't/0': [[2, 11], [3, 12]] }, { at: [5, 6] }); // prettier-ignore
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'absent', checked: 2 });
    expect(resultOf(h, 'int-poll-skip')).toMatchObject({ outcome: 'absent', checked: 1 });
  });
});

describe('poll-skip in topics with external writers', () => {
  const external = { topics: { t: { writers: 'external' as const } } };
  const reader = (h: HistoryBuilder) =>
    h
      .assign(5, ['t/0'], 'beginning', { at: [10, 11] })
      .poll(5, { 't/0': [[2, 12]] }, { at: [12, 13] });

  it('is found for our own acknowledged record, and for what a committed view showed', () => {
    const own = reader(history(external).send(0, 't/0', 10, { at: [1, 2], ok: 1 }));
    expect(resultOf(own, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const seen = reader(history(external).poll(6, { 't/0': [[1, 10]] }, { at: [1, 2] }));
    expect(resultOf(seen, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const audited = reader(history(external).scan(9, 't/0', [[1, 10]], { at: [1, 2], end: 2 }));
    expect(resultOf(audited, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is none for what uncommitted views alone showed', () => {
    const scan = { at: [1, 2], end: 2, view: 'uncommitted' } as const;
    const audited = reader(history(external).scan(9, 't/0', [[1, 10]], scan));
    expect(resultOf(audited, 'poll-skip')).toMatchObject({ count: 0 });
    const lax = history(external)
      .assign(6, ['t/0'], 'beginning', { at: [1, 2], isolation: 'read_uncommitted' })
      .poll(6, { 't/0': [[1, 10]] }, { at: [3, 4] });
    // The certifier does not look at the isolation of single readers.
    const believes = ['poll-skip'] as const;
    expect(resultOf(reader(lax), 'poll-skip', { believes })).toMatchObject({ count: 0 });
  });
});

describe('poll-skip and what is proved lost', () => {
  const skipped = () =>
    history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 2 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[2, 11]] }, { at: [7, 8] });

  it('is none where a complete scan is without it: one fault, one name', () => {
    const h = skipped().scan(9, 't/0', [[2, 11]], { at: [9, 10] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'absent', count: 0 });
  });

  it('is found where the scan that is without it is not complete, or began too early', () => {
    const part = skipped().scan(9, 't/0', [[2, 11]], { at: [9, 10], end: 5, upTo: 3 });
    expect(resultOf(part, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const early = skipped().scan(9, 't/0', [[2, 11]], { at: [1.5, 10] });
    expect(resultOf(early, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is found where the complete scan starts above it, and only an incomplete one is without it', () => {
    const h = history(retention)
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 2 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[2, 11]] }, { at: [7, 8] })
      .scan(9, 't/0', [], { at: [9, 10], end: 3, upTo: 2, scan: 'a' })
      .scan(9, 't/0', [[2, 11]], { at: [11, 12], start: 2, scan: 'b' });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is none where a complete scan measured an end below it', () => {
    const h = skipped().scan(9, 't/0', [], { at: [9, 10], end: 1 });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ count: 0 });
  });

  it('is none for what an uncertain answer placed there, once it was seen and is gone', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, offset: 1 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 2 })
      .poll(6, { 't/0': [[4, 10]] }, { at: [4, 5] })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .poll(5, { 't/0': [[2, 11]] }, { at: [7, 8] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const gone = h.scan(9, 't/0', [[2, 11], [4, 10]], { at: [9, 10] }); // prettier-ignore
    expect(resultOf(gone, 'poll-skip')).toMatchObject({ outcome: 'absent', count: 0 });
  });
});

describe('what a reader may not have skipped', () => {
  const sent = () =>
    history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] });

  it('is what lies before a poll of uncertain outcome: it begins at an unknown place', () => {
    const polled = (row: object) => sent().poll(5, { 't/0': [[1, 11]] }, { at: [7, 8], ...row });
    expect(resultOf(polled({}), 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(polled({ info: true }), 'poll-skip')).toMatchObject({ count: 0 });
    expect(resultOf(polled({ fail: true }), 'poll-skip')).toMatchObject({ count: 0 });
  });

  it('is not offset 0 where another record came after the reader; the first one is named', () => {
    const h = sent()
      .send(0, 't/0', 13, { at: [6.1, 6.2], ok: 3 })
      .poll(5, { 't/0': [[3, 13]] }, { at: [7, 8] })
      .send(0, 't/0', 12, { at: [9, 10], ok: 2 });
    expect(resultOf(h, 'poll-skip')).toMatchObject({
      count: 2,
      witnesses: [{ offset: 0, value: 10 }],
    });
  });

  it('is what retention had removed when a later chunk of the scan found the start above it', () => {
    const h = (start: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
        .scan(9, 't/0', [[1, 11]], { at: [5, 6], end: 2, scan: 'a' })
        .scan(9, 't/0', [], { at: [7, 8], from: 2, start, end: 2, scan: 'a' });
    expect(resultOf(h(0), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h(1), 'lost-write')).toMatchObject({ count: 0 });
  });

  it('is nothing below a log start that an audit of the raw log told', () => {
    const h = (start: number) =>
      history()
        .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
        .poll(5, { 't/0': [[5, 'a']] }, { at: [3, 4] })
        .rawScan(9, 't/0', [], { at: [2.5, 2.6], start, end: 6 });
    expect(resultOf(h(5), 'poll-skip')).toMatchObject({ outcome: 'absent', checked: 1 });
    expect(resultOf(h(4), 'poll-skip')).toMatchObject({ outcome: 'unknown' });
  });
});

describe('poll-skip of what was lost', () => {
  it('is left to lost-write where an audit saw it first and a later one is without it', () => {
    const h = (early: readonly RecordSeen[]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .send(1, 't/0', 11, { at: [3, 4], info: true })
        .send(2, 't/0', 12, { at: [5, 6], ok: 2 })
        .scan(8, 't/0', early, { at: [7, 8], from: early[0]![0], end: 3, linearizable: false })
        .assign(5, ['t/0'], 'beginning', { at: [9, 10] })
        .poll(5, { 't/0': [[0, 10], [2, 12]] }, { at: [11, 12] }) // prettier-ignore
        .scan(9, 't/0', [[0, 10], [2, 12]], { at: [20, 21] }); // prettier-ignore
    for (const early of [
      h([[0, 10], [1, 11], [2, 12]]), // prettier-ignore
      h([[1, 11], [2, 12]]), // prettier-ignore
    ]) {
      expect(resultOf(early, 'poll-skip')).toMatchObject({ outcome: 'absent', count: 0 });
      expect(resultOf(early, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    }
  });
});
