/**
 * Fetch as clients use it: from the leader up to the high watermark, waiting for the first record; from a follower what
 * it has of that, bounded by the watermark that it knows (KIP-392).
 */
import { nsPerMs } from '../../core/units.ts';
import type {
  FetchedPartition,
  FetchRequest,
  FetchResponse,
} from '../../kafka-protocol/messages/fetch.ts';
import type { Broker } from './broker.ts';
import { code } from './error-code.ts';
import type { FetchWaiter, Replica } from './replica.ts';
import { onceOver } from './replication.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
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
  const places = request.topics.flatMap(({ name, partitions }) =>
    partitions.map((one): Place => ({
      topic: name,
      partition: one.partition,
      leaderEpoch: one.currentLeaderEpoch,
      offset: one.fetchOffset,
      bytesMax: one.partitionMaxBytes,
    })),
  );
  const answer = (): void => {
    respond(responseOf(broker, places));
  };
  const found = places.map((place) => broker.replicas.get(keyOf(place)));
  const mustWait =
    request.maxWaitMs > 0 && places.every((place, position) => hasNothing(found[position], place));
  if (!mustWait) {
    answer();
    return;
  }
  const { process } = broker.parts;
  const complete = onceOver(process.kernel, answer);
  places.forEach((place, position) => {
    const replica = found[position];
    if (replica === undefined) return;
    const waiter: FetchWaiter = {
      isReady: () => !hasNothing(replica, place),
      complete: complete.run,
    };
    complete.waiters.push([replica, waiter]);
    replica.wait(waiter);
  });
  complete.endBy(process.after(request.maxWaitMs, complete.run));
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
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
  const names = [...new Set(places.map(({ topic }) => topic))];
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    topics: names.map((name) => ({
      name,
      partitions: places
        .filter(({ topic }) => topic === name)
        .map((place) => answerOne(broker, place)),
    })),
  };
}

function answerOne(broker: Broker, place: Place): FetchedPartition {
  const replica = broker.replicas.get(keyOf(place));
  const error = replica === undefined ? 'NOT_LEADER_OR_FOLLOWER' : refusalOf(replica, place);
  if (replica === undefined || error !== null) {
    return emptyAnswer(place.partition, error ?? 'NONE', -1);
  }
  const end = visibleEnd(replica);
  const batches = replica.log.read(place.offset, end, place.bytesMax);
  const shown = skipsFirst(broker, replica, batches.length) ? batches.slice(1) : batches;
  return {
    ...emptyAnswer(place.partition, 'NONE', end),
    records: shown.length === 0 ? null : shown,
  };
}

function skipsFirst(broker: Broker, replica: Replica, batches: number): boolean {
  const { defects, process } = broker.parts;
  if (!defects.has('fetch-skips-batch') || !replica.leads || batches < 2) return false;
  return process.kernel.nowNs - replica.ledSinceNs < skipsMs * nsPerMs;
}

function emptyAnswer(partition: number, error: string, end: number): FetchedPartition {
  return {
    partition,
    errorCode: code(error),
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: null,
  };
}
