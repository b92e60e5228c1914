/** Scans as the certifier sees them: which offsets a scan speaks about, what it holds there, and where the log ended. */
import { Memo } from '../../src/core/memo.ts';
import type { AuditCompleted, Scalar } from '../../src/history/event.ts';
import {
  acksAll,
  endPoint,
  precedes,
  sameValue,
  startPoint,
  topicOf,
  type Operation,
  type Replay,
} from './replay.ts';

export interface Chunk {
  readonly op: Operation;
  readonly value: AuditCompleted;
}

export interface Scan {
  readonly log: string;
  readonly view: AuditCompleted['view'];
  readonly replica: number | null;
  /** Every chunk, in order of invocation; never empty. */
  readonly chunks: readonly Chunk[];
  /** Those that tile from the start; none where the scan began above it. */
  readonly tiles: readonly Chunk[];
  /** Everything in [start, auditedEnd) was read, but for what retention removed. */
  readonly auditedEnd: number;
  /** The audited end reaches the end that the first chunk measured. */
  readonly complete: boolean;
  /** No record was below the first chunk: the log began at 0 all along. */
  readonly fromZero: boolean;
}

const known = new Memo<Replay, readonly Scan[]>();

/** Every scan of the history. */
export function scansOf(replay: Replay): readonly Scan[] {
  return known.of(replay, readScans);
}

function readScans(replay: Replay): readonly Scan[] {
  const groups = new Map<string, Chunk[]>();
  for (const op of replay.operations) {
    if (op.f !== 'audit' || op.status !== 'ok') continue;
    const value = op.complete?.value as AuditCompleted;
    const scan = value.scan ?? `process ${JSON.stringify(op.process)}`;
    const key = JSON.stringify([scan, value.log, value.view, value.replica ?? null]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ op, value }]);
    else group.push({ op, value });
  }
  return [...groups.values()].flatMap(split).map(tile);
}

/** A chunk that goes back to the start begins a scan of its own, also under an id that was used before. */
function split(chunks: readonly Chunk[]): readonly (readonly Chunk[])[] {
  const scans: Chunk[][] = [];
  for (const chunk of chunks) {
    const current = scans.at(-1);
    const before = current?.at(-1);
    const again =
      before !== undefined &&
      chunk.value.from <= chunk.value.start &&
      chunk.value.from < before.value.next;
    if (current === undefined || again) scans.push([chunk]);
    else current.push(chunk);
  }
  return scans;
}

function tile(chunks: readonly Chunk[]): Scan {
  const { log, view, replica, start, end, from } = chunks[0]!.value;
  const tiles: Chunk[] = [];
  let position = start;
  for (const chunk of from <= start ? chunks : []) {
    if (chunk.value.from > Math.max(position, chunk.value.start)) continue;
    tiles.push(chunk);
    position = Math.max(position, reach(chunk));
  }
  return {
    log,
    view,
    replica: replica ?? null,
    chunks,
    tiles,
    auditedEnd: tiles.length === 0 ? start : position,
    complete: tiles.length > 0 && position >= end,
    fromZero: tiles.length > 0 && tiles.every((chunk) => chunk.value.start === 0),
  };
}

/** Behind the last stable offset a committed view is silent by design. */
function reach(chunk: Chunk): number {
  const { view, next, lastStable } = chunk.value;
  return view === 'committed' && lastStable !== undefined ? Math.min(next, lastStable) : next;
}

/** The scan read `offset`: it was neither below the log start, as far as any of its chunks tells, nor beyond what was read. */
export function speaksOf(scan: Scan, offset: number): boolean {
  return (
    scan.tiles.every((chunk) => offset >= chunk.value.start) &&
    scan.tiles.some((chunk) => offset >= chunk.value.from && offset < reach(chunk))
  );
}

interface Held {
  readonly byOffset: ReadonlyMap<number, readonly Scalar[]>;
  readonly values: ReadonlySet<Scalar>;
}

const heldBy = new Memo<Scan, Held>();

function readHeld(scan: Scan): Held {
  const byOffset = new Map<number, Scalar[]>();
  for (const [offset, value] of scan.chunks.flatMap((chunk) => chunk.value.records ?? [])) {
    const list = byOffset.get(offset);
    if (list === undefined) byOffset.set(offset, [value]);
    else list.push(value);
  }
  return { byOffset, values: new Set([...byOffset.values()].flat()) };
}

export function holdsAt(scan: Scan, offset: number): readonly Scalar[] {
  return heldBy.of(scan, readHeld).byOffset.get(offset) ?? [];
}

export function holds(scan: Scan, value: Scalar): boolean {
  return heldBy.of(scan, readHeld).values.has(value);
}

export function holdsRecord(scan: Scan, offset: number, value: Scalar): boolean {
  return holdsAt(scan, offset).some((held) => sameValue(held, value));
}

/** The scan's first chunk was invoked after `op` had ended. */
export function scannedAfter(replay: Replay, scan: Scan, op: Operation): boolean {
  const first = scan.chunks[0];
  return first !== undefined && precedes(replay, endPoint(op), startPoint(first.op));
}

/** Scans that one of these operations is a chunk of. */
export function scansAmong(replay: Replay, ops: readonly Operation[]): readonly Scan[] {
  return scansOf(replay).filter((scan) => scan.chunks.some((chunk) => ops.includes(chunk.op)));
}

/**
 * `chunk` measured that the log ends at or below `offset`, by an end that is a fact of the whole cluster. With acks other
 * than all a leader may answer before its followers know, so nothing may have been in flight shortly before.
 */
export function cutsTail(replay: Replay, chunk: Chunk, offset: number): boolean {
  const { end, linearizable, log } = chunk.value;
  if (linearizable !== true || end > offset) return false;
  if (acksAll(replay)) return true;
  const lagMs = Number(replay.header.config?.['replica.lag.time.max.ms'] ?? 30_000);
  return replay.sends
    .filter((send) => (send.log === null ? send.topic === topicOf(log) : send.log === log))
    .filter((send) => send.op.inv <= chunk.op.inv)
    .every((send) => send.op.end + lagMs * 1_000_000 < chunk.op.inv);
}

/** A scan proves that `value` is not at `offset` though somebody, by `op`, had put or seen it there before. */
export function disproves(
  replay: Replay,
  scan: Scan,
  op: Operation,
  offset: number,
  value: Scalar,
): boolean {
  if (holdsRecord(scan, offset, value)) return false;
  return (
    (scan.view !== 'raw' && scannedAfter(replay, scan, op) && speaksOf(scan, offset)) ||
    scan.chunks.some((chunk) => measuredAfter(replay, chunk, op) && cutsTail(replay, chunk, offset))
  );
}

/** The chunk was invoked after `op` had ended. */
export function measuredAfter(replay: Replay, chunk: Chunk, op: Operation): boolean {
  return precedes(replay, endPoint(op), startPoint(chunk.op));
}
