/**
 * What became of transactions. An ok one is committed, a failed one aborted. An uncertain one is resolved by the strongest
 * witness at hand: the control marker behind one of its records in the raw log, else a committed scan that holds one of
 * them, else a read-committed poll that saw one. Without a witness it stays open: it permits everything and owes nothing.
 */
import { Memo } from '../../src/core/memo.ts';
import {
  opKinds,
  opStatus,
  type AuditChunk,
  type History,
  type LogColumns,
} from '../../src/history/columns.ts';
import type { RawBatch } from '../../src/history/event.ts';
import { assignmentEpochs } from './epochs.ts';
import { recordsOf, type LogRecords } from './records.ts';
import { rawAt, scansOf, type RawFact } from './scans.ts';

export const fates = { plain: 0, committed: 1, aborted: 2, open: 3 } as const;
export type Fate = (typeof fates)[keyof typeof fates];

export interface Transactions {
  /** By operation: one of `fates`; plain for everything that is no transaction. */
  readonly fate: Uint8Array;
  /** Resolved transactions to the operation whose end resolves them. */
  readonly witness: ReadonlyMap<number, number>;
}

const known = new Memo<History, Transactions>();

/** Linear; computed once per history. */
export function transactionsOf(history: History): Transactions {
  return known.of(history, resolveAll);
}

/** Row of `log.reads` to the reader's isolation: 1 where it asked for committed records alone. */
export function committedReads(history: History, log: LogColumns): Uint8Array {
  const { epochs, epochOf } = assignmentEpochs(history)[log.id]!;
  const committed = new Uint8Array(log.reads.count);
  for (let row = 0; row < log.reads.count; row++) {
    committed[row] = epochs[epochOf[row]!]!.isolation === 'read_committed' ? 1 : 0;
  }
  return committed;
}

function resolveAll(history: History): Transactions {
  const { ops } = history;
  const fate = new Uint8Array(ops.count);
  let uncertain = 0;
  for (let op = 0; op < ops.count; op++) {
    if (ops.kind[op] !== opKinds.txn) continue;
    const status = ops.status[op]!;
    if (status === opStatus.ok) fate[op] = fates.committed;
    else if (status === opStatus.fail) fate[op] = fates.aborted;
    else {
      fate[op] = fates.open;
      uncertain++;
    }
  }
  const witness = new Map<number, number>();
  if (uncertain > 0) {
    const transactions = { fate, witness };
    // From the strongest witness to the weakest: what one has settled, the next leaves alone.
    for (const records of recordsOf(history)) resolveByMarkers(history, records, transactions);
    for (const records of recordsOf(history)) resolveByScans(history, records, transactions);
    for (const records of recordsOf(history)) resolveByPolls(history, records, transactions);
  }
  return { fate, witness };
}

interface Resolving {
  readonly fate: Uint8Array;
  readonly witness: Map<number, number>;
}

function resolve(into: Resolving, op: number, fate: Fate, witness: number): void {
  if (into.fate[op] !== fates.open) return;
  into.fate[op] = fate;
  into.witness.set(op, witness);
}

function resolveByMarkers(history: History, records: LogRecords, into: Resolving): void {
  const markers = markersOf(history, records.log.id);
  if (markers.size === 0) return;
  for (let placement = 0; placement < records.placements; placement++) {
    const writer = records.writerOp[records.recordOf[placement]!]!;
    if (writer < 0 || into.fate[writer] !== fates.open || records.sightOp[placement]! < 0) continue;
    const offset = records.offset[placement]!;
    const raw = rawAt(history, records.log.id, offset);
    const marker = markerAfter(markers, raw, offset);
    if (marker === null) continue;
    const fate = marker.batch.control === 'commit' ? fates.committed : fates.aborted;
    resolve(into, writer, fate, marker.chunk.op);
  }
}

interface Marker {
  readonly batch: RawBatch;
  readonly chunk: AuditChunk;
}

/** By producer id: its control markers of the last raw scan of the leader (else of any replica), by offset. */
function markersOf(history: History, log: number): ReadonlyMap<number, readonly Marker[]> {
  const raw = scansOf(history, log).filter((scan) => scan.view === 'raw');
  const scan = raw.findLast(({ replica }) => replica === null) ?? raw.at(-1);
  const markers = new Map<number, Marker[]>();
  for (const chunk of scan?.chunks ?? []) {
    for (const batch of chunk.batches) {
      if (batch.control === null) continue;
      const list = markers.get(batch.producerId);
      if (list === undefined) markers.set(batch.producerId, [{ batch, chunk }]);
      else list.push({ batch, chunk });
    }
  }
  return markers;
}

/** The marker that ended the transaction to which the batch at `offset` belongs. */
function markerAfter(
  markers: ReadonlyMap<number, readonly Marker[]>,
  raw: RawFact,
  offset: number,
): Marker | null {
  if (!raw.read || raw.batch === null || !raw.batch.transactional || raw.batch.control !== null) {
    return null;
  }
  const list = markers.get(raw.batch.producerId) ?? [];
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.batch.base > offset) high = middle;
    else low = middle + 1;
  }
  return list[low] ?? null;
}

function resolveByScans(history: History, records: LogRecords, into: Resolving): void {
  for (const chunk of records.log.audits) {
    if (chunk.view !== 'committed') continue;
    for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
      const record = records.recordOf[records.auditPlacement[row]!]!;
      const writer = records.writerOp[record]!;
      if (writer >= 0) resolve(into, writer, fates.committed, chunk.op);
    }
  }
}

function resolveByPolls(history: History, records: LogRecords, into: Resolving): void {
  const { reads } = records.log;
  const committed = committedReads(history, records.log);
  for (let row = 0; row < reads.count; row++) {
    if (committed[row] === 0) continue;
    const writer = records.writerOp[records.recordOf[records.readPlacement[row]!]!]!;
    // A transaction's own poll proves nothing about its end.
    if (writer >= 0 && writer !== reads.op[row]) {
      resolve(into, writer, fates.committed, reads.op[row]!);
    }
  }
}
