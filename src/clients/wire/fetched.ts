/**
 * What a Fetch answer means: which records a reader may see, and how far it got. Pure, because the rules of
 * read-committed are easy to get wrong (KAFKA.md, K-3 and K-4).
 */
import { OrdealError } from '../../core/errors.ts';
import type { IsolationLevel, LogName, Meta, RawBatch, RecordSeen } from '../../history/event.ts';
import type { FetchedPartition } from '../../kafka-protocol/messages/fetch.ts';
import {
  compressionRefusal,
  decodeRecords,
  type LogRecord,
  markerOf,
  type RecordBatch,
} from '../../kafka-protocol/record-batch.ts';
import { batchesOf } from '../../kafka-protocol/records.ts';
import { identityHeader } from '../identity-header.ts';
import { fail, type Fail } from './outcomes.ts';
import { decodeScalar } from './scalar.ts';

/** What to take from an answer: offsets in [from, bound), whatever else the batches hold. */
export interface Window {
  readonly log: LogName;
  readonly from: number;
  readonly bound: number;
}

export interface Seen<T> {
  readonly type: 'ok';
  readonly items: readonly T[];
  /** The first offset that the items say nothing about; never above the bound, never below `from`. */
  readonly next: number;
}

/** Up to where an answer may be believed: a reader at read-committed stops at the last stable offset. */
export function visibleEnd(fetched: FetchedPartition, isolation: IsolationLevel): number {
  return isolation === 'read_committed'
    ? Math.min(fetched.lastStableOffset, fetched.highWatermark)
    : fetched.highWatermark;
}

/**
 * The records that a reader of this isolation sees. Control markers are never records; at read-committed a producer's
 * transactional batches are hidden from the first offset of an aborted transaction to its abort marker.
 */
export function seenRecords(
  fetched: FetchedPartition,
  isolation: IsolationLevel,
  window: Window,
): Seen<RecordSeen> | Fail {
  return readable(() => seenIn(fetched, isolation, window));
}

function seenIn(
  fetched: FetchedPartition,
  isolation: IsolationLevel,
  window: Window,
): Seen<RecordSeen> | Fail {
  const batches = batchesOf(fetched.records, window.log);
  const aborted = isolation === 'read_committed' ? abortedFilter(fetched, window.log) : null;
  const items: RecordSeen[] = [];
  let next = window.from;
  for (const batch of batches) {
    // The filter must see every batch of the answer, also those below the window: they may hold abort markers.
    const hidden = aborted?.(batch) ?? false;
    if (batch.lastOffset < window.from) continue;
    if (batch.baseOffset >= window.bound) break;
    if (!hidden && !batch.control) {
      const refusal = compressionRefusal(batch, window.log);
      if (refusal !== null) return fail('COMPRESSED_BATCH', refusal);
      for (const record of decodeRecords(batch, window.log)) {
        if (record.offset < window.from || record.offset >= window.bound) continue;
        items.push(seen(record));
      }
    }
    next = Math.min(batch.lastOffset + 1, window.bound);
  }
  return { type: 'ok', items, next };
}

/** The heads of the batches that touch the window. */
export function rawBatches(fetched: FetchedPartition, window: Window): Seen<RawBatch> | Fail {
  return readable(() => rawIn(fetched, window));
}

function rawIn(fetched: FetchedPartition, window: Window): Seen<RawBatch> {
  const items: RawBatch[] = [];
  let next = window.from;
  for (const batch of batchesOf(fetched.records, window.log)) {
    if (batch.lastOffset < window.from) continue;
    if (batch.baseOffset >= window.bound) break;
    items.push({
      base: batch.baseOffset,
      last: batch.lastOffset,
      leaderEpoch: batch.leaderEpoch,
      producerId: batch.producerId,
      epoch: batch.producerEpoch,
      sequence: batch.baseSequence,
      transactional: batch.transactional,
      control: markerOf(batch, window.log),
    });
    next = Math.min(batch.lastOffset + 1, window.bound);
  }
  return { type: 'ok', items, next };
}

/**
 * Says of each batch, in offset order, whether it belongs to an aborted transaction. The broker lists those that touch
 * the answer in the order in which they ended; they are needed in the order in which they began.
 */
function abortedFilter(fetched: FetchedPartition, log: LogName): (batch: RecordBatch) => boolean {
  const pending = [...(fetched.abortedTransactions ?? [])].sort(
    (a, b) => a.firstOffset - b.firstOffset,
  );
  const aborting = new Set<number>();
  let begun = 0;
  return (batch) => {
    for (let next = pending[begun]; next !== undefined; next = pending[begun]) {
      if (next.firstOffset > batch.lastOffset) break;
      aborting.add(next.producerId);
      begun++;
    }
    if (markerOf(batch, log) === 'abort') aborting.delete(batch.producerId);
    return batch.transactional && !batch.control && aborting.has(batch.producerId);
  };
}

/** Batches that break the format are the broker's outcome, not the harness's end. */
function readable<T>(read: () => T): T | Fail {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof OrdealError && thrown.code === 'WIRE') {
      return fail('UNREADABLE', thrown.message);
    }
    throw thrown;
  }
}

function seen(record: LogRecord): RecordSeen {
  const { shown } = record;
  return shown === undefined ? show(record) : (shown as RecordSeen);
}

/** The value by which a tombstone is known. */
function identityOf({ headers }: LogRecord): Buffer | null {
  return headers.find(({ key }) => key === identityHeader)?.value ?? null;
}

function show(record: LogRecord): RecordSeen {
  const told = record.value ?? identityOf(record);
  const value = told === null ? null : decodeScalar(told);
  if (record.key === null && record.value !== null) return [record.offset, value];
  const meta: Meta = {
    ...(record.key === null ? {} : { key: decodeScalar(record.key) }),
    ...(record.value === null ? { tombstone: true } : {}),
  };
  return [record.offset, value, meta];
}
