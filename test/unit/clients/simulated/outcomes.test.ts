import { describe, expect, it } from 'vitest';
import {
  codeOfFailure,
  isRetried,
  mergedOutcome,
  sendOutcomeOf,
  sendOutcomes,
  type BatchResult,
} from '../../../../src/clients/simulated/outcomes.ts';
import { errorCodeOf } from '../../../../src/kafka-protocol/error-codes.ts';

describe('outcome table', () => {
  it('has one row per code, each with a reason', () => {
    const codes = sendOutcomes.map((rule) => rule.code);
    expect(codes).toEqual([...new Set(codes)]);
    for (const rule of sendOutcomes) expect(rule.why.length).toBeGreaterThan(10);
  });

  it("names every code as Kafka does, but for the client's own", () => {
    const own = sendOutcomes
      .map(({ code }) => code)
      .filter((code) => errorCodeOf(code) === undefined);
    expect(own).toEqual([
      'CLIENT_REQUEST_TIMEOUT',
      'CONNECTION_CLOSED',
      'UNREADABLE',
      'CONNECTION_REFUSED',
      'NO_PRODUCER_ID',
      'CLIENT_CLOSED',
      'DEADLINE',
    ]);
  });

  it('has a row for every way in which a call brings no answer', () => {
    const codes = (['refused', 'timeout', 'closed', 'unreadable'] as const).map(codeOfFailure);
    for (const code of codes) expect(isRetried(code)).toBe(true);
  });

  it('calls nothing definite once a second attempt may have been written', () => {
    for (const { code } of sendOutcomes) expect(sendOutcomeOf(code, 2)).toBe('info');
  });

  it('fails what was never written, unless the call is still running', () => {
    expect(sendOutcomeOf('CONNECTION_REFUSED', 0)).toBe('fail');
    expect(sendOutcomeOf('SOMETHING_NEW', 0)).toBe('fail');
    expect(sendOutcomeOf('DEADLINE', 0)).toBe('info');
  });

  it('is info for a code that it does not know, which is not tried again', () => {
    expect(sendOutcomeOf('SOMETHING_NEW', 1)).toBe('info');
    expect(isRetried('SOMETHING_NEW')).toBe(false);
  });

  it.each([
    ['MESSAGE_TOO_LARGE', 'fail', false],
    ['NOT_ENOUGH_REPLICAS', 'fail', true],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'info', true],
    ['NOT_LEADER_OR_FOLLOWER', 'info', true],
    ['REQUEST_TIMED_OUT', 'info', true],
    ['CLIENT_REQUEST_TIMEOUT', 'info', true],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'info', false],
  ])('%s of the only attempt: %s; retried: %s', (code, outcome, retried) => {
    expect(sendOutcomeOf(code, 1)).toBe(outcome);
    expect(isRetried(code)).toBe(retried);
  });
});

describe('the outcome of a call', () => {
  const ok: BatchResult = { type: 'ok', baseOffset: 3 };
  const fail: BatchResult = { type: 'fail', error: { code: 'F', message: 'f' } };
  const info: BatchResult = { type: 'info', error: { code: 'I', message: 'i' } };
  const sent = () => [{ partition: 0, offset: 3 }];

  it.each([
    ['ok', [ok, ok], { type: 'ok', value: sent() }],
    ['fail', [fail, fail], { type: 'fail', error: fail.error }],
    ['info', [ok, fail], { type: 'info', error: fail.error }],
    ['info', [fail, info], { type: 'info', error: info.error }],
    ['info', [ok, info, ok], { type: 'info', error: info.error }],
  ] as const)('is %s for %j', (_, results, outcome) => {
    expect(mergedOutcome(results, sent)).toEqual(outcome);
  });
});
