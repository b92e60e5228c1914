/**
 * What was attempted after a moment, and what came of it: by log (sends), by group (group operations) and by
 * transactional id (init and transactions).
 */
import { opKinds, opStatus, type History, type LogColumns } from '../../src/history/columns.ts';
import type { RareOperation } from '../../src/history/columns.ts';
import { assignmentChanges, assignmentEpochs } from './epochs.ts';

export interface Subject {
  /** "orders/0", "group g", "transactional id t". */
  readonly name: string;
  readonly log: string | null;
  /** Operations invoked after the moment: how many, the first and the last. */
  readonly count: number;
  readonly attempts: { readonly first: number; readonly last: number };
  /** The first of them that was acknowledged, or null. */
  readonly acknowledged: number | null;
  /** Something that was acknowledged among them was returned by a read-committed reader or scan. */
  readonly read: boolean;
  /** The last operation that tried to read the subject (whatever came of it), or -1. */
  readonly lastReadAttempt: number;
}

/** Logs in order, then groups and ids in order of their first attempt. @param momentNs exclusive */
export function subjectsAfter(history: History, momentNs: number): readonly Subject[] {
  const marks = new Uint8Array(history.values.length);
  const pollAttempts = lastPollAttempts(history);
  const logs = history.logs.flatMap((log) => {
    const subject = logSubject(history, log, momentNs, marks, pollAttempts[log.id]!);
    return subject === null ? [] : [subject];
  });
  return [...logs, ...rareSubjects(history, momentNs)];
}

function logSubject(
  history: History,
  log: LogColumns,
  momentNs: number,
  marks: Uint8Array,
  lastPoll: number,
): Subject | null {
  const { sends } = log;
  const { ops } = history;
  const acknowledgedRows: number[] = [];
  let [count, first, last] = [0, -1, -1];
  let acknowledged: number | null = null;
  for (let row = 0; row < sends.count; row++) {
    const op = sends.op[row]!;
    if (sends.invNs[row]! <= momentNs) continue;
    count++;
    if (first < 0) first = op;
    last = op;
    if (ops.status[op] !== opStatus.ok) continue;
    acknowledged ??= op;
    acknowledgedRows.push(row);
  }
  if (count === 0 || log.partition === null) return null;
  for (const row of acknowledgedRows) marks[sends.value[row]!] = 1;
  const read = readsMarked(history, log, marks);
  for (const row of acknowledgedRows) marks[sends.value[row]!] = 0;
  const lastAudit = log.audits.at(-1)?.op ?? -1;
  return {
    name: log.name,
    log: log.name,
    count,
    attempts: { first, last },
    acknowledged,
    read,
    lastReadAttempt: Math.max(lastPoll, lastAudit),
  };
}

/** A read-committed reader or a committed scan returned one of the marked values. */
function readsMarked(history: History, log: LogColumns, marks: Uint8Array): boolean {
  const { reads, audited } = log;
  const { epochs, epochOf } = assignmentEpochs(history)[log.id]!;
  // What was acknowledged late is read late: from the end, the first hit comes soon.
  for (let row = reads.count - 1; row >= 0; row--) {
    if (marks[reads.value[row]!] === 0) continue;
    if (epochs[epochOf[row]!]!.isolation === 'read_committed') return true;
  }
  for (const { view, recordsFrom, recordsTo } of log.audits) {
    if (view !== 'committed') continue;
    for (let row = recordsFrom; row < recordsTo; row++) {
      if (marks[audited.value[row]!] === 1) return true;
    }
  }
  return false;
}

/** By log id: the last poll of a process that was assigned the log, or that had read it under no assignment. */
function lastPollAttempts(history: History): Int32Array {
  const { ops } = history;
  const last = new Int32Array(history.logs.length).fill(-1);
  const changesOf = assignmentChanges(history);
  const assigned = history.processes.map(() => new Set<number>());
  const next = new Int32Array(history.processes.length);
  const lastPoll = new Int32Array(history.processes.length).fill(-1);
  const settle = (process: number): void => {
    if (lastPoll[process]! < 0) return;
    for (const log of assigned[process]!) last[log] = Math.max(last[log]!, lastPoll[process]!);
    lastPoll[process] = -1;
  };
  const implicit = readersWithoutAssignment(history);
  for (const [process, logs] of implicit) for (const log of logs) assigned[process]!.add(log);
  ops.kind.forEach((kind, op) => {
    if (kind !== opKinds.poll && kind !== opKinds.txn) return;
    const process = ops.process[op]!;
    const changes = changesOf[process]!;
    for (; next[process]! < changes.length; next[process]!++) {
      const change = changes[next[process]!]!;
      if (change.index > ops.invokeIndex[op]!) break;
      if (!change.unassigns) continue;
      settle(process);
      if (change.closes === null) assigned[process]!.clear();
      else for (const log of change.closes) assigned[process]!.delete(log);
      for (const log of change.opens.keys()) assigned[process]!.add(log);
    }
    lastPoll[process] = op;
  });
  lastPoll.forEach((_, process) => {
    settle(process);
  });
  return last;
}

