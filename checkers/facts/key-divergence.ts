/**
 * Where complete scans of one view of a compacted log disagree about a key. Each replica compacts alone, so that one lacks
 * what another holds says nothing by itself. But what a reader learns of a key is the same on all: its last record, and a
 * tombstone says no more than none. So if one scan's last record of a key is missing from another, which holds none of the key
 * at a higher offset either, something below both their ends removed it there that the first would have to show too, unless the
 * key was written again at or above the lower end, or a tombstone was itself removed.
 */
import type { History, LogColumns } from '../../src/history/columns.ts';
import type { Scalar } from '../../src/history/event.ts';
import {
  keyedRecords,
  shownKeys,
  recordMetas,
  type Held,
  type KeyedRecord,
} from './compacted-keys.ts';
import { deleteRetentionNs } from './permission.ts';
import { clockErrorNs } from './precedence.ts';
import { chunkAt, type Scan } from './scans.ts';

export interface KeyDisagreement {
  readonly key: Scalar;
  /** Shows `held` as the last record of the key. */
  readonly holder: Scan;
  readonly held: Held;
  /** Lacks it, and shows an older one (null: none) as the last. */
  readonly lacking: Scan;
  readonly older: Held | null;
}

/** @param scans complete ones of one view. Linear in their rows; for each pair of scans, in the keys. */
export function keyDisagreements(
  history: History,
  log: LogColumns,
  scans: readonly Scan[],
): readonly KeyDisagreement[] {
  const keys = keyedRecords(history, log);
  const sides = scans.map((scan) => ({ scan, ...shownKeys(history, log, scan) }));
  const metas = recordMetas(history, log);
  const found: KeyDisagreement[] = [];
  for (const { scan: holder, last } of sides) {
    for (const other of sides) {
      if (other.scan === holder) continue;
      for (const [key, held] of last) {
        // The same record at another offset is no lack: that disagreement is about offsets.
        if (other.records.has(held.record)) continue;
        const older = other.last.get(key) ?? null;
        const pair: Pair = { holder, held, lacking: other.scan, older };
        const tombstone = metas[held.record]!.tombstone === true;
        if (disagree(history, pair, tombstone, keys.get(key)?.all ?? [])) {
          found.push({ key, ...pair });
        }
      }
    }
  }
  return found;
}

type Pair = Omit<KeyDisagreement, 'key'>;

function disagree(
  history: History,
  { holder, held, lacking, older }: Pair,
  tombstone: boolean,
  all: readonly KeyedRecord[],
): boolean {
  const lowerEnd = Math.min(holder.end, lacking.end);
  if (held.offset >= lowerEnd || held.offset < lacking.start) return false;
  if (older !== null && older.offset >= held.offset) return false;
  if (older === null && tombstone) return false;
  const longer: Shown =
    holder.end > lacking.end ? { scan: holder, held } : { scan: lacking, held: older };
  const returnedNs = latestReturnNs(history, lacking);
  const rewritten = all.some(
    (record) =>
      record.sentNs <= returnedNs &&
      (mayStandFrom(longer.scan.end, record) ||
        (record.offset >= lowerEnd && mayLack(history, longer, record, all))),
  );
  // What came in one chunk with the place that it left empty cannot have been removed before, or after.
  const atOnce = older !== null && older.chunk === chunkAt(lacking, held.offset);
  if (rewritten && !atOnce) return false;
  // A scan is not one moment: a cleaner may have run while it was under way, if there was a tombstone to be removed.
  const tombstoneFrom = (least: number): boolean =>
    all.some(({ tombstone: is, offset }) => is && offset >= least && offset < lowerEnd);
  const holderExcused = tombstoneFrom(held.offset + 1) && leftTimeToDelete(history, holder, held);
  const lackingExcused =
    older !== null && tombstoneFrom(held.offset) && leftTimeToDelete(history, lacking, older);
  return !holderExcused && !lackingExcused;
}

/** A scan, and the last record of the key that it shows. */
interface Shown {
  readonly scan: Scan;
  readonly held: Held | null;
}

/** The scan had to read the record, shows none as late, and could lack it all the same: it was superseded, or deleted. */
function mayLack(
  history: History,
  { scan, held }: Shown,
  record: KeyedRecord,
  all: readonly KeyedRecord[],
): boolean {
  const returnedNs = latestReturnNs(history, scan);
  const place = chunkAt(scan, record.offset);
  // An older one that came in one chunk with its place would have gone before it.
  if (held !== null && held.chunk === place) return false;
  return all.some((last) => {
    if (last.sentNs > returnedNs) return false;
    if (mayStandFrom(scan.end, last)) return true;
    return last.offset >= record.offset && mayBeDeleted(history, { scan, held }, last, returnedNs);
  });
}

/** At that offset or above, as far as anybody told. */
function mayStandFrom(offset: number, record: KeyedRecord): boolean {
  return record.offset < 0 || record.offset >= offset;
}

/** It is a tombstone that could be removed by then, and after what the scan shows of the key was read. */
function mayBeDeleted(
  history: History,
  { scan, held }: Shown,
  { tombstone, sentNs, offset }: KeyedRecord,
  ns: number,
): boolean {
  const retentionNs = deleteRetentionNs(history);
  if (!tombstone || ns - sentNs < retentionNs) return false;
  if (held === null) return true;
  const { invNs, endNs } = history.ops;
  const place = chunkAt(scan, offset)!;
  const passedNs = endNs[place.op]! - invNs[held.chunk.op]! + 2 * clockErrorNs(history);
  return held.chunk !== place && passedNs >= retentionNs;
}

/** By the clock of whoever sent something, ns. */
function latestReturnNs(history: History, scan: Scan): number {
  return history.ops.endNs[scan.chunks.at(-1)!.op]! + 2 * clockErrorNs(history);
}

/** After the record was read, and before the scan's end, a tombstone could be written, wait, and be removed. */
function leftTimeToDelete(history: History, scan: Scan, { chunk }: Held): boolean {
  const last = scan.chunks.at(-1)!;
  const { invNs, endNs } = history.ops;
  const passedNs = endNs[last.op]! - invNs[chunk.op]! + 2 * clockErrorNs(history);
  return chunk !== last && passedNs >= deleteRetentionNs(history);
}
