/**
 * Whether a cleaner that runs whenever it likes can have left what scans of a compacted log show of one key. It removes a record
 * once a later one of the key stands in the log, older ones with it or before, and a tombstone that is old enough. So whatever a
 * scan had to read and does not show is explained by a later record that it shows; by one that was sent before it returned and
 * is explained itself, or out of its sight; or because it is a tombstone that had time to go. A scan is not one moment: an older
 * record that it shows may be gone by the time it comes to where the later one stood, but not within one chunk.
 */
import type { AuditChunk, History } from '../../src/history/columns.ts';
import type { Held, KeyedRecord } from './compacted-keys.ts';
import { deleteRetentionNs } from './permission.ts';
import { clockErrorNs } from './precedence.ts';
import { chunkAt, type Scan } from './scans.ts';

/** What one scan says of the key. */
export interface KeyView {
  readonly scan: Scan;
  /** The last record of the key that it shows. */
  readonly held: Held | null;
  /** All that it shows. */
  readonly shown: ReadonlySet<number>;
  /** Owed to it wherever they stand; of others it had to read what stands below its end. */
  readonly owed: ReadonlySet<KeyedRecord>;
}

/**
 * The record at the highest offset that certainly was written and that some view lacks without an explanation, or null. What is
 * uncertain was written wherever that explains more.
 * @param all highest offset first, unknown offsets last, as in `KeyedRecords`. Linear in it.
 */
export function unexplained(
  history: History,
  all: readonly KeyedRecord[],
  views: readonly KeyView[],
  isCertain: (record: KeyedRecord) => boolean,
): KeyedRecord | null {
  // Of those that may stand above the one at hand, when the first was sent.
  let laterSentNs = Infinity;
  for (const { offset, sentNs } of all) if (offset < 0) laterSentNs = Math.min(laterSentNs, sentNs);
  for (const record of all) {
    if (record.offset < 0) break;
    if (views.every((view) => mayLack(history, view, record, laterSentNs))) {
      laterSentNs = Math.min(laterSentNs, record.sentNs);
    } else if (isCertain(record)) return record;
  }
  return null;
}

/** It shows the record or a later one, need not have read it, or something explains that it shows neither. */
function mayLack(
  history: History,
  { scan, held, shown, owed }: KeyView,
  record: KeyedRecord,
  laterSentNs: number,
): boolean {
  const { offset, tombstone, sentNs } = record;
  if (offset < scan.start || (offset >= scan.end && !owed.has(record))) return true;
  if (shown.has(record.record)) return true;
  if (held !== null && held.offset > offset) return true;
  // Two values at one offset are inconsistent-offsets: neither is older than the other.
  const older = held !== null && held.offset < offset ? held : null;
  const place = placeOf(scan, offset);
  if (older?.chunk === place) return false;
  const returnedNs = history.ops.endNs[scan.chunks.at(-1)!.op]! + 2 * clockErrorNs(history);
  if (laterSentNs <= returnedNs) return true;
  if (!tombstone || returnedNs - sentNs < deleteRetentionNs(history)) return false;
  return older === null || hadTimeToDelete(history, older.chunk, place);
}

/** The chunk that read an offset, or the last one, for what lies beyond. */
export function placeOf(scan: Scan, offset: number): AuditChunk {
  return chunkAt(scan, offset) ?? scan.chunks.at(-1)!;
}

/** A cleaner that ran after one chunk was read could mark a tombstone, wait, and remove it, before the other was. */
function hadTimeToDelete(history: History, from: AuditChunk, to: AuditChunk): boolean {
  const { invNs, endNs } = history.ops;
  return endNs[to.op]! - invNs[from.op]! + 2 * clockErrorNs(history) >= deleteRetentionNs(history);
}
