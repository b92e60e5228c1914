/**
 * Which offsets a consumer group may have committed for a log, as of a moment: every acknowledged commit that is not followed
 * by one that began after it returned, and every concurrent or uncertain one; and none at all while no commit is
 * acknowledged. Offsets in a transaction may be committed from its `["commit"]` attempt on, else from its invocation. Since a
 * commit of a transaction is acknowledged before its markers are written, they displace an older value only once somebody has
 * read them, or a later init of the same transactional id has returned; at the commit's return for a reader that asks for
 * stable offsets. Source: CHECKERS.md, Sessions.
 */
import { Memo } from '../../src/core/memo.ts';
import { opKinds, opStatus, type History } from '../../src/history/columns.ts';
import type { HistoryEvent } from '../../src/history/event.ts';
import { attemptsByOperation, countBefore, microsOf } from './attempts.ts';
import { clockErrorNs, precedesEvent } from './precedence.ts';
import { fates, transactionsOf } from './transactions.ts';

/** One write of a group's offset for one log that did not certainly fail. */
export interface GroupCommit {
  readonly op: number;
  /** The offset that it committed: of the next record to read. */
  readonly next: number;
  /** From when on it may be in force. */
  readonly from: { readonly ns: number; readonly index: number };
  /** Acknowledged, or resolved as committed. */
  readonly acknowledged: boolean;
  /** Operations at whose end it has displaced what was committed before it began. */
  readonly displacedBy: readonly number[];
  /** The same for a reader of stable offsets. */
  readonly displacedByStable: readonly number[];
}

/** What a member that is assigned a log may start from. */
export interface PossibleOffsets {
  /** Null: no commit is possible. */
  readonly least: GroupCommit | null;
  readonly greatest: GroupCommit | null;
  /** Nothing may have been committed. */
  readonly none: boolean;
}

const knownCommits = new Memo<History, ReadonlyMap<string, readonly GroupCommit[]>>();

/** In order of invocation; empty where the group committed nothing for the log. Computed once per history. */
export function groupCommits(history: History, group: string, log: string): readonly GroupCommit[] {
  return knownCommits.of(history, gather).get(keyOf(group, log)) ?? [];
}

/** Groups and logs of which something may have been committed. */
export function committedPairs(
  history: History,
): readonly (readonly [group: string, log: string])[] {
  return [...knownCommits.of(history, gather).keys()].map(
    (key) => JSON.parse(key) as [string, string],
  );
}

/** As of `event` of a group member. Linear in the commits that are not long displaced. */
export function possibleOffsets(
  history: History,
  commits: readonly GroupCommit[],
  event: { readonly ns: number; readonly index: number; readonly process: number },
  stable: boolean,
): PossibleOffsets {
  const { ops } = history;
  const errorNs = clockErrorNs(history);
  const begun = commits.filter((commit) => !isAfter(history, commit, event, errorNs));
  const displacing = begun.filter((commit) =>
    (stable ? commit.displacedByStable : commit.displacedBy).some((op) =>
      precedesEvent(history, op, event),
    ),
  );
  const latest = new Map<number, number>();
  let latestNs = -Infinity;
  for (const { op } of displacing) {
    const process = ops.process[op]!;
    latest.set(process, Math.max(latest.get(process) ?? -1, ops.invokeIndex[op]!));
    latestNs = Math.max(latestNs, ops.invNs[op]!);
  }
  let least: GroupCommit | null = null;
  let greatest: GroupCommit | null = null;
  for (const commit of begun) {
    const { op, next } = commit;
    const returned = ops.status[op] === opStatus.ok;
    const overtaken =
      ops.endNs[op]! + 2 * errorNs < latestNs ||
      ops.completeIndex[op]! < (latest.get(ops.process[op]!) ?? -1);
    if (returned && overtaken) continue;
    if (least === null || next < least.next) least = commit;
    if (greatest === null || next > greatest.next) greatest = commit;
  }
  return { least, greatest, none: displacing.length === 0 };
}

