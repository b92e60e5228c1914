/**
 * precommitted-read.
 *
 * What a transaction wrote is not committed while it goes on, so no reader of committed records may be shown it, the
 * transaction's own poll neither. Found if a poll in a transaction, under read_committed, returned a record that the same
 * transaction sent. A poll under read_uncommitted may see it. Nothing else permits it. Smallest history: a transaction sends 17 to t/0, polls
 * t/0 under read_committed, and is given 17.
 *
 * An obligation is each transaction that sent something and was given records under read_committed, however it ended; decided at once.
 * The count is of transactions. It cannot see a poll beside the transaction (that is aborted-read, if it aborts). Cost: linear in records
 * read.
 */
import { opKinds, type History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings } from './facts/findings.ts';
import { indexOf } from './facts/precedence.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { committedReads } from './facts/transactions.ts';
import { showEnd, showProcess, showRecord } from './facts/witness-text.ts';

export const precommittedReadChecker: Checker = {
  name: 'precommitted-read',
  anomalies: ['precommitted-read'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const sending = sendingTransactions(history);
    // By transaction: it read under read_committed; 2: what it had sent itself.
    const read = new Uint8Array(history.ops.count);
    for (const records of recordsOf(history)) {
      const { reads } = records.log;
      const committed = committedReads(history, records.log);
      for (let row = 0; row < reads.count; row++) {
        const op = reads.op[row]!;
        if (sending[op] === 0 || committed[row] === 0) continue;
        if (read[op] === 0) findings.arose(1);
        read[op] ||= 1;
        const record = records.recordOf[records.readPlacement[row]!]!;
        if (records.writerOp[record] !== op || read[op] === 2) continue;
        read[op] = 2;
        const seen = { op, record, offset: reads.offset[row]! };
        findings.found(indexOf(history, op), 1, () => witnessOf(history, records, seen));
      }
    }
    return { 'precommitted-read': findings.result(null) };
  },
};

function sendingTransactions(history: History): Uint8Array {
  const { kind, count } = history.ops;
  const sending = new Uint8Array(count);
  for (const { sends } of history.logs) {
    for (const op of sends.op) if (kind[op] === opKinds.txn) sending[op] = 1;
  }
  return sending;
}

function witnessOf(
  history: History,
  { log, value }: LogRecords,
  { op, record, offset }: { readonly op: number; readonly record: number; readonly offset: number },
): Witness {
  return {
    operations: [indexOf(history, op)],
    log: log.name,
    offset,
    value: history.values[value[record]!]!,
    layer: 'unknown',
    explanation:
      `The transaction of ${showProcess(history, op)} that ended ${showEnd(history, op)} sent ` +
      `${showRecord(history, log, offset, value[record]!)}, and its own poll, under read_committed, was given it before the ` +
      'transaction could be committed.',
  };
}
