/**
 * Assignment epochs: which records a reader had to deliver in order and without a gap. An epoch belongs to one process and
 * one log. Assign, subscribe and a rebalance that assigns the log open one; revoke, lost, close and any operation of the
 * process that is not ok end it. Records of a log without an open epoch start one at an unknown position, and so do
 * those of an operation that is not ok, or during which the assignment of the log changed: those stay apart, for
 * nobody knows on which side of the change they were read.
 */
import { Memo } from '../../src/core/memo.ts';
import {
  opKinds,
  opStatus,
  type History,
  type LogColumns,
  type RareOperation,
} from '../../src/history/columns.ts';
import type { HistoryEvent, IsolationLevel } from '../../src/history/event.ts';

import { indexOf } from './precedence.ts';
export interface Epoch {
  /** Position in `history.processes`. */
  readonly process: number;
  /** Index of the event that opened it; of the first read's completion where none did. */
  readonly openedIndex: number;
  /** The offset that counts as read before the first record (`from` - 1, beginning: -1), or null: start unknown. */
  readonly readBefore: number | null;
  /**
   * Index of the last event by then that assigned the log; -1 if there is none that still holds. Where `openedIndex` is
   * another, records of the assignment may have come before, or belong to one before it.
   */
  readonly assignedIndex: number;
  readonly isolation: IsolationLevel;
}

/** The reads of one log by epoch. Rows are those of `LogColumns.reads`. */
export interface LogEpochs {
  readonly epochs: readonly Epoch[];
  /** Row to position in `epochs`. */
  readonly epochOf: Int32Array;
  /** Row to the row before it in its epoch, or -1: the first, or one whose order within its operation is unknown. */
  readonly previous: Int32Array;
}

/** One change of what a process is assigned. */
export interface AssignmentChange {
  /** Index of the event at which it takes effect. */
  readonly index: number;
  /** Ids of the logs whose epochs it ends; null: all of the process. */
  readonly closes: ReadonlySet<number> | null;
  /** Ids of the logs whose epochs it opens, with the epoch's `readBefore`. */
  readonly opens: ReadonlyMap<number, number | null>;
  /** The isolation level from here on; null: it stays. */
  readonly isolation: IsolationLevel | null;
  /** The process gave up what it was assigned; false where only its place in the log became uncertain. */
  readonly unassigns: boolean;
}

const epochsByHistory = new Memo<History, readonly LogEpochs[]>();
const changesByHistory = new Memo<History, readonly (readonly AssignmentChange[])[]>();

/** By log id. Linear in operations and reads; computed once per history. */
export function assignmentEpochs(history: History): readonly LogEpochs[] {
  return epochsByHistory.of(history, () => {
    const changes = assignmentChanges(history);
    return history.logs.map((log) => epochsOfLog(history, log, changes));
  });
}

/** By position of the process, in order of index; empty for processes that never polled. */
export function assignmentChanges(history: History): readonly (readonly AssignmentChange[])[] {
  return changesByHistory.of(history, collectChanges);
}

/** What a reader asks for that says nothing itself. */
function defaultIsolation(history: History): IsolationLevel {
  return history.header.config?.['isolation.level'] === 'read_uncommitted'
    ? 'read_uncommitted'
    : 'read_committed';
}

interface Cursor {
  /** Next change of the process to look at. */
  change: number;
  /** Open epoch, or -1. */
  epoch: number;
  lastRow: number;
  /** Where an epoch opens that has no record yet. */
  openedIndex: number;
  assignedIndex: number;
  readBefore: number | null;
  isolation: IsolationLevel;
}

function epochsOfLog(
  history: History,
  log: LogColumns,
  changesOf: readonly (readonly AssignmentChange[])[],
): LogEpochs {
  const { reads } = log;
  const { ops } = history;
  const epochs: Epoch[] = [];
  const epochOf = new Int32Array(reads.count);
  const previous = new Int32Array(reads.count).fill(-1);
  const cursors = new Map<number, Cursor>();
  for (let from = 0, to = 0; from < reads.count; from = to) {
    const op = reads.op[from]!;
    while (to < reads.count && reads.op[to] === op) to++;
    const process = ops.process[op]!;
    const cursor = cursors.get(process) ?? newCursor(history);
    cursors.set(process, cursor);
    const changes = changesOf[process]!;
    advance(cursor, changes, log.id, ops.invokeIndex[op]!);
    const during = changesDuring(cursor, changes, log.id, ops.completeIndex[op]!);
    const changed = during !== null;
    const apart = changed || ops.status[op] !== opStatus.ok;
    if (apart || cursor.epoch < 0) {
      const known = !apart && cursor.openedIndex >= 0;
      epochs.push({
        process,
        openedIndex: known ? cursor.openedIndex : ops.completeIndex[op]!,
        readBefore: known ? cursor.readBefore : null,
        assignedIndex: during ?? cursor.assignedIndex,
        isolation: cursor.isolation,
      });
    }
    const epoch = apart || cursor.epoch < 0 ? epochs.length - 1 : cursor.epoch;
    // A transaction holds several polls; which of them came before a change of assignment is not recorded.
    const ordered = !(changed && ops.kind[op] === opKinds.txn);
    let last = apart || cursor.epoch < 0 ? -1 : cursor.lastRow;
    for (let row = from; row < to; row++) {
      epochOf[row] = epoch;
      previous[row] = ordered ? last : -1;
      last = row;
    }
    if (!apart) {
      cursor.epoch = epoch;
      cursor.lastRow = last;
    }
  }
  return { epochs, epochOf, previous };
}

