/** precommitted-read: a transaction's own poll, under which isolation, and whose record it was given. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder, type OperationRow } from '../../support/history-builder.ts';
import { claims } from '../../support/claims.ts';
import { resultOf } from '../../support/judged.ts';

const anomaly = 'precommitted-read';

/** Process 1 sends a to t/0 in a transaction, and its poll is given what it is told. */
function transaction(
  h: HistoryBuilder,
  seen: Readonly<Record<string, readonly (readonly [number, string])[]>>,
  row: OperationRow = {},
): HistoryBuilder {
  return h.op(1, 'txn', [['send', 't/0', 'a'], ['poll']], {
    completed: [
      ['send', 't/0', [4, 'a']],
      ['poll', seen],
    ],
    at: [10, 12],
    as: 'txn',
    ...row,
  });
}
const own = { 't/0': [[3, 'b'], [4, 'a']] } as const; // prettier-ignore
const outcome = (h: HistoryBuilder) => resultOf(h, anomaly).outcome;

describe(anomaly, () => {
  it('is found where the poll was given what the transaction had sent', () => {
    const h = transaction(history().send(2, 't/0', 'b', { at: [1, 2], ok: 3 }), own);
    const result = resultOf(h, anomaly);
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('txn')],
      log: 't/0',
      offset: 4,
      value: 'a',
      layer: 'unknown',
    });
    expect(result.witnesses[0]!.explanation).toContain('under read_committed');
  });

  it('counts a transaction once, however much of its own it was given', () => {
    const h = history().op(1, 'txn', [['send', 't/0', 'a'], ['send', 't/1', 'b'], ['poll']], {
      completed: [
        ['send', 't/0', [0, 'a']],
        ['send', 't/1', [0, 'b']],
        ['poll', { 't/0': [[0, 'a']], 't/1': [[0, 'b']] }],
      ],
    });
    expect(resultOf(h, anomaly)).toMatchObject({ count: 1, checked: 1 });
  });

  it('is found however the transaction ended', () => {
    const ended = (row: OperationRow) =>
      outcome(transaction(history().send(2, 't/0', 'b', { at: [1, 2], ok: 3 }), own, row));
    expect(ended({ fail: true })).toBe('found');
    expect(ended({ info: true })).toBe('found');
  });

  it('is absent where the poll was given what others wrote, and not exercised where it was given nothing', () => {
    const others = history().send(2, 't/0', 'b', { at: [1, 2], ok: 3 });
    const h = transaction(others, { 't/0': [[3, 'b']] });
    expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'absent', checked: 1 });
    expect(outcome(transaction(history(), {}))).toBe('not-exercised');
    const reading = history()
      .send(2, 't/0', 'b', { at: [1, 2], ok: 3 })
      .op(1, 'txn', [['poll']], { completed: [['poll', { 't/0': [[3, 'b']] }]] });
    expect(outcome(reading)).toBe('not-exercised');
    const plain = history()
      .send(1, 't/0', 'a', { at: [1, 2], ok: 0 })
      .poll(1, { 't/0': [[0, 'a']] }, { at: [3, 4] });
    expect(outcome(plain)).toBe('not-exercised');
  });

  it('goes by the isolation that its process asked for last, else by the header', () => {
    const mine = { 't/0': [[4, 'a']] } as const;
    const uncommitted = { config: { 'isolation.level': 'read_uncommitted' } };
    expect(outcome(transaction(history(uncommitted), mine))).toBe('not-exercised');
    const asked = (isolation: 'read_committed' | 'read_uncommitted', header = {}) =>
      history(header).assign(1, ['t/0'], 'beginning', { at: [1, 2], isolation });
    expect(outcome(transaction(asked('read_uncommitted'), mine))).toBe('not-exercised');
    expect(outcome(transaction(asked('read_committed', uncommitted), mine))).toBe('found');
    const again = asked('read_uncommitted').assign(1, ['t/0'], 'beginning', {
      at: [3, 4],
      isolation: 'read_committed',
    });
    expect(outcome(transaction(again, mine))).toBe('found');
    const failed = asked('read_committed').assign(1, ['t/0'], 'beginning', {
      at: [3, 4],
      isolation: 'read_uncommitted',
      fail: true,
    });
    expect(outcome(transaction(failed, mine))).toBe('found');
    const other = history().assign(2, ['t/0'], 'beginning', {
      at: [1, 2],
      isolation: 'read_uncommitted',
    });
    expect(outcome(transaction(other, mine))).toBe('found');
  });

  it('is believed only of the transaction, the log and the offset that a claim names', () => {
    const h = transaction(
      history().send(2, 't/0', 'b', { at: [1, 2], ok: 3, as: 'other' }),
      own,
    ).poll(5, { 't/0': [[4, 'a']] }, { at: [20, 21], as: 'poll' });
    expect(claims(h, anomaly, 'txn')).toBe(true);
    expect(claims(h, anomaly, 'txn', { log: 't/0', offset: 4 })).toBe(true);
    expect(claims(h, anomaly, 'txn', { log: 't/1', offset: 4 })).toBe(false);
    expect(claims(h, anomaly, 'txn', { log: 't/0', offset: 3 })).toBe(false);
    expect(claims(h, anomaly, 'poll')).toBe(false);
    expect(claims(h, anomaly, 'other')).toBe(false);
  });
});
