/** Oracles of consumer groups, straight from the definitions: commits in every order that their times allow. */
import type { AnomalyName } from '../../src/spi/verdict.ts';
import { keyAt, type GroupModel, type GroupStep } from './random-groups.ts';

export const groupOracles: readonly (readonly [AnomalyName, (model: GroupModel) => number])[] = [
  ['commit-regression', (model) => starts(model).filter((start) => regressed(model, start)).length],
  ['group-skip', (model) => starts(model).reduce((sum, start) => sum + skipped(model, start), 0)],
  ['stale-commit', staleCommits],
  ['double-ownership', doubleOwners],
  ['key-processed-out-of-order', outOfOrder],
];

/** What a witness may name, and whether the definition says that it shows the anomaly. */
export interface GroupClaim {
  readonly anomaly: AnomalyName;
  readonly operations: readonly number[];
  readonly events: readonly number[];
  readonly log?: string;
  readonly offset?: number;
  readonly holds: boolean;
}

/** Every claim of one anomaly that names as few events as it takes, and all operations that it may need. */
export function groupClaims(model: GroupModel): readonly GroupClaim[] {
  const all = model.steps.filter(({ f }) => f !== 'rebalance').map(({ endIndex }) => endIndex);
  const events = model.steps.filter(({ f }) => f === 'rebalance');
  const found = starts(model);
  const ofKeys = logs.flatMap((log) =>
    model.present.map((offset): GroupClaim => ({
      anomaly: 'key-processed-out-of-order',
      operations: all,
      events: [],
      log,
      offset,
      holds: groups.some((group) => isOutOfOrder(model, group, log, offset)),
    })),
  );
  const ofEvents = events.flatMap((event) => [
    ...logs.flatMap((log): GroupClaim[] => {
      const named = { operations: all, events: [event.index], log };
      const own = found.filter((start) => start.event === event && start.log === log);
      return [
        {
          ...named,
          anomaly: 'commit-regression',
          holds: own.some((start) => regressed(model, start)),
        },
        { ...named, anomaly: 'group-skip', holds: own.some((start) => skipped(model, start) > 0) },
        ...events.map((other): GroupClaim => ({
          ...named,
          anomaly: 'double-ownership',
          events: [event.index, other.index],
          holds:
            areRivals(model, event, other) &&
            owned(model, event).has(log) &&
            owned(model, other).has(log),
        })),
      ];
    }),
    ...model.steps
      .filter(({ f }) => f === 'commit')
      .map((commit): GroupClaim => ({
        anomaly: 'stale-commit',
        operations: [commit.endIndex],
        events: [event.index],
        holds: isStale(model, commit, event),
      })),
  ]);
  return [...ofKeys, ...ofEvents];
}

const logs = ['t/0', 't/1'];
const groups = ['g', 'h'];

/** a had ended before b began. */
function before(model: GroupModel, a: GroupStep, b: GroupStep): boolean {
  if (a.process === b.process) return a.endIndex < b.index;
  return a.end + model.errorMs < b.inv - model.errorMs;
}

function stepsOf(model: GroupModel, process: number): readonly GroupStep[] {
  return model.steps.filter((step) => step.process === process);
}

/** The group of a process at one of its steps. */
function groupAt(model: GroupModel, step: GroupStep, index = step.index): string | null {
  return subscribeOf(model, step, index)?.group ?? null;
}

function subscribeOf(
  model: GroupModel,
  step: GroupStep,
  index = step.index,
): GroupStep | undefined {
  return stepsOf(model, step.process).findLast(
    ({ f, status, index: at }) => f === 'subscribe' && status !== 'fail' && at < index,
  );
}

interface Start {
  readonly event: GroupStep;
  readonly log: string;
  readonly first: number;
}

