/**
 * double-ownership.
 *
 * In one generation of a consumer group a partition has one owner: two members that both read it, by right, process the same
 * records. Found if two members of a group own a log in the same generation: each either was assigned it in an event of that
 * generation, or had kept it from before by the end of its events of that generation: an incremental client tells only what
 * is new, and what was revoked, while one that lists a log that it had already is eager and lists all. Nothing permits it. Smallest
 * history: two processes subscribe to group g, and events of generation 3 assign t/0 to both.
 *
 * An obligation is each log that a rebalance assigned; one whose event tells no generation, or whose process never
 * subscribed, is open, and so is one that another member may have kept, whose event says nothing of revocations. The count is of (group, generation, log) with more than one owner. It cannot see an owner that the
 * client did not tell, nor an old owner that goes on in the belief that it still is one (that is legal). Cost: linear.
 */
import type { History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { groupMembers, isOtherMember, type Rebalance } from './facts/group-members.ts';
import { indexOf } from './facts/precedence.ts';
import { showTime } from './facts/witness-text.ts';

export const doubleOwnershipChecker: Checker = {
  name: 'double-ownership',
  anomalies: ['double-ownership'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const generations = new Map<string, Rebalance[]>();
    for (const rebalance of groupMembers(history).rebalances) {
      const { subscription, generation, assigned } = rebalance;
      findings.arose(assigned.length);
      if (subscription === null || generation === null) {
        for (const log of assigned) findings.open(() => whyOpen(rebalance, log));
        continue;
      }
      const key = JSON.stringify([subscription.group, generation]);
      const events = generations.get(key);
      if (events === undefined) generations.set(key, [rebalance]);
      else events.push(rebalance);
    }
    const kept = keptByEvent(history);
    for (const events of generations.values()) judge(history, events, kept, findings);
    return { 'double-ownership': findings.result(null) };
  },
};

function whyOpen({ event, subscription }: Rebalance, log: string): string {
  const lacking =
    subscription === null ? 'its process never subscribed to a group' : 'no generation is told';
  return `event ${event.index} assigned ${log} to process ${event.process}, but ${lacking}`;
}

/** All events of one generation of one group. */
function judge(
  history: History,
  events: readonly Rebalance[],
  kept: ReadonlyMap<Rebalance, Kept>,
  findings: Findings,
): void {
  const owners = new Map<string, Rebalance>();
  const told = new Set<string>();
  const own = (log: string, rebalance: Rebalance): void => {
    const first = owners.get(log);
    if (first === undefined) owners.set(log, rebalance);
    else if (isOtherMember(first, rebalance) && !told.has(log)) {
      told.add(log);
      const [a, b] =
        first.event.index < rebalance.event.index ? [first, rebalance] : [rebalance, first];
      findings.found(b.event.index, 1, () => witnessOf(history, log, a, b));
    }
  };
  const lastOfProcess = new Map(events.map((rebalance) => [rebalance.process, rebalance]));
  for (const rebalance of events) for (const log of rebalance.assigned) own(log, rebalance);
  for (const rebalance of lastOfProcess.values()) {
    for (const log of kept.get(rebalance)!.surely) own(log, rebalance);
  }
  for (const rebalance of lastOfProcess.values()) {
    for (const log of kept.get(rebalance)!.perhaps) {
      const owner = owners.get(log);
      if (owner === undefined || told.has(log) || !isOtherMember(owner, rebalance)) continue;
      findings.open(() => whyDoubtful(log, owner, rebalance));
    }
  }
}

function whyDoubtful(log: string, owner: Rebalance, other: Rebalance): string {
  return (
    `event ${owner.event.index} assigned ${log} to process ${owner.event.process}; whether process ` +
    `${other.event.process} still had it is not told, for its event ${other.event.index} says nothing of revocations`
  );
}

/** What a process owned before an event and has not been told to give up. */
interface Kept {
  readonly surely: ReadonlySet<string>;
  /** The same where the event does not tell what was revoked. */
  readonly perhaps: ReadonlySet<string>;
}

const nothing: ReadonlySet<string> = new Set();

/** A new subscription begins with nothing. */
function keptByEvent(history: History): ReadonlyMap<Rebalance, Kept> {
  const kept = new Map<Rebalance, Kept>();
  const last = new Map<
    number,
    { readonly subscribe: number; readonly owned: ReadonlySet<string> }
  >();
  for (const rebalance of groupMembers(history).rebalances) {
    const { process, subscription, assigned, revoked, lost, tellsRevoked } = rebalance;
    const subscribe = subscription?.op ?? -1;
    const before = last.get(process);
    const had = new Set(before?.subscribe === subscribe ? before.owned : nothing);
    for (const log of [...revoked, ...lost]) had.delete(log);
    const eager = assigned.some((log) => had.has(log));
    if (eager) had.clear();
    kept.set(rebalance, {
      surely: tellsRevoked ? had : nothing,
      perhaps: tellsRevoked ? nothing : had,
    });
    last.set(process, { subscribe, owned: new Set([...had, ...assigned]) });
  }
  return kept;
}

function witnessOf(history: History, log: string, first: Rebalance, second: Rebalance): Witness {
  const { group } = first.subscription!;
  const subscribes = [first, second].map(({ subscription }) => indexOf(history, subscription!.op));
  const tell = ({ event, member }: Rebalance): string =>
    `process ${event.process}${member === null ? '' : ` (member ${member})`} by event ${event.index} at ` +
    showTime(event.time);
  return {
    operations: [...new Set(subscribes)].toSorted((a, b) => a - b),
    events: [first.event.index, second.event.index],
    log,
    layer: 'unknown',
    explanation:
      `Generation ${first.generation!} of group ${group} gave ${log} to two members: ${tell(first)}, and ${tell(second)}. ` +
      'A generation gives each partition to one member, whatever came of uncertain operations.',
  };
}
