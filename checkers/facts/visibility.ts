/** What a reader had to be given between two offsets of a log: poll-skip's question, linear in what stands between them. */
import { opStatus, type History, type LogColumns } from '../../src/history/columns.ts';
import { assignmentEpochs } from './epochs.ts';
import { lossOf } from './loss.ts';
import { measuredEnds } from './measured-ends.ts';
import { indexOf, isAcknowledged, precedes, precedesEvent } from './precedence.ts';
import { isOnlyPlace, standings, standingsOf } from './proved.ts';
import { recordsOf, type LogRecords } from './records.ts';
import { heldAt, recordScansOf, type Scan } from './scans.ts';
import { hasRetention, isCompacted, isExternal } from './topics.ts';

/** Operation `op` returned the record at `before`; the reader had last been at `after`. Both exclusive. */
export interface Gap {
  readonly after: number;
  readonly before: number;
  readonly op: number;
}

export interface GapVerdict {
  /** Number of visible offsets in the gap. */
  readonly skipped: number;
  /** The placement (LogRecords) at the lowest of them, or -1. */
  readonly placement: number;
  /** Why nothing decides the gap where nothing visible is known in it; null: decided. */
  readonly open: 'unscanned' | 'log start unknown' | null;
}

/** Judges gaps of one log. What it needs to know of the log is computed when the first gap comes. */
export function gapJudge(history: History, log: LogColumns): (gap: Gap) => GapVerdict {
  let facts: Facts | null = null;
  return (gap) => judge(history, (facts ??= gather(history, log)), gap);
}

/** Placements in order of offset. */
interface Shelf {
  readonly placements: Int32Array;
  readonly offsets: Float64Array;
}

interface Facts {
  readonly records: LogRecords;
  readonly scans: readonly Scan[];
  /** Log starts met by audits, in order of the audits' invocation: [operation, least start from there on]. */
  readonly starts: readonly (readonly [op: number, start: number])[];
  /** What the log start cannot have passed where no later audit says so: Infinity where retention may raise it. */
  readonly highestStart: number;
  /** Owed to every view, not subject to compaction, and not proved lost by a complete scan. */
  readonly visible: Shelf;
}

const nothing: GapVerdict = { skipped: 0, placement: -1, open: null };

function judge(history: History, facts: Facts, gap: Gap): GapVerdict {
  const low = Math.max(gap.after + 1, possibleStart(history, facts, gap.op));
  if (low === Infinity) return { ...nothing, open: 'log start unknown' };
  if (low >= gap.before) return nothing;
  const skipped = countBetween(history, facts, low, gap);
  if (skipped.skipped > 0) return skipped;
  const tiled = facts.scans.some(
    ({ start, auditedEnd }) => start <= low && gap.before <= auditedEnd,
  );
  return tiled ? nothing : { ...nothing, open: 'unscanned' };
}

/** An offset at or above this was not below the log start when `op` read: the log start never falls. */
function possibleStart(history: History, { starts, highestStart }: Facts, op: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (precedes(history, op, starts[middle]![0])) high = middle;
    else low = middle + 1;
  }
  return low < starts.length ? starts[low]![1] : highestStart;
}

function countBetween(
  history: History,
  { records, visible }: Facts,
  low: number,
  { before, op }: Gap,
): GapVerdict {
  const { placements, offsets } = visible;
  // A record that was sent only after the reader had gone by stands in the wrong place: an inversion, no skip.
  let [skipped, placement, last] = [0, -1, -1];
  for (let i = firstAtOrAbove(offsets, low); offsets[i]! < before; i++) {
    if (offsets[i] === last || isSentAfter(history, records, placements[i]!, op)) continue;
    if (placement < 0) placement = placements[i]!;
    last = offsets[i]!;
    skipped++;
  }
  return { skipped, placement, open: null };
}

/** The record was recorded as sent (by invocation or attempt) after operation `op` had ended. */
function isSentAfter(
  history: History,
  records: LogRecords,
  placement: number,
  op: number,
): boolean {
  const record = records.recordOf[placement]!;
  const writer = records.writerLog[record]!;
  if (writer < 0) return false;
  const { sends } = history.logs[writer]!;
  const row = records.writerRow[record]!;
  return precedesEvent(history, op, {
    ns: sends.invNs[row]!,
    index: sends.recordedIndex[row]!,
    process: history.ops.process[sends.op[row]!]!,
  });
}

function firstAtOrAbove(offsets: Float64Array, offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]! >= offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function gather(history: History, log: LogColumns): Facts {
  const records = recordsOf(history)[log.id]!;
  const audits = log.audits.toSorted(
    (a, b) => history.ops.invokeIndex[a.op]! - history.ops.invokeIndex[b.op]!,
  );
  return {
    records,
    scans: recordScansOf(history, log.id),
    starts: leastStarts(audits.map(({ op, start }) => [op, start])),
    highestStart: hasRetention(history)
      ? Infinity
      : audits.reduce((most, { start }) => Math.max(most, start), 0),
    visible: shelve(records, visiblePlacements(history, log, records)),
  };
}

