/**
 * lost-write.
 *
 * An acknowledged send is a promise: the record stays. So does one that somebody saw. It is lost if a scan that was invoked
 * after it was proved does not hold it: at an offset that the scan read; or at or above an end that an audit measured later
 * (the tail was cut off); or nowhere in a complete scan from offset 0, where its offset was never learned; or, without an
 * audit, if a reader that began at or below its offset went past it and nobody ever saw it. Smallest history: 17 is
 * acknowledged at offset 0 of t/0; an audit of t/0 from 0 to its end 1, invoked afterwards, holds nothing at 0.
 *
 * An obligation is each owed record: acknowledged, or uncertain and seen; of a transaction if that is committed. A complete
 * scan of the log that holds it, or that was invoked after it was proved, decides it; until then it is open. Uncertain sends that nobody saw owe
 * nothing: they may never have happened. Exempt: what retention may have removed (below the log start), what compaction may
 * have (judged by compaction alone), topics with external writers.
 *
 * Permitted by acks other than all, unclean.leader.election.enable, min.insync.replicas 1. It cannot see the loss of what
 * was acknowledged behind the audited end. Cost: linear in records times scans.
 */
import { opStatus, type History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfAbsence } from './facts/layer.ts';
import { lossPositions } from './facts/loss-position.ts';
import { lossOf, recordFates, type LogLoss, type LossEvidence } from './facts/loss.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf } from './facts/precedence.ts';
import { isJudgedElsewhere, proofsOf } from './facts/proved.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { chunkAt, type Scan } from './facts/scans.ts';
import { isExternal } from './facts/topics.ts';
import { showEnd, showProcess, showSend } from './facts/witness-text.ts';

export const lostWriteChecker: Checker = {
  name: 'lost-write',
  anomalies: ['lost-write'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const losses = lossOf(history);
    const unplaced = new Map<string, Owed[]>();
    for (const records of recordsOf(history)) {
      if (!isExternal(history, records.log)) {
        judge(history, { records, loss: losses[records.log.id]!, unplaced }, findings);
      }
    }
    for (const owed of unplaced.values()) judgeUnplaced(history, owed, findings);
    return { 'lost-write': findings.result(permittedBy(history, 'lost-write')) };
  },
};

/** An owed record, where it is judged. */
interface Owed {
  readonly records: LogRecords;
  readonly loss: LogLoss;
  readonly record: number;
}

interface Judging {
  readonly records: LogRecords;
  readonly loss: LogLoss;
  /** Collects, by send, records whose partition nobody told, in the logs where they were seen. */
  readonly unplaced: Map<string, Owed[]>;
}

function judge(history: History, judging: Judging, findings: Findings): void {
  const { records, loss, unplaced } = judging;
  const { status } = history.ops;
  for (let record = 0; record < records.count; record++) {
    const fate = loss.fate[record]!;
    const writer = records.writerOp[record]!;
    // What a failed send left behind is aborted-read; nothing is owed for it.
    if (fate === recordFates.none || writer < 0 || status[writer] === opStatus.fail) continue;
    if (isJudgedElsewhere(history, records, record)) continue;
    const owed = { records, loss, record };
    if (records.writerLog[record] !== records.log.id) {
      const send = `${records.writerLog[record]!} ${records.writerRow[record]!}`;
      const others = unplaced.get(send);
      if (others === undefined) unplaced.set(send, [owed]);
      else others.push(owed);
      continue;
    }
    findings.arose(1);
    if (fate === recordFates.open) findings.open(() => whyOpen(history, records, record));
    if (fate !== recordFates.lost) continue;
    findings.found(indexOf(history, writer), 1, () => witnessOf(history, owed));
  }
}

/** One that was seen in several partitions is lost once it is gone from all of them. */
function judgeUnplaced(history: History, owed: readonly Owed[], findings: Findings): void {
  findings.arose(1);
  const fates = owed.map(({ loss, record }) => loss.fate[record]!);
  const { records, record } = owed[0]!;
  if (fates.every((fate) => fate === recordFates.lost)) {
    const witnesses = () => owed.map((each) => witnessOf(history, each));
    findings.found(indexOf(history, records.writerOp[record]!), 1, () => {
      const operations = witnesses().flatMap((witness) => witness.operations);
      return { ...witnesses()[0]!, operations: [...new Set(operations)] };
    });
  } else if (!fates.includes(recordFates.kept)) {
    findings.open(() => whyOpen(history, records, record));
  }
}

