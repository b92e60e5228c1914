/**
 * Freezes processes whole: sockets stay open, the kernel still acknowledges, nothing answers. On resume everything that
 * was queued is answered at once, with stale views.
 *
 * Evidence: the freezer's own word, and a Metadata request that times out. A TCP connect would prove nothing: the
 * kernel of a frozen process still accepts.
 */
import type { Evidence, TookEffect } from '../src/history/event.ts';
import type { NodeId, NodeView } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis } from '../src/spi/nemesis.ts';
import { allViews, leadership, leadersOf, measureUntil, movedLogs } from './measure.ts';
import { nodeName, processPort, processStates, type ProcessStates } from './process-states.ts';
import { drawReplicaRole } from './target.ts';

const silenceTimeoutMs = 1_000;
const answerTimeoutMs = 15_000;
const freezeTimeoutMs = 1_000;

export const pause: Nemesis = {
  name: 'pause',
  needs: ['process', 'admin'],
  summary: 'Freezes a node with the freezer and thaws it: below or above the session timeout.',
  timing: {
    durationsMs: [
      [1_500, 2_600],
      [4_000, 9_000],
      [5_500, 9_000],
    ],
    settleMs: 3_000,
  },
  draw: (random, context) => ({ target: drawReplicaRole(random, context), variant: 'freeze' }),
  inject,
  heal,
};

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, targets } = context;
  const port = processPort(cluster);
  const before = await processStates(cluster, targets);
  await Promise.all(targets.map((node) => port.pause(node)));
  // A kernel under load takes a moment to stop the last thread, and says so only then.
  const stopped = await measureUntil(
    context.clock,
    freezeTimeoutMs,
    () => processStates(cluster, targets),
    (states) => targets.every((node) => states[nodeName(node)]?.frozen === true),
  );
  const after = stopped.answer ?? {};
  const views = await allViews(cluster.ports.admin, silenceTimeoutMs);
  return {
    tookEffect: judgePause(before, after, views, targets),
    before,
    after,
    answers: answers(views, targets),
    leaders: leadership(views.filter((view) => !targets.includes(view.node))),
  };
}

function judgePause(
  before: ProcessStates,
  after: ProcessStates,
  views: readonly NodeView[],
  targets: readonly NodeId[],
): TookEffect {
  const names = targets.map((node) => nodeName(node));
  if (names.some((name) => before[name]?.frozen === true)) return false;
  if (names.some((name) => after[name]?.frozen !== true)) return false;
  const answered = targets.some((node) =>
    views.some((view) => view.node === node && view.partitions !== null),
  );
  return answered ? 'unknown' : true;
}

/** Thaws before it measures anything: asking a frozen node takes a second, and a pause must not last longer than drawn. */
async function heal(context: FaultContext, injected: Evidence): Promise<Evidence> {
  const { cluster, clock, targets } = context;
  const port = processPort(cluster);
  await Promise.all(targets.map((node) => port.resume(node)));
  const after = await processStates(cluster, targets);
  // A node that another fault killed meanwhile is thawed but cannot answer.
  const running = targets.filter((node) => after[nodeName(node)]?.running === true);
  const answered = await measureUntil(
    clock,
    running.length === 0 ? 0 : answerTimeoutMs,
    () => allViews(cluster.ports.admin, silenceTimeoutMs),
    (views) =>
      running.every((node) => views.some((view) => view.node === node && view.partitions !== null)),
  );
  const leaders = leadership(answered.answer ?? []);
  const frozen = targets.some((node) => after[nodeName(node)]?.frozen !== false);
  return {
    tookEffect: judgeHeal(frozen, answered.enough),
    after,
    answers: answers(answered.answer ?? [], targets),
    moved: movedLogs(leadersOf(injected), leaders, targets),
    leaders,
  };
}

function judgeHeal(frozen: boolean, answered: boolean): TookEffect {
  if (frozen) return false;
  return answered ? true : 'unknown';
}

/** What each target's own answer to a Metadata request was: "answered", or how it failed. */
function answers(
  views: readonly NodeView[],
  targets: readonly NodeId[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    targets.map((node) => {
      const view = views.find((candidate) => candidate.node === node);
      const answer = view?.partitions == null ? (view?.error ?? 'not asked') : 'answered';
      return [nodeName(node), answer];
    }),
  );
}
