/**
 * Kills processes: SIGKILL loses what was in the process but not the page cache; SIGTERM is an orderly shutdown, which
 * moves leaders first. The heal starts them on their old data.
 *
 * Evidence: the process state (137 after SIGKILL, 143 after SIGTERM), and what healthy nodes say of leaders and live
 * nodes. Of the heal: one more start, and the node answers and is listed as alive by the others again. A target that the
 * injection did not see dead gets SIGKILL first.
 */
import type { Clock } from '../src/core/clock.ts';
import type { Evidence, TookEffect } from '../src/history/event.ts';
import type { NodeId, NodeSignal, NodeView } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis } from '../src/spi/nemesis.ts';
import {
  allViews,
  healthyViews,
  leadership,
  measureUntil,
  movedLogs,
  type Leadership,
} from './measure.ts';
import { nodeName, processPort, processStates, type ProcessStates } from './process-states.ts';
import { drawReplicaRole } from './target.ts';

const viewTimeoutMs = 1_000;
/** A broker starts in 6 to 8 s on an idle machine; two at once on a busy one took 10 s. */
const rejoinTimeoutMs = 45_000;
/** 128 + the signal's number, as every container runtime reports it. */
const exitCodes: Readonly<Record<NodeSignal, number>> = { SIGKILL: 137, SIGTERM: 143 };

export const kill: Nemesis = {
  name: 'kill',
  needs: ['process', 'admin'],
  summary: 'Kills a node (SIGKILL or SIGTERM) and starts it again on its old data.',
  timing: { durationsMs: [[4_000, 9_000]], settleMs: 8_000 },
  draw: (random, context) => ({
    target: drawReplicaRole(random, context),
    variant: random.chance(2, 3) ? 'SIGKILL' : 'SIGTERM',
  }),
  inject,
  heal,
};

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, clock, targets } = context;
  const port = processPort(cluster);
  const signal: NodeSignal = context.plan.variant === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL';
  const before = await processStates(cluster, targets);
  const leadersBefore = leadership(await allViews(cluster.ports.admin, viewTimeoutMs));
  await Promise.all(targets.map((node) => port.kill(node, signal)));
  const after = await processStates(cluster, targets);
  const seen = await watchFailover(clock, context, leadersBefore);
  return {
    tookEffect: judgeKill(before, after, exitCodes[signal], seen.gone),
    before,
    after,
    ...seen,
  };
}

function judgeKill(
  before: ProcessStates,
  after: ProcessStates,
  exitCode: number,
  gone: boolean,
): TookEffect {
  const nodes = Object.keys(after);
  if (nodes.some((node) => before[node]?.running !== true)) return false;
  if (nodes.some((node) => after[node]?.running !== false)) return false;
  return gone || nodes.every((node) => after[node]?.exitCode === exitCode) ? true : 'unknown';
}

/** Watches healthy nodes until they miss the targets or lead on without them; no failover is no disproof of a kill. */
async function watchFailover(
  clock: Clock,
  context: FaultContext,
  leadersBefore: Leadership,
): Promise<{
  readonly gone: boolean;
  readonly moved: readonly string[];
  readonly leaders: unknown;
}> {
  const { cluster, targets, evidenceTimeoutMs } = context;
  const { answer } = await measureUntil(
    clock,
    evidenceTimeoutMs,
    () => healthyViews(cluster, targets, viewTimeoutMs),
    (views) => missing(views, targets),
  );
  const leaders = leadership(answer ?? []);
  return {
    gone: missing(answer ?? [], targets),
    moved: movedLogs(leadersBefore, leaders, targets),
    leaders,
  };
}

function missing(views: readonly NodeView[], targets: readonly NodeId[]): boolean {
  return (
    views.length > 0 &&
    views.some((view) => targets.every((target) => !view.liveNodes.includes(target)))
  );
}

async function heal(context: FaultContext, injected: Evidence): Promise<Evidence> {
  const { cluster, clock, targets } = context;
  const port = processPort(cluster);
  const leadersBefore = leadership(await healthyViews(cluster, targets, viewTimeoutMs));
  const startsBefore = await endForSure(context, injected);
  await Promise.all(targets.map((node) => port.start(node)));
  const rejoined = await measureUntil(
    clock,
    rejoinTimeoutMs,
    () => allViews(cluster.ports.admin, viewTimeoutMs),
    (views) => targets.every((target) => hasRejoined(views, target)),
  );
  const after = await processStates(cluster, targets);
  const running = targets.every((node) => after[nodeName(node)]?.running === true);
  const restarted = targets.every((node) => {
    const name = nodeName(node);
    return (after[name]?.starts ?? 0) > (startsBefore[name]?.starts ?? Infinity);
  });
  return {
    tookEffect: judgeHeal(running, restarted && rejoined.enough),
    after,
    rejoined: rejoined.enough,
    leadersBefore,
    leaders: leadership(rejoined.answer ?? []),
  };
}

/**
 * Ends the targets that the injection did not see dead: a SIGTERM may be pending in one that still answers, and a start
 * would find it running. @returns states from before the start, to tell a restart by.
 */
async function endForSure(context: FaultContext, injected: Evidence): Promise<ProcessStates> {
  const { cluster, targets } = context;
  const port = processPort(cluster);
  const seen = (injected['after'] ?? {}) as ProcessStates;
  const unproved = targets.filter((node) => seen[nodeName(node)]?.running !== false);
  const now = await processStates(cluster, unproved);
  await Promise.all(unproved.map((node) => port.kill(node, 'SIGKILL')));
  return { ...seen, ...now };
}

function judgeHeal(running: boolean, rejoined: boolean): TookEffect {
  if (!running) return false;
  return rejoined ? true : 'unknown';
}

/** The node answers for itself, and some other node that answers lists it as alive. */
function hasRejoined(views: readonly NodeView[], target: NodeId): boolean {
  return (
    views.some((view) => view.node === target && view.partitions !== null) &&
    views.some(
      (view) => view.node !== target && view.partitions !== null && view.liveNodes.includes(target),
    )
  );
}