/** Assignments whose first record is certain: steps never overlap a rebalance of their process here. */
function starts(model: GroupModel): readonly Start[] {
  return model.steps
    .filter((step) => step.f === 'rebalance' && groupAt(model, step) !== null)
    .flatMap((event) =>
      event.assigned.flatMap((log): Start[] => {
        const later = stepsOf(model, event.process).filter(({ index }) => index > event.index);
        const end = later.findIndex(
          ({ f, status, assigned, revoked }) =>
            (f === 'rebalance' && (assigned.includes(log) || revoked?.includes(log) === true)) ||
            ((f === 'subscribe' || f === 'close') && status !== 'fail') ||
            (f !== 'rebalance' && status !== 'ok'),
        );
        const first = (end < 0 ? later : later.slice(0, end)).find(
          (step) => step.f === 'poll' && step.log === log && step.offsets.length > 0,
        );
        return first === undefined ? [] : [{ event, log, first: Math.min(...first.offsets) }];
      }),
    );
}

/** What may be committed at the event, in each order of the commits that is possible: null is nothing. */
function possible(model: GroupModel, { event, log }: Start): ReadonlySet<number | null> {
  const group = groupAt(model, event);
  const commits = model.steps.filter(
    (step) =>
      (step.f === 'commit' || step.f === 'txn') &&
      step.status !== 'fail' &&
      step.group === group &&
      step.log === log,
  );
  const stable = subscribeOf(model, event)?.stable === true;
  const settled = commits.filter((step) =>
    settlers(model, step, commits, stable).some((other) => before(model, other, event)),
  );
  const found = new Set<number | null>();
  const extend = (done: readonly GroupStep[], left: readonly GroupStep[], value: number | null) => {
    const isNext = (step: GroupStep): boolean =>
      left.every(
        (other) => other === step || other.status === 'info' || !before(model, other, step),
      );
    // The event's turn: whatever had certainly taken effect before it has had its own.
    if (!left.some((step) => settled.includes(step))) found.add(value);
    for (const step of left.filter(isNext)) {
      if (before(model, event, { ...step, inv: step.from, index: step.fromIndex })) continue;
      extend(
        [...done, step],
        left.filter((other) => other !== step),
        step.next,
      );
    }
  };
  extend([], commits, null);
  return found;
}

/** What proves, by its end, that a commit is in force: its own, or, in a transaction, a read of it or a later init of its id. */
function settlers(
  model: GroupModel,
  commit: GroupStep,
  commits: readonly GroupStep[],
  stable: boolean,
): readonly GroupStep[] {
  const { f, status, group, log, next, id, index } = commit;
  if (f === 'commit') return status === 'ok' ? [commit] : [];
  const alone = commits.every((other) => other === commit || other.next !== next);
  return model.steps.filter((step) => {
    if (step.status !== 'ok') return false;
    if (step === commit) return stable;
    if (step.f === 'init') return status === 'ok' && step.id === id && step.index > index;
    // Who read before the transaction began has read something else.
    const begins = { ...commit, inv: commit.from, index: commit.fromIndex };
    return (
      step.f === 'committed' &&
      alone &&
      !before(model, step, begins) &&
      step.group === group &&
      step.log === log &&
      step.next === next
    );
  });
}

function regressed(model: GroupModel, start: Start): boolean {
  return [...possible(model, start)].every((next) => next !== null && start.first < next);
}

function skipped(model: GroupModel, start: Start): number {
  const bound = Math.max(0, ...[...possible(model, start)].map((next) => next ?? 0));
  return model.present.filter((offset) => offset >= bound && offset < start.first).length;
}

function staleCommits(model: GroupModel): number {
  return model.steps.filter((commit) => model.steps.some((event) => isStale(model, commit, event)))
    .length;
}

function isStale(model: GroupModel, commit: GroupStep, event: GroupStep): boolean {
  return (
    commit.f === 'commit' &&
    commit.status === 'ok' &&
    commit.generation !== null &&
    event.f === 'rebalance' &&
    groupAt(model, event) === commit.group &&
    event.generation !== null &&
    event.generation > commit.generation &&
    areOthers(event, commit) &&
    before(model, event, commit)
  );
}

