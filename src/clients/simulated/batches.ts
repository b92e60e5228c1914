/** The records of one call, grouped by log into batches, and a batch as it goes to a broker. */
import type { LogName, Meta, RecordSeen, Scalar } from '../../history/event.ts';
import { logName } from '../../history/log-name.ts';
import type { ProduceRequest } from '../../kafka-protocol/messages/produce.ts';
import {
  type Content,
  type RecordBatch,
  UnencodedBatch,
  UnencodedRecord,
} from '../../kafka-protocol/record-batch.ts';
import type { ProducerSettings, SendRequest } from '../../spi/client.ts';
import type { NodeId } from '../../spi/cluster.ts';
import { encodeScalar } from '../wire/scalar.ts';
import type { BatchResult } from './outcomes.ts';
import type { Stamp } from './sequences.ts';

/** A record before it has an offset. Without a key it has none; a value of null is a tombstone. */
export class Draft implements Content {
  readonly meta: Meta;
  readonly valueScalar: Scalar;

  /** @param meta of the request; its key is sent, and that it is a tombstone. */
  constructor(meta: Meta, value: Scalar) {
    this.meta = meta;
    this.valueScalar = value;
  }

  get keyScalar(): Scalar {
    return this.meta.key ?? null;
  }

  get key(): Buffer | null {
    return encodeScalar(this.keyScalar);
  }

  get value(): Buffer | null {
    return this.meta.tombstone === true ? null : encodeScalar(this.valueScalar);
  }

  /** What a reader of the bytes would make of them. */
  shownAt(offset: number): RecordSeen {
    const { keyScalar: key, valueScalar: value, meta } = this;
    if (meta.tombstone === true) return [offset, value, meta];
    if (value === null) {
      return [offset, null, key === null ? { tombstone: true } : { key, tombstone: true }];
    }
    if (key === null) return [offset, value];
    // Nearly always the very object that the request has: millions of records need no other.
    return [offset, value, hasKeyAlone(meta) ? meta : { key }];
  }
}

function hasKeyAlone(meta: Meta): boolean {
  for (const field in meta) if (field !== 'key') return false;
  return true;
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
  positions: readonly number[];
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
  let batches: OpenBatch[] = [];
  for (let position = 0; position < placed.length; position++) {
    const { request, partition } = placed[position] as PlacedRequest;
    const { topic, value, meta } = request;
    const draft = new Draft(meta, value);
    const keyless = request.partition === null && draft.keyScalar === null;
    // A call names few logs, so that looking through its batches beats a map.
    const same = batches.find((batch) => batch.partition === partition && batch.topic === topic);
    if (same === undefined) {
      const batch = newBatch({ owner, topic, partition, timestamp, keyless }, draft, position);
      // Most calls have one: an array that grows has room for seventeen at once.
      if (batches.length === 0) batches = [batch];
      else batches.push(batch);
      continue;
    }
    same.drafts.push(draft);
    same.positions.push(position);
    same.keyless &&= keyless;
  }
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
    log: logName(head.topic, head.partition),
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
  const records = drafts.map((draft, offset) => new UnencodedRecord(draft, timestamp, offset));
  const head = {
    timestamp,
    producerId: stamp?.identity.producerId ?? -1,
    producerEpoch: stamp?.identity.producerEpoch ?? -1,
    baseSequence: stamp?.sequence ?? -1,
    recordCount: drafts.length,
  };
  return new UnencodedBatch(head, 0, -1, records);
}

/** The partition of a key: one and the same as long as the number of partitions does not change. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  return (hash >>> 0) % partitions;
}
