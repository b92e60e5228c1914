/** The elements of a log's real-time order: appends that stand, and measurements of its end. Columns, one row each. */
import { opStatus, type History } from '../../src/history/columns.ts';
import { Floats, Ints } from '../../src/history/growable.ts';
import { lossOf } from './loss.ts';
import { acksAll } from './permission.ts';
import { clockErrorNs } from './precedence.ts';
import { isOnlyPlace, proofsOf, standings, standingsOf, type Proofs } from './proved.ts';
import type { LogRecords } from './records.ts';

export interface Elements {
  readonly count: number;
  /** Offset + 1/2 for appends, the end for measurements. */
  readonly key: Float64Array;
  /** The offset, or the end. */
  readonly offset: Float64Array;
  readonly op: Int32Array;
  /** The append's placement, or -1: a measurement. */
  readonly placement: Int32Array;
  /** Position of the process that invoked it. */
  readonly process: Int32Array;
  readonly invNs: Float64Array;
  /** When it had certainly happened; never before invNs. */
  readonly retNs: Float64Array;
  /** Indexes of the events: its invocation (or attempt), and its own completion, -1 where that proves nothing. */
  readonly begunIndex: Float64Array;
  readonly doneIndex: Float64Array;
  /** Calls back with every operation that saw the append there; only where clocks err, else the earliest is enough. */
  eachSight(element: number, visit: (op: number) => void): void;
}

/** Linear in the placements and audits of the log. */
export function elementsOf(history: History, records: LogRecords): Elements {
  const rows = {
    key: new Floats(),
    offset: new Floats(),
    op: new Ints(),
    placement: new Ints(),
    process: new Ints(),
    invNs: new Floats(),
    retNs: new Floats(),
    begunIndex: new Floats(),
    doneIndex: new Floats(),
  };
  addAppends(history, records, rows);
  if (acksAll(history)) addMeasurements(history, records, rows);
  const sights = clockErrorNs(history) > 0 ? sightsByPlacement(records) : null;
  const placement = rows.placement.view();
  return {
    count: rows.key.count,
    key: rows.key.view(),
    offset: rows.offset.view(),
    op: rows.op.view(),
    placement,
    process: rows.process.view(),
    invNs: rows.invNs.view(),
    retNs: rows.retNs.view(),
    begunIndex: rows.begunIndex.view(),
    doneIndex: rows.doneIndex.view(),
    eachSight: (element, visit) => {
      if (sights !== null && placement[element]! >= 0) sights(placement[element]!, visit);
    },
  };
}

interface Rows {
  readonly key: Floats;
  readonly offset: Floats;
  readonly op: Ints;
  readonly placement: Ints;
  readonly process: Ints;
  readonly invNs: Floats;
  readonly retNs: Floats;
  readonly begunIndex: Floats;
  readonly doneIndex: Floats;
}

function addAppends(history: History, records: LogRecords, rows: Rows): void {
  const { ops } = history;
  const { id } = records.log;
  const { gone, contradicted } = lossOf(history)[id]!;
  const standing = standingsOf(history)[id]!;
  const proofs = proofsOf(history, id);
  for (let placement = 0; placement < records.placements; placement++) {
    const record = records.recordOf[placement]!;
    const op = records.writerOp[record]!;
    if (records.offset[placement]! < 0 || op < 0 || ops.status[op] === opStatus.fail) continue;
    if (standing[record] === standings.unproved) continue;
    if (gone[placement] !== 0) continue;
    if (contradicted[placement] === 1 && ops.status[op] === opStatus.ok) continue;
    const { sends } = history.logs[records.writerLog[record]!]!;
    const row = records.writerRow[record]!;
    const invNs = sends.invNs[row]!;
    const byAnswer =
      ops.status[op] === opStatus.ok &&
      (records.answered[placement] === 1 || isOnlyPlace(history, records, record));
    rows.key.push(records.offset[placement]! + 0.5);
    rows.offset.push(records.offset[placement]!);
    rows.op.push(op);
    rows.placement.push(placement);
    rows.process.push(ops.process[op]!);
    rows.invNs.push(invNs);
    const happened = happenedNs(history, records, { placement, byAnswer, proofs });
    rows.retNs.push(Math.max(invNs, happened));
    rows.begunIndex.push(sends.recordedIndex[row]!);
    // What was seen before it was sent counts as done when it was sent: the rest of it is future-read.
    const own = byAnswer ? ops.completeIndex[op]! : -1;
    rows.doneIndex.push(happened < invNs ? sends.recordedIndex[row]! : own);
  }
}

/** The earliest time at which the append had certainly happened. */
function happenedNs(
  { ops }: History,
  records: LogRecords,
  at: { readonly placement: number; readonly byAnswer: boolean; readonly proofs: Proofs },
): number {
  const { placement, byAnswer, proofs } = at;
  const record = records.recordOf[placement]!;
  const seen = records.sightOp[placement]!;
  const seenNs = seen < 0 ? Infinity : ops.endNs[seen]!;
  if (byAnswer) return Math.min(seenNs, ops.endNs[records.writerOp[record]!]!);
  // The answer of an uncertain send counts from the sight that proves its value.
  const proved = records.answered[placement] === 1 ? proofs.sight[record]! : -1;
  return proved < 0 ? seenNs : Math.min(seenNs, ops.endNs[proved]!);
}

function addMeasurements(history: History, { log }: LogRecords, rows: Rows): void {
  const { ops } = history;
  for (const chunk of log.audits) {
    if (!chunk.linearizable) continue;
    rows.key.push(chunk.end);
    rows.offset.push(chunk.end);
    rows.op.push(chunk.op);
    rows.placement.push(-1);
    rows.process.push(ops.process[chunk.op]!);
    rows.invNs.push(ops.invNs[chunk.op]!);
    rows.retNs.push(ops.endNs[chunk.op]!);
    rows.begunIndex.push(ops.invokeIndex[chunk.op]!);
    rows.doneIndex.push(ops.completeIndex[chunk.op]!);
  }
}

/** Sights of every placement, as linked lists over the rows of reads and audits. */
function sightsByPlacement(records: LogRecords) {
  const { log, readPlacement, auditPlacement, auditOp } = records;
  const head = new Int32Array(records.placements).fill(-1);
  const next = new Int32Array(log.reads.count + log.audited.count);
  for (let row = 0; row < next.length; row++) {
    const placement =
      row < log.reads.count ? readPlacement[row]! : auditPlacement[row - log.reads.count]!;
    next[row] = head[placement]!;
    head[placement] = row;
  }
  return (placement: number, visit: (op: number) => void) => {
    for (let row = head[placement]!; row >= 0; row = next[row]!) {
      const op = row < log.reads.count ? log.reads.op[row]! : auditOp[row - log.reads.count]!;
      if (op >= 0) visit(op);
    }
  };
}
