/** Measuring through a cluster's ports: bounded, and an unanswered question is an answer ("unknown"), never a throw. */
import { describeError } from '../src/core/errors.ts';
import { nsPerMs } from '../src/core/units.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Evidence } from '../src/history/event.ts';
import type { AdminPort, Cluster, NodeId, NodeView } from '../src/spi/cluster.ts';

const pollIntervalMs = 200;

/**
 * Asks `measure` until `enough` accepts its answer or `timeoutMs` have passed; the last answer is returned either way.
 * A measure that throws ends the asking: the error's text stands for the answer.
 */
export async function measureUntil<T>(
  clock: Clock,
  timeoutMs: number,
  measure: () => Promise<T>,
  enough: (answer: T) => boolean,
): Promise<{ readonly answer: T | null; readonly enough: boolean; readonly error?: string }> {
  const deadlineNs = clock.nowNs() + timeoutMs * nsPerMs;
  let answer: T | null = null;
  for (;;) {
    try {
      answer = await measure();
    } catch (thrown) {
      return { answer, enough: false, error: describeError(thrown) };
    }
    if (enough(answer)) return { answer, enough: true };
    if (clock.nowNs() >= deadlineNs) return { answer, enough: false };
    await clock.sleep(pollIntervalMs);
  }
}

/** What the nodes outside `targets` say; empty if the cluster has no admin port or cannot be asked. */
export async function healthyViews(
  cluster: Cluster,
  targets: readonly NodeId[],
  timeoutMs: number,
): Promise<readonly NodeView[]> {
  const views = await allViews(cluster.ports.admin, timeoutMs);
  return views.filter((view) => !targets.includes(view.node) && view.partitions !== null);
}

export async function allViews(
  admin: AdminPort | undefined,
  timeoutMs: number,
): Promise<readonly NodeView[]> {
  if (admin === undefined) return [];
  try {
    return await admin.views(timeoutMs);
  } catch {
    return [];
  }
}

/** Leader and epoch per log, by the view with the highest epoch: `{"orders/0": [2, 5]}`. */
export type Leadership = Readonly<Record<string, readonly [leader: number, epoch: number]>>;

export function leadership(views: readonly NodeView[]): Leadership {
  const known: Record<string, readonly [number, number]> = {};
  for (const view of views) {
    for (const { topic, partition, leader, leaderEpoch } of view.partitions ?? []) {
      const log = `${topic}/${partition}`;
      if (leaderEpoch > (known[log]?.[1] ?? -1)) known[log] = [leader, leaderEpoch];
    }
  }
  return known;
}

/** The leadership of the logs that `targets` led, and what became of it: the evidence of a failover. */
export function movedLogs(
  before: Leadership,
  after: Leadership,
  targets: readonly NodeId[],
): readonly string[] {
  return Object.entries(before)
    .filter(([, [leader]]) => targets.includes(leader))
    .filter(([log, [, epoch]]) => (after[log]?.[1] ?? -1) > epoch)
    .map(([log]) => log);
}

/** The leadership that the evidence of an injection holds under `leaders`. */
export function leadersOf(injected: Evidence): Leadership {
  return (injected['leaders'] ?? {}) as Leadership;
}