/** The commit began certainly after the event. */
function isAfter(
  history: History,
  { op, from }: GroupCommit,
  event: { readonly ns: number; readonly index: number; readonly process: number },
  errorNs: number,
): boolean {
  if (event.ns + 2 * errorNs < from.ns) return true;
  return history.ops.process[op] === event.process && event.index < from.index;
}

function keyOf(group: string, log: string): string {
  return JSON.stringify([group, log]);
}

function gather(history: History): ReadonlyMap<string, readonly GroupCommit[]> {
  const all = new Map<string, GroupCommit[]>();
  const add = (group: string, log: string, commit: GroupCommit): void => {
    const key = keyOf(group, log);
    const list = all.get(key);
    if (list === undefined) all.set(key, [commit]);
    else list.push(commit);
  };
  const attempts = attemptsByOperation(history);
  const inits = initsById(history);
  for (const { f, op, invoked, completed } of history.rare) {
    if (history.ops.status[op] === opStatus.fail) continue;
    if (f === 'commit') addPlain(history, op, completed?.value ?? invoked.value, add);
    else if (f === 'txn') {
      addTransaction(
        history,
        op,
        { invoked, completed, attempts: attempts.get(op) ?? [], inits },
        add,
      );
    }
  }
  for (const [key, commits] of all) {
    const seen = seenTransactions(history, key, commits);
    all.set(
      key,
      commits.map((commit) => withSight(commit, seen.get(commit))),
    );
  }
  return all;
}

type Add = (group: string, log: string, commit: GroupCommit) => void;

function addPlain(history: History, op: number, value: unknown, add: Add): void {
  const { group, offsets } = value as {
    readonly group: string;
    readonly offsets: Readonly<Record<string, number>>;
  };
  const acknowledged = history.ops.status[op] === opStatus.ok;
  const from = { ns: history.ops.invNs[op]!, index: history.ops.invokeIndex[op]! };
  const displacedBy = acknowledged ? [op] : [];
  for (const [log, next] of Object.entries(offsets)) {
    add(group, log, { op, next, from, acknowledged, displacedBy, displacedByStable: displacedBy });
  }
}

interface TransactionEvents {
  readonly invoked: HistoryEvent;
  readonly completed: HistoryEvent | null;
  readonly attempts: readonly HistoryEvent[];
  readonly inits: Inits;
}

/** An acknowledged one committed what its completion lists last; of an uncertain one anything that it listed may be. */
function addTransaction(
  history: History,
  op: number,
  { invoked, completed, attempts, inits }: TransactionEvents,
  add: Add,
): void {
  const { fate, witness } = transactionsOf(history);
  if (fate[op] === fates.aborted) return;
  const ok = history.ops.status[op] === opStatus.ok;
  const sources = ok ? [completed] : [invoked, ...attempts, completed];
  const listed = new Map<string, { group: string; log: string; nexts: number[] }>();
  for (const [group, offsets] of sources.flatMap(offsetsIn)) {
    for (const [log, next] of Object.entries(offsets)) {
      const key = keyOf(group, log);
      const entry = listed.get(key) ?? { group, log, nexts: [] };
      listed.set(key, entry);
      if (ok) entry.nexts.length = 0;
      entry.nexts.push(next);
    }
  }
  const committing = attempts.find((event) => microsOf(event).some(([word]) => word === 'commit'));
  const from = committing ?? invoked;
  const acknowledged = fate[op] === fates.committed;
  const settled = acknowledged
    ? laterInit(history, inits, op, invoked.txn?.id ?? completed?.txn?.id)
    : [];
  const returned = acknowledged ? [ok ? op : (witness.get(op) ?? op)] : [];
  for (const { group, log, nexts } of listed.values()) {
    for (const next of new Set(nexts)) {
      add(group, log, {
        op,
        next,
        from: { ns: from.time, index: from.index },
        acknowledged,
        displacedBy: settled,
        displacedByStable: [...returned, ...settled],
      });
    }
  }
}

