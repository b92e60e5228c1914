/**
 * The loop of one member of a consumer group: it joins, polls, commits what it polled and still has, and joins again after it left
 * or died. What the group tells it is recorded as it comes.
 */
import { assert } from '../core/assert.ts';
import type { LogName } from '../history/event.ts';
import { parseLogName } from '../history/log-name.ts';
import type { MemberClient, Outcome, PollResult, RebalanceTold } from '../spi/client.ts';
import type { NextOperation, WorkerScript } from '../spi/workload.ts';
import type { ClientSupply } from './client-supply.ts';
import { callClient, elapsedMs, isStopped, retire, waitUntil, type WorkerParts } from './worker.ts';

/** After an operation that was not ok: the next attempt would most likely meet the same trouble at once. */
const failurePauseMs = 500;
/** Between leaving or dying and the next join, so that the group is seen without this member. */
const absenceMs = 2_000;

/** A member and what it has been told; made when its client is. */
export interface Membership extends AsyncDisposable {
  readonly client: MemberClient;
  /** Who hears of rebalances; what comes before anybody listens is kept. */
  listen(listener: (told: RebalanceTold) => void): void;
}

/** Makes members whose news waits for a listener. */
export function withNews(
  create: (told: (rebalance: RebalanceTold) => void) => Promise<MemberClient>,
): Promise<Membership> {
  const waiting: RebalanceTold[] = [];
  let listener: ((told: RebalanceTold) => void) | null = null;
  const told = (rebalance: RebalanceTold): void => {
    if (listener === null) waiting.push(rebalance);
    else listener(rebalance);
  };
  return create(told).then((client) => ({
    client,
    listen: (next) => {
      listener = next;
      for (const rebalance of waiting.splice(0)) next(rebalance);
    },
    [Symbol.asyncDispose]: async () => {
      listener = () => undefined;
      await client[Symbol.asyncDispose]();
    },
  }));
}

interface Member {
  readonly group: string;
  readonly topics: readonly string[];
  process: number;
  current: Membership | null;
  subscribed: boolean;
  /** Of logs that it has and polled of: the next offset; removed once committed, or once the log was taken away. */
  readonly polled: Map<LogName, number>;
}

/** Runs until the workers stop, and then leaves its group to find out by itself; parameters as those of runProducer. */
export async function runMember(
  parts: WorkerParts,
  script: WorkerScript,
  process: number,
  first: Membership,
  supply: ClientSupply<Membership>,
  startNs: number,
): Promise<void> {
  assert(script.group !== null, 'a member has a group');
  const topics = [...new Set(script.logs.flatMap((log) => parseLogName(log)?.topic ?? []))];
  const { group } = script;
  const member: Member = {
    group,
    topics,
    process,
    current: null,
    subscribed: false,
    polled: new Map(),
  };
  adopt(parts, member, first);
  try {
    while (!parts.stop.aborted) {
      if (member.current === null) {
        const next = await supply.next();
        // Connecting takes long: the workers may have been stopped meanwhile.
        if (next === null || isStopped(parts)) {
          if (next !== null) supply.release(next);
          break;
        }
        adopt(parts, member, next);
      }
      const operation: NextOperation = member.subscribed
        ? script.next(elapsedMs(parts.clock, startNs))
        : { do: 'wait', untilMs: 0 };
      if (!member.subscribed) {
        if (!(await subscribe(parts, member))) await parts.clock.sleep(failurePauseMs, parts.stop);
      } else if (operation.do === 'wait') await waitUntil(parts, startNs, operation.untilMs);
      else if (!(await step(parts, script, member, operation))) {
        await parts.clock.sleep(failurePauseMs, parts.stop);
      }
    }
  } finally {
    if (member.current !== null) retire(parts, member.current);
  }
}

function adopt(parts: WorkerParts, member: Member, next: Membership): void {
  member.current = next;
  member.subscribed = false;
  member.polled.clear();
  next.listen((told) => {
    hear(parts, member, told);
  });
}

/** An eager client lists all that it has, so what it does not list is forgotten too. */
function hear(parts: WorkerParts, member: Member, told: RebalanceTold): void {
  for (const log of [...told.revoked, ...told.lost, ...told.assigned]) member.polled.delete(log);
  parts.append({ process: member.process, type: 'event', f: 'rebalance', value: told });
}

/** True unless the next step should wait a little. */
async function step(
  parts: WorkerParts,
  script: WorkerScript,
  member: Member,
  operation: NextOperation,
): Promise<boolean> {
  switch (operation.do) {
    case 'poll':
      return poll(parts, member);
    case 'commit':
      return commit(parts, member);
    case 'committed':
      return committed(parts, member, script.logs);
    case 'leave':
      return leave(parts, member);
    case 'crash':
      return crash(parts, member);
    default:
      assert(false, `a member's script asked to ${operation.do}`);
  }
}

