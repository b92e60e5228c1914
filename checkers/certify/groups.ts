/**
 * Re-proves commit-regression, group-skip, stale-commit, double-ownership and key-processed-out-of-order: what a consumer group
 * was given, where its members began, what they committed. A transaction whose end is not known counts as uncertain.
 */
import type { HistoryEvent } from '../../src/history/event.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { firstOfAssignment, skippedBefore } from './epochs.ts';
import {
  endPoint,
  precedes,
  startPoint,
  writersOf,
  type Operation,
  type Point,
  type Replay,
  type Sight,
} from './replay.ts';

interface Commit {
  readonly op: Operation;
  readonly next: number;
  /** From when on it may be in force. */
  readonly from: Point;
}

interface RebalanceValue {
  readonly generation?: number;
  readonly member?: string;
  readonly assigned?: readonly string[];
  readonly revoked?: readonly string[];
  readonly lost?: readonly string[];
}

export function certifyCommitRegression(claim: Claim): Certificate {
  const { replay, witness } = claim;
  const proof = namedStarts(claim, false).some(({ event, subscribe, log, first }) => {
    const possible = possibleCommits(replay, subscribe, log, event);
    return (
      (witness.offset === undefined || witness.offset === first.offset) &&
      possible.acting &&
      possible.commits.every(({ next }) => first.offset < next)
    );
  });
  return verdict(proof, 'the named member began at an offset that its group may have committed');
}

export function certifyGroupSkip(claim: Claim): Certificate {
  const { replay, witness } = claim;
  const proof = namedStarts(claim, true).some(({ event, subscribe, log, first }) => {
    const { commits } = possibleCommits(replay, subscribe, log, event);
    const bound = Math.max(0, ...commits.map(({ next }) => next));
    return skippedBefore(replay, log, bound - 1, first).some(
      (offset) => witness.offset === undefined || offset === witness.offset,
    );
  });
  return verdict(
    proof,
    'nothing visible lies between what the group may have committed and the first record',
  );
}

export function certifyStaleCommit({ replay, ops, witness }: Claim): Certificate {
  const events = namedEvents(replay, witness['events']);
  const proof = ops.some((op) => {
    if (op.f !== 'commit' || op.status !== 'ok') return false;
    const commit = { ...(op.invoke.value as object), ...(op.complete!.value as object) } as {
      readonly group: string;
      readonly generation?: number;
      readonly member?: string;
    };
    return events.some((event) => {
      const { generation, member } = event.value as RebalanceValue;
      const subscribe = subscribeBefore(replay, event);
      const other = areOthers([member, event.process], [commit.member, op.process]);
      const { generation: own } = commit;
      if (own === undefined || own < 0 || generation === undefined) return false;
      return (
        subscribe !== null &&
        groupOf(subscribe) === commit.group &&
        generation > own &&
        other &&
        precedes(replay, pointOf(event), startPoint(op))
      );
    });
  });
  return verdict(proof, 'no named commit was invoked after a named event of a newer generation');
}

export function certifyDoubleOwnership({ replay, ops, witness }: Claim): Certificate {
  const events = namedEvents(replay, witness['events']).filter((event) => {
    const subscribe = subscribeBefore(replay, event);
    return subscribe !== null && ops.includes(subscribe);
  });
  const proof = events.some((first) =>
    events.some(
      (second) =>
        isOfOneGeneration(replay, first, second) &&
        areOtherMembers(first, second) &&
        logsOf(replay).some(
          (log) =>
            (witness.log === undefined || witness.log === log) &&
            owns(replay, first, log) &&
            owns(replay, second, log),
        ),
    ),
  );
  return verdict(proof, 'the named members do not own one log in one generation');
}

export function certifyKeyProcessedOutOfOrder({ replay, ops, witness }: Claim): Certificate {
  const seen = replay.sights.filter(
    (sight) =>
      sight.by === 'poll' &&
      (witness.log === undefined || sight.log === witness.log) &&
      keyOf(replay, sight) !== undefined,
  );
  const meant = seen.filter(
    ({ offset }) => witness.offset === undefined || offset === witness.offset,
  );
  const proof = meant.some((own) => {
    const late = meant.filter(({ log, offset }) => log === own.log && offset === own.offset);
    return seen
      .filter(
        (other) =>
          other.log === own.log &&
          other.offset > own.offset &&
          keyOf(replay, other) === keyOf(replay, own),
      )
      .some((other) =>
        groupsOf(replay).some((group) => {
          const ended = workersOf(replay, group, other, 'surely').filter((op) => ops.includes(op));
          const surely = late.flatMap((sight) => workersOf(replay, group, sight, 'surely'));
          const begun = late.flatMap((sight) => workersOf(replay, group, sight, 'perhaps'));
          return (
            surely.length > 0 &&
            ended.some((op) =>
              begun.every((worker) => precedes(replay, endPoint(op), startPoint(worker))),
            )
          );
        }),
      );
  });
  return verdict(
    proof,
    'the named records of one key may have been processed in the order of their offsets',
  );
}

