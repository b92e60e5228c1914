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
  const returnedNs = history.ops.endNs[lacking.chunks.at(-1)!.op]! + 2 * clockErrorNs(history);
  const rewritten = all.some(
    (record) =>
      record.sentNs <= returnedNs &&
      (record.offset < 0 ||
        record.offset >= lacking.end ||
        (record.offset >= lowerEnd && isOldTombstone(history, record, returnedNs))),
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

/** It could be removed by then. */
function isOldTombstone(history: History, { tombstone, sentNs }: KeyedRecord, ns: number): boolean {
  return tombstone && ns - sentNs >= deleteRetentionNs(history);
}

/** After the record was read, and before the scan's end, a tombstone could be written, wait, and be removed. */
function leftTimeToDelete(history: History, scan: Scan, { chunk }: Held): boolean {
  const last = scan.chunks.at(-1)!;
  const { invNs, endNs } = history.ops;
  const passedNs = endNs[last.op]! - invNs[chunk.op]! + 2 * clockErrorNs(history);
  return chunk !== last && passedNs >= deleteRetentionNs(history);
}