/** Two members of one group in one generation. */
function areRivals(model: GroupModel, a: GroupStep, b: GroupStep): boolean {
  return (
    a.generation !== null &&
    a.generation === b.generation &&
    groupAt(model, a) !== null &&
    groupAt(model, a) === groupAt(model, b) &&
    areOthers(a, b)
  );
}

function areOthers(a: GroupStep, b: GroupStep): boolean {
  return a.member !== null && b.member !== null ? a.member !== b.member : a.process !== b.process;
}

/** (generation, log) of a group with two members that own it. */
function doubleOwners(model: GroupModel): number {
  const events = model.steps.filter(({ f }) => f === 'rebalance');
  const found = new Set<string>();
  for (const a of events) {
    for (const b of events) {
      if (!areRivals(model, a, b)) continue;
      const ownedByB = owned(model, b);
      for (const log of owned(model, a)) {
        if (ownedByB.has(log)) found.add(`${groupAt(model, a)} ${a.generation} ${log}`);
      }
    }
  }
  return found.size;
}

/** What the process owns by this event: what it is given, and, by its last event of the generation, what it surely kept. */
function owned(model: GroupModel, event: GroupStep): ReadonlySet<string> {
  const own = stepsOf(model, event.process).filter(({ f }) => f === 'rebalance');
  const last = own.findLast(
    (step) =>
      step.generation === event.generation && groupAt(model, step) === groupAt(model, event),
  );
  const given = new Set(event.assigned);
  if (last !== event || event.revoked === null) return given;
  let kept = new Set<string>();
  let subscription = -1;
  for (const step of own.filter(({ index }) => index <= event.index)) {
    const since = stepsOf(model, event.process).findLast(
      ({ f, status, index }) => f === 'subscribe' && status !== 'fail' && index < step.index,
    )?.index;
    if (since === undefined) continue;
    if (since !== subscription) kept = new Set();
    subscription = since;
    for (const log of step.revoked ?? []) kept.delete(log);
    if (step.assigned.some((log) => kept.has(log))) kept.clear();
    if (step.index < event.index) for (const log of step.assigned) kept.add(log);
  }
  return new Set([...given, ...kept]);
}

/** Records that were first processed after a later one of their key had been. */
function outOfOrder(model: GroupModel): number {
  let count = 0;
  for (const group of groups) {
    for (const log of logs) {
      for (const offset of model.present) if (isOutOfOrder(model, group, log, offset)) count++;
    }
  }
  return count;
}

function isOutOfOrder(model: GroupModel, group: string, log: string, offset: number): boolean {
  const works = (of: number, how: 'surely' | 'perhaps') =>
    model.steps.filter((poll) => processes(model, poll, { group, log, offset: of, how }));
  if (works(offset, 'surely').length === 0) return false;
  const later = model.present.filter((o) => o > offset && keyAt(o) === keyAt(offset));
  const begun = works(offset, 'perhaps');
  return later
    .flatMap((o) => works(o, 'surely'))
    .some((op) => begun.every((each) => before(model, op, each)));
}

function processes(
  model: GroupModel,
  poll: GroupStep,
  asked: {
    readonly group: string;
    readonly log: string;
    readonly offset: number;
    readonly how: 'surely' | 'perhaps';
  },
): boolean {
  const { group, log, offset, how } = asked;
  if (poll.f !== 'poll' || poll.log !== log || !poll.offsets.includes(offset)) return false;
  if (groupAt(model, poll, poll.endIndex) !== group) return false;
  const later = stepsOf(model, poll.process).filter(({ index }) => index > poll.index);
  const gaveUp = later.findIndex(
    ({ f, status, assigned, revoked }) =>
      (f === 'rebalance' && (assigned.includes(log) || revoked?.includes(log) === true)) ||
      ((f === 'subscribe' || f === 'close') && status !== 'fail'),
  );
  return later.some(
    (step, i) =>
      step.f === 'commit' &&
      step.group === group &&
      step.log === log &&
      step.next > offset &&
      (how === 'perhaps'
        ? step.status !== 'fail'
        : step.status === 'ok' && (gaveUp < 0 || i < gaveUp)),
  );
}
