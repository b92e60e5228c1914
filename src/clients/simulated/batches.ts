/** The records of one call, grouped by log into batches, and a batch as it goes to a broker. */
import type { LogName } from '../../history/event.ts';
import type { ProduceRequest } from '../../kafka-protocol/messages/produce.ts';
import type { LogRecord, RecordBatch } from '../../kafka-protocol/record-batch.ts';
import type { ProducerSettings, SendRequest } from '../../spi/client.ts';
import type { NodeId } from '../../spi/cluster.ts';
import { encodeScalar } from '../wire/scalar.ts';
import type { BatchResult } from './outcomes.ts';
import type { Stamp } from './sequences.ts';

const noBytes = Buffer.alloc(0);
const noHeaders: LogRecord['headers'] = [];

/** A record before it has an offset. */
export interface Draft {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** What a batch belongs to. */
export interface BatchOwner {
  readonly deadlineNs: number;
  /** Nodes that have acknowledged a batch of this call. */
  readonly acknowledgedBy: NodeId[];
  /** Told once, when a batch has its result. */
  finished(): void;
}

export interface Batch {
  readonly owner: BatchOwner;
  readonly topic: string;
  partition: number;
  log: LogName;
  drafts: readonly Draft[];
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** Where the records stand in the call. */
  readonly positions: readonly number[];
  /** True: the client chose the partition, and not by a key. */
  readonly keyless: boolean;
  /** Null until it is first sent, and always without idempotence. */
  stamp: Stamp | null;
  /** Null until it is first sent; every retry sends the same. */
  request: ProduceRequest | null;
  /** Produce requests that may have been written. */
  attempts: number;
  /** Attempts that failed, also those that sent nothing. */
  failures: number;
  /** True while an attempt waits for its answer. */
  underWay: boolean;
  timedOut: boolean;
  lastNode: NodeId;
  result: BatchResult | null;
  /** Cuts the pause before the next attempt short. */
  wake: (() => void) | null;
}

/** A record of a call with its partition chosen. */
export interface PlacedRequest {
  readonly request: SendRequest;
  readonly partition: number;
}

/** One batch per log, in the order in which the call names them. */
export function batchesOf(
  owner: BatchOwner,
  placed: readonly PlacedRequest[],
  timestamp: number,
): readonly Batch[] {
  const batches: OpenBatch[] = [];
  placed.forEach(({ request, partition }, position) => {
    const { topic, value, meta } = request;
    const key = meta.key === undefined ? null : encodeScalar(meta.key);
    const draft = { key, value: encodeScalar(value) };
    const keyless = request.partition === null && key === null;
    // A call names few logs, so that looking through its batches beats a map.
    const same = batches.find((batch) => batch.partition === partition && batch.topic === topic);
    if (same === undefined) {
      batches.push(newBatch({ owner, topic, partition, timestamp, keyless }, draft, position));
      return;
    }
    same.drafts.push(draft);
    same.positions.push(position);
    same.keyless &&= keyless;
  });
  return batches;
}

/** A batch that records can be added to. */
interface OpenBatch extends Batch {
  drafts: Draft[];
  readonly positions: number[];
  keyless: boolean;
}

type BatchHead = Pick<Batch, 'owner' | 'topic' | 'partition' | 'timestamp' | 'keyless'>;

/** Written out member by member: objects of one shape that no spread has built are many times faster. */
function newBatch(head: BatchHead, draft: Draft, position: number): OpenBatch {
  return {
    owner: head.owner,
    topic: head.topic,
    partition: head.partition,
    log: `${head.topic}/${head.partition}`,
    drafts: [draft],
    timestamp: head.timestamp,
    positions: [position],
    keyless: head.keyless,
    stamp: null,
    request: null,
    attempts: 0,
    failures: 0,
    underWay: false,
    timedOut: false,
    lastNode: -1,
    result: null,
    wake: null,
  };
}

/** The Produce request of a batch. */
export function requestOf(batch: Batch, settings: ProducerSettings): ProduceRequest {
  const { topic, partition } = batch;
  return {
    transactionalId: null,
    acks: settings.acks === 'all' ? -1 : settings.acks,
    // The broker gives up before the client does, else its own answer to that would never be seen.
    timeoutMs: Math.ceil((settings.requestTimeoutMs * 3) / 4),
    topics: [{ name: topic, partitions: [{ partition, records: [wireBatch(batch)] }] }],
  };
}

function wireBatch({ drafts, timestamp, stamp }: Batch): RecordBatch {
  const records = drafts.map(({ key, value }, offset): LogRecord => ({
    offset,
    timestamp,
    key,
    value,
    headers: noHeaders,
    shown: null,
  }));
  return {
    baseOffset: 0,
    lastOffset: drafts.length - 1,
    leaderEpoch: -1,
    compression: 'none',
    timestampType: 'create',
    transactional: false,
    control: false,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    producerId: stamp?.identity.producerId ?? -1,
    producerEpoch: stamp?.identity.producerEpoch ?? -1,
    baseSequence: stamp?.sequence ?? -1,
    recordCount: drafts.length,
    payload: noBytes,
    records,
  };
}

/** The partition of a key: one and the same as long as the number of partitions does not change. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  return (hash >>> 0) % partitions;
}
