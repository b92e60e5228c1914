/**
 * poll-skip and int-poll-skip.
 *
 * A reader hands out every record of a log once it has begun, so between two neighbours of one assignment epoch no
 * visible offset may be missing; an epoch that began at a known position counts as having read the offset before it.
 * Visible is what was owed to every view: proved, not of a failed send or of an aborted or unresolved transaction, not on a
 * compacted log (there compaction alone judges what is absent), not possibly below the log start at that poll, and not
 * proved lost by a complete scan (that fault has a name of its own). int-poll-skip is the same where one operation
 * returned both neighbours. Nothing permits it. Smallest history: offsets 0, 1 and 2 of t/0 acknowledged, one poll returns
 * 0, the next of the same assignment 2.
 *
 * An obligation is each pair of neighbours. A gap between them in which nothing visible is known is decided by a scan
 * that tiles over it, else open. It cannot see what was skipped before the first record of an epoch that began nobody
 * knows where, nor, without a complete scan, tell a record that was skipped from one that was lost before the reader came:
 * then it is a skip. Cost: n log n in records.
 */
import type { History, LogColumns } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { assignmentEpochs, type LogEpochs } from './facts/epochs.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfDelivery } from './facts/layer.ts';
import { indexOf, isAcknowledged } from './facts/precedence.ts';
import { recordsOf } from './facts/records.ts';
import { gapJudge, type Gap, type GapVerdict } from './facts/visibility.ts';
import { showEnd, showProcess, showRecord } from './facts/witness-text.ts';

export const pollSkipChecker: Checker = {
  name: 'poll-skip',
  anomalies: ['poll-skip', 'int-poll-skip'],
  check: (history, limits) => {
    const found = { inEpoch: collectFindings(limits), inOperation: collectFindings(limits) };
    const epochs = assignmentEpochs(history);
    for (const log of history.logs) judgeLog(history, log, epochs[log.id]!, found);
    return {
      'poll-skip': found.inEpoch.result(null),
      'int-poll-skip': found.inOperation.result(null),
    };
  },
};

interface Found {
  readonly inEpoch: Findings;
  readonly inOperation: Findings;
}

function judgeLog(
  history: History,
  log: LogColumns,
  { epochs, epochOf, previous }: LogEpochs,
  { inEpoch, inOperation }: Found,
): void {
  const { op, offset } = log.reads;
  const judge = gapJudge(history, log);
  for (let row = 0; row < log.reads.count; row++) {
    const before = previous[row]!;
    const after = before >= 0 ? offset[before]! : epochs[epochOf[row]!]!.readBefore;
    if (after === null) continue;
    const sameOperation = before >= 0 && op[before] === op[row];
    inEpoch.arose(1);
    if (sameOperation) inOperation.arose(1);
    if (offset[row]! <= after + 1) continue;
    const gap = { after, before: offset[row]!, op: op[row]! };
    const verdict = judge(gap);
    const at = indexOf(history, op[row]!);
    const build = (): Witness => witnessOf(history, log, before, row, gap, verdict);
    for (const findings of sameOperation ? [inEpoch, inOperation] : [inEpoch]) {
      if (verdict.skipped > 0) findings.found(at, verdict.skipped, build);
      else if (verdict.open !== null) findings.open(() => openReason(log, gap, verdict));
    }
  }
}

function openReason(log: LogColumns, { after, before }: Gap, { open }: GapVerdict): string {
  const where = `a reader of ${log.name} went from offset ${after} to ${before}`;
  return open === 'log start unknown'
    ? `${where}, and retention may have removed what was there; an audit of the log would decide it`
    : `${where}, and no scan covers the offsets between; a complete scan of the log would decide it`;
}

function witnessOf(
  history: History,
  log: LogColumns,
  before: number,
  row: number,
  gap: Gap,
  { skipped, placement }: GapVerdict,
): Witness {
  const { op, offset, value } = log.reads;
  const records = recordsOf(history)[log.id]!;
  const record = records.recordOf[placement]!;
  const writer = records.writerOp[record]!;
  const sight = records.sightOp[placement]!;
  const acknowledged = writer >= 0 && isAcknowledged(history, writer);
  // One proof that the record was there is enough.
  const proofOp = acknowledged || sight < 0 ? writer : sight;
  const readers = before < 0 ? [op[row]!] : [op[before]!, op[row]!];
  const missing = showRecord(history, log, records.offset[placement]!, records.value[record]!);
  const came =
    before < 0
      ? `began to read ${log.name} at offset ${gap.after + 1}`
      : `read ${showRecord(history, log, offset[before]!, value[before]!)}`;
  const proof =
    proofOp === sight
      ? `${showProcess(history, sight)} saw it ${showEnd(history, sight)}`
      : `it was acknowledged ${showEnd(history, writer)}`;
  return {
    operations: [...new Set([proofOp, ...readers].map((each) => indexOf(history, each)))].sort(
      (a, b) => a - b,
    ),
    log: log.name,
    offset: records.offset[placement]!,
    value: history.values[records.value[record]!]!,
    layer: layerOfDelivery(history, log, [records.offset[placement]!]),
    skipped,
    explanation:
      `Under one assignment ${showProcess(history, op[row]!)} ${came} and next ` +
      `${showRecord(history, log, offset[row]!, value[row]!)}, and never the ` +
      `${skipped === 1 ? 'record' : `${skipped} records`} between. ` +
      `${skipped === 1 ? 'That is' : 'The first of them is'} ${missing}: ${proof}, and no scan shows it lost.`,
  };
}