function whyOpen(history: History, records: LogRecords, record: number): string {
  const send = showWriter(history, records, record);
  const name = records.log.name;
  const offset = records.offset[record]!;
  const place = offset >= 0 ? ` with an end above offset ${offset}` : ', from offset 0 to its end';
  return `${send}: no complete audit of ${name} after that covers it; one${place} would decide it`;
}

function showWriter(history: History, records: LogRecords, record: number): string {
  return showSend(history, history.logs[records.writerLog[record]!]!, records.writerRow[record]!);
}

function witnessOf(history: History, { records, loss, record }: Owed): Witness {
  const { log } = records;
  const evidence = loss.evidenceOf(record);
  const writer = records.writerOp[record]!;
  const offset = records.offset[record]!;
  const send = records.writerLog[record] === log.id ? records.writerRow[record]! : -1;
  const proof = proofsOf(history, log.id);
  const answer = proof.answer[record]!;
  const ownSight = evidence.kind === 'absent' ? evidence.ownSight : undefined;
  const sight = ownSight ?? (answer < 0 ? proof.sight[record]! : answer === writer ? -1 : answer);
  const proving = sight >= 0 ? [writer, sight] : [writer];
  const operations = [...proving, ...evidenceOps(evidence, offset)].map((op) =>
    indexOf(history, op),
  );
  return {
    operations: [...new Set(operations)],
    log: log.name,
    ...(offset >= 0 ? { offset } : {}),
    value: history.values[records.value[record]!]!,
    layer: layerOfAbsence(history, log, { send, value: records.value[record]!, offset }),
    evidence: evidence.kind,
    position: lossPositions(history, records, loss)(record),
    explanation:
      `${showWriter(history, records, record)}.${sightText(history, sight)} ` +
      `${evidenceText(history, evidence, { name: log.name, offset })} ` +
      `${certainty(history, writer)}${permissionText(history, 'lost-write')}`,
  };
}

/** The operations without which the absence is not shown. */
function evidenceOps(evidence: LossEvidence, offset: number): readonly number[] {
  switch (evidence.kind) {
    case 'absent':
      return [coveringOp(evidence.scan, offset)];
    case 'cut-tail':
      return [evidence.chunk.op];
    case 'nowhere':
      return evidence.scans.flatMap((scan) => scan.chunks.map(({ op }) => op));
    case 'read-past':
      return [evidence.op];
  }
}

function coveringOp(scan: Scan, offset: number): number {
  return chunkAt(scan, offset)?.op ?? scan.chunks.at(-1)!.op;
}

function sightText(history: History, sight: number): string {
  if (sight < 0) return '';
  return ` It did happen: ${showProcess(history, sight)} saw it ${showEnd(history, sight)}.`;
}

function evidenceText(
  history: History,
  evidence: LossEvidence,
  { name, offset }: { readonly name: string; readonly offset: number },
): string {
  switch (evidence.kind) {
    case 'absent': {
      const { id, view, start, auditedEnd, firstOp } = evidence.scan;
      return (
        `The ${view} scan ${id} of ${name}, begun by ${showProcess(history, firstOp)} after that, read offsets ` +
        `${start} to ${auditedEnd - 1} and does not hold it.`
      );
    }
    case 'cut-tail':
      return (
        `Afterwards the audit that ended ${showEnd(history, evidence.chunk.op)} measured that ${name} ends at ` +
        `${evidence.chunk.end}, at or below offset ${offset}: the tail was cut off.`
      );
    case 'nowhere':
      return `Its offset was never learned, and afterwards it is nowhere in ${scansText(evidence.scans)}`;
    case 'read-past':
      return (
        `Nobody ever saw it, though ${showProcess(history, evidence.op)} began at or below offset ${offset} and ` +
        `had read past it ${showEnd(history, evidence.op)}.`
      );
  }
}

function scansText(scans: readonly Scan[]): string {
  const names = scans.map(
    (scan) => `the ${scan.view} scan ${scan.id} (offsets 0 to ${scan.end - 1})`,
  );
  return `${names.join(' and ')}, complete from offset 0.`;
}

function certainty(history: History, writer: number): string {
  return history.ops.status[writer] === opStatus.ok
    ? 'The send was acknowledged, so no uncertain outcome explains this.'
    : 'Whatever the answer to the send, it took effect: it was seen.';
}
