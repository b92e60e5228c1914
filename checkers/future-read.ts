/**
 * future-read.
 *
 * Nothing can be read before it was sent. Found if an operation that saw a record had returned before the send of that
 * record was invoked (or attempted, where the send was recorded in the middle of its operation). The clock's error is on the
 * reader's side; operations of one process are ordered whatever it is. Smallest history: a poll returns 17 at 5 ms, and 17 is
 * first sent at 7 ms.
 *
 * An obligation is each record seen, decided at once. Nothing permits it. The count is of records. It cannot see a read
 * that overlaps the send. Cost: linear in records read and audited.
 */
import type { History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfPresence } from './facts/layer.ts';
import { indexOf, precedesEvent } from './facts/precedence.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { showEnd, showProcess, showRecord, showTime } from './facts/witness-text.ts';

export const futureReadChecker: Checker = {
  name: 'future-read',
  anomalies: ['future-read'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) judge(history, records, findings);
    return { 'future-read': findings.result(null) };
  },
};

/** By record: one obligation and one finding each, however often it was seen. */
const states = { unseen: 0, judged: 1, found: 2 } as const;

function judge(history: History, records: LogRecords, findings: Findings): void {
  const state = new Uint8Array(records.count);
  const look = (placement: number, op: number, offset: number) => {
    const record = records.recordOf[placement]!;
    if (state[record] === states.unseen) findings.arose(1);
    else if (state[record] === states.found) return;
    state[record] = isBeforeSend(history, records, record, op) ? states.found : states.judged;
    if (state[record] !== states.found) return;
    findings.found(indexOf(history, op), 1, () =>
      witnessOf(history, records, { record, op, offset }),
    );
  };
  const { reads, audited } = records.log;
  for (let row = 0; row < reads.count; row++) {
    look(records.readPlacement[row]!, reads.op[row]!, reads.offset[row]!);
  }
  for (let row = 0; row < audited.count; row++) {
    look(records.auditPlacement[row]!, records.auditOp[row]!, audited.offset[row]!);
  }
}

function isBeforeSend(history: History, records: LogRecords, record: number, op: number): boolean {
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

function witnessOf(
  history: History,
  records: LogRecords,
  { record, op, offset }: { readonly record: number; readonly op: number; readonly offset: number },
): Witness {
  const { log } = records;
  const row = records.writerRow[record]!;
  const { sends } = history.logs[records.writerLog[record]!]!;
  const send = sends.op[row]!;
  const value = records.value[record]!;
  return {
    operations: [indexOf(history, op), indexOf(history, send)].toSorted((a, b) => a - b),
    log: log.name,
    offset,
    value: history.values[value]!,
    layer: layerOfPresence(history, log, offset),
    explanation:
      `${showProcess(history, op)} had seen ${showRecord(history, log, offset, value)} ` +
      `${showEnd(history, op)}; ${showProcess(history, send)} first sent it only at ` +
      `${showTime(sends.invNs[row]!)} (event ${sends.recordedIndex[row]!}). Whatever came of that send, ` +
      'nothing can be read before it was sent.',
  };
}
