/**
 * Scans for slices: which chunks are one scan, and which scans, besides whoever saw a record first, decide that it is lost,
 * that it stands elsewhere than its answer said, or that it stands twice.
 */
import { chunkOf, statusOf } from './slice-index.ts';
import type { SliceIndex, SliceOperation, SliceRecord } from './slice-index.ts';
import { fieldsOf } from './slice-values.ts';

interface ScanOfLog {
  readonly chunks: SliceOperation[];
  /** Offsets that it read lie in [from, to); `end` is the lowest that it measured as a fact of the cluster. */
  from: number;
  to: number;
  end: number;
  /** What the first chunk measured: a scan that reaches it is complete. */
  readonly firstEnd: number;
}

export interface Scans {
  readonly byKey: ReadonlyMap<string, readonly number[]>;
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
  const drafts = new Map<string, ScanOfLog>();
  const byLog = new Map<string, ScanOfLog[]>();
  for (const operation of operations) {
    if (operation.f !== 'audit') continue;
    const key = scanKey(operation);
    listOf(byKey, key).push(operation.id);
    const chunk = chunkOf(operation);
    if (chunk === null || chunk.view === 'raw') continue;
    let scan = drafts.get(key);
    if (scan === undefined) {
      const { from, next: to, end: firstEnd } = chunk;
      drafts.set(key, (scan = { chunks: [], from, to, end: Infinity, firstEnd }));
      listOf(byLog, chunk.log).push(scan);
    }
    scan.chunks.push(operation);
    scan.from = Math.min(scan.from, chunk.from);
    scan.to = Math.max(scan.to, chunk.next);
    if (chunk.linearizable === true) scan.end = Math.min(scan.end, chunk.end);
  }
  return { byKey, byLog };
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
  { byLog }: Scans,
  record: SliceRecord,
  { log, offset }: Place,
): readonly number[] {
  const scans = byLog.get(log) ?? [];
  if (scans.length === 0) return [];
  const holders = new Set<string>();
  for (const sight of record.seen) {
    const operation = index.operations[sight.op]!;
    if (operation.f !== 'audit' || sight.log !== log || sight.offset !== offset) continue;
    holders.add(scanKey(operation));
  }
  const provedAt = provedPosition(index, record);
  const without = scans.filter(({ chunks }) => !holders.has(scanKey(chunks[0]!)));
  const covers = ({ from, to }: ScanOfLog) => offset >= from && offset < to;
  // One that read there contradicts the record whenever it was; one that met a lower end, only if it came later.
  const last = [
    without.findLast(covers),
    without.findLast((scan) => covers(scan) && scan.to >= scan.firstEnd),
    without.findLast(
      ({ chunks, end, firstEnd }) =>
        // Where the answer told no offset, any complete scan after it speaks of the record.
        (end <= offset || (record.offset < 0 && firstEnd <= offset)) &&
        chunks[0]!.events[0]! > provedAt,
    ),
  ];
  return last.flatMap((scan) => scan?.chunks[0]!.id ?? []);
}

/** Position of the event since which the record is known to be there, or Infinity. */
function provedPosition({ operations }: SliceIndex, { writer, seen }: SliceRecord): number {
  const acknowledged = writer >= 0 && statusOf(operations[writer]!) === 'ok';
  const proofs = [...(acknowledged ? [writer] : []), ...seen.slice(0, 1).map(({ op }) => op)];
  return Math.min(...proofs.map((proof) => operations[proof]!.events.at(-1)!));
}
