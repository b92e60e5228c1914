/**
 * What is proved lost, and what is proved to be held: the facts behind lost-write, and behind every rule that leaves out
 * what is proved lost or contradicted by a scan, so that one fault has one name.
 *
 * Per scan one pass over its rows and one over the log's records and placements: linear in records times scans.
 */
import { Memo } from '../../src/core/memo.ts';
import {
  opKinds,
  type AuditChunk,
  type History,
  type LogColumns,
} from '../../src/history/columns.ts';
import { measuredEnds } from './measured-ends.ts';
import { ownSights, type OwnSights } from './own-sights.ts';
import { precedes } from './precedence.ts';
import {
  answerProof,
  proofsOf,
  provedBefore,
  seenBefore,
  standings,
  standingsOf,
  type Proofs,
} from './proved.ts';
import { readPastOf } from './read-past.ts';
import { eachPlacement, recordsOf, type LogRecords } from './records.ts';
import { recordScansOf, type Scan } from './scans.ts';
import { isCompacted, partitionsOf } from './topics.ts';

export const recordFates = {
  /** Owes nothing: unproved, or of an aborted transaction. */
  none: 0,
  /** Owed, and nothing decides whether it is there. */
  open: 1,
  /** A complete scan holds it, or, invoked after it was proved, may rightly be without it. */
  kept: 2,
  lost: 3,
} as const;

/** Bits of `LogLoss.gone`: a scan after the record was proved, or after somebody saw it, is without it. */
export const goneSince = { proved: 1, seen: 2 } as const;

/** Why a record is lost. */
export type LossEvidence =
  /** Where clocks err and nothing else comes before the scan: the sight of the process that scanned. */
  | { readonly kind: 'absent'; readonly scan: Scan; readonly ownSight?: number }
  | { readonly kind: 'cut-tail'; readonly chunk: AuditChunk }
  /** Its offset was never learned, and these scans, complete from 0, cover all places where it could be. */
  | { readonly kind: 'nowhere'; readonly scans: readonly Scan[] }
  /** No audit, but a reader went past it: the operation that read beyond. */
  | { readonly kind: 'read-past'; readonly op: number };

export interface LogLoss {
  /** By record: one of `recordFates`. */
  readonly fate: Uint8Array;
  /** By record, where lost: why. */
  evidenceOf(record: number): LossEvidence;
  /** By placement: bits of `goneSince`; 0 while nothing proves that the record is no longer there. */
  readonly gone: Uint8Array;
  /** By placement: 1 where the send's answer gave this offset and a scan holds something else there, or nothing. */
  readonly contradicted: Uint8Array;
}

const losses = new Memo<History, readonly LogLoss[]>();

/** By log id; computed once per history. */
export function lossOf(history: History): readonly LogLoss[] {
  return losses.of(history, () => recordsOf(history).map((records) => judgeLog(history, records)));
}

/** Everything that the passes over one log share. */
interface Judging {
  readonly history: History;
  readonly log: LogColumns;
  readonly records: LogRecords;
  readonly standing: Uint8Array;
  readonly proofs: Proofs;
  readonly compacted: boolean;
  readonly own: OwnSights;
  readonly fate: Uint8Array;
  readonly gone: Uint8Array;
  readonly contradicted: Uint8Array;
  readonly evidence: LossEvidence[];
  readonly evidenceOf: Int32Array;
}

function judgeLog(history: History, records: LogRecords): LogLoss {
  const { log } = records;
  const standing = standingsOf(history)[log.id]!;
  const judging: Judging = {
    history,
    log,
    records,
    standing,
    proofs: proofsOf(history, log.id),
    compacted: isCompacted(history, log),
    own: ownSights(history, records),
    fate: standing.map((each) =>
      each === standings.owed || each === standings.uncommitted
        ? recordFates.open
        : recordFates.none,
    ),
    gone: new Uint8Array(records.placements),
    contradicted: new Uint8Array(records.placements),
    evidence: [],
    evidenceOf: new Int32Array(records.count).fill(-1),
  };
  if (log.partition === null) judgeUnplaced(judging);
  else {
    judgeByScans(judging);
    if (!judging.compacted) {
      judgeByEnds(judging);
      judgeByReaders(judging);
    }
  }
  const { fate, gone, contradicted } = judging;
  return {
    fate,
    gone,
    contradicted,
    evidenceOf: (record) => judging.evidence[judging.evidenceOf[record]!]!,
  };
}

