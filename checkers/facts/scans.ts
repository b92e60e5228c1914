/**
 * Scans: the audit chunks of one scan id, log, view and replica that tile from the log's start. A scan proves absence: below
 * its audited end it would have held whatever its view owed.
 */
import { Memo } from '../../src/core/memo.ts';
import type { AuditChunk, History, LogColumns } from '../../src/history/columns.ts';
import type { AuditView, RawBatch } from '../../src/history/event.ts';

export interface Scan {
  readonly id: string;
  readonly view: AuditView;
  /** Null: the leader was read. */
  readonly replica: number | null;
  /** The chunks that tile, in order; never empty. */
  readonly chunks: readonly AuditChunk[];
  /** Operation of the first chunk: a scan is invoked when that is. */
  readonly firstOp: number;
  /** The highest log start that any chunk met: retention may have removed what is below. */
  readonly start: number;
  /** High watermark that the first chunk measured, exclusive. */
  readonly end: number;
  /** Every offset in [start, auditedEnd) was read, and in committed views lay below the last stable offset. */
  readonly auditedEnd: number;
  /** The tiles reach `end`. */
  readonly complete: boolean;
  /** `end` was measured as a fact of the whole cluster. */
  readonly linearizable: boolean;
}

const known = new Memo<History, readonly (readonly Scan[])[]>();

/** By log id: its scans, raw ones too, in order of their first chunk's completion. Linear; computed once per history. */
export function scansOf(history: History, log: number): readonly Scan[] {
  return known.of(history, ({ logs }) => logs.map(assembleScans))[log]!;
}

/** Scans that hold records: all views but raw. */
export function recordScansOf(history: History, log: number): readonly Scan[] {
  return scansOf(history, log).filter((scan) => scan.view !== 'raw');
}

/** The chunk that read `offset`, or null: below the start, or not audited. */
export function chunkAt(scan: Scan, offset: number): AuditChunk | null {
  if (offset < scan.start || offset >= scan.auditedEnd) return null;
  let low = 0;
  let high = scan.chunks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offset < scan.chunks[middle]!.next) high = middle;
    else low = middle + 1;
  }
  return scan.chunks[low]!;
}

/** Value id that the scan holds at `offset`, or -1. Linear in a chunk: for witnesses, not for passes. */
export function heldAt(log: LogColumns, scan: Scan, offset: number): number {
  const chunk = chunkAt(scan, offset);
  if (chunk === null) return -1;
  for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
    if (log.audited.offset[row] === offset) return log.audited.value[row]!;
  }
  return -1;
}

/** What the raw log holds at an offset. `read: false`: no raw scan speaks of it. `batch: null`: nothing is there. */
export type RawFact =
  | { readonly read: false }
  | { readonly read: true; readonly batch: RawBatch | null; readonly op: number };

/** By the last raw scan of the leader that speaks of the offset, else of any replica. */
export function rawAt(history: History, log: number, offset: number): RawFact {
  const raw = scansOf(history, log).filter((scan) => scan.view === 'raw');
  for (const leader of [true, false]) {
    for (let i = raw.length - 1; i >= 0; i--) {
      const scan = raw[i]!;
      if ((scan.replica === null) !== leader) continue;
      const chunk = chunkAt(scan, offset);
      if (chunk !== null) {
        return { read: true, batch: batchAt(chunk.batches, offset), op: chunk.op };
      }
      if (scan.complete && offset >= scan.auditedEnd) {
        return { read: true, batch: null, op: scan.chunks.at(-1)!.op };
      }
    }
  }
  return { read: false };
}

/** Batches stand in offset order; whatever does not is still found, only more slowly. */
function batchAt(batches: readonly RawBatch[], offset: number): RawBatch | null {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batches[middle]!.last < offset) low = middle + 1;
    else high = middle;
  }
  const holds = ({ base, last }: RawBatch) => base <= offset && offset <= last;
  const near = batches[low];
  if (near !== undefined && holds(near)) return near;
  return batches.find(holds) ?? null;
}

function assembleScans(log: LogColumns): readonly Scan[] {
  const open = new Map<string, AuditChunk[]>();
  const groups: AuditChunk[][] = [];
  for (const chunk of log.audits) {
    const key = JSON.stringify([chunk.scan, chunk.view, chunk.replica]);
    const group = open.get(key);
    if (group !== undefined && extend(group, chunk)) continue;
    // A chunk that begins at the log start begins a scan of its own, also under an id that was used before.
    if (chunk.from > chunk.start) continue;
    const begun = [chunk];
    open.set(key, begun);
    groups.push(begun);
  }
  return groups.map(measure);
}

/** Appends the chunk if it goes on where the scan stands (or where the log starts by now). */
function extend(group: AuditChunk[], chunk: AuditChunk): boolean {
  const position = group[group.length - 1]!.next;
  const restarts = chunk.from <= chunk.start && chunk.from < position;
  if (restarts || chunk.from > Math.max(position, chunk.start)) return false;
  if (chunk.next >= position) group.push(chunk);
  return true;
}

function measure(chunks: readonly AuditChunk[]): Scan {
  const first = chunks[0]!;
  let start = first.start;
  let auditedEnd = first.from;
  let stable = true;
  for (const chunk of chunks) {
    start = Math.max(start, chunk.start);
    if (!stable) continue;
    auditedEnd = reach(chunk);
    stable = auditedEnd === chunk.next;
  }
  return {
    id: first.scan,
    view: first.view,
    replica: first.replica,
    chunks,
    firstOp: first.op,
    start,
    end: first.end,
    auditedEnd,
    complete: auditedEnd >= first.end,
    linearizable: first.linearizable,
  };
}

/** Behind the last stable offset a committed view is silent by design. */
function reach(chunk: AuditChunk): number {
  if (chunk.view !== 'committed' || chunk.lastStable === null) return chunk.next;
  return Math.min(chunk.next, chunk.lastStable);
}
