/**
 * Gives the leadership of a log to a follower in sync, as an administrator does: the same replicas in another order, then
 * a preferred election. Nothing crashes and nothing is cut off; the old leader becomes a follower and truncates what the
 * new one does not have. That breaks no promise of acks=all.
 *
 * Evidence: leader and epoch of the log before and after. Of the heal: the replicas stand in their old order again; the
 * old leader leads again if it is in sync.
 */
import type { Evidence } from '../src/history/event.ts';
import { logName } from '../src/history/log-name.ts';
import type { AdminPort, NodeId, PartitionView } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis, Role } from '../src/spi/nemesis.ts';
import { allViews, measureUntil } from './measure.ts';
import { drawLog } from './target.ts';

const viewTimeoutMs = 1_000;
/** A broker sees a new leader some ten milliseconds after the election. */
const moveTimeoutMs = 3_000;

export const moveLeader: Nemesis = {
  name: 'move-leader',
  needs: ['admin'],
  onlyByName: true,
  summary: 'Moves the leadership of a log to a follower in sync and back; nothing crashes.',
  timing: { durationsMs: [[1_000, 3_000]], settleMs: 1_000 },
  draw: (random, context) => ({
    target: { role: 'leader', ...drawLog(random, context) },
    variant: 'preferred-election',
  }),
  inject,
  heal,
};

type Log = Pick<PartitionView, 'topic' | 'partition'>;

async function inject(context: FaultContext): Promise<Evidence> {
  const admin = adminPort(context);
  const log = targetLog(context.plan.target);
  const before = await viewOf(admin, log);
  const next = before?.inSync.find((replica) => replica !== before.leader);
  if (before === null || next === undefined) {
    return {
      tookEffect: false,
      reason: `${logName(log.topic, log.partition)} has no follower in sync`,
    };
  }
  const replicas = [next, ...before.replicas.filter((replica) => replica !== next)];
  const moved = await lead(context, log, replicas);
  return {
    tookEffect:
      moved.view !== null &&
      moved.view.leader === next &&
      moved.view.leaderEpoch > before.leaderEpoch,
    before: leadershipOf(before),
    after: moved.view === null ? null : leadershipOf(moved.view),
    replicas: before.replicas,
    refused: moved.refused,
  };
}

/** Whatever the injection came to: the order that it found is put back. */
async function heal(context: FaultContext, injected: Evidence): Promise<Evidence> {
  const log = targetLog(context.plan.target);
  const replicas = injected['replicas'] as readonly NodeId[] | undefined;
  if (replicas === undefined) {
    const { reason } = injected;
    return { tookEffect: reason === undefined ? 'unknown' : true, reason: 'nothing was moved' };
  }
  const { view, refused } = await lead(context, log, replicas);
  const restored = view !== null && view.replicas.every((node, at) => node === replicas[at]);
  return {
    tookEffect: restored,
    after: view === null ? null : leadershipOf(view),
    refused,
  };
}

/** Puts the replicas in this order, elects the first, and waits until it leads, or no longer. */
async function lead(
  context: FaultContext,
  log: Log,
  replicas: readonly NodeId[],
): Promise<{ readonly view: PartitionView | null; readonly refused: readonly string[] }> {
  const admin = adminPort(context);
  const reassigned = await admin.reassign(log, replicas);
  const elected = reassigned === null ? await admin.elect('preferred', [log]) : [reassigned];
  const { answer } = await measureUntil(
    context.clock,
    moveTimeoutMs,
    () => viewOf(admin, log),
    (view) => view?.leader === replicas[0] && view?.replicas[0] === replicas[0],
  );
  return { view: answer, refused: elected };
}

/** The picture with the highest epoch; of several such the newest placement says nothing, so any will do. */
async function viewOf(admin: AdminPort, { topic, partition }: Log): Promise<PartitionView | null> {
  const views = (await allViews(admin, viewTimeoutMs))
    .flatMap((view) => view.partitions ?? [])
    .filter((view) => view.topic === topic && view.partition === partition)
    .sort((a, b) => b.leaderEpoch - a.leaderEpoch);
  return views[0] ?? null;
}

function leadershipOf({
  leader,
  leaderEpoch,
  inSync,
}: PartitionView): Readonly<Record<string, unknown>> {
  return { leader, epoch: leaderEpoch, inSync };
}

function targetLog(target: Role): Log {
  if (target.role === 'leader') return { topic: target.topic, partition: target.partition };
  throw new Error(`move-leader needs the leader of a log for its target, not ${target.role}`);
}

function adminPort({ cluster }: FaultContext): AdminPort {
  const port = cluster.ports.admin;
  if (port === undefined) throw new Error('the cluster offers no admin port');
  return port;
}