function judgeByScans(judging: Judging): void {
  const { history, log, records } = judging;
  const heldPlacement = new Int32Array(records.placements);
  const heldRecord = new Int32Array(records.count);
  let stamp = 0;
  for (const scan of recordScansOf(history, log.id)) {
    stamp++;
    judging.own.mark(scan.firstOp);
    // On a compacted log an empty offset says nothing; one that holds another record does.
    const occupied = judging.compacted ? new Set<number>() : null;
    for (const chunk of scan.chunks) {
      for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
        const placement = records.auditPlacement[row]!;
        heldPlacement[placement] = stamp;
        heldRecord[records.recordOf[placement]!] = stamp;
        occupied?.add(log.audited.offset[row]!);
      }
    }
    const absent: LossEvidence = { kind: 'absent', scan };
    const nowhere: LossEvidence = { kind: 'nowhere', scans: [scan] };
    heldRecord.forEach((heldBy, record) => {
      if (!isOwedTo(judging, record, scan)) return;
      judgeRecord(judging, record, scan, heldBy === stamp ? null : { absent, nowhere });
    });
    records.offset.forEach((offset, placement) => {
      if (offset < 0 || heldPlacement[placement] === stamp) return;
      if (!isOwedTo(judging, records.recordOf[placement]!, scan)) return;
      judgePlacement(judging, placement, scan, occupied);
    });
  }
}

function isOwedTo({ standing }: Judging, record: number, scan: Scan): boolean {
  return (
    standing[record] === standings.owed ||
    (standing[record] === standings.uncommitted && scan.view === 'uncommitted')
  );
}

/** @param missing what it would prove that the scan does not hold the record; null: it holds it. */
function judgeRecord(
  judging: Judging,
  record: number,
  scan: Scan,
  missing: { readonly absent: LossEvidence; readonly nowhere: LossEvidence } | null,
): void {
  const { history, records, proofs, fate, compacted } = judging;
  if (fate[record] === recordFates.lost) return;
  if (missing === null) {
    // Whenever the scan was: what it holds had been written, and is there.
    if (scan.complete) fate[record] = recordFates.kept;
    return;
  }
  const proved = provedBefore(history, proofs, record, scan.firstOp);
  const ownSight = proofs.sight[record]! >= 0 ? judging.own.ofRecord(record) : -1;
  if (!proved && ownSight < 0) return;
  const { least, greatest } = offsetsOf(records, record);
  if (least < 0 && scan.complete && !compacted && scan.start === 0) {
    lose(judging, record, missing.nowhere);
  } else if (!compacted && isSpokenOf(records, record, scan)) {
    lose(judging, record, proved ? missing.absent : { kind: 'absent', scan, ownSight });
  } else if (scan.complete && greatest < scan.auditedEnd && (compacted || least >= 0)) {
    // Compacted away, or below the log start: absence is legal.
    fate[record] = recordFates.kept;
  }
}

function lose(judging: Judging, record: number, evidence: LossEvidence): void {
  if (judging.evidence.at(-1) !== evidence) judging.evidence.push(evidence);
  judging.fate[record] = recordFates.lost;
  judging.evidenceOf[record] = judging.evidence.length - 1;
}

/** The scan read an offset at which the record was acknowledged or seen. */
function isSpokenOf(records: LogRecords, record: number, scan: Scan): boolean {
  let spoken = false;
  eachPlacement(records, record, (placement) => {
    const offset = records.offset[placement]!;
    if (offset >= scan.start && offset < scan.auditedEnd) spoken = true;
  });
  return spoken;
}

/** The record is not held at this placement by this scan. */
function judgePlacement(
  judging: Judging,
  placement: number,
  scan: Scan,
  occupied: ReadonlySet<number> | null,
): void {
  const { history, records, proofs } = judging;
  const offset = records.offset[placement]!;
  if (offset < scan.start || offset >= scan.auditedEnd) return;
  if (occupied !== null && !occupied.has(offset)) return;
  const seen =
    judging.own.ofPlacement(placement) >= 0 ||
    seenBefore(history, records, placement, scan.firstOp);
  const answer = answerProof(history, records, proofs, placement);
  const proved = seen || (answer >= 0 && precedes(history, answer, scan.firstOp));
  judging.gone[placement]! |= (seen ? goneSince.seen : 0) | (proved ? goneSince.proved : 0);
  // A transaction appears all at once, when it is committed: an earlier scan contradicts none of its records.
  if (records.answered[placement] === 1 && (proved || isPlain(judging, placement))) {
    judging.contradicted[placement] = 1;
  }
}

