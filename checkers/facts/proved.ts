/**
 * Which records are proved, and to which views they are owed. Proved: acknowledged, or seen by a consumer or an audit,
 * whatever became of the poll's own operation. An uncertain send counts only once it was seen; a transaction that is resolved
 * as committed proves all of its sends.
 */
import { Memo } from '../../src/core/memo.ts';
import { opStatus, type History } from '../../src/history/columns.ts';
import { precedes } from './precedence.ts';
import { firstSightOp, recordsOf, type LogRecords } from './records.ts';
import { fates, transactionsOf } from './transactions.ts';

export const standings = {
  /** Nobody knows whether it was ever written. */
  unproved: 0,
  /** Proved, and plain or of a committed transaction: owed to every view. */
  owed: 1,
  /** Proved, of a transaction whose end is unknown: owed to uncommitted views alone. */
  uncommitted: 2,
  /** Proved, of an aborted transaction: owed to nobody. */
  aborted: 3,
} as const;

/** By log id and record: one of `standings`. */
export type Standings = readonly Uint8Array[];

const knownStandings = new Memo<History, Standings>();
const knownProofs = new Memo<History, readonly Proofs[]>();

/** Linear; computed once per history. */
export function standingsOf(history: History): Standings {
  return knownStandings.of(history, () =>
    recordsOf(history).map((records) => standingsOfLog(history, records)),
  );
}

/** By record: the operations at whose end it was proved; -1 where there is none. */
export interface Proofs {
  /** Its acknowledged send, or what resolved its transaction. */
  readonly answer: Int32Array;
  /** What saw it first; for records of committed transactions nothing, as a sight may be older than the commit. */
  readonly sight: Int32Array;
}

/** By log id. Linear; computed once per history. */
export function proofsOf(history: History, log: number): Proofs {
  const proofs = knownProofs.of(history, () =>
    recordsOf(history).map((records) => proofsOfLog(history, records)),
  );
  return proofs[log]!;
}

/** The record was proved before operation `op` was invoked. */
export function provedBefore(
  history: History,
  { answer, sight }: Proofs,
  record: number,
  op: number,
): boolean {
  return (
    (answer[record]! >= 0 && precedes(history, answer[record]!, op)) ||
    (sight[record]! >= 0 && precedes(history, sight[record]!, op))
  );
}

/**
 * The operation at whose end the answer to the send proves the placement: the send itself, or, if that is uncertain, the
 * first sight of its value anywhere. -1 where the answer did not give this offset.
 */
export function answerProof(
  history: History,
  records: LogRecords,
  { answer, sight }: Proofs,
  placement: number,
): number {
  const record = records.recordOf[placement]!;
  const told = records.answered[placement] === 1 || isOnlyPlace(history, records, record);
  if (!told) return -1;
  return answer[record]! >= 0 ? answer[record]! : sight[record]!;
}

/** Somebody had seen the record at this placement before operation `op` was invoked. */
export function seenBefore(
  history: History,
  records: LogRecords,
  placement: number,
  op: number,
): boolean {
  const seen = records.sightOp[placement]!;
  return seen >= 0 && precedes(history, seen, op);
}

/** An acknowledged send whose answer gave no offset, seen at one place alone, stood there when it was acknowledged. */
export function isOnlyPlace(history: History, records: LogRecords, record: number): boolean {
  const writer = records.writerLog[record]!;
  if (writer < 0 || records.answered[record] === 1) return false;
  if (records.extras.size > 0 && records.extras.has(record)) return false;
  if (writer === records.log.id) return true;
  const unplaced = recordsOf(history)[writer]!;
  return unplaced.log.partition === null && unplaced.located[records.writerRow[record]!] === 1;
}

function proofsOfLog(history: History, records: LogRecords): Proofs {
  const { fate, witness } = transactionsOf(history);
  const answer = new Int32Array(records.count).fill(-1);
  const sight = new Int32Array(records.count).fill(-1);
  for (let record = 0; record < records.count; record++) {
    const writer = records.writerOp[record]!;
    const committed = writer >= 0 && fate[writer] === fates.committed;
    if (writer >= 0 && history.ops.status[writer] === opStatus.ok) answer[record] = writer;
    else if (committed) answer[record] = witness.get(writer) ?? -1;
    if (!committed) sight[record] = firstSightOp(history, records, record);
  }
  return { answer, sight };
}

/**
 * True where the send of this record is judged in another log: sends whose partition the client chose stand in the
 * log that their answer named, or, if it named none, in those where they were seen.
 */
export function isJudgedElsewhere(history: History, records: LogRecords, record: number): boolean {
  const { log } = records;
  if (log.partition === null) return records.located[record] !== 0;
  const writer = records.writerLog[record]!;
  return writer >= 0 && writer !== log.id && history.logs[writer]!.partition !== null;
}

function standingsOfLog(history: History, records: LogRecords): Uint8Array {
  const { fate } = transactionsOf(history);
  const { status } = history.ops;
  const found = new Uint8Array(records.count);
  for (let record = 0; record < records.count; record++) {
    const writer = records.writerOp[record]!;
    const seen = firstSightOp(history, records, record) >= 0;
    const ending = writer < 0 ? fates.plain : fate[writer]!;
    if (ending === fates.committed) found[record] = standings.owed;
    else if (ending === fates.plain) {
      const acknowledged = writer >= 0 && status[writer] === opStatus.ok;
      if (seen || acknowledged) found[record] = standings.owed;
    } else if (seen) {
      found[record] = ending === fates.open ? standings.uncommitted : standings.aborted;
    }
  }
  return found;
}