/** Process positions with no assign, subscribe or close, and the logs that they read. */
function readersWithoutAssignment(history: History): ReadonlyMap<number, ReadonlySet<number>> {
  const changesOf = assignmentChanges(history);
  const readers = new Map<number, Set<number>>();
  for (const { epochs, log } of assignmentEpochs(history).map((each, id) => ({
    epochs: each.epochs,
    log: id,
  }))) {
    for (const { process } of epochs) {
      if (changesOf[process]!.some(({ unassigns }) => unassigns)) continue;
      const logs = readers.get(process) ?? new Set<number>();
      logs.add(log);
      readers.set(process, logs);
    }
  }
  return readers;
}

interface Draft {
  readonly name: string;
  count: number;
  first: number;
  last: number;
  /** A commit or transaction was attempted, so that is what has to be acknowledged and read. */
  writes: boolean;
  acknowledgedWrite: number | null;
  acknowledgedOther: number | null;
  readAfterWrite: boolean;
  lastRead: number;
}

function rareSubjects(history: History, momentNs: number): readonly Subject[] {
  const drafts = new Map<string, Draft>();
  const unread = unreadTransactions(history);
  for (const operation of history.rare) {
    if (history.ops.invNs[operation.op]! <= momentNs) continue;
    const name = subjectName(operation);
    if (name === null) continue;
    const draft = drafts.get(name) ?? newDraft(name, operation.op);
    drafts.set(name, draft);
    note(history, draft, operation, unread);
  }
  return [...drafts.values()].map((draft) => ({
    name: draft.name,
    log: null,
    count: draft.count,
    attempts: { first: draft.first, last: draft.last },
    acknowledged: draft.writes ? draft.acknowledgedWrite : draft.acknowledgedOther,
    read: draft.writes ? draft.readAfterWrite : draft.acknowledgedOther !== null,
    lastReadAttempt: draft.lastRead,
  }));
}

function newDraft(name: string, op: number): Draft {
  return {
    name,
    count: 0,
    first: op,
    last: op,
    writes: false,
    acknowledgedWrite: null,
    acknowledgedOther: null,
    readAfterWrite: false,
    lastRead: -1,
  };
}

function note(history: History, draft: Draft, { f, op }: RareOperation, unread: Uint8Array): void {
  const ok = history.ops.status[op] === opStatus.ok;
  draft.count++;
  draft.last = op;
  if (f === 'commit' || f === 'txn') {
    draft.writes = true;
    if (!ok) return;
    draft.acknowledgedWrite ??= op;
    // A transaction is read where its records are; one without records has nothing else to read.
    if (f === 'txn' && unread[op] !== 1) draft.readAfterWrite = true;
    return;
  }
  if (f === 'committed') {
    draft.lastRead = op;
    if (ok && draft.acknowledgedWrite !== null) draft.readAfterWrite = true;
  }
  if (ok) draft.acknowledgedOther ??= op;
}

/** By operation: 1 for a transaction that sent something, none of which a read-committed reader or scan returned. */
function unreadTransactions(history: History): Uint8Array {
  const unread = new Uint8Array(history.ops.count);
  const seen = new Uint8Array(history.values.length);
  for (const log of history.logs) {
    const { epochs, epochOf } = assignmentEpochs(history)[log.id]!;
    seen.fill(0);
    log.reads.value.forEach((value, row) => {
      if (epochs[epochOf[row]!]!.isolation === 'read_committed') seen[value] = 1;
    });
    for (const { view, recordsFrom, recordsTo } of log.audits) {
      if (view !== 'committed') continue;
      for (let row = recordsFrom; row < recordsTo; row++) seen[log.audited.value[row]!] = 1;
    }
    for (let row = 0; row < log.sends.count; row++) {
      const op = log.sends.op[row]!;
      if (history.ops.kind[op] !== opKinds.txn) continue;
      // 2: one of its sends was read, whatever became of the others.
      if (seen[log.sends.value[row]!] === 1) unread[op] = 2;
      else if (unread[op] === 0) unread[op] = 1;
    }
  }
  return unread;
}

/** The group or the transactional id that an operation names. */
function subjectName({ f, invoked, completed }: RareOperation): string | null {
  switch (f) {
    case 'commit':
    case 'committed':
    case 'subscribe':
      return `group ${(invoked.value as { readonly group: string }).group}`;
    case 'init':
      return `transactional id ${(invoked.value as { readonly id: string }).id}`;
    case 'txn': {
      const id = invoked.txn?.id ?? completed?.txn?.id;
      return id === undefined ? null : `transactional id ${id}`;
    }
    default:
      return null;
  }
}