interface Start {
  readonly event: HistoryEvent;
  readonly subscribe: Operation;
  readonly log: string;
  readonly first: Sight;
}

/** Assignments that the witness names (any, where it names none), with the first record that the member returned, in a named operation. */
function namedStarts({ replay, ops, witness }: Claim, certain: boolean): readonly Start[] {
  return namedEvents(replay, witness['events']).flatMap((event) => {
    const subscribe = subscribeBefore(replay, event);
    if (subscribe === null) return [];
    return logsOf(replay)
      .filter((log) => witness.log === undefined || witness.log === log)
      .flatMap((log): Start[] => {
        const first = firstOfAssignment(replay, event, log, certain);
        return first === null || !ops.includes(first.op) ? [] : [{ event, subscribe, log, first }];
      });
  });
}

/** The rebalances that a witness lists; all, where it lists none. */
function namedEvents(replay: Replay, indexes: unknown): readonly HistoryEvent[] {
  const rebalances = replay.events.filter(({ f }) => f === 'rebalance');
  if (!Array.isArray(indexes)) return rebalances;
  return rebalances.filter(({ index }) => (indexes as readonly unknown[]).includes(index));
}

/** Logs that rebalances assigned. */
function logsOf(replay: Replay): readonly string[] {
  const assigned = namedEvents(replay, null).flatMap(
    ({ value }) => (value as RebalanceValue).assigned ?? [],
  );
  return [...new Set(assigned)];
}

function pointOf({ time, process, index }: HistoryEvent): Point {
  return { time, process, index };
}

/** The last subscribe of the event's process that did not fail and was invoked before it. */
function subscribeBefore(replay: Replay, event: HistoryEvent): Operation | null {
  const subscribes = replay.operations.filter(
    ({ f, status, process, invoke }) =>
      f === 'subscribe' &&
      status !== 'fail' &&
      process === event.process &&
      invoke.index < event.index,
  );
  return subscribes.at(-1) ?? null;
}

function groupOf({ invoke }: Operation): string {
  return (invoke.value as { readonly group: string }).group;
}

/** Commits that may be in force at the event, and whether one surely is. */
function possibleCommits(
  replay: Replay,
  subscribe: Operation,
  log: string,
  event: HistoryEvent,
): { readonly commits: readonly Commit[]; readonly acting: boolean } {
  const stable = (subscribe.invoke.value as { readonly stable?: boolean }).stable === true;
  const group = groupOf(subscribe);
  const all = commitsOf(replay, group, log);
  const begun = all.filter(({ from }) => !precedes(replay, pointOf(event), from));
  const acting = begun.filter((commit) =>
    displacers(replay, group, log, commit, all, stable).some((op) =>
      precedes(replay, endPoint(op), pointOf(event)),
    ),
  );
  const commits = begun.filter(
    ({ op }) =>
      !(
        op.status === 'ok' &&
        acting.some((other) => precedes(replay, endPoint(op), startPoint(other.op)))
      ),
  );
  return { commits, acting: acting.length > 0 };
}

function commitsOf(replay: Replay, group: string, log: string): readonly Commit[] {
  return replay.operations.flatMap((op): Commit[] => {
    if (op.status === 'fail') return [];
    if (op.f === 'commit') {
      const value = (op.complete?.value ?? op.invoke.value) as {
        readonly group: string;
        readonly offsets: Readonly<Record<string, number>>;
      };
      const next = value.group === group ? value.offsets[log] : undefined;
      return next === undefined ? [] : [{ op, next, from: startPoint(op) }];
    }
    if (op.f !== 'txn') return [];
    const committing = op.attempts.find((attempt) =>
      micros(attempt).some(([word]) => word === 'commit'),
    );
    const from = committing === undefined ? startPoint(op) : pointOf(committing);
    const listed = op.status === 'ok' ? [op.complete] : [op.invoke, ...op.attempts, op.complete];
    const nexts = listed
      .flatMap(micros)
      .filter(([word, of]) => word === 'offsets' && of === group)
      .flatMap(([, , offsets]) => (offsets as Readonly<Record<string, number>>)[log] ?? []);
    const meant = op.status === 'ok' ? nexts.slice(-1) : [...new Set(nexts)];
    return meant.map((next) => ({ op, next, from }));
  });
}

function micros(event: HistoryEvent | null): readonly (readonly unknown[])[] {
  return Array.isArray(event?.value) ? (event.value as readonly (readonly unknown[])[]) : [];
}

/** Operations at whose end the commit has displaced older ones. */
function displacers(
  replay: Replay,
  group: string,
  log: string,
  { op, next, from }: Commit,
  all: readonly Commit[],
  stable: boolean,
): readonly Operation[] {
  if (op.f === 'commit') return op.status === 'ok' ? [op] : [];
  const id = op.invoke.txn?.id ?? op.complete?.txn?.id;
  const only = all.every((other) => other.op === op || other.next !== next);
  return replay.operations.filter((other) => {
    if (other === op) return stable && op.status === 'ok';
    if (other.status !== 'ok') return false;
    if (other.f === 'committed') {
      const value = other.complete!.value as {
        readonly group: string;
        readonly offsets: Readonly<Record<string, number>>;
      };
      return (
        only &&
        value.group === group &&
        value.offsets[log] === next &&
        !precedes(replay, endPoint(other), from)
      );
    }
    return (
      other.f === 'init' &&
      op.status === 'ok' &&
      id !== undefined &&
      (other.invoke.value as { readonly id: string }).id === id &&
      other.invoke.index > op.invoke.index
    );
  });
}

