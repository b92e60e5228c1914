/**
 * aborted-read (G1a).
 *
 * What certainly failed is nowhere to be read. Found if a consumer's poll, or an audit of the committed view, saw a record of
 * a failed send or of an aborted transaction: one that failed, or an uncertain one whose abort marker the raw log holds.
 * Audits of uncommitted and raw views never count. Smallest history: the send of 17 fails; a poll returns 17.
 *
 * An obligation is each record of a failed send or of a transaction that anybody saw, an audit of any view too. It is open
 * while the transaction is unresolved: its marker in a raw scan, or a committed view that holds one of its records, would
 * decide it.
 * Permitted by isolation.level read_uncommitted of the reader, for transactions and sends alike. The count is of records. It
 * cannot see what a reader was shown and did not report. Cost: linear in records read and audited.
 */
import { opKinds, opStatus, type History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Layer, Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { indexOf } from './facts/precedence.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { rawAt } from './facts/scans.ts';
import { isExternal } from './facts/topics.ts';
import { committedReads, fates, transactionsOf } from './facts/transactions.ts';
import { showEnd, showProcess, showRecord, showSend } from './facts/witness-text.ts';

export const abortedReadChecker: Checker = {
  name: 'aborted-read',
  anomalies: ['aborted-read'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    let forbidden = false;
    for (const records of recordsOf(history)) {
      if (judge(history, records, findings)) forbidden = true;
    }
    const result = findings.result(forbidden ? null : 'isolation.level');
    const permittedBy = result.outcome === 'found' ? result.permittedBy : null;
    return { 'aborted-read': { ...result, permittedBy } };
  },
};

/** By record, what its sights came to; a sight under read_committed outweighs one that the reader had asked for. */
const marks = { none: 0, fine: 1, open: 2, permitted: 3, forbidden: 4 } as const;

/** Who saw it: with which isolation, or an audit of an uncommitted view, which is no reader. */
type Reader = 'committed' | 'uncommitted' | 'no reader';

/** What the sight of an aborted record comes to. */
const abortedMarks: Readonly<Record<Reader, number>> = {
  committed: marks.forbidden,
  uncommitted: marks.permitted,
  'no reader': marks.fine,
};

/** True if some reader of committed records alone saw an aborted one. */
function judge(history: History, records: LogRecords, findings: Findings): boolean {
  const mark = new Uint8Array(records.count);
  const seenBy = new Int32Array(records.count);
  const seenAt = new Float64Array(records.count);
  const look = (placement: number, op: number, offset: number, reader: Reader) => {
    const record = records.recordOf[placement]!;
    const judged = judgeSight(history, records, record, { op, reader });
    if (judged <= mark[record]!) return;
    mark[record] = judged;
    seenBy[record] = op;
    seenAt[record] = offset;
  };
  const { reads, audits, audited } = records.log;
  const committed = committedReads(history, records.log);
  for (let row = 0; row < reads.count; row++) {
    const op = reads.op[row]!;
    const reader = committed[row] === 1 ? 'committed' : 'uncommitted';
    look(records.readPlacement[row]!, op, reads.offset[row]!, reader);
  }
  for (const { view, op, recordsFrom, recordsTo } of audits) {
    const reader = view === 'committed' ? 'committed' : 'no reader';
    for (let row = recordsFrom; row < recordsTo; row++) {
      look(records.auditPlacement[row]!, op, audited.offset[row]!, reader);
    }
  }
  let forbidden = false;
  for (let record = 0; record < records.count; record++) {
    if (mark[record] === marks.none) continue;
    findings.arose(1);
    const seen = { record, op: seenBy[record]!, offset: seenAt[record]! };
    if (mark[record] === marks.open) findings.open(() => whyOpen(history, records, seen));
    if (mark[record]! < marks.permitted) continue;
    const permitted = mark[record] === marks.permitted;
    if (!permitted) forbidden = true;
    const at = indexOf(history, seen.op);
    findings.found(at, 1, () => witnessOf(history, records, { ...seen, permitted }));
  }
  return forbidden;
}

function judgeSight(
  history: History,
  records: LogRecords,
  record: number,
  { op, reader }: { readonly op: number; readonly reader: Reader },
): number {
  const { ops } = history;
  const writer = records.writerOp[record]!;
  if (writer < 0) return marks.none;
  // A transaction that reads its own send is precommitted-read.
  if (writer === op) return marks.none;
  const aborted = abortedMarks[reader];
  if (ops.kind[writer] !== opKinds.txn) {
    return ops.status[writer] === opStatus.fail ? aborted : marks.none;
  }
  const fate = transactionsOf(history).fate[writer]!;
  if (fate === fates.aborted) return aborted;
  return fate === fates.open ? marks.open : marks.fine;
}

interface Seen {
  readonly record: number;
  readonly op: number;
  readonly offset: number;
}

function whyOpen(history: History, records: LogRecords, { record, op, offset }: Seen): string {
  const what = showRecord(history, records.log, offset, records.value[record]!);
  return (
    `${showProcess(history, op)} saw ${what} of a transaction that is not resolved: its marker in a raw audit, ` +
    'or a committed view that holds one of its records, would decide it'
  );
}

function witnessOf(
  history: History,
  records: LogRecords,
  seen: Seen & { readonly permitted: boolean },
): Witness {
  const { log } = records;
  const { record, op, offset, permitted } = seen;
  const writer = records.writerOp[record]!;
  const value = records.value[record]!;
  const writtenTo = history.logs[records.writerLog[record]!]!;
  const resolvedBy = transactionsOf(history).witness.get(writer);
  const operations = [writer, ...(resolvedBy === undefined ? [] : [resolvedBy]), op];
  const why =
    resolvedBy === undefined
      ? 'What failed certainly did not take effect, so no uncertain outcome explains this.'
      : `The raw log holds its abort marker (${showEnd(history, resolvedBy)}).`;
  return {
    operations: [...new Set(operations.map((each) => indexOf(history, each)))].toSorted(
      (a, b) => a - b,
    ),
    log: log.name,
    offset,
    value: history.values[value]!,
    layer: layerOf(history, records, seen),
    explanation:
      `${showSend(history, writtenTo, records.writerRow[record]!)}. ${showProcess(history, op)} saw ` +
      `${showRecord(history, log, offset, value)} ${showEnd(history, op)}. ${why}` +
      (permitted ? ' isolation.level=read_uncommitted of that reader permits this.' : ''),
  };
}

/** The raw log without the record, or with its abort marker, is right, and the delivered view wrong. */
function layerOf(history: History, { log, ...records }: LogRecords, seen: Seen): Layer {
  if (isExternal(history, log)) return 'processor';
  const raw = rawAt(history, log.id, seen.offset);
  if (!raw.read) return 'unknown';
  if (raw.batch === null || raw.batch.control !== null) return 'client';
  const writer = records.writerOp[seen.record]!;
  const aborted = history.ops.kind[writer] === opKinds.txn && raw.batch.transactional;
  return aborted ? 'client' : 'broker';
}
