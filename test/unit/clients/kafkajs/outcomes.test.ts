import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  errorCodeOf,
  sendOutcomeOf,
  sendOutcomes,
} from '../../../../src/clients/kafkajs/outcomes.ts';
import { ProduceFrameCounter } from '../../../../src/clients/kafkajs/produce-attempts.ts';

describe('outcome table', () => {
  it('has one row per code, each with a reason', () => {
    const codes = sendOutcomes.map((rule) => rule.code);
    expect(codes).toEqual([...new Set(codes)]);
    for (const rule of sendOutcomes) expect(rule.why.length).toBeGreaterThan(10);
  });

  it('calls nothing definite once a second attempt was seen', () => {
    for (const { code } of sendOutcomes) expect(sendOutcomeOf(code, 2, 1)).toBe('info');
  });

  it('fails what was never written, unless the call is still running', () => {
    expect(sendOutcomeOf('CONNECTION_ERROR', 0, 1)).toBe('fail');
    expect(sendOutcomeOf('UNKNOWN_TOPIC_OR_PARTITION', 0, 1)).toBe('fail');
    expect(sendOutcomeOf('DEADLINE', 0, 1)).toBe('info');
  });

  it('is info for records of several logs, whatever was seen', () => {
    for (const { code } of sendOutcomes) {
      expect([0, 1, 2].map((attempts) => sendOutcomeOf(code, attempts, 2))).toEqual(
        Array(3).fill('info'),
      );
    }
  });

  it('fails a call of several records for which no request was made', () => {
    expect(sendOutcomeOf('METADATA_NOT_LOADED', 0, 0)).toBe('fail');
  });

  it('is info for a code that it does not know', () => {
    expect(sendOutcomeOf('SOMETHING_NEW', 1, 1)).toBe('info');
  });

  it.each([
    ['MESSAGE_TOO_LARGE', 'fail'],
    ['NOT_ENOUGH_REPLICAS', 'fail'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'info'],
    ['NOT_LEADER_FOR_PARTITION', 'info'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'info'],
    ['REQUEST_TIMED_OUT', 'info'],
    ['UNKNOWN', 'info'],
  ])('%s of the only attempt: %s', (code, outcome) => {
    expect(sendOutcomeOf(code, 1, 1)).toBe(outcome);
  });
});

describe('errorCodeOf', () => {
  const named = (name: string, extra: object, cause?: unknown) =>
    Object.assign(new Error('x', { cause }), { name, ...extra });

  it('takes the innermost protocol error of a chain', () => {
    const inner = named('KafkaJSProtocolError', { type: 'NOT_ENOUGH_REPLICAS' });
    expect(errorCodeOf(named('KafkaJSNumberOfRetriesExceeded', {}, inner))).toBe(
      'NOT_ENOUGH_REPLICAS',
    );
  });

  it('names the client’s own errors', () => {
    const inner = named('KafkaJSRequestTimeoutError', {});
    expect(errorCodeOf(named('KafkaJSNumberOfRetriesExceeded', {}, inner))).toBe(
      'CLIENT_REQUEST_TIMEOUT',
    );
  });

  it('ends on a chain that loops', () => {
    const looped = named('Error', {});
    looped.cause = looped;
    expect(errorCodeOf(looped)).toBe('Error');
  });

  it('survives what is no error', () => {
    expect(errorCodeOf('broken')).toBe('UNKNOWN_CLIENT_ERROR');
  });
});

describe('ProduceFrameCounter', () => {
  it('counts Produce frames however the stream is cut', () => {
    const frame = fc.record({
      key: fc.constantFrom(0, 3, 18, 22),
      body: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (frames, cuts) => {
          const stream = Buffer.concat(
            frames.map(({ key, body }) => {
              const head = Buffer.alloc(6);
              head.writeInt32BE(2 + body.length, 0);
              head.writeInt16BE(key, 4);
              return Buffer.concat([head, body]);
            }),
          );
          const counter = new ProduceFrameCounter();
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1;
            counter.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(counter.produceFrames).toBe(frames.filter(({ key }) => key === 0).length);
        },
      ),
    );
  });
});