async function subscribe(parts: WorkerParts, member: Member): Promise<boolean> {
  const { group, topics } = member;
  const value = { group, topics, isolation: 'read_committed' };
  const outcome = await call(parts, member, 'subscribe', value, (client) =>
    client.subscribe(topics),
  );
  if (outcome === null) return false;
  complete(parts, member, 'subscribe', outcome, value);
  member.subscribed = outcome.type === 'ok';
  return member.subscribed;
}

async function poll(parts: WorkerParts, member: Member): Promise<boolean> {
  const outcome = await call(parts, member, 'poll', [['poll']], (client) => client.poll());
  if (outcome === null) return false;
  const value = outcome.type === 'ok' ? [['poll', outcome.value]] : [['poll']];
  if (outcome.type === 'ok') advance(parts, member, outcome.value);
  complete(parts, member, 'poll', outcome, value);
  return outcome.type === 'ok';
}

function advance(parts: WorkerParts, { polled }: Member, result: PollResult): void {
  for (const [log, records] of Object.entries(result)) {
    parts.tally.recordsPolled += records.length;
    const last = records.at(-1);
    if (last !== undefined) polled.set(log, last[0] + 1);
  }
}

/** Commits what was polled since the last commit; nothing to commit is nothing to do. */
async function commit(parts: WorkerParts, member: Member): Promise<boolean> {
  if (member.polled.size === 0) return true;
  const { group } = member;
  const offsets = Object.fromEntries(member.polled);
  const value = { group, offsets, ...member.current?.client.identity() };
  member.polled.clear();
  const invocation = { index: -1 };
  const outcome = await call(
    parts,
    member,
    'commit',
    value,
    (client) => client.commit(offsets),
    invocation,
  );
  if (outcome === null) return false;
  complete(
    parts,
    member,
    'commit',
    outcome,
    outcome.type === 'ok' ? { ...value, ...outcome.value } : value,
  );
  if (outcome.type !== 'ok') return false;
  const { acknowledgedInvocation } = parts.tally;
  const key = groupKey(group);
  acknowledgedInvocation.set(
    key,
    Math.max(acknowledgedInvocation.get(key) ?? -1, invocation.index),
  );
  return true;
}

/** Under what name the tally counts the commits of a group. */
export function groupKey(group: string): string {
  return `group ${group}`;
}

async function committed(
  parts: WorkerParts,
  member: Member,
  logs: readonly LogName[],
): Promise<boolean> {
  const { group } = member;
  const value = { group, logs };
  const outcome = await call(parts, member, 'committed', value, (client) => client.committed(logs));
  if (outcome === null) return false;
  const done = outcome.type === 'ok' ? { group, offsets: outcome.value } : value;
  complete(parts, member, 'committed', outcome, done);
  return outcome.type === 'ok';
}

async function leave(parts: WorkerParts, member: Member): Promise<boolean> {
  const outcome = await call(parts, member, 'close', {}, (client) => client.close());
  if (outcome === null) return false;
  complete(parts, member, 'close', outcome, {});
  if (outcome.type === 'ok') await absent(parts, member);
  return outcome.type === 'ok';
}

/** A process that dies completes nothing more: another one takes its place. */
async function crash(parts: WorkerParts, member: Member): Promise<boolean> {
  parts.append({ process: member.process, type: 'event', f: 'crash', value: {} });
  await absent(parts, member);
  member.process += parts.processes;
  return true;
}

async function absent(parts: WorkerParts, member: Member): Promise<void> {
  drop(parts, member);
  await parts.clock.sleep(absenceMs, parts.stop);
}

function drop(parts: WorkerParts, member: Member): void {
  if (member.current !== null) retire(parts, member.current);
  member.current = null;
  member.subscribed = false;
  member.polled.clear();
}

/** Records the invocation and calls; null once the record has ended, and then nothing was asked. */
async function call<T>(
  parts: WorkerParts,
  member: Member,
  f: string,
  value: unknown,
  ask: (client: MemberClient) => Promise<Outcome<T>>,
  invocation: { index: number } = { index: -1 },
): Promise<Outcome<T> | null> {
  const { current } = member;
  assert(current !== null, 'only a member with a client acts');
  invocation.index = parts.append({ process: member.process, type: 'invoke', f, value });
  return invocation.index < 0 ? null : callClient(parts, () => ask(current.client));
}

/** After info the process ends, and its client with it. */
function complete(
  parts: WorkerParts,
  member: Member,
  f: string,
  outcome: Outcome<unknown>,
  value: unknown,
): void {
  const { process } = member;
  const { type } = outcome;
  if (type === 'ok') parts.append({ process, type, f, value });
  else parts.append({ process, type, f, value, error: outcome.error });
  if (type !== 'info') return;
  drop(parts, member);
  member.process += parts.processes;
}
