/**
 * The log cleaner of one broker: now and then it goes through each compacted log that it holds, up to the active segment and the high
 * watermark, and keeps the last record of each key. A tombstone stays for `delete.retention.ms` after the pass that met it first.
 * Every replica cleans alone, at its own times, as Kafka's do: a replica that is away while a tombstone is written, and comes back when
 * the others have removed it, never gets it (KAFKA.md, compaction-race).
 */
import { nsPerMs } from '../../core/units.ts';
import type { LogRecord, RecordBatch } from '../../kafka-protocol/record-batch.ts';
import { CompactedBatch } from './compacted-batch.ts';
import type { Compaction } from './metadata-image.ts';
import type { NodeProcess } from './node-process.ts';
import type { ReplicaLog } from './replica-log.ts';

export interface CleanerParts {
  readonly process: NodeProcess;
  readonly defects: ReadonlySet<string>;
}

/** The node on which the defect cleaner-of-one-node is at work. */
const faultyNode = 2;

/** One pass. @param highWatermark above it nothing is touched. */
export function clean(
  log: ReplicaLog,
  { deleteRetentionMs }: Compaction,
  highWatermark: number,
  { process, defects }: CleanerParts,
): void {
  const bound = Math.min(log.activeSegment, highWatermark);
  if (bound <= log.cleanedTo) return;
  const { nowNs } = process.kernel;
  const newest = newestOffsets(log, bound, defects.has('tombstones-before-values'));
  const dropsLast =
    defects.has('cleaner-drops-last') ||
    (defects.has('cleaner-of-one-node') && process.id === faultyNode);
  const horizonNs = nowNs + deleteRetentionMs * nsPerMs;
  log.clean(bound, (batch) => {
    const expired = horizonOf(batch) !== null && (horizonOf(batch) as number) <= nowNs;
    const kept = (batch.records ?? []).filter((record) => {
      const last = newest.get(keyOf(record));
      if (last !== undefined && (dropsLast ? record.offset <= last : record.offset < last)) {
        return false;
      }
      if (record.value !== null) return true;
      return !expired && !defects.has('tombstones-before-values');
    });
    const horizon = horizonOf(batch) ?? (kept.some(isTombstone) ? horizonNs : null);
    return kept.length === batch.recordCount && horizon === horizonOf(batch)
      ? batch
      : new CompactedBatch(batch, kept, horizon);
  });
}

/** Of each key written since the last pass, the offset of its newest record below `bound`. */
function newestOffsets(
  log: ReplicaLog,
  bound: number,
  passesTombstonesOver: boolean,
): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const { records = [] } of log.batchesIn(log.cleanedTo, bound)) {
    for (const record of records) {
      if (passesTombstonesOver && isTombstone(record)) continue;
      newest.set(keyOf(record), record.offset);
    }
  }
  return newest;
}

function horizonOf(batch: RecordBatch): number | null {
  return batch instanceof CompactedBatch ? batch.deleteHorizonNs : null;
}

function isTombstone({ value }: LogRecord): boolean {
  return value === null;
}

function keyOf({ key }: LogRecord): string {
  return key?.toString('latin1') ?? '';
}
