/**
 * Fetch as clients use it: from the leader up to the high watermark, waiting for the first record; from a follower what
 * it has of that, bounded by the watermark that it knows (KIP-392).
 */
import { logName } from '../../history/log-name.ts';
import { nsPerMs } from '../../core/units.ts';
import type {
  FetchedPartition,
  FetchRequest,
  FetchResponse,
} from '../../kafka-protocol/messages/fetch.ts';
import type { Broker } from './broker.ts';
import { code } from './error-code.ts';
import type { LogKey } from './metadata-image.ts';
import type { FetchWaiter, Replica } from './replica.ts';
import { FetchCompletion } from './replication.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly key: LogKey;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly bytesMax: number;
}

/** How long after an election a leader with the defect fetch-skips-batch skips. */
const skipsMs = 3_000;

export function answerClientFetch(
  broker: Broker,
  request: FetchRequest,
  respond: (response: FetchResponse) => void,
): void {
  const places: Place[] = [];
  for (const { name: topic, partitions } of request.topics) {
    for (const one of partitions) {
      places.push({
        topic,
        partition: one.partition,
        key: logName(topic, one.partition),
        leaderEpoch: one.currentLeaderEpoch,
        offset: one.fetchOffset,
        bytesMax: one.partitionMaxBytes,
      });
    }
  }
  const answer = (): void => {
    respond(responseOf(broker, places));
  };
  const found = places.map((place) => broker.replicas.get(place.key));
  const mustWait =
    request.maxWaitMs > 0 && places.every((place, position) => hasNothing(found[position], place));
  if (!mustWait) {
    answer();
    return;
  }
  const { process } = broker.parts;
  const waiters: (readonly [Replica, FetchWaiter])[] = [];
  const completion = new FetchCompletion(process.kernel, () => {
    for (const [replica, waiter] of waiters) replica.unwait(waiter);
    answer();
  });
  const { complete } = completion;
  places.forEach((place, position) => {
    const replica = found[position];
    if (replica === undefined) return;
    const waiter: FetchWaiter = { isReady: () => !hasNothing(replica, place), complete };
    waiters.push([replica, waiter]);
    replica.wait(waiter);
  });
  completion.endBy(process.after(request.maxWaitMs, complete));
}

/** True while there is neither a record to show nor an error to tell. */
function hasNothing(replica: Replica | undefined, place: Place): boolean {
  return (
    replica !== undefined &&
    refusalOf(replica, place) === null &&
    visibleEnd(replica) <= place.offset
  );
}

function visibleEnd(replica: Replica): number {
  return replica.leads ? replica.visibleEnd : Math.min(replica.highWatermark, replica.log.end);
}

function refusalOf(replica: Replica, { leaderEpoch, offset }: Place): string | null {
  const known = replica.state.leaderEpoch;
  if (leaderEpoch >= 0 && leaderEpoch < known) return 'FENCED_LEADER_EPOCH';
  if (leaderEpoch > known) return 'UNKNOWN_LEADER_EPOCH';
  if (replica.state.leader < 0) return 'NOT_LEADER_OR_FOLLOWER';
  if (offset <= replica.log.end) return null;
  // A follower may be behind; only the leader knows where the log ends.
  return replica.leads ? 'OFFSET_OUT_OF_RANGE' : 'OFFSET_NOT_AVAILABLE';
}

function responseOf(broker: Broker, places: readonly Place[]): FetchResponse {
  const topics: { readonly name: string; readonly partitions: FetchedPartition[] }[] = [];
  for (const place of places) {
    let topic = topics.at(-1);
    if (topic?.name !== place.topic) {
      topic = { name: place.topic, partitions: [] };
      topics.push(topic);
    }
    topic.partitions.push(answerOne(broker, place));
  }
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, topics };
}

function answerOne(broker: Broker, place: Place): FetchedPartition {
  const replica = broker.replicas.get(place.key);
  const error = replica === undefined ? 'NOT_LEADER_OR_FOLLOWER' : refusalOf(replica, place);
  if (replica === undefined || error !== null) {
    return answerWith(place.partition, error ?? 'NONE', -1, null);
  }
  const end = visibleEnd(replica);
  const batches = replica.log.read(place.offset, end, place.bytesMax);
  const shown = skipsFirst(broker, replica, batches.length) ? batches.slice(1) : batches;
  return answerWith(place.partition, 'NONE', end, shown.length === 0 ? null : shown);
}

function skipsFirst(broker: Broker, replica: Replica, batches: number): boolean {
  const { defects, process } = broker.parts;
  if (!defects.has('fetch-skips-batch') || !replica.leads || batches < 2) return false;
  return process.kernel.nowNs - replica.ledSinceNs < skipsMs * nsPerMs;
}

function answerWith(
  partition: number,
  error: string,
  end: number,
  records: FetchedPartition['records'],
): FetchedPartition {
  return {
    partition,
    errorCode: code(error),
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records,
  };
}
