/**
 * Scans for slices: which chunks are one scan, and which scans, besides whoever saw a record first, decide that it is lost,
 * that it stands elsewhere than its answer said, or that it stands twice.
 */
import { chunkOf, statusOf } from './slice-index.ts';
import type { SliceIndex, SliceOperation, SliceRecord } from './slice-index.ts';
import { fieldsOf } from './slice-values.ts';

interface ScanOfLog {
  readonly chunks: SliceOperation[];
  /** Offsets that it read lie in [from, to). */
  from: number;
  to: number;
  /** What the first chunk measured: a scan that reaches it is complete. */
  readonly firstEnd: number;
}

export interface Scans {
  readonly byKey: ReadonlyMap<string, readonly number[]>;
  /** By operation of a chunk that holds records: its scan. */
  readonly byChunk: ReadonlyMap<number, ScanOfLog>;
  /** By log: scans that hold records, in order of their invocation. */
  readonly byLog: ReadonlyMap<string, readonly ScanOfLog[]>;
}

interface Place {
  readonly log: string;
  readonly offset: number;
}

/** Log, scan (by default one per process), view and replica of an audit. */
export function scanKey({ invoked, process }: SliceOperation): string {
  const value = fieldsOf(invoked.value);
  const scan = value.get('scan') ?? `process ${process}`;
  return JSON.stringify([value.get('log'), scan, value.get('view'), value.get('replica') ?? null]);
}

export function collectScans(operations: readonly SliceOperation[]): Scans {
  const byKey = new Map<string, number[]>();
  const byChunk = new Map<number, ScanOfLog>();
  const drafts = new Map<string, ScanOfLog>();
  const byLog = new Map<string, ScanOfLog[]>();
  for (const operation of operations) {
    if (operation.f !== 'audit') continue;
    const key = scanKey(operation);
    listOf(byKey, key).push(operation.id);
    const chunk = chunkOf(operation);
    if (chunk === null || chunk.view === 'raw') continue;
    let scan = drafts.get(key);
    // A chunk that begins at the log start again begins a scan of its own.
    if (scan === undefined || (chunk.from <= chunk.start && chunk.from < scan.to)) {
      const { from, next: to, end: firstEnd } = chunk;
      drafts.set(key, (scan = { chunks: [], from, to, firstEnd }));
      listOf(byLog, chunk.log).push(scan);
    }
    scan.chunks.push(operation);
    scan.from = Math.min(scan.from, chunk.from);
    scan.to = Math.max(scan.to, chunk.next);
    byChunk.set(operation.id, scan);
  }
  return { byKey, byChunk, byLog };
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

/**
 * For each place of a record the last scans that read there, or met the end below it, and are without it; and, if there is
 * one or the record has several places, whoever saw it first at each. None, where nothing is wrong.
 */
export function disputesOf(
  index: SliceIndex,
  scans: Scans,
  record: SliceRecord,
): readonly number[] {
  const { log, offset, seen } = record;
  const places = new Map<string, Place>();
  for (const place of offset < 0 ? seen : [{ log, offset }, ...seen]) {
    const name = `${place.log} ${place.offset}`;
    if (!places.has(name)) places.set(name, place);
  }
  const without = [...places.values()].flatMap((place) =>
    scansWithout(index, scans, record, place),
  );
  if (without.length === 0 && places.size < 2) return [];
  const first = new Map<string, number>();
  for (const sight of seen) {
    const name = `${sight.log} ${sight.offset}`;
    if (!first.has(name)) first.set(name, sight.op);
  }
  return [...without, ...first.values()];
}

function scansWithout(
  index: SliceIndex,
  { byLog, byChunk }: Scans,
  record: SliceRecord,
  { log, offset }: Place,
): readonly number[] {
  const scans = byLog.get(log) ?? [];
  if (scans.length === 0) return [];
  const holders = new Set<ScanOfLog | undefined>();
  for (const { op, ...sight } of record.seen) {
    if (sight.log === log && sight.offset === offset) holders.add(byChunk.get(op));
  }
  const provedAt = provedPosition(index, record);
  const without = scans.filter((scan) => !holders.has(scan));
  const covers = ({ from, to }: ScanOfLog) => offset >= from && offset < to;
  // Where the answer told no offset, any complete scan after it speaks of the record.
  const endsBelow = (chunk: SliceOperation) => {
    const { end, linearizable } = chunkOf(chunk)!;
    const speaks = linearizable === true || record.offset < 0;
    return speaks && end <= offset && chunk.events[0]! > provedAt;
  };
  // One that read there contradicts the record whenever it was; one that met a lower end, only if it came later.
  const last = [
    without.findLast(covers),
    without.findLast((scan) => covers(scan) && scan.to >= scan.firstEnd),
    without.findLast(({ chunks }) => chunks.some(endsBelow)),
  ];
  return last.flatMap((scan) => scan?.chunks[0]!.id ?? []);
}

/** Position of the event since which the record is known to be there, or Infinity. */
function provedPosition({ operations }: SliceIndex, { writer, seen }: SliceRecord): number {
  const acknowledged = writer >= 0 && statusOf(operations[writer]!) === 'ok';
  const proofs = [...(acknowledged ? [writer] : []), ...seen.slice(0, 1).map(({ op }) => op)];
  return Math.min(...proofs.map((proof) => operations[proof]!.events.at(-1)!));
}
