/** key-processed-out-of-order: which operation processed a record, and what a repetition means. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const anomaly = 'key-processed-out-of-order';
const k = { key: 'k' };

/** Processes 1 and 2 of one group, each with t/0 at its time. */
function group(): HistoryBuilder {
  return history()
    .subscribe(1, 'g', { at: [1, 2] })
    .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 })
    .subscribe(2, 'g', { at: [41, 42] })
    .rebalance(1, { generation: 2, revoked: ['t/0'] }, { at: 43 })
    .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 44 });
}

/** Process 1 processes offset 1; process 2 then offset 0. */
const swapped = (secondKey: string = 'k', row: object = {}) =>
  group()
    .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11], as: 'later record' })
    .commit(1, 'g', { 't/0': 2 }, { at: [20, 21], as: 'its commit', ...row })
    .poll(2, { 't/0': [[0, 'a', { key: secondKey }]] }, { at: [50, 51], as: 'earlier record' })
    .commit(2, 'g', { 't/0': 1 }, { at: [60, 61], as: 'the other commit' });

describe(anomaly, () => {
  it('is found where a record was processed after a later one of its key', () => {
    const h = swapped();
    const result = resultOf(h, anomaly);
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: ['later record', 'its commit', 'earlier record', 'the other commit'].map((as) => h.index(as)),
      log: 't/0',
      offset: 0,
      value: 'a',
      key: 'k',
    }); // prettier-ignore
  });

  it.each([
    ['another key', swapped('l')],
    ['an uncertain commit', swapped('k', { info: true })],
    ['a commit that failed', swapped('k', { fail: true })],
  ])('is not exercised by %s', (_what, h) => {
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('is absent where the order is kept, and within one poll', () => {
    const h = group()
      .poll(1, { 't/0': [[0, 'a', k], [1, 'b', k]] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .poll(2, { 't/0': [[2, 'c', k]] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 3 }, { at: [60, 61] }); // prettier-ignore
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('counts a record that is processed again by the first time, certain or not', () => {
    const again = (row: object) =>
      group()
        .poll(1, { 't/0': [[0, 'a', k]] }, { at: [5, 6] })
        .commit(1, 'g', { 't/0': 1 }, { at: [7, 8], ...row })
        .poll(3, { 't/0': [[1, 'b', k]] }, { at: [10, 11] })
        .subscribe(3, 'g', { at: [4, 4.5] })
        .commit(3, 'g', { 't/0': 2 }, { at: [20, 21] })
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
        .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(again({}), anomaly).outcome).toBe('absent');
    expect(resultOf(again({ info: true }), anomaly).outcome).toBe('absent');
    expect(resultOf(again({ fail: true }), anomaly).outcome).toBe('found');
  });

  it('takes no commit for proof that came after the log was given up', () => {
    const h = group()
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [45, 46] })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'not-exercised' });
  });

  it('takes the key from the writer where the reader does not tell', () => {
    const h = group()
      .send(0, 't/0', 'a', { at: [0.1, 0.2], ok: 0, meta: k })
      .send(0, 't/0', 'b', { at: [0.3, 0.4], ok: 1, meta: k })
      .poll(1, { 't/0': [[1, 'b']] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .poll(2, { 't/0': [[0, 'a']] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is the transaction that processes what its offsets cover', () => {
    const copied = (at: readonly [number, number]) =>
      group()
        .op(1, 'txn', [['poll'], ['offsets', 'g', { 't/0': 2 }]], {
          at,
          completed: [
            ['poll', { 't/0': [[1, 'b', k]] }],
            ['offsets', 'g', { 't/0': 2 }],
          ],
        })
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
        .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(copied([10, 20]), anomaly)).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(copied([10, 55]), anomaly).outcome).toBe('absent');
  });

  it('is proved by any commit beyond the record, not by one at it', () => {
    const committing = (...nexts: number[]) => {
      const h = group().poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11] });
      nexts.forEach((next, i) => h.commit(1, 'g', { 't/0': next }, { at: [20 + i, 20.5 + i] }));
      return h
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
        .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    };
    expect(resultOf(committing(1), anomaly)).toMatchObject({ outcome: 'not-exercised' });
    expect(resultOf(committing(2), anomaly)).toMatchObject({ outcome: 'found' });
    expect(resultOf(committing(1, 2), anomaly)).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('asks nothing of records without a key, nor of who is no member', () => {
    const keyless = group()
      .poll(1, { 't/0': [[1, 'b']] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .poll(2, { 't/0': [[0, 'a']] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(keyless, anomaly)).toMatchObject({ outcome: 'not-exercised' });
    const stranger = group()
      .poll(7, { 't/0': [[1, 'b', k]] }, { at: [10, 11] })
      .commit(7, 'g', { 't/0': 2 }, { at: [20, 21] })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
      .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(stranger, anomaly)).toMatchObject({ outcome: 'not-exercised' });
  });

  it('takes a commit for proof over an operation that failed, not over a close', () => {
    const between = (build: (h: HistoryBuilder) => unknown) => {
      const h = group().poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11] });
      build(h);
      return h
        .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
        .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    };
    const outcome = (build: (h: HistoryBuilder) => unknown) =>
      resultOf(between(build), anomaly).outcome;
    expect(outcome((h) => h.poll(1, null, { at: [12, 13], fail: true }))).toBe('found');
    expect(outcome((h) => h.close(1, { at: [12, 13], fail: true }))).toBe('found');
    expect(outcome((h) => h.close(1, { at: [12, 13] }))).toBe('not-exercised');
    expect(outcome((h) => h.rebalance(1, { lost: ['t/0'] }, { at: 12 }))).toBe('not-exercised');
    expect(outcome((h) => h.rebalance(1, { assigned: ['t/0'] }, { at: 12 }))).toBe('not-exercised');
    expect(outcome((h) => h.rebalance(1, { revoked: ['t/1'] }, { at: 12 }))).toBe('found');
    expect(outcome((h) => h.rebalance(3, { revoked: ['t/0'] }, { at: 12 }))).toBe('found');
  });

  it('counts a record that two surely processed by the one that returned first', () => {
    const twice = (first: readonly [number, number], second: readonly [number, number]) =>
      history()
        .subscribe(1, 'g', { at: [1, 2] })
        .subscribe(3, 'g', { at: [3, 4] })
        .subscribe(2, 'g', { at: [5, 6] })
        .poll(1, { 't/0': [[1, 'b', k]] }, { at: first })
        .commit(1, 'g', { 't/0': 2 }, { at: [70, 71] })
        .poll(3, { 't/0': [[1, 'b', k]] }, { at: second })
        .commit(3, 'g', { 't/0': 2 }, { at: [72, 73] })
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [20, 21] })
        .commit(2, 'g', { 't/0': 1 }, { at: [74, 75] });
    expect(resultOf(twice([10, 30], [12, 14]), anomaly).outcome).toBe('found');
    expect(resultOf(twice([10, 14], [12, 30]), anomaly).outcome).toBe('found');
    expect(resultOf(twice([10, 22], [12, 30]), anomaly).outcome).toBe('absent');
  });

  it('compares each record with the soonest of all that lie behind it', () => {
    const h = history();
    const polled = [[2, 10, 11], [1, 20, 30], [0, 15, 16]] as const; // prettier-ignore
    polled.forEach(([offset, from, to], i) =>
      h
        .subscribe(i, 'g', { at: [1 + i, 1.5 + i] })
        .poll(i, { 't/0': [[offset, `v${offset}`, k]] }, { at: [from, to], as: `${offset}` })
        .commit(i, 'g', { 't/0': offset + 1 }, { at: [50 + i, 50.5 + i] }),
    );
    const result = resultOf(h, anomaly);
    expect(result).toMatchObject({ outcome: 'found', count: 2, checked: 2 });
    for (const { operations } of result.witnesses) expect(operations).toContain(h.index('2'));
  });

  it('is processed by the transaction that covers it first, whatever follows', () => {
    const covered = (build: (h: HistoryBuilder) => unknown) => {
      const h = history()
        .subscribe(1, 'g', { at: [1, 2], session: 's' })
        .subscribe(2, 'g', { at: [3, 4] })
        .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11], session: 's', as: 'poll' });
      build(h);
      return h
        .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
        .commit(2, 'g', { 't/0': 1 }, { at: [60, 61] });
    };
    const txn = (h: HistoryBuilder, process: number, at: readonly [number, number], row: object) =>
      h.op(process, 'txn', [['offsets', 'g', { 't/0': 2 }]], { at, session: 's', ...row });
    const commit = (h: HistoryBuilder, at: readonly [number, number]) =>
      h.op(1, 'commit', { group: 'g', offsets: { 't/0': 2 } }, { at, session: 's' });
    const outcome = (build: (h: HistoryBuilder) => unknown) =>
      resultOf(covered(build), anomaly).outcome;
    expect(outcome((h) => txn(h, 1, [20, 30], { as: 'txn' }))).toBe('found');
    expect(outcome((h) => txn(h, 1, [20, 55], {}))).toBe('absent');
    expect(outcome((h) => commit(txn(h, 1, [20, 55], {}), [56, 57]))).toBe('absent');
    // An uncertain one may have processed it, so none that follows surely did.
    const after = (h: HistoryBuilder) => txn(h, 1, [20, 30], { info: true });
    expect(outcome((h) => txn(after(h), 3, [31, 40], {}))).toBe('not-exercised');
    const none = (h: HistoryBuilder) => txn(h, 1, [20, 30], { fail: true });
    expect(outcome((h) => txn(none(h), 1, [31, 40], {}))).toBe('found');
    const h = covered((b) => txn(b, 1, [20, 30], { as: 'txn' }));
    const { explanation } = resultOf(h, anomaly).witnesses[0]!;
    expect(explanation).toMatch(
      /processed "b" at offset 1 in an operation that ended [^,]*\. Only/,
    );
    expect(explanation).toMatch(/processed "a" at offset 0 .*, and committed beyond it /);
  });

  it('keeps groups apart', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'h', { at: [3, 4] })
      .poll(1, { 't/0': [[1, 'b', k]] }, { at: [10, 11] })
      .commit(1, 'g', { 't/0': 2 }, { at: [20, 21] })
      .poll(2, { 't/0': [[0, 'a', k]] }, { at: [50, 51] })
      .commit(2, 'h', { 't/0': 1 }, { at: [60, 61] });
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'not-exercised' });
  });
});
