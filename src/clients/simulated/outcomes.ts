/**
 * The outcome table of the modelled producer (CHECKERS.md, "When unsure, info"), by the error code of a batch's last
 * attempt and the number of its Produce requests that may have been written:
 *
 * - none was written, and the client has given up: nothing can take effect, so fail;
 * - exactly one was written, and the code proves that the broker refused it before appending: fail;
 * - anything else: info. An earlier attempt may have been appended, whatever the last one says.
 */
import type { Outcome, Sent } from '../../spi/client.ts';
import type { OperationError } from '../../history/event.ts';
import type { CallFailure } from '../../kafka-protocol/connection.ts';

export interface OutcomeRule {
  /** Kafka's name of the error, or one of the client's own. */
  readonly code: string;
  /** True: the broker answered this before it appended anything. */
  readonly definite: boolean;
  /** True: a sound client tries again. */
  readonly retried: boolean;
  readonly why: string;
}

const refused = (code: string, why: string): OutcomeRule => ({
  code,
  definite: true,
  retried: false,
  why,
});
const refusedForNow = (code: string, why: string): OutcomeRule => ({
  code,
  definite: true,
  retried: true,
  why,
});
const unsure = (code: string, why: string): OutcomeRule => ({
  code,
  definite: false,
  retried: true,
  why,
});
const unsureForGood = (code: string, why: string): OutcomeRule => ({
  code,
  definite: false,
  retried: false,
  why,
});

/** One row per code; a code without a row is info, and is not tried again. */
export const sendOutcomes: readonly OutcomeRule[] = [
  refused('MESSAGE_TOO_LARGE', 'size is validated before the append'),
  refused('RECORD_LIST_TOO_LARGE', 'size is validated before the append'),
  refused('INVALID_REQUIRED_ACKS', 'acks is validated before the append'),
  refused('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'the format is validated before the append'),
  refused('UNSUPPORTED_COMPRESSION_TYPE', 'the codec is validated before the append'),
  refused('INVALID_TIMESTAMP', 'timestamps are validated before the append'),
  refused('INVALID_RECORD', 'records are validated before the append'),
  refused('POLICY_VIOLATION', 'policies are applied before the append'),
  refused('INVALID_TOPIC_EXCEPTION', 'the name is validated before the append'),
  refused('TOPIC_AUTHORIZATION_FAILED', 'authorization is checked before the append'),
  refused('CLUSTER_AUTHORIZATION_FAILED', 'authorization is checked before the append'),
  refused('INVALID_PRODUCER_EPOCH', 'a fenced epoch is refused before the append'),
  refusedForNow('NOT_ENOUGH_REPLICAS', 'the in-sync set is counted before the append'),
  refusedForNow('CORRUPT_MESSAGE', 'the checksum is verified before the append'),
  unsure(
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'the leader appended, then the in-sync set was too small',
  ),
  unsure(
    'NOT_LEADER_OR_FOLLOWER',
    'also answered to a request that was appended and was waiting for followers when leadership moved',
  ),
  unsure(
    'UNKNOWN_TOPIC_OR_PARTITION',
    'also answered to a request that was waiting for followers when the partition went away',
  ),
  unsure('REQUEST_TIMED_OUT', 'the leader appended and gave up waiting for followers'),
  unsure('NETWORK_EXCEPTION', 'the connection ended between request and answer'),
  unsure('LEADER_NOT_AVAILABLE', 'answered during elections, when an earlier append may survive'),
  unsure('KAFKA_STORAGE_ERROR', 'the disk failed at an unknown point of the append'),
  unsure('UNKNOWN_SERVER_ERROR', 'the broker failed at an unknown point'),
  unsure('CLIENT_REQUEST_TIMEOUT', 'no answer: the request may be queued in a frozen broker'),
  unsure('CONNECTION_CLOSED', 'the connection ended between request and answer'),
  unsure(
    'UNREADABLE',
    "an answer that is not Kafka's, or that lacks the partition, proves nothing",
  ),
  unsure(
    'CONNECTION_REFUSED',
    'nothing was sent this time; an earlier attempt may have been appended',
  ),
  unsure('NO_PRODUCER_ID', 'nothing was sent this time; an earlier attempt may have been appended'),
  unsureForGood(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'an earlier attempt may be what moved the sequence on',
  ),
  unsureForGood(
    'DUPLICATE_SEQUENCE_NUMBER',
    'an earlier attempt was appended, at an offset that is not told',
  ),
  unsureForGood(
    'UNKNOWN_PRODUCER_ID',
    'the producer state is gone; an earlier attempt may have been appended',
  ),
  unsureForGood('CLIENT_CLOSED', 'the client ended while the call was open'),
  unsureForGood('DEADLINE', "the operation's own bound passed while the client went on trying"),
];

const byCode = new Map(sendOutcomes.map((rule) => [rule.code, rule]));

const failureCodes: Readonly<Record<CallFailure, string>> = {
  refused: 'CONNECTION_REFUSED',
  timeout: 'CLIENT_REQUEST_TIMEOUT',
  closed: 'CONNECTION_CLOSED',
  unreadable: 'UNREADABLE',
};

/** The code of an attempt that brought no answer. */
export function codeOfFailure(status: CallFailure): string {
  return failureCodes[status];
}

export function isRetried(code: string): boolean {
  return byCode.get(code)?.retried === true;
}

/** @param attempts Produce requests of the batch that may have been written. */
export function sendOutcomeOf(code: string, attempts: number): 'fail' | 'info' {
  if (code === 'DEADLINE') return 'info';
  if (attempts === 0) return 'fail';
  return attempts === 1 && byCode.get(code)?.definite === true ? 'fail' : 'info';
}

/** How one batch of a call ended; the offset is that of its first record, null where the client does not learn it. */
export type BatchResult =
  | { readonly type: 'ok'; readonly baseOffset: number | null }
  | { readonly type: 'fail' | 'info'; readonly error: OperationError };

/**
 * The one outcome that a call's records share: ok if every batch was acknowledged, fail if every batch certainly came to
 * nothing, otherwise info with the first failure that says most.
 */
export function mergedOutcome(
  results: readonly BatchResult[],
  sent: () => readonly Sent[],
): Outcome<readonly Sent[]> {
  let acknowledged = 0;
  let failed: OperationError | null = null;
  let uncertain: OperationError | null = null;
  for (const result of results) {
    if (result.type === 'ok') acknowledged += 1;
    else if (result.type === 'fail') failed ??= result.error;
    else uncertain ??= result.error;
  }
  if (uncertain !== null) return { type: 'info', error: uncertain };
  if (failed === null) return { type: 'ok', value: sent() };
  return { type: acknowledged === 0 ? 'fail' : 'info', error: failed };
}
