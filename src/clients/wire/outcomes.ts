/**
 * Outcome table of the wire client. It only reads, so whatever goes wrong is fail: a read that erred certainly did not
 * happen, and nothing can happen later because of it (CHECKERS.md, "Definite: … a poll that erred").
 */
import type { OperationError } from '../../history/event.ts';
import type { CallFailure } from '../../kafka-protocol/connection.ts';
import { errorName } from '../../kafka-protocol/error-codes.ts';

export interface Fail {
  readonly type: 'fail';
  readonly error: OperationError;
}

interface WireOutcome {
  readonly code: string;
  readonly when: string;
  readonly why: string;
}

/** Every code of our own; error codes of a broker keep Kafka's names. docs/wire-client.md is tested against this table. */
export const wireOutcomes = [
  { code: 'CONNECTION_REFUSED', when: 'no connection, or none in time', why: 'nothing was sent' },
  {
    code: 'REQUEST_TIMED_OUT',
    when: 'no answer in time',
    why: 'the connection is closed, so a late answer is dropped',
  },
  {
    code: 'CONNECTION_CLOSED',
    when: 'the connection ended before the answer',
    why: 'the answer can no longer come',
  },
  {
    code: 'UNREADABLE',
    when: "an answer that is not Kafka's, too large, or damaged",
    why: 'nothing of it is believed',
  },
  {
    code: 'COMPRESSED_BATCH',
    when: 'a compressed batch among the records',
    why: 'its records cannot be read; the message names log and offset',
  },
  {
    code: 'LEADER_NOT_AVAILABLE',
    when: 'no node names a leader of an assigned log',
    why: 'nothing was sent',
  },
  {
    code: 'NOT_READY',
    when: 'the nodes disagree, an in-sync set is not full, or a replica is behind',
    why: 'an audit may not read yet',
  },
  { code: 'NOT_ASSIGNED', when: 'a poll without assignment', why: 'nothing was sent' },
  {
    code: 'OFFSET_OUT_OF_RANGE',
    when: 'a position outside the log',
    why: 'no silent reset: the caller assigns anew',
  },
] as const satisfies readonly WireOutcome[];

type WireCode = (typeof wireOutcomes)[number]['code'];

const failureCodes: Readonly<Record<CallFailure, WireCode>> = {
  refused: 'CONNECTION_REFUSED',
  timeout: 'REQUEST_TIMED_OUT',
  closed: 'CONNECTION_CLOSED',
  unreadable: 'UNREADABLE',
};

export function fail(code: WireCode, message: string): Fail {
  return { type: 'fail', error: { code, message } };
}

/** The outcome of a call that brought no answer. */
export function failedCall(result: {
  readonly status: CallFailure;
  readonly message: string;
}): Fail {
  return fail(failureCodes[result.status], result.message);
}

/** The outcome of an answer with an error code. @param what says which request, of which log, to which node. */
export function failedCode(code: number, what: string): Fail {
  return { type: 'fail', error: { code: errorName(code), message: `${what}: error ${code}` } };
}

export function notReady(message: string): Fail {
  return fail('NOT_READY', message);
}