function isPlain({ history, records }: Judging, placement: number): boolean {
  const writer = records.writerOp[records.recordOf[placement]!]!;
  return writer >= 0 && history.ops.kind[writer] === opKinds.send;
}

/** Least and greatest offset at which the record was acknowledged or seen; -1 where there is none. */
function offsetsOf(records: LogRecords, record: number) {
  let least = records.offset[record]!;
  let greatest = least;
  if (records.extras.size > 0 && records.extras.has(record)) {
    eachPlacement(records, record, (placement) => {
      least = Math.min(least, records.offset[placement]!);
      greatest = Math.max(greatest, records.offset[placement]!);
    });
  }
  return { least, greatest };
}

/** Tails that were cut off: an end measured later lies at or below the record. */
function judgeByEnds(judging: Judging): void {
  const { history, log, records, proofs, fate, gone, standing } = judging;
  const ends = measuredEnds(history, log);
  const lowestAfter = (a: number, b: number) => {
    const [first, second] = [ends.lowestAfter(a), ends.lowestAfter(b)];
    if (first === null || second === null) return first ?? second;
    return second.end < first.end ? second : first;
  };
  for (let placement = 0; placement < records.placements; placement++) {
    const offset = records.offset[placement]!;
    const record = records.recordOf[placement]!;
    if (offset < ends.least || standing[record] === standings.aborted) continue;
    const seen = ends.lowestAfter(records.sightOp[placement]!);
    const proved = ends.lowestAfter(answerProof(history, records, proofs, placement));
    if (seen !== null && seen.end <= offset) gone[placement]! |= goneSince.seen | goneSince.proved;
    if (proved !== null && proved.end <= offset) gone[placement]! |= goneSince.proved;
  }
  const evidence = new Map<AuditChunk, LossEvidence>();
  fate.forEach((each, record) => {
    if (each === recordFates.none || each === recordFates.lost) return;
    const { least } = offsetsOf(records, record);
    if (least < ends.least) return;
    const chunk = lowestAfter(proofs.answer[record]!, proofs.sight[record]!);
    if (chunk === null || least < chunk.end) return;
    let found = evidence.get(chunk);
    if (found === undefined) evidence.set(chunk, (found = { kind: 'cut-tail', chunk }));
    lose(judging, record, found);
  });
}

/** Acknowledged, seen by nobody, audited by nothing: lost all the same if a reader went past it. */
function judgeByReaders(judging: Judging): void {
  const { history, log, records, fate } = judging;
  const readPast = readPastOf(history, log);
  const evidence = new Map<number, LossEvidence>();
  for (let record = 0; record < log.sends.count; record++) {
    if (fate[record] !== recordFates.open || records.extras.has(record)) continue;
    if (records.sightOp[record]! >= 0 || records.offset[record]! < 0) continue;
    const op = readPast(records.offset[record]!, record);
    if (op < 0) continue;
    let found = evidence.get(op);
    if (found === undefined) evidence.set(op, (found = { kind: 'read-past', op }));
    lose(judging, record, found);
  }
}

/** Sends whose partition nobody told: decided by complete scans of all partitions, if the header says how many. */
function judgeUnplaced(judging: Judging): void {
  const { history, log, proofs, fate } = judging;
  const partitions = partitionsOf(history, log.topic);
  if (partitions === null || partitions <= 0 || log.sends.count === 0) return;
  const last: Scan[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const id = history.logByName.get(`${log.topic}/${partition}`);
    const latest = (id === undefined ? [] : recordScansOf(history, id))
      .filter((scan) => scan.complete && scan.start === 0)
      .toSorted((a, b) => a.firstOp - b.firstOp)
      .at(-1);
    if (latest === undefined) return;
    last.push(latest);
  }
  const evidence: LossEvidence = { kind: 'nowhere', scans: last };
  for (let record = 0; record < log.sends.count; record++) {
    // What was seen in a partition is judged there, whatever becomes of it here.
    if (fate[record] !== recordFates.open) continue;
    if (!last.every((scan) => provedBefore(history, proofs, record, scan.firstOp))) continue;
    if (judging.compacted) fate[record] = recordFates.kept;
    else lose(judging, record, evidence);
  }
}