function isOfOneGeneration(replay: Replay, a: HistoryEvent, b: HistoryEvent): boolean {
  const generation = (a.value as RebalanceValue).generation ?? -1;
  const [first, second] = [subscribeBefore(replay, a), subscribeBefore(replay, b)];
  return (
    generation >= 0 &&
    (b.value as RebalanceValue).generation === generation &&
    first !== null &&
    second !== null &&
    groupOf(first) === groupOf(second)
  );
}

function areOtherMembers(a: HistoryEvent, b: HistoryEvent): boolean {
  const who = ({ value, process }: HistoryEvent) =>
    [(value as RebalanceValue).member, process] as const;
  return areOthers(who(a), who(b));
}

/** By member id where both tell one (an empty one is none), else by process. */
function areOthers(
  [member, process]: readonly [member: string | undefined, process: unknown],
  [otherMember, otherProcess]: readonly [member: string | undefined, process: unknown],
): boolean {
  const tells = (id: string | undefined): boolean => id !== undefined && id !== '';
  return tells(member) && tells(otherMember) ? member !== otherMember : process !== otherProcess;
}

/** Assigned by this event; or had before, told nothing else since, and this is the process's last event of its generation. */
function owns(replay: Replay, event: HistoryEvent, log: string): boolean {
  const { assigned, generation, revoked } = event.value as RebalanceValue;
  if (assigned?.includes(log) === true) return true;
  const subscribe = subscribeBefore(replay, event);
  const own = replay.events.filter(
    ({ f, process }) => f === 'rebalance' && process === event.process,
  );
  const last = own
    .filter((other) => (other.value as RebalanceValue).generation === generation)
    .at(-1);
  if (last !== event || revoked === undefined) return false;
  let list: readonly string[] = [];
  for (const other of own.filter(({ index }) => index <= event.index)) {
    if (subscribeBefore(replay, other) !== subscribe) continue;
    const value = other.value as RebalanceValue;
    const gone = [...(value.revoked ?? []), ...(value.lost ?? [])];
    list = list.filter((each) => !gone.includes(each));
    const eager = (value.assigned ?? []).some((each) => list.includes(each));
    list = [...(eager ? [] : list), ...(value.assigned ?? [])];
  }
  return list.includes(log);
}

function groupsOf(replay: Replay): readonly string[] {
  return [...new Set(replay.operations.filter(({ f }) => f === 'subscribe').map(groupOf))];
}

function keyOf(replay: Replay, sight: Sight): unknown {
  return sight.meta.key ?? writersOf(replay, sight.log, sight.value)[0]?.meta.key;
}

/** Operations that processed the record for the group: its poll, or the transaction that committed beyond it. */
function workersOf(
  replay: Replay,
  group: string,
  sight: Sight,
  how: 'surely' | 'perhaps',
): readonly Operation[] {
  const { op, log, offset } = sight;
  const returned = op.complete!;
  const subscribe = subscribeBefore(replay, returned);
  if (subscribe === null || groupOf(subscribe) !== group) return [];
  const beyond = commitsOf(replay, group, log)
    .filter((commit) => commit.op.session === op.session && commit.next > offset)
    .filter((commit) => commit.op.invoke.index >= op.invoke.index);
  const given = replay.events.find(
    ({ f, process, index, value }) =>
      f === 'rebalance' &&
      process === op.process &&
      index > returned.index &&
      ['assigned', 'revoked', 'lost'].some((word) =>
        ((value as Record<string, readonly string[] | undefined>)[word] ?? []).includes(log),
      ),
  );
  const changed = replay.operations.find(
    ({ f, status, process, invoke }) =>
      ['assign', 'subscribe', 'close'].includes(f) &&
      status !== 'fail' &&
      process === op.process &&
      invoke.index > returned.index,
  );
  const until = Math.min(given?.index ?? Infinity, changed?.invoke.index ?? Infinity);
  const firstTransaction = beyond.find((commit) => commit.op.f === 'txn');
  const workers = beyond
    .filter(
      (commit) =>
        how === 'perhaps' ||
        (commit.op.status === 'ok' &&
          (commit.op === op || commit.op.invoke.index > returned.index) &&
          commit.op.invoke.index < until &&
          (commit.op.f !== 'txn' || commit === firstTransaction)),
    )
    .map((commit) => (commit.op.f === 'txn' ? commit.op : op));
  // What covers it first has processed it; what follows commits it once more.
  return how === 'surely' ? workers.slice(0, 1) : workers;
}