/** By placement: 1 where a reader had to be given the record. */
function visiblePlacements(history: History, log: LogColumns, records: LogRecords): Uint8Array {
  const visible = new Uint8Array(records.placements);
  // What a compacted log no longer holds is judged by compaction alone.
  if (isCompacted(history, log)) return visible;
  const standing = standingsOf(history)[log.id]!;
  const { gone } = lossOf(history)[log.id]!;
  const suspects: number[] = [];
  for (let placement = 0; placement < records.placements; placement++) {
    const record = records.recordOf[placement]!;
    const writer = records.writerOp[record]!;
    const failed = writer >= 0 && history.ops.status[writer] === opStatus.fail;
    if (records.offset[placement]! < 0 || standing[record] !== standings.owed || failed) continue;
    visible[placement] = 1;
    if (gone[placement] !== 0) suspects.push(placement);
  }
  for (const placement of lostByCompleteScans(history, log, records, suspects)) {
    visible[placement] = 0;
  }
  if (isExternal(history, log)) leaveOutUncommitted(history, log, records, visible);
  return visible;
}

/** Of placements that some audit proves lost, those that a complete scan does. */
function lostByCompleteScans(
  history: History,
  log: LogColumns,
  records: LogRecords,
  suspects: readonly number[],
): readonly number[] {
  const complete = recordScansOf(history, log.id).filter((scan) => scan.complete);
  if (suspects.length === 0 || complete.length === 0) return [];
  const proofs = proofsOfPlacements(history, log, records, suspects);
  const audits = complete
    .flatMap(({ chunks }) => chunks)
    .sort((a, b) => indexOf(history, a.op) - indexOf(history, b.op));
  const ends = measuredEnds(history, { ...log, audits });
  return suspects.filter((placement) => {
    const offset = records.offset[placement]!;
    const value = records.value[records.recordOf[placement]!]!;
    const silent = complete.filter(
      (scan) =>
        offset >= scan.start && offset < scan.auditedEnd && heldAt(log, scan, offset) !== value,
    );
    return proofs.get(placement)!.some((proof) => {
      const end = ends.lowestAfter(proof);
      if (end !== null && end.end <= offset) return true;
      return silent.some(({ firstOp }) => precedes(history, proof, firstOp));
    });
  });
}

/** Every operation that proves the record there: its acknowledgement, and whoever saw it. */
function proofsOfPlacements(
  history: History,
  log: LogColumns,
  records: LogRecords,
  placements: readonly number[],
): ReadonlyMap<number, readonly number[]> {
  const proofs = new Map(placements.map((placement): [number, number[]] => [placement, []]));
  /** An uncertain answer gave the offset: any sight of the record proves it. */
  const byAnySight = new Map<number, number[]>();
  for (const [placement, ops] of proofs) {
    const record = records.recordOf[placement]!;
    const writer = records.writerOp[record]!;
    const answered = records.answered[placement] === 1;
    if (writer < 0 || !(answered || isOnlyPlace(history, records, record))) continue;
    if (isAcknowledged(history, writer)) ops.push(writer);
    else if (answered) byAnySight.set(record, ops);
  }
  const see = (placement: number, op: number): void => {
    proofs.get(placement)?.push(op);
    byAnySight.get(records.recordOf[placement]!)?.push(op);
  };
  const { reads, audited } = log;
  for (let row = 0; row < reads.count; row++) see(records.readPlacement[row]!, reads.op[row]!);
  for (let row = 0; row < audited.count; row++) {
    see(records.auditPlacement[row]!, records.auditOp[row]!);
  }
  return proofs;
}

/** Of an external writer's transactions only what a committed view showed is known to be committed. */
function leaveOutUncommitted(
  history: History,
  log: LogColumns,
  records: LogRecords,
  visible: Uint8Array,
): void {
  const committed = new Uint8Array(records.placements);
  const { epochs, epochOf } = assignmentEpochs(history)[log.id]!;
  for (let row = 0; row < log.reads.count; row++) {
    if (epochs[epochOf[row]!]!.isolation === 'read_uncommitted') continue;
    committed[records.readPlacement[row]!] = 1;
  }
  for (const { view, recordsFrom, recordsTo } of log.audits) {
    if (view !== 'committed') continue;
    for (let row = recordsFrom; row < recordsTo; row++) committed[records.auditPlacement[row]!] = 1;
  }
  for (let placement = 0; placement < records.placements; placement++) {
    const sent = records.writerOp[records.recordOf[placement]!]! >= 0;
    if (!sent && committed[placement] === 0) visible[placement] = 0;
  }
}

function leastStarts(starts: [number, number][]): readonly (readonly [number, number])[] {
  for (let i = starts.length - 2; i >= 0; i--) {
    starts[i]![1] = Math.min(starts[i]![1], starts[i + 1]![1]);
  }
  return starts;
}

function shelve(records: LogRecords, visible: Uint8Array): Shelf {
  const chosen: number[] = [];
  let sorted = true;
  let previous = -1;
  for (let placement = 0; placement < records.placements; placement++) {
    if (visible[placement] === 0) continue;
    sorted &&= records.offset[placement]! >= previous;
    previous = records.offset[placement]!;
    chosen.push(placement);
  }
  const placements = Int32Array.from(chosen);
  if (!sorted) placements.sort((a, b) => records.offset[a]! - records.offset[b]! || a - b);
  return { placements, offsets: Float64Array.from(placements, (at) => records.offset[at]!) };
}
