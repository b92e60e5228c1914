/**
 * phantom.
 *
 * A log holds only what was sent to it. Found if a consumer or an audit saw a value that nobody ever sent, or saw it in a log
 * that its send did not name (a send that leaves the partition to the client names every partition of its topic). What an
 * uncertain or failed operation sent is no phantom. Smallest history: a poll returns 99 from t/0, and no send of 99 to t/0
 * or t was ever recorded.
 *
 * An obligation is each record seen, decided at once. Nothing permits it. Topics with external writers are exempt. The
 * count is of distinct values per log. It cannot see a phantom that nobody read. Cost: linear.
 */
import type { History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings } from './facts/findings.ts';
import { layerOfPresence } from './facts/layer.ts';
import { indexOf } from './facts/precedence.ts';
import { firstSightOp, recordsOf, type LogRecords } from './facts/records.ts';
import { isExternal } from './facts/topics.ts';
import { showEnd, showProcess, showRecord, showSend } from './facts/witness-text.ts';

export const phantomChecker: Checker = {
  name: 'phantom',
  anomalies: ['phantom'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) {
      if (isExternal(history, records.log)) continue;
      for (let record = 0; record < records.count; record++) {
        const seen = firstSightOp(history, records, record);
        if (seen < 0) continue;
        findings.arose(1);
        if (records.writerLog[record]! >= 0) continue;
        findings.found(indexOf(history, seen), 1, () => witnessOf(history, records, record));
      }
    }
    return { phantom: findings.result(null) };
  },
};

function witnessOf(history: History, records: LogRecords, record: number): Witness {
  const { log } = records;
  const seen = firstSightOp(history, records, record);
  const offset = offsetSeenBy(records, record, seen);
  const value = records.value[record]!;
  const elsewhere = sentElsewhere(history, value);
  const sent =
    elsewhere === null
      ? 'No send of that value was ever recorded, to any log, whatever its outcome'
      : `The only send of that value named another log: ${elsewhere.text}`;
  return {
    operations: [
      ...(elsewhere === null ? [] : [indexOf(history, elsewhere.op)]),
      indexOf(history, seen),
    ].toSorted((a, b) => a - b),
    log: log.name,
    offset,
    value: history.values[value]!,
    layer: layerOfPresence(history, log, offset),
    explanation:
      `${showProcess(history, seen)} saw ${showRecord(history, log, offset, value)} ` +
      `${showEnd(history, seen)}. ${sent}, so no uncertain operation can have put it there.`,
  };
}

/** A record may have been seen at several offsets: the one that the earliest operation saw. */
function offsetSeenBy(records: LogRecords, record: number, op: number): number {
  if (records.sightOp[record] === op) return records.offset[record]!;
  for (const placement of records.extras.get(record)?.values() ?? []) {
    if (records.sightOp[placement] === op) return records.offset[placement]!;
  }
  return records.offset[record]!;
}

function sentElsewhere(history: History, value: number) {
  for (const log of history.logs) {
    const send = history.findSend(log.id, value);
    if (send === null) continue;
    const writtenTo = history.logs[send.log]!;
    return { op: writtenTo.sends.op[send.row]!, text: showSend(history, writtenTo, send.row) };
  }
  return null;
}