function newCursor(history: History): Cursor {
  return {
    change: 0,
    epoch: -1,
    lastRow: -1,
    openedIndex: -1,
    assignedIndex: -1,
    readBefore: null,
    isolation: defaultIsolation(history),
  };
}

/** Applies the changes before event `index`. */
function advance(
  cursor: Cursor,
  changes: readonly AssignmentChange[],
  log: number,
  index: number,
): void {
  for (; cursor.change < changes.length; cursor.change++) {
    const change = changes[cursor.change]!;
    if (change.index >= index) return;
    if (change.isolation !== null) cursor.isolation = change.isolation;
    if (!touches(change, log)) continue;
    cursor.epoch = -1;
    const opens = change.opens.has(log);
    cursor.openedIndex = opens ? change.index : -1;
    if (change.unassigns) cursor.assignedIndex = cursor.openedIndex;
    cursor.readBefore = opens ? change.opens.get(log)! : null;
  }
}

/**
 * Where changes that were not applied yet concern the log and come before event `index`: the index of the last that
 * assigned it, or -1 where none did. Null: nothing changed.
 */
function changesDuring(
  cursor: Cursor,
  changes: readonly AssignmentChange[],
  log: number,
  index: number,
): number | null {
  let assigned: number | null = null;
  for (let i = cursor.change; i < changes.length && changes[i]!.index < index; i++) {
    const change = changes[i]!;
    if (!touches(change, log)) continue;
    assigned ??= -1;
    if (change.opens.has(log)) assigned = change.index;
  }
  return assigned;
}

function touches(change: AssignmentChange, log: number): boolean {
  return change.closes === null || change.closes.has(log) || change.opens.has(log);
}

function collectChanges(history: History): readonly (readonly AssignmentChange[])[] {
  const { ops } = history;
  const changes: AssignmentChange[][] = history.processes.map(() => []);
  const polls = new Uint8Array(history.processes.length);
  for (let op = 0; op < ops.count; op++) {
    if (ops.kind[op] === opKinds.poll || ops.kind[op] === opKinds.txn) polls[ops.process[op]!] = 1;
  }
  const rare = new Map(history.rare.map((operation) => [operation.op, operation]));
  const rewound = history.header.config?.['positionAfterAbort'] === 'rewound';
  for (let op = 0; op < ops.count; op++) {
    const process = ops.process[op]!;
    if (polls[process] === 0) continue;
    const change = changeByOperation(history, op, rare.get(op), rewound);
    if (change !== null) changes[process]!.push(change);
  }
  const positions = new Map(history.processes.map((process, position) => [process, position]));
  for (const event of history.observations) {
    const position = event.f === 'rebalance' ? positions.get(event.process) : undefined;
    if (position === undefined || polls[position] === 0) continue;
    changes[position]!.push(changeByRebalance(history, event));
  }
  for (const list of changes) list.sort((a, b) => a.index - b.index);
  return changes;
}

function changeByOperation(
  history: History,
  op: number,
  rare: RareOperation | undefined,
  rewound: boolean,
): AssignmentChange | null {
  const { ops } = history;
  const kind = ops.kind[op]!;
  const status = ops.status[op]!;
  const index = indexOf(history, op);
  const closing = { closes: null, opens: new Map<number, null>(), isolation: null };
  if (status === opStatus.fail) {
    if (kind === opKinds.txn && rewound) return null;
    return { index, ...closing, unassigns: false };
  }
  if (rare?.f === 'assign') {
    const value = fieldsOf(rare.completed?.value ?? rare.invoked.value);
    const opens = openedByAssign(history, value);
    return { index, closes: null, opens, isolation: isolationIn(value), unassigns: true };
  }
  if (kind === opKinds.subscribe || kind === opKinds.close) {
    // From the invocation on: the first rebalance may be recorded before subscribe returns.
    const isolation = isolationIn(fieldsOf(rare?.invoked.value));
    return { index: ops.invokeIndex[op]!, ...closing, isolation, unassigns: true };
  }
  return status === opStatus.ok ? null : { index, ...closing, unassigns: false };
}

function openedByAssign(
  history: History,
  value: ReadonlyMap<string, unknown>,
): ReadonlyMap<number, number | null> {
  const from = value.get('from');
  const positions = fieldsOf(from);
  const opens = new Map<number, number | null>();
  for (const [name, log] of logsIn(history, value.get('logs'))) {
    const position = positions.get(name);
    const readBefore = typeof position === 'number' ? position - 1 : null;
    opens.set(log, from === 'beginning' ? -1 : readBefore);
  }
  return opens;
}

function changeByRebalance(history: History, event: HistoryEvent): AssignmentChange {
  const value = fieldsOf(event.value);
  const closed = [...logsIn(history, value.get('revoked')), ...logsIn(history, value.get('lost'))];
  return {
    index: event.index,
    closes: new Set(closed.map(([, log]) => log)),
    opens: new Map(logsIn(history, value.get('assigned')).map(([, log]) => [log, null])),
    isolation: null,
    unassigns: true,
  };
}

function logsIn(history: History, names: unknown): readonly (readonly [string, number])[] {
  if (!Array.isArray(names)) return [];
  return (names as readonly unknown[]).flatMap((name): [string, number][] => {
    const log = typeof name === 'string' ? history.logByName.get(name) : undefined;
    return log === undefined ? [] : [[name as string, log]];
  });
}

/** The own fields of what should be an object: as a map, so that no name can reach a prototype. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value ?? {}));
}

function isolationIn(value: ReadonlyMap<string, unknown>): IsolationLevel | null {
  const isolation = value.get('isolation');
  return isolation === 'read_committed' || isolation === 'read_uncommitted' ? isolation : null;
}
