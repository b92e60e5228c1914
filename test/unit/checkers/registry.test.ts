import { describe, expect, it } from 'vitest';
import { checkers, checkHistory } from '../../../checkers/index.ts';
import { notBuiltChecker } from '../../../checkers/not-built.ts';
import type { Checker } from '../../../src/spi/checker.ts';
import { anomalyNames, type AnomalyName } from '../../../src/spi/verdict.ts';
import { history } from '../../support/history-builder.ts';

const seen = [
  [0, 10, { key: 'k' }],
  [1, 11, { key: 'k' }],
] as const;

/** Sends to explicit partitions, an assigned reader, a complete audit: what the log workload writes. */
const plain = () =>
  history({ config: { acks: 'all', 'enable.idempotence': true } })
    .send(0, 't/0', 10, { at: [1, 2], ok: 0, meta: { key: 'k' } })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1, meta: { key: 'k' } })
    .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
    .poll(5, { 't/0': seen }, { at: [7, 8] })
    .scan(9, 't/0', seen, { at: [20, 21] });

describe('the registry', () => {
  it('decides every anomaly by exactly one checker', () => {
    const decided = checkers.flatMap(({ anomalies }) => anomalies);
    expect(decided.toSorted()).toEqual(anomalyNames.toSorted());
  });

  it('has unique names', () => {
    expect(new Set(checkers.map(({ name }) => name)).size).toBe(checkers.length);
  });
});

describe('checkHistory', () => {
  it('always names every anomaly, in the order of the table', () => {
    for (const h of [history(), plain()]) {
      expect(Object.keys(checkHistory(h.load()).anomalies)).toEqual(anomalyNames);
    }
  });

  it('proves a plain log workload', () => {
    const result = checkHistory(plain().load());
    expect(result).toMatchObject({ format: 1, valid: true, reasons: [] });
    expect(result.claims.ordering.outcome).toBe('proved');
    expect(result.claims.durability.outcome).toBe('proved');
    expect(result.claims.isolation.outcome).toBe('not-exercised');
  });

  it('exercises nothing in an empty history', () => {
    const result = checkHistory(history().load());
    expect(result.valid).toBe('unknown');
    expect(Object.values(result.anomalies).every((each) => each.outcome === 'not-exercised')).toBe(
      true,
    );
  });

  it('writes the same bytes for the same history', () => {
    const bytes = () => JSON.stringify(checkHistory(plain().load()));
    expect(bytes()).toBe(bytes());
  });

  it('keeps the other outcomes when a checker crashes', () => {
    const crashing: Checker = {
      name: 'crashing',
      anomalies: ['lost-write', 'duplicate'],
      check: () => {
        throw new Error('row 7 is not a row');
      },
    };
    const others = checkers.filter(({ anomalies }) => !anomalies.includes('lost-write'));
    const result = checkHistory(plain().load(), {
      checkers: [...others.filter(({ name }) => name !== 'duplicate'), crashing],
    });
    for (const name of ['lost-write', 'duplicate'] as const) {
      expect(result.anomalies[name]).toMatchObject({
        outcome: 'unknown',
        reason: 'checker crashed: crashing: row 7 is not a row',
        count: 0,
      });
    }
    expect(result.anomalies['nonmonotonic-poll'].outcome).toBe('absent');
    expect(result.valid).toBe('unknown');
  });

  it('calls an anomaly unknown that its checker says nothing of, or that nobody decides', () => {
    const silent: Checker = { name: 'silent', anomalies: ['lost-write'], check: () => ({}) };
    const result = checkHistory(plain().load(), { checkers: [silent] });
    expect(result.anomalies['lost-write'].reason).toBe('the checker silent gave no outcome');
    expect(result.anomalies.duplicate.reason).toBe('no checker decides duplicate');
  });

  it('keeps no more witnesses than the limit, the earliest, and counts all', () => {
    const h = history();
    for (let i = 0; i < 20; i++) h.poll(5, { 't/0': [[20 - i, `v${i}`]] }, {});
    const result = checkHistory(h.load(), { limits: { witnessesMax: 3 } });
    const { count, witnesses } = result.anomalies['nonmonotonic-poll'];
    expect(count).toBe(19);
    expect(witnesses.map(({ offset }) => offset)).toEqual([19, 18, 17]);
  });

  it('refuses an unknown claim in the options', () => {
    expect(() => checkHistory(plain().load(), { claims: ['duribility'] })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }) as Error,
    );
  });
});

describe('anomalies that are not built', () => {
  const outcomes = (h: ReturnType<typeof history>) => {
    const result = notBuiltChecker.check(h.load(), { witnessesMax: 1 });
    return (Object.keys(result) as AnomalyName[]).filter(
      (name) => result[name]!.outcome === 'unknown',
    );
  };

  it('are not exercised by a plain log workload', () => {
    expect(outcomes(plain())).toEqual([]);
  });

  it('are unknown, "not built", where they are exercised', () => {
    const h = history().op(1, 'txn', [['send', 't/0', 1]], {
      txn: { id: 'x' },
      completed: [['send', 't/0', [0, 1]]],
    });
    const result = notBuiltChecker.check(h.load(), { witnessesMax: 1 });
    expect(result.G1c).toMatchObject({ outcome: 'unknown', checked: 1, reason: 'not built' });
    expect(result['torn-transaction']).toMatchObject({ outcome: 'unknown', checked: 1 });
    expect(result['wrong-fold']!.outcome).toBe('not-exercised');
  });

  it('ask nothing of transactions that failed', () => {
    expect(outcomes(history().op(1, 'txn', [['send', 't/0', 1]], { fail: 'ABORTED' }))).toEqual([]);
  });

  it('see transactions that commit offsets', () => {
    const h = history().op(1, 'txn', [['poll'], ['send', 't/1', 'y']], {
      completed: [
        ['poll', { 't/0': [[0, 'x']] }],
        ['send', 't/1', [0, 'y']],
        ['offsets', 'g', { 't/0': 1 }],
      ],
    });
    expect(outcomes(h)).toEqual(expect.arrayContaining(['offsets-not-atomic', 'processed-twice']));
  });

  it('see what transforms owe', () => {
    const transforms = [
      {
        group: 'g',
        input: 'in',
        output: 'out',
        owes: { fold: 'count', mode: 'final', windowMs: 1000, graceMs: 0 },
      },
    ];
    const h = history({ transforms }).send(0, 'in/0', 1, { ok: 0 });
    expect(outcomes(h)).toEqual(
      expect.arrayContaining(['processed-never', 'wrong-fold', 'incomplete-final', 'final-twice']),
    );
    expect(outcomes(h)).not.toContain('wrong-revision');
  });
});
