/**
 * corrupt-record.
 *
 * A log hands out what was sent. Found if a record was seen with another key, or another content hash, than it was sent with,
 * where both sides carry one: a history may leave out what its reader did not look at, and silence is no key. Timestamps
 * are never compared: the broker may set them. Smallest history: 17 is sent with key "a"; a poll returns 17 with key "b".
 *
 * An obligation is each record seen, decided at once. Nothing permits it. The count is of records. It cannot see a change of
 * content without a hash. Cost: linear in records read and audited.
 */
import type { History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfPresence } from './facts/layer.ts';
import { indexOf } from './facts/precedence.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { showEnd, showProcess, showRecord, showSend } from './facts/witness-text.ts';

export const corruptRecordChecker: Checker = {
  name: 'corrupt-record',
  anomalies: ['corrupt-record'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) judge(history, records, findings);
    return { 'corrupt-record': findings.result(null) };
  },
};

interface Seen {
  readonly record: number;
  readonly op: number;
  readonly offset: number;
  readonly meta: number;
}

function judge(history: History, records: LogRecords, findings: Findings): void {
  const judged = new Uint8Array(records.count);
  const look = (placement: number, op: number, offset: number, meta: number) => {
    const record = records.recordOf[placement]!;
    if (judged[record] === 0) findings.arose(1);
    judged[record]! |= 1;
    if (judged[record] === 3) return;
    if (difference(history, records, record, meta) === null) return;
    judged[record] = 3;
    findings.found(indexOf(history, op), 1, () =>
      witnessOf(history, records, { record, op, offset, meta }),
    );
  };
  const { reads, audited } = records.log;
  for (let row = 0; row < reads.count; row++) {
    look(records.readPlacement[row]!, reads.op[row]!, reads.offset[row]!, reads.meta[row]!);
  }
  for (let row = 0; row < audited.count; row++) {
    const op = records.auditOp[row]!;
    look(records.auditPlacement[row]!, op, audited.offset[row]!, audited.meta[row]!);
  }
}

/** What differs, in words, or null. */
function difference(
  history: History,
  records: LogRecords,
  record: number,
  meta: number,
): string | null {
  const writer = records.writerLog[record]!;
  if (writer < 0) return null;
  const sentMeta = history.logs[writer]!.sends.meta[records.writerRow[record]!]!;
  if (sentMeta === meta) return null;
  const sent = history.metas[sentMeta];
  const seen = history.metas[meta];
  const [sentKey, seenKey] = [sent?.key, seen?.key];
  if (sentKey !== undefined && seenKey !== undefined && sentKey !== seenKey) {
    return `key ${JSON.stringify(seenKey)} instead of ${JSON.stringify(sentKey)}`;
  }
  const [sentHash, seenHash] = [sent?.hash, seen?.hash];
  if (sentHash === undefined || seenHash === undefined || sentHash === seenHash) return null;
  return `content hash ${JSON.stringify(seenHash)} instead of ${JSON.stringify(sentHash)}`;
}

function witnessOf(history: History, records: LogRecords, seen: Seen): Witness {
  const { log } = records;
  const { record, op, offset, meta } = seen;
  const value = records.value[record]!;
  const row = records.writerRow[record]!;
  const writtenTo = history.logs[records.writerLog[record]!]!;
  return {
    operations: [indexOf(history, writtenTo.sends.op[row]!), indexOf(history, op)].toSorted(
      (a, b) => a - b,
    ),
    log: log.name,
    offset,
    value: history.values[value]!,
    layer: layerOfPresence(history, log, offset),
    explanation:
      `${showSend(history, writtenTo, row)}. ${showProcess(history, op)} saw ` +
      `${showRecord(history, log, offset, value)} ${showEnd(history, op)}, with ` +
      `${difference(history, records, record, meta)!}. A value is sent once, so whatever came of that ` +
      'send, no other send explains it.',
  };
}
