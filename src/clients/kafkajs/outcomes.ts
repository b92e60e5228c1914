/**
 * The outcome table of kafkajs sends (CHECKERS.md, "When unsure, info"). An outcome is a function of the error's code
 * and of the Produce requests that were seen on the client's own sockets while the call was open:
 *
 * - no Produce request was written, and the call has ended: nothing can take effect, so fail;
 * - exactly one was written, and the code proves that the broker refused it before appending: fail;
 * - anything else: info. With hidden retries an earlier attempt may have been appended, whatever the last one says.
 *
 * Records of one call that were for several logs are info whatever was seen: a request may be refused for one log and
 * appended for another, and kafkajs gives up on the first broker's error while requests to others are still to be written.
 * Requests of other calls that were open at the same time count as attempts too: that only makes outcomes less certain.
 *
 * kafkajs's own `retriable` flag is never consulted: it says what the client would do, not what the broker did.
 */

export interface OutcomeRule {
  /** As kafkajs names it in its error table, or as `errorCode` below names the client's own errors. */
  readonly code: string;
  /** True: the broker answered this before it appended anything. */
  readonly definite: boolean;
  readonly why: string;
}

const refused = (code: string, why: string): OutcomeRule => ({ code, definite: true, why });
const unsure = (code: string, why: string): OutcomeRule => ({ code, definite: false, why });

const fromMetadata =
  'also thrown by the metadata refresh that follows a Produce request whose answer was lost; with no attempt it is fail';

/** One row per code; a code without a row is info. */
export const sendOutcomes: readonly OutcomeRule[] = [
  refused('MESSAGE_TOO_LARGE', 'size is validated before the append'),
  refused('RECORD_LIST_TOO_LARGE', 'size is validated before the append'),
  refused('INVALID_REQUIRED_ACKS', 'acks is validated before the append'),
  refused('NOT_ENOUGH_REPLICAS', 'the in-sync set is counted before the append'),
  refused('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'the format is validated before the append'),
  refused('UNSUPPORTED_COMPRESSION_TYPE', 'the codec is validated before the append'),
  refused('INVALID_TIMESTAMP', 'timestamps are validated before the append'),
  refused('INVALID_RECORD', 'records are validated before the append'),
  refused('POLICY_VIOLATION', 'policies are applied before the append'),
  refused('INVALID_PRODUCER_EPOCH', 'a fenced epoch is refused before the append'),
  unsure('UNKNOWN_TOPIC_OR_PARTITION', fromMetadata),
  unsure('INVALID_TOPIC_EXCEPTION', fromMetadata),
  unsure('TOPIC_AUTHORIZATION_FAILED', fromMetadata),
  unsure('CLUSTER_AUTHORIZATION_FAILED', fromMetadata),
  unsure('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', fromMetadata),
  unsure(
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'the leader appended, then the in-sync set was too small',
  ),
  unsure(
    'NOT_LEADER_FOR_PARTITION',
    'also answered to a request that was appended and was waiting for followers when leadership moved',
  ),
  unsure('REQUEST_TIMED_OUT', 'the leader appended and gave up waiting for followers'),
  unsure('CLIENT_REQUEST_TIMEOUT', 'no answer: the request may be queued in a frozen broker'),
  unsure('CONNECTION_CLOSED', 'the connection ended between request and answer'),
  unsure(
    'CONNECTION_ERROR',
    'a later attempt could not connect; an earlier one may have been appended',
  ),
  unsure('NETWORK_EXCEPTION', 'the connection ended between request and answer'),
  unsure('LEADER_NOT_AVAILABLE', 'answered during elections, when an earlier append may survive'),
  unsure('UNKNOWN', 'the broker failed at an unknown point'),
  unsure('KAFKA_STORAGE_ERROR', 'the disk failed at an unknown point of the append'),
  unsure('OUT_OF_ORDER_SEQUENCE_NUMBER', 'an earlier attempt may be what moved the sequence on'),
  unsure(
    'DUPLICATE_SEQUENCE_NUMBER',
    'an earlier attempt was appended, at an offset that is not told',
  ),
  unsure(
    'UNKNOWN_PRODUCER_ID',
    'the producer state is gone; an earlier attempt may have been appended',
  ),
  unsure('DEADLINE', "the operation's own bound passed while the client went on trying"),
];

const byCode = new Map(sendOutcomes.map((rule) => [rule.code, rule]));

/**
 * @param attempts Produce requests written on this producer's sockets since the call began.
 * @param logs for how many logs kafkajs made requests; 0 if it never got so far.
 */
export function sendOutcomeOf(code: string, attempts: number, logs: number): 'fail' | 'info' {
  if (code === 'DEADLINE' || logs > 1) return 'info';
  if (attempts === 0) return 'fail';
  return attempts === 1 && byCode.get(code)?.definite === true ? 'fail' : 'info';
}

const clientErrors: ReadonlyMap<string, string> = new Map([
  ['KafkaJSRequestTimeoutError', 'CLIENT_REQUEST_TIMEOUT'],
  ['KafkaJSConnectionClosedError', 'CONNECTION_CLOSED'],
  ['KafkaJSConnectionError', 'CONNECTION_ERROR'],
  ['KafkaJSBrokerNotFound', 'BROKER_NOT_FOUND'],
  ['KafkaJSMetadataNotLoaded', 'METADATA_NOT_LOADED'],
  ['KafkaJSTopicMetadataNotLoaded', 'METADATA_NOT_LOADED'],
  ['KafkaJSLockTimeout', 'CLIENT_LOCK_TIMEOUT'],
]);

/** How deep a chain of causes is followed. */
const causesMax = 10;

/** The code of whatever kafkajs threw: the innermost protocol error's type, else the innermost known class, else its name. */
export function errorCodeOf(thrown: unknown): string {
  let code = 'UNKNOWN_CLIENT_ERROR';
  let error: unknown = thrown;
  for (let depth = 0; depth < causesMax && error instanceof Error; depth++) {
    if ('type' in error && typeof error.type === 'string') code = error.type;
    else code = clientErrors.get(error.name) ?? (depth === 0 ? error.name : code);
    error = error.cause;
  }
  return code;
}
