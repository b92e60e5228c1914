/**
 * key-processed-out-of-order.
 *
 * Within a consumer group the records of one key of a log are processed in the order of their offsets: that is what keys are
 * for. A record is processed by the poll that returned it, once its reader has committed beyond it, or by the transaction that
 * committed the group's offsets beyond it. Found if a record at o was processed in an operation that was invoked after
 * the processing of a record of the same key at o' > o had returned. A record that was processed again counts by the earliest
 * operation that may have processed it (by an uncertain commit, too), so a mere repetition is no finding. Nothing permits
 * it. Smallest history: process 1 of group g polls offset 1 of t/0 and commits 2; then process 2 polls offset 0, both of key k, and
 * commits 1.
 *
 * An obligation is each record whose processing is proved and that has one of its key, proved processed, at a higher offset.
 * Always decided. The count is of records that came too late. It cannot see work that a reader did before it committed and
 * did not repeat, nor records whose key nobody told. Cost: n log n in the records that groups read.
 */
import { opKinds, opStatus, type History, type LogColumns } from '../src/history/columns.ts';
import type { Scalar } from '../src/history/event.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { assignmentChanges } from './facts/epochs.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { groupMembers } from './facts/group-members.ts';
import { committedPairs, groupCommits, type GroupCommit } from './facts/group-offsets.ts';
import { indexOf, precedes } from './facts/precedence.ts';
import { recordsOf } from './facts/records.ts';
import { lowestWhere } from './facts/search.ts';
import { showEnd, showProcess, showTime, showValueOf } from './facts/witness-text.ts';

export const keyProcessingChecker: Checker = {
  name: 'key-processing',
  anomalies: ['key-processed-out-of-order'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const [group, name] of committedPairs(history)) {
      const id = history.logByName.get(name);
      if (id === undefined) continue;
      const log = history.logs[id]!;
      for (const records of byKey(processedRecords(history, log, group))) {
        judge(history, log, group, records, findings);
      }
    }
    return { 'key-processed-out-of-order': findings.result(null) };
  },
};

/** A record of a log and the operations that processed it for one group. */
interface Processed {
  readonly offset: number;
  /** Value id. */
  readonly value: number;
  readonly key: Scalar;
  /** Of all operations that may have processed it, the one invoked first. */
  begun: number;
  /** Of those that surely did, the one that returned first, and the commit that proves it; -1: none. */
  ended: number;
  proof: number;
}

/** By offset: what members of the group read, and committed beyond or may have. */
function processedRecords(
  history: History,
  log: LogColumns,
  group: string,
): ReadonlyMap<number, Processed> {
  const { reads } = log;
  const { ops } = history;
  const processed = new Map<number, Processed>();
  const commits = commitsBySession(history, group, log.name);
  const members = groupMembers(history);
  const keyOf = keyReader(history, log);
  for (let row = 0; row < reads.count; row++) {
    const op = reads.op[row]!;
    const own = commits.get(ops.session[op]!);
    const key = keyOf(row);
    if (own === undefined || key === undefined) continue;
    const subscription = members.subscriptionAt(ops.process[op]!, ops.completeIndex[op]!);
    if (subscription?.group !== group) continue;
    const record = entry(processed, reads.offset[row]!, reads.value[row]!, key);
    if (record !== null) noteProcessing(history, log, record, op, own);
  }
  return processed;
}

/** By session: the group's commits for the log, in order of invocation. */
function commitsBySession(
  history: History,
  group: string,
  log: string,
): ReadonlyMap<number, readonly GroupCommit[]> {
  const bySession = new Map<number, GroupCommit[]>();
  for (const commit of groupCommits(history, group, log)) {
    const session = history.ops.session[commit.op]!;
    const list = bySession.get(session);
    if (list === undefined) bySession.set(session, [commit]);
    else list.push(commit);
  }
  return bySession;
}

/** Of a row of reads: its key as the reader told it, else as its writer did. */
function keyReader(history: History, log: LogColumns): (row: number) => Scalar | undefined {
  const records = recordsOf(history)[log.id]!;
  return (row) => {
    const told = history.metas[log.reads.meta[row]!]?.key;
    if (told !== undefined) return told;
    const record = records.recordOf[records.readPlacement[row]!]!;
    const writer = records.writerLog[record]!;
    if (writer < 0) return undefined;
    return history.metas[history.logs[writer]!.sends.meta[records.writerRow[record]!]!]?.key;
  };
}

