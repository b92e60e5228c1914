/** Scans of tiny histories by enumeration of offsets: which ones a scan speaks of, and what it proves lost. */
import type { Scalar } from '../../src/history/event.ts';
import {
  before,
  topicName,
  type Model,
  type ModelChunk,
  type ModelOp,
  type ModelScan,
  type ModelSight,
} from './oracle-model.ts';

/** No tiny history has an offset as high as this. */
export const offsetMax = 16;
const offsets = Array.from({ length: offsetMax }, (_, offset) => offset);

/** Chunks that tile from the start, each with the offset at which it falls silent. None if the scan began above it. */
export function tilesOf(
  scan: ModelScan,
): readonly { readonly chunk: ModelChunk; readonly next: number }[] {
  const tiles: { chunk: ModelChunk; next: number }[] = [];
  let reached: number | null = null;
  for (const chunk of scan.chunks) {
    if (reached === null && chunk.from > chunk.start) return [];
    if (reached !== null && chunk.from > reached) continue;
    const stable = scan.view === 'committed' ? (chunk.lastStable ?? Infinity) : Infinity;
    const next = Math.min(chunk.next, stable);
    tiles.push({ chunk, next });
    reached = Math.max(reached ?? 0, next);
  }
  return tiles;
}

/** Offsets that the scan read, tiling from the start. Empty if it began above the start. */
export function spokenOf(scan: ModelScan): readonly number[] {
  const tiles = tilesOf(scan);
  return offsets.filter((offset) =>
    tiles.some(
      ({ chunk, next }) =>
        offset >= chunk.from &&
        offset < next &&
        tiles.every((other) => offset >= other.chunk.start),
    ),
  );
}

/** The scan speaks of everything from its start to the end that its first chunk measured. */
export function isComplete(scan: ModelScan): boolean {
  const first = scan.chunks[0]!;
  if (first.from > first.start) return false;
  const spoken = spokenOf(scan);
  return offsets.every(
    (offset) => offset < first.start || offset >= first.end || spoken.includes(offset),
  );
}

export function inScan(scan: ModelScan, offset: number | null, value: Scalar): boolean {
  return scan.chunks.some((chunk) =>
    chunk.records.some(([at, held]) => held === value && (offset === null || at === offset)),
  );
}

export function heldAt(scan: ModelScan, offset: number): readonly Scalar[] {
  return scan.chunks.flatMap((chunk) =>
    chunk.records.filter(([at]) => at === offset).map(([, value]) => value),
  );
}

export function scanBegan(model: Model, scan: ModelScan, after: ModelOp): boolean {
  return before(model, after, scan.chunks[0]!.op);
}

/** The log was shorter than `offset` when the chunk measured its end. */
export function cutAt(model: Model, scan: ModelScan, chunk: ModelChunk, offset: number): boolean {
  if (!chunk.linearizable || offset < chunk.end) return false;
  if (model.acksAll) return true;
  return model.sends
    .filter(({ log, topic }) => log === scan.log || (log === null && topic === topicName(scan.log)))
    .filter(({ op }) => op.inv <= chunk.op.inv)
    .every(({ op }) => op.end + model.lagMs < chunk.op.inv);
}

export function isCompactedLog(model: Model, log: string): boolean {
  return model.compacted.has(topicName(log));
}

/** A scan after `proof` speaks of the place and has not got the record there. */
export function goneFrom(
  model: Model,
  log: string,
  offset: number,
  value: Scalar,
  proof: ModelOp,
  which: (scan: ModelScan) => boolean = () => true,
): boolean {
  return model.scans.some((scan) => {
    if (scan.log !== log || !which(scan) || inScan(scan, offset, value)) return false;
    if (isCompactedLog(model, log) && heldAt(scan, offset).length === 0) return false;
    const spoken = spokenOf(scan).includes(offset) && scanBegan(model, scan, proof);
    const cut = scan.chunks.some(
      (chunk) => cutAt(model, scan, chunk, offset) && before(model, proof, chunk.op),
    );
    return spoken || cut;
  });
}

/** The place of a sight is proved lost: a scan after any sight of it has not got it. */
export function sightLost(model: Model, sight: ModelSight): boolean {
  return model.sights
    .filter((s) => s.log === sight.log && s.offset === sight.offset && s.value === sight.value)
    .some((s) => goneFrom(model, sight.log, sight.offset, sight.value, s.op));
}
