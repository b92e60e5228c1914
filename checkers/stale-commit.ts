/**
 * stale-commit.
 *
 * A coordinator refuses commits of members that a newer generation has left behind: else a zombie moves the group's place
 * under the new owner's feet. Found if a commit of group offsets succeeded that a member invoked in one generation, after
 * an event had told another member of a newer one. Nothing permits it. Smallest history: process 1 is assigned t/0 in generation
 * 1, process 2 in generation 2; then process 1 commits t/0 as of generation 1, and is acknowledged.
 *
 * An obligation is each acknowledged commit by a process that subscribed to that group; one that tells no generation is
 * open. A commit by nobody's member (an administrator's) owes nothing. The count is of commits. It cannot see offsets
 * that a transaction committed (zombie-commit does), nor a rebalance that no client told. Cost: n log n.
 */
import { opStatus, type History, type RareOperation } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings } from './facts/findings.ts';
import {
  generationIn,
  groupMembers,
  isOtherMember,
  memberIn,
  type Rebalance,
} from './facts/group-members.ts';
import { clockErrorNs, indexOf } from './facts/precedence.ts';
import { lowestWhere } from './facts/search.ts';
import { showEnd, showTime } from './facts/witness-text.ts';

export const staleCommitChecker: Checker = {
  name: 'stale-commit',
  anomalies: ['stale-commit'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const newer = newerGenerations(history);
    for (const operation of history.rare) {
      const commit = commitOf(history, operation);
      if (commit === null) continue;
      findings.arose(1);
      if (commit.generation === null) {
        findings.open(() => whyOpen(history, commit));
        continue;
      }
      const rebalance = newer(commit);
      if (rebalance === null) continue;
      findings.found(indexOf(history, commit.op), 1, () => witnessOf(history, commit, rebalance));
    }
    return { 'stale-commit': findings.result(null) };
  },
};

interface MemberCommit {
  readonly op: number;
  readonly group: string;
  /** Position in `history.processes`. */
  readonly process: number;
  readonly generation: number | null;
  readonly member: string | null;
  readonly offsets: Readonly<Record<string, number>>;
}

/** An acknowledged commit by a member of its group, or null. */
function commitOf(
  history: History,
  { f, op, invoked, completed }: RareOperation,
): MemberCommit | null {
  if (f !== 'commit' || history.ops.status[op] !== opStatus.ok) return null;
  const value = { ...(invoked.value as object), ...(completed!.value as object) } as {
    readonly group: string;
    readonly offsets: Readonly<Record<string, number>>;
    readonly generation?: number;
    readonly member?: string;
  };
  const process = history.ops.process[op]!;
  const subscription = groupMembers(history).subscriptionAt(process, history.ops.invokeIndex[op]!);
  const generation = generationIn(value.generation);
  if (subscription?.group !== value.group && generation === null) return null;
  const member = memberIn(value.member);
  return { op, group: value.group, process, generation, member, offsets: value.offsets };
}

/** The events of a group, in order of index, and the newest generation that they told by each. */
interface Generations {
  readonly events: Rebalance[];
  readonly newest: number[];
}

/** Finds the earliest event of another member in a newer generation, before the commit was invoked. */
function newerGenerations(history: History): (commit: MemberCommit) => Rebalance | null {
  const byGroup = new Map<string, Generations>();
  for (const rebalance of groupMembers(history).rebalances) {
    const { subscription, generation } = rebalance;
    if (subscription === null || generation === null) continue;
    const group = byGroup.get(subscription.group) ?? { events: [], newest: [] };
    byGroup.set(subscription.group, group);
    group.events.push(rebalance);
    group.newest.push(Math.max(generation, group.newest.at(-1) ?? -1));
  }
  return (commit) => {
    const group = byGroup.get(commit.group);
    if (group === undefined) return null;
    const { events, newest } = group;
    const first = lowestWhere(events.length, (at) => newest[at]! > commit.generation!);
    // Generations rise, so nearly every commit is of the newest one that anybody had told by then.
    const told = events[first]?.event.index ?? Infinity;
    if (told > history.ops.invokeIndex[commit.op]!) return null;
    return (
      events.find(
        (rebalance) =>
          rebalance.generation! > commit.generation! &&
          isOtherMember(rebalance, commit) &&
          isBefore(history, rebalance, commit.op),
      ) ?? null
    );
  };
}

function isBefore(history: History, { event, process }: Rebalance, op: number): boolean {
  const { ops } = history;
  if (event.time + 2 * clockErrorNs(history) < ops.invNs[op]!) return true;
  return ops.process[op] === process && event.index < ops.invokeIndex[op]!;
}

function whyOpen(history: History, { op, group }: MemberCommit): string {
  return `the commit of group ${group} that was acknowledged ${showEnd(history, op)} tells no generation`;
}

function witnessOf(history: History, commit: MemberCommit, rebalance: Rebalance): Witness {
  const { op, group, generation, offsets } = commit;
  const process = history.processes[commit.process]!;
  const { event } = rebalance;
  const [log] = Object.keys(offsets);
  return {
    operations: [indexOf(history, op)],
    events: [event.index],
    ...(log === undefined ? {} : { log, committed: offsets[log]! }),
    layer: 'unknown',
    explanation:
      `Process ${process} committed ${JSON.stringify(offsets)} for group ${group} as of generation ${generation!}: invoked at ` +
      `${showTime(history.ops.invNs[op]!)}, acknowledged ${showEnd(history, op)}. But process ${event.process} had been told of ` +
      `generation ${rebalance.generation!} at ${showTime(event.time)} (event ${event.index}): the commit should have been refused.`,
  };
}