function entry(
  processed: Map<number, Processed>,
  offset: number,
  value: number,
  key: Scalar,
): Processed | null {
  const known = processed.get(offset);
  // Two values at one offset are inconsistent-offsets: what was processed there is not one record.
  if (known !== undefined) return known.value === value ? known : null;
  const record = { offset, value, key, begun: -1, ended: -1, proof: -1 };
  processed.set(offset, record);
  return record;
}

/**
 * Poll (or transaction) `op` returned the record; `commits` are those of its session. The first commit beyond the record tells
 * who processed it; an uncertain one only may.
 */
function noteProcessing(
  history: History,
  log: LogColumns,
  record: Processed,
  op: number,
  commits: readonly GroupCommit[],
): void {
  const { ops } = history;
  const from = lowestWhere(commits.length, (at) => commits[at]!.op >= op);
  const until = endOfAssignment(history, log, op);
  let inTransaction = false;
  for (let at = from; at < commits.length; at++) {
    const commit = commits[at]!;
    if (commit.next <= record.offset) continue;
    const transactional = ops.kind[commit.op] === opKinds.txn;
    const worker = transactional ? commit.op : op;
    if (record.begun < 0 || ops.invNs[worker]! < ops.invNs[record.begun]!) record.begun = worker;
    const proved =
      ops.status[commit.op] === opStatus.ok &&
      (commit.op === op || ops.invokeIndex[commit.op]! > ops.completeIndex[op]!) &&
      ops.invokeIndex[commit.op]! < until &&
      !(transactional && inTransaction);
    inTransaction ||= transactional;
    if (!proved) continue;
    if (record.ended < 0 || ops.endNs[worker]! < ops.endNs[record.ended]!) {
      record.ended = worker;
      record.proof = commit.op;
    }
    return;
  }
}

/** Index of the event by which the reader had given up the log that it had when `op` ended; Infinity: it never did. */
function endOfAssignment(history: History, log: LogColumns, op: number): number {
  const changes = assignmentChanges(history)[history.ops.process[op]!]!;
  const ended = history.ops.completeIndex[op]!;
  for (
    let at = lowestWhere(changes.length, (i) => changes[i]!.index > ended);
    at < changes.length;
    at++
  ) {
    const { unassigns, closes, opens, index } = changes[at]!;
    if (unassigns && (closes === null || closes.has(log.id) || opens.has(log.id))) return index;
  }
  return Infinity;
}

/** Lists of records of one key, highest offset first. */
function byKey(processed: ReadonlyMap<number, Processed>): Iterable<readonly Processed[]> {
  const keys = new Map<Scalar, Processed[]>();
  for (const record of processed.values()) {
    if (record.proof < 0) continue;
    const list = keys.get(record.key);
    if (list === undefined) keys.set(record.key, [record]);
    else list.push(record);
  }
  for (const list of keys.values()) list.sort((a, b) => b.offset - a.offset);
  return keys.values();
}

function judge(
  history: History,
  log: LogColumns,
  group: string,
  records: readonly Processed[],
  findings: Findings,
): void {
  let soonest: Processed | null = null;
  for (const record of records) {
    if (soonest !== null) {
      findings.arose(1);
      const later = soonest;
      if (precedes(history, later.ended, record.begun)) {
        const at = Math.max(indexOf(history, record.ended), indexOf(history, record.proof));
        findings.found(at, 1, () => witnessOf(history, log, group, record, later));
      }
    }
    const { endNs } = history.ops;
    if (soonest === null || endNs[record.ended]! < endNs[soonest.ended]!) soonest = record;
  }
}

function witnessOf(
  history: History,
  log: LogColumns,
  group: string,
  late: Processed,
  soon: Processed,
): Witness {
  const operations = [late, soon].flatMap(({ begun, ended, proof }) => [begun, ended, proof]);
  const tell = ({ ended, proof, offset, value }: Processed): string =>
    `${showProcess(history, ended)} processed ${showValueOf(history, value)} at offset ${offset} in an operation that ended ` +
    `${showEnd(history, ended)}${proof === ended ? '' : `, and committed beyond it ${showEnd(history, proof)}`}`;
  return {
    operations: [...new Set(operations.map((op) => indexOf(history, op)))].sort((a, b) => a - b),
    log: log.name,
    offset: late.offset,
    value: history.values[late.value]!,
    key: late.key,
    layer: 'unknown',
    explanation:
      `Two records of key ${JSON.stringify(late.key)} of ${log.name} were processed by group ${group} against their order: ` +
      `${tell(soon)}. Only after that, at ${showTime(history.ops.invNs[late.begun]!)}, was the first operation invoked that may ` +
      `have processed the one before it: ${tell(late)}.`,
  };
}
