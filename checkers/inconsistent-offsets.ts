/**
 * inconsistent-offsets.
 *
 * An offset of a log holds one record, for ever. Found if one offset has two proved values: acknowledged there, or seen
 * there by a consumer or an audit. What the completion of an uncertain send says of its offset counts only once its value
 * was seen. Smallest history: 17 and 18 are both acknowledged at offset 5 of t/0: one leader forgot what the other had.
 *
 * An obligation is each proved record; a complete scan of its log invoked after it was proved decides it. Permitted by acks
 * other than all, unclean.leader.election.enable, min.insync.replicas 1. The count is of offsets in conflict. It cannot see a
 * conflict with a value that only its sender knows. Cost: linear in sends, reads and audited records.
 */
import { opStatus, type History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { noteObligations } from './facts/coverage-of-records.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfAbsence } from './facts/layer.ts';
import { lossOf } from './facts/loss.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf } from './facts/precedence.ts';
import { proofsOf } from './facts/proved.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { showEnd, showProcess, showSend, showValueOf } from './facts/witness-text.ts';

export const inconsistentOffsetsChecker: Checker = {
  name: 'inconsistent-offsets',
  anomalies: ['inconsistent-offsets'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) {
      noteObligations(
        history,
        records,
        findings,
        'what else its offset may hold only such an audit can tell',
      );
      findConflicts(history, records, findings);
    }
    const permitted = permittedBy(history, 'inconsistent-offsets');
    return { 'inconsistent-offsets': findings.result(permitted) };
  },
};

/** Offsets taken twice: the first placement of each keeps it, whatever differs is a conflict. */
function findConflicts(history: History, records: LogRecords, findings: Findings): void {
  const owner = new Map<number, number>();
  const conflicting = new Set<number>();
  // Most logs have no conflict: a table of offsets is enough to see that.
  const table = denseTable(records);
  for (let placement = 0; placement < records.placements; placement++) {
    const offset = records.offset[placement]!;
    if (offset < 0) continue;
    const first = table === null ? (owner.get(offset) ?? -1) : table[offset]! - 1;
    if (first < 0) {
      if (table === null) owner.set(offset, placement);
      else table[offset] = placement + 1;
      continue;
    }
    if (conflicting.has(offset)) continue;
    conflicting.add(offset);
    const [a, b] = [proverOf(history, records, first), proverOf(history, records, placement)];
    const at = Math.max(indexOf(history, a), indexOf(history, b));
    findings.found(at, 1, () => witnessOf(history, records, [first, placement]));
  }
}

/** A cell per offset, holding placement + 1, unless offsets are so sparse that it would waste memory. */
function denseTable(records: LogRecords): Int32Array | null {
  let highest = 0;
  for (let placement = 0; placement < records.placements; placement++) {
    highest = Math.max(highest, records.offset[placement]!);
  }
  return highest < records.placements * 8 + 1024 ? new Int32Array(highest + 1) : null;
}

/** The operation that shows that the record stands there: its own acknowledged send, else who saw it first. */
function proverOf(history: History, records: LogRecords, placement: number): number {
  const record = records.recordOf[placement]!;
  const writer = records.writerOp[record]!;
  const answered = records.answered[placement] === 1;
  if (answered && history.ops.status[writer] === opStatus.ok) return writer;
  const seen = records.sightOp[placement]!;
  if (seen >= 0) return seen;
  const { sight, answer } = proofsOf(history, records.log.id);
  return sight[record]! >= 0 ? sight[record]! : answer[record]!;
}

function witnessOf(
  history: History,
  records: LogRecords,
  placements: readonly [number, number],
): Witness {
  const { log } = records;
  const { gone, contradicted } = lossOf(history)[log.id]!;
  const [first, second] = placements;
  const missing = gone[second] !== 0 || contradicted[second] === 1 ? second : first;
  const record = records.recordOf[missing]!;
  const provers = placements.flatMap((placement) => proversOf(history, records, placement));
  const operations = [...new Set(provers.map((op) => indexOf(history, op)))];
  const offset = records.offset[first]!;
  const texts = placements.map((placement) => placementText(history, records, placement));
  return {
    operations: operations.toSorted((a, b) => a - b),
    log: log.name,
    offset,
    values: placements.map((p) => history.values[records.value[records.recordOf[p]!]!]!),
    layer: layerOfAbsence(history, log, {
      send: records.writerLog[record] === log.id ? records.writerRow[record]! : -1,
      value: records.value[record]!,
      offset,
    }),
    explanation:
      `Offset ${offset} of ${log.name} has two values. ${texts.join('; ')}. ` +
      'Both are proved, so no uncertain outcome explains it: one of them was replaced or never written there.' +
      permissionText(history, 'inconsistent-offsets'),
  };
}

/** An uncertain send whose answer named the offset needs its send and the sight that proves it. */
function proversOf(history: History, records: LogRecords, placement: number): readonly number[] {
  const record = records.recordOf[placement]!;
  const prover = proverOf(history, records, placement);
  const needsAnswer = records.sightOp[placement]! < 0 && records.writerOp[record] !== prover;
  return needsAnswer ? [records.writerOp[record]!, prover] : [prover];
}

function placementText(history: History, records: LogRecords, placement: number): string {
  const record = records.recordOf[placement]!;
  const prover = proverOf(history, records, placement);
  if (prover === records.writerOp[record]) {
    const log = history.logs[records.writerLog[record]!]!;
    return showSend(history, log, records.writerRow[record]!);
  }
  const value = showValueOf(history, records.value[record]!);
  return `${showProcess(history, prover)} saw ${value} there ${showEnd(history, prover)}`;
}