/** By transactional id: its inits that returned, in order of invocation, and from each on the one that ended first. */
type Inits = ReadonlyMap<
  string,
  { readonly ops: readonly number[]; readonly earliest: readonly number[] }
>;

function initsById(history: History): Inits {
  const { ops } = history;
  const byId = new Map<string, number[]>();
  for (const { f, op, invoked } of history.rare) {
    if (f !== 'init' || ops.status[op] !== opStatus.ok) continue;
    const { id } = invoked.value as { readonly id: string };
    const list = byId.get(id);
    if (list === undefined) byId.set(id, [op]);
    else list.push(op);
  }
  return new Map(
    [...byId].map(([id, list]) => {
      const earliest = [...list];
      for (let i = list.length - 2; i >= 0; i--) {
        const next = earliest[i + 1]!;
        if (ops.endNs[next]! < ops.endNs[list[i]!]!) earliest[i] = next;
      }
      return [id, { ops: list, earliest }];
    }),
  );
}

/** The init of that transactional id, invoked after the transaction, that returned first. */
function laterInit(
  history: History,
  inits: Inits,
  op: number,
  id: string | undefined,
): readonly number[] {
  const known = id === undefined ? undefined : inits.get(id);
  if (known === undefined) return [];
  const { invokeIndex } = history.ops;
  const first = known.earliest[countBefore(known.ops, invokeIndex, invokeIndex[op]!)];
  return first === undefined ? [] : [first];
}

/** Transactions to the first read of the group's offsets, not before they began, that returned what only they committed. */
function seenTransactions(
  history: History,
  key: string,
  commits: readonly GroupCommit[],
): ReadonlyMap<GroupCommit, number> {
  const seen = new Map<GroupCommit, number>();
  const writers = new Map<number, GroupCommit | null>();
  for (const commit of commits) {
    const other = writers.get(commit.next);
    writers.set(commit.next, other === undefined || other?.op === commit.op ? commit : null);
  }
  const [group, log] = JSON.parse(key) as [string, string];
  for (const { op, f, completed } of history.rare) {
    if (f !== 'committed' || history.ops.status[op] !== opStatus.ok) continue;
    const value = completed!.value as {
      readonly group: string;
      readonly offsets: Readonly<Record<string, number>>;
    };
    if (value.group !== group || !Object.hasOwn(value.offsets, log)) continue;
    const commit = writers.get(value.offsets[log]!);
    if (commit === undefined || commit === null) continue;
    if (history.ops.kind[commit.op] !== opKinds.txn || isBefore(history, op, commit)) continue;
    const before = seen.get(commit);
    if (before === undefined || history.ops.endNs[op]! < history.ops.endNs[before]!) {
      seen.set(commit, op);
    }
  }
  return seen;
}

/** The operation ended certainly before the commit began. */
function isBefore(history: History, op: number, { op: txn, from }: GroupCommit): boolean {
  const { ops } = history;
  if (ops.endNs[op]! + 2 * clockErrorNs(history) < from.ns) return true;
  return ops.process[op] === ops.process[txn] && ops.completeIndex[op]! < from.index;
}

/** Whoever reads an uncertain transaction's offsets proves it committed, but not when it returned. */
function withSight(commit: GroupCommit, sight: number | undefined): GroupCommit {
  if (sight === undefined) return commit;
  return {
    ...commit,
    displacedBy: [...commit.displacedBy, sight],
    displacedByStable: [...commit.displacedByStable, sight],
  };
}

function offsetsIn(
  event: HistoryEvent | null,
): readonly (readonly [group: string, offsets: Readonly<Record<string, number>>])[] {
  return microsOf(event).flatMap(([word, group, offsets]) =>
    word === 'offsets' ? [[group as string, offsets as Readonly<Record<string, number>>]] : [],
  );
}
