/**
 * Who belonged to which consumer group, and what its generations gave to whom. A rebalance names no group: it belongs to the
 * group of its process's last subscribe before it. A rebalance before any subscribe is of no known group.
 */
import { Memo } from '../../src/core/memo.ts';
import { opStatus, type History, type RareOperation } from '../../src/history/columns.ts';
import type { HistoryEvent } from '../../src/history/event.ts';

export interface Subscription {
  readonly op: number;
  readonly group: string;
  /** The reader asks for stable offsets: it waits for transactions that are being completed. */
  readonly stable: boolean;
}

/** One `rebalance` event of a process. */
export interface Rebalance {
  readonly event: HistoryEvent;
  /** Position in `history.processes`; -1 where the process did nothing else. */
  readonly process: number;
  /** Null: no subscribe came before. */
  readonly subscription: Subscription | null;
  /** Null where the client does not tell. */
  readonly generation: number | null;
  readonly member: string | null;
  /** Names of logs. */
  readonly assigned: readonly string[];
  readonly revoked: readonly string[];
  readonly lost: readonly string[];
  /** The event says what was revoked, if only that nothing was: then what it does not name was kept. */
  readonly tellsRevoked: boolean;
}

export interface GroupMembers {
  /** In order of index. */
  readonly rebalances: readonly Rebalance[];
  /** The subscription of a process (by position) at event `index`, or null. */
  subscriptionAt(process: number, index: number): Subscription | null;
}

const known = new Memo<History, GroupMembers>();

/** Linear in subscribes and rebalances; computed once per history. */
export function groupMembers(history: History): GroupMembers {
  return known.of(history, gather);
}

/** Two rebalances, or a rebalance and a commit, are of different members: by id where both tell it, else by process. */
export function isOtherMember(
  a: { readonly member: string | null; readonly process: number },
  b: { readonly member: string | null; readonly process: number },
): boolean {
  return a.member !== null && b.member !== null ? a.member !== b.member : a.process !== b.process;
}

/** A generation as told: -1, as Kafka's clients write it, is none. */
export function generationIn(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

/** A member id as told: an empty one, as Kafka's clients write it before they have joined, is none. */
export function memberIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function gather(history: History): GroupMembers {
  const subscribes = new Map<number, RareOperation[]>();
  for (const operation of history.rare) {
    const { f, op } = operation;
    if (f !== 'subscribe' || history.ops.status[op] === opStatus.fail) continue;
    const process = history.ops.process[op]!;
    const list = subscribes.get(process);
    if (list === undefined) subscribes.set(process, [operation]);
    else list.push(operation);
  }
  // From the invocation on: the first rebalance may be recorded before subscribe returns.
  const subscriptionAt = (process: number, index: number): Subscription | null => {
    const last = subscribes
      .get(process)
      ?.findLast(({ op }) => history.ops.invokeIndex[op]! < index);
    return last === undefined ? null : subscriptionOf(last);
  };
  const positions = new Map(history.processes.map((process, position) => [process, position]));
  const rebalances = history.observations
    .filter(({ f }) => f === 'rebalance')
    .map((event) => {
      const process = positions.get(event.process)!;
      return rebalanceOf(event, process, subscriptionAt(process, event.index));
    });
  return { rebalances, subscriptionAt };
}

function subscriptionOf({ op, invoked }: RareOperation): Subscription {
  const { group, stable } = invoked.value as { readonly group: string; readonly stable?: boolean };
  return { op, group, stable: stable === true };
}

function rebalanceOf(
  event: HistoryEvent,
  process: number,
  subscription: Subscription | null,
): Rebalance {
  const { generation, member, assigned, revoked, lost } = event.value as {
    readonly generation?: number;
    readonly member?: string;
    readonly assigned?: readonly string[];
    readonly revoked?: readonly string[];
    readonly lost?: readonly string[];
  };
  return {
    event,
    process,
    subscription,
    generation: generationIn(generation),
    member: memberIn(member),
    assigned: assigned ?? [],
    revoked: revoked ?? [],
    lost: lost ?? [],
    tellsRevoked: revoked !== undefined,
  };
}
