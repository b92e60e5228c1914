/** Where complete scans of one view disagree. */
import type { LogColumns } from '../../src/history/columns.ts';
import { orderByKey } from './key-order.ts';
import type { Scan } from './scans.ts';

export interface Disagreement {
  readonly offset: number;
  /** Two scans that both read the offset and differ there. */
  readonly scans: readonly [Scan, Scan];
  /** Value ids that they hold there; -1: nothing. */
  readonly values: readonly [number, number];
}

/**
 * Every offset at which two of the scans disagree, in order. On compacted logs absence is no disagreement. Linear where all
 * agree and starts never fall, else n log n in all their rows.
 */
export function disagreements(
  log: LogColumns,
  scans: readonly Scan[],
  compacted: boolean,
): readonly Disagreement[] {
  if (!compacted && allAgree(log, scans)) return [];
  return pinpoint(log, scans, compacted);
}

/**
 * Compares each scan with the one that ends next. If starts do not fall in that order, what two scans both read lies
 * within every scan between them, and agreement passes on.
 */
function allAgree(log: LogColumns, scans: readonly Scan[]): boolean {
  const ordered = scans.toSorted((a, b) => a.end - b.end);
  for (let i = 1; i < ordered.length; i++) {
    if (ordered[i]!.start < ordered[i - 1]!.start) return false;
    if (!agree(log, ordered[i - 1]!, ordered[i]!)) return false;
  }
  return true;
}

function agree(log: LogColumns, a: Scan, b: Scan): boolean {
  const from = Math.max(a.start, b.start);
  const to = Math.min(a.end, b.end);
  const [left, right] = [rowsOf(a), rowsOf(b)];
  const { offset, value } = log.audited;
  for (;;) {
    const x = nextRow(log, left, from, to);
    const y = nextRow(log, right, from, to);
    if (x < 0 && y < 0) return true;
    if (offset[x] !== offset[y] || value[x] !== value[y]) return false;
  }
}

interface Cursor {
  readonly scan: Scan;
  chunk: number;
  row: number;
}

function rowsOf(scan: Scan): Cursor {
  return { scan, chunk: 0, row: scan.chunks[0]!.recordsFrom };
}

/** The next row of the scan with an offset in [from, to), or -1. */
function nextRow(log: LogColumns, cursor: Cursor, from: number, to: number): number {
  const { chunks } = cursor.scan;
  for (;;) {
    const chunk = chunks[cursor.chunk]!;
    while (cursor.row < chunk.recordsTo) {
      const row = cursor.row++;
      const offset = log.audited.offset[row]!;
      if (offset >= from && offset < to) return row;
    }
    cursor.chunk++;
    if (cursor.chunk >= chunks.length) return -1;
    cursor.row = chunks[cursor.chunk]!.recordsFrom;
  }
}

/** All rows of all scans by offset; at each offset every scan that read it must hold the same. */
function pinpoint(
  log: LogColumns,
  scans: readonly Scan[],
  compacted: boolean,
): readonly Disagreement[] {
  const { rows, owner } = collectRows(scans);
  const keys = Float64Array.from(rows, (row) => log.audited.offset[row]!);
  const order = orderByKey(keys);
  const found: Disagreement[] = [];
  const held = new Int32Array(scans.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    const offset = keys[order[from]!]!;
    held.fill(-1);
    const several = new Map<number, Set<number>>();
    for (; to < order.length && keys[order[to]!] === offset; to++) {
      const scan = owner[order[to]!]!;
      const value = log.audited.value[rows[order[to]!]!]!;
      if (held[scan]! < 0) held[scan] = value;
      else if (several.has(scan)) several.get(scan)!.add(value);
      else several.set(scan, new Set([held[scan]!, value]));
    }
    const each = differing(scans, { offset, held, several, compacted });
    if (each !== null) found.push(each);
  }
  return found;
}

function collectRows(scans: readonly Scan[]) {
  let count = 0;
  for (const { chunks } of scans) {
    for (const { recordsFrom, recordsTo } of chunks) count += recordsTo - recordsFrom;
  }
  const rows = new Int32Array(count);
  const owner = new Int32Array(count);
  let next = 0;
  scans.forEach((scan, position) => {
    for (const { recordsFrom, recordsTo } of scan.chunks) {
      for (let row = recordsFrom; row < recordsTo; row++) {
        rows[next] = row;
        owner[next++] = position;
      }
    }
  });
  return { rows, owner };
}

interface AtOffset {
  readonly offset: number;
  /** By scan: the first value id that it holds, or -1. */
  readonly held: Int32Array;
  /** By scan: all that it holds, where there are several rows. */
  readonly several: ReadonlyMap<number, ReadonlySet<number>>;
  readonly compacted: boolean;
}

function differing(scans: readonly Scan[], at: AtOffset): Disagreement | null {
  const { offset, held, compacted } = at;
  let first = -1;
  for (let i = 0; i < scans.length; i++) {
    if (offset < scans[i]!.start || offset >= scans[i]!.end) continue;
    if (compacted && held[i]! < 0) continue;
    if (first < 0) {
      first = i;
      continue;
    }
    const values = difference(at, first, i);
    if (values !== null) return { offset, scans: [scans[first]!, scans[i]!], values };
  }
  return null;
}

/** What each of two scans holds (-1: nothing) where one holds what the other does not; null where both hold the same. */
function difference(
  { held, several }: AtOffset,
  a: number,
  b: number,
): Disagreement['values'] | null {
  const inA = several.get(a) ?? new Set([held[a]!]);
  const inB = several.get(b) ?? new Set([held[b]!]);
  const onlyA = [...inA].find((value) => !inB.has(value));
  const onlyB = [...inB].find((value) => !inA.has(value));
  if (onlyA === undefined && onlyB === undefined) return null;
  return [onlyA ?? held[a]!, onlyB ?? held[b]!];
}
