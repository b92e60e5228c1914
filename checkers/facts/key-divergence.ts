/**
 * Where complete scans of one view of a compacted log disagree about a key. Each replica compacts alone, so that one lacks
 * what another holds says nothing by itself. But what a reader learns of a key is the same on all: its last record, and a
 * tombstone says no more than none. So where one scan's last record of a key, below both their ends, is missing from another,
 * which holds none of the key at a higher offset either, one thing must explain both: the key was written again behind the lower
 * end, or a tombstone that deleted it was itself removed (key-explanation.ts).
 */
import type { History, LogColumns } from '../../src/history/columns.ts';
import type { Scalar } from '../../src/history/event.ts';
import {
  keyedRecords,
  shownKeys,
  recordMetas,
  type Held,
  type KeyedRecord,
  type ShownKeys,
} from './compacted-keys.ts';
import { unexplained } from './key-explanation.ts';
import type { Scan } from './scans.ts';

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
  for (const side of sides) {
    for (const other of sides) {
      for (const [key, held] of side.last) {
        // A scan lacks nothing that it shows. The same record at another offset is no lack either: that disagreement is about
        // offsets.
        if (other.records.has(held.record)) continue;
        const older = other.last.get(key) ?? null;
        // A tombstone says no more than none.
        if (older === null && metas[held.record]!.tombstone === true) continue;
        if (disagree(history, key, [side, other], keys.get(key)?.all ?? [])) {
          found.push({ key, holder: side.scan, held, lacking: other.scan, older });
        }
      }
    }
  }
  return found;
}

const noRecords: ReadonlySet<KeyedRecord> = new Set();

/** What one scan shows of all keys. */
type Side = ShownKeys & { readonly scan: Scan };

/** Nothing that may have been written explains both. */
function disagree(
  history: History,
  key: Scalar,
  [holder, lacking]: readonly [Side, Side],
  all: readonly KeyedRecord[],
): boolean {
  const held = holder.last.get(key)!;
  const older = lacking.last.get(key) ?? null;
  const lowerEnd = Math.min(holder.scan.end, lacking.scan.end);
  if (held.offset >= lowerEnd || held.offset < lacking.scan.start) return false;
  if (older !== null && older.offset >= held.offset) return false;
  const views = [holder, lacking].map(({ scan, last, records }) => ({
    scan,
    held: last.get(key) ?? null,
    shown: records,
    owed: noRecords,
  }));
  const isSeen = ({ record }: KeyedRecord): boolean =>
    holder.records.has(record) || lacking.records.has(record);
  return unexplained(history, all, views, isSeen) !== null;
}
