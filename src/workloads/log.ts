/**
 * The log workload: producers append records, readers poll every log from its beginning. Every value is written once, so
 * whatever the system does to a record can be told from the history. Plain sends are of single records to explicit
 * partitions, each awaited; a style of sends asks for several records in one call, for partitions that the client
 * chooses, or for clients that are shared.
 *
 * The first producers stay with one log each, the others (at least one) roam over all: a log whose leader is hurt stalls
 * whoever writes to it, and the logs that are well shall go on being written meanwhile.
 */
import type { Random } from '../core/random.ts';
import type { LogName } from '../history/event.ts';
import { logName } from '../history/log-name.ts';
import type { TopicSpec } from '../spi/cluster.ts';
import type {
  NextOperation,
  SendStyle,
  WorkerScript,
  Workload,
  WorkloadOptions,
} from '../spi/workload.ts';
import { createPace, type Pace } from './pace.ts';
import { rotatedReplicas } from './placement.ts';

const replicationFactor = 3;
const readersCount = 2;
/** Long enough that a minute of polling is a few hundred operations, short enough to see most records soon. */
const pollIntervalMs = 200;
const keysPerWorker = 10;

/**
 * A value is producer × 2^32 + sequence: unique in the run, exact in a double, and it tells who wrote it. Producers count
 * from 1, so that no value looks like a plain small number.
 */
const valuesPerWorker = 2 ** 32;

export const logWorkload: Workload = {
  name: 'log',
  summary:
    'Sends of unique values, by default awaited and single, and readers assigned to every log.',
  topics: topicSpecs,
  groups: [],
  workers: (options, random) => {
    return [...producerScripts(options, random), ...readerScripts(logNames(options))];
  },
};

/** The value of a worker's n-th record. */
export function valueOf(worker: number, sequence: number): number {
  return (worker + 1) * valuesPerWorker + sequence;
}

/** The readers of this workload, for others that read in the same way. */
export function readerScripts(logs: readonly LogName[]): readonly WorkerScript[] {
  return Array.from({ length: readersCount }, (_, reader) =>
    readerScript(logs, (reader * pollIntervalMs) / readersCount),
  );
}

/** The producers of this workload, for others that write in the same way. */
export function producerScripts(
  options: WorkloadOptions,
  random: (stream: string) => Random,
): readonly WorkerScript[] {
  const pace = createPace(options.ratePerSecond);
  const logs = topicPartitions(options);
  return Array.from({ length: options.concurrency }, (_, worker) => {
    const stays = worker < Math.min(logs.length, options.concurrency - 1);
    const own = stays ? logs.slice(worker, worker + 1) : logs;
    return producerScript(worker, own, options.sends, pace, random(`worker-${worker}`));
  });
}

export function logNames(options: WorkloadOptions): readonly LogName[] {
  return topicPartitions(options).map(({ topic, partition }) => logName(topic, partition));
}

function topicPartitions(options: WorkloadOptions): readonly TopicPartition[] {
  return topicSpecs(options).flatMap((topic) =>
    topic.replicas.map((_, partition) => ({ topic: topic.name, partition })),
  );
}

export function topicSpecs(options: WorkloadOptions): readonly TopicSpec[] {
  return Array.from({ length: options.topics }, (_, index) => ({
    name: index === 0 ? 'orders' : `orders-${index + 1}`,
    replicas: rotatedReplicas(options.nodes, options.partitions, replicationFactor, index),
    config: options.topicConfig,
  }));
}

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

type RecordToSend = Extract<NextOperation, { do: 'send' }>['records'][number];

/** Visits every log once per round, in an order drawn anew for each round, so that no log is ever left out for long. */
function producerScript(
  worker: number,
  logs: readonly TopicPartition[],
  sends: SendStyle,
  pace: Pace,
  random: Random,
): WorkerScript {
  let round: TopicPartition[] = [];
  let sequence = 0;
  let slotMs: number | null = null;
  const keys = Array.from({ length: keysPerWorker }, (_, key) => `k${key}`);
  const record = (): RecordToSend => {
    if (round.length === 0) round = random.shuffle(logs);
    const { topic, partition } = round.pop() as TopicPartition;
    const value = valueOf(worker, sequence);
    sequence += 1;
    const key = random.pick(keys);
    if (sends.partition === 'explicit') return { topic, partition, value, key };
    // A key leaves the client no choice, for its hash names the partition: half of the records go without one.
    return { topic, partition: null, value, ...(random.chance(1, 2) ? { key } : {}) };
  };
  const next = (nowMs: number): NextOperation => {
    slotMs ??= pace.claim(nowMs);
    if (slotMs > nowMs) return { do: 'wait', untilMs: slotMs };
    slotMs = null;
    // Nothing is drawn where there is no choice, so that a seed means the same for plain sends whatever else there is.
    const count = sends.recordsPerSendMax === 1 ? 1 : 1 + random.below(sends.recordsPerSendMax);
    const records = [record()];
    while (records.length < count) records.push(record());
    return { do: 'send', records };
  };
  return { kind: 'producer', group: null, logs: [], session: sessionOf(worker, sends), next };
}

/** Neighbours share a session; a client that outlives its failures is a session of its worker alone. */
function sessionOf(worker: number, { sharedBy, afterFailure }: SendStyle): string | null {
  if (sharedBy === 1 && afterFailure === 'replace') return null;
  return `producer-${1 + Math.floor(worker / sharedBy)}`;
}

function readerScript(logs: readonly LogName[], firstPollMs: number): WorkerScript {
  let dueMs = firstPollMs;
  const next = (nowMs: number): NextOperation => {
    if (dueMs > nowMs) return { do: 'wait', untilMs: dueMs };
    dueMs = nowMs + pollIntervalMs;
    return { do: 'poll' };
  };
  return { kind: 'reader', group: null, logs, session: null, next };
}
