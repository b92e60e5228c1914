/**
 * Kills the leader of a log and deletes that log's directory on its disk: it comes back without it. As long as another
 * replica in sync keeps the data, no promise of acks=all is broken; if the node was alone in sync, it leads again with an
 * empty log and the others truncate to it.
 *
 * Evidence: the process state, and how many bytes of records the directory held; none is no fault. Of the heal: as of a kill.
 */
import type { Evidence } from '../src/history/event.ts';
import type { Cluster, StoragePort } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis } from '../src/spi/nemesis.ts';
import { kill } from './kill.ts';
import { allViews, healthyViews, leadership } from './measure.ts';
import { processPort, processStates } from './process-states.ts';
import { drawLog } from './target.ts';

const viewTimeoutMs = 1_000;

export const wipe: Nemesis = {
  name: 'wipe',
  needs: ['process', 'storage', 'admin'],
  onlyByName: true,
  summary: 'Kills the leader of a log and deletes the log on its disk; it starts without it.',
  timing: { durationsMs: [[4_000, 9_000]], settleMs: 8_000 },
  draw: (random, context) => ({
    target: { role: 'leader', ...drawLog(random, context) },
    variant: 'one-log',
  }),
  inject,
  heal: (context, injected) => kill.heal(asKill(context), injected),
};

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, targets, plan } = context;
  if (plan.target.role !== 'leader') {
    throw new Error(`wipe needs the leader of a log for its target, not ${plan.target.role}`);
  }
  const log = { topic: plan.target.topic, partition: plan.target.partition };
  const isThis = (view: { readonly topic: string; readonly partition: number }): boolean =>
    view.topic === log.topic && view.partition === log.partition;
  const views = await healthyViews(cluster, [], viewTimeoutMs);
  const inSync = views.flatMap((view) => view.partitions ?? []).filter(isThis);
  const leaders = leadership(await allViews(cluster.ports.admin, viewTimeoutMs));
  await Promise.all(targets.map((node) => processPort(cluster).kill(node, 'SIGKILL')));
  const storage = storagePort(cluster);
  const wiped = await Promise.all(targets.map((node) => storage.wipe(node, log)));
  const bytes = wiped.reduce((sum, each) => sum + each.bytes, 0);
  const after = await processStates(cluster, targets);
  const died = Object.values(after).every(({ running }) => !running);
  return {
    tookEffect: died && bytes > 0,
    after,
    bytes,
    leaders,
    inSyncBefore: inSync.map((view) => view.inSync),
  };
}

function asKill(context: FaultContext): FaultContext {
  return { ...context, plan: { ...context.plan, variant: 'SIGKILL' } };
}

function storagePort(cluster: Cluster): StoragePort {
  const port = cluster.ports.storage;
  if (port === undefined) throw new Error('the cluster offers no storage port');
  return port;
}
