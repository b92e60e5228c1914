/**
 * Takes a node's power: its process dies, and so does what was only in its page cache. It comes back on what its disk
 * holds. Kafka does not sync before it acknowledges, so a promise holds as long as another replica in sync keeps the data:
 * this fault spares a node while some log has no full in-sync set, and the page cache of a node that turns out to be the last
 * one in sync after its death, unless its plan says `sparesNobody`.
 *
 * Evidence: the process state, and how many records went with the page cache; none is no fault. Of the heal: as of a kill.
 */
import type { Evidence } from '../src/history/event.ts';
import type { Cluster, DiskPort } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis } from '../src/spi/nemesis.ts';
import { kill } from './kill.ts';
import { healthyViews, measureUntil } from './measure.ts';
import { processPort } from './process-states.ts';
import { drawReplicaRole } from './target.ts';

const healthTimeoutMs = 1_000;
/** In-flight changes of in-sync sets have come to the controller by then. */
const decidedMs = 1_000;
/** How long it waits for full in-sync sets before it leaves the node alone. */
const wholeTimeoutMs = 5_000;

export const powerLoss: Nemesis = {
  name: 'power-loss',
  needs: ['process', 'disk', 'admin'],
  summary:
    'Kills a node and takes what was only in its page cache; it starts on what its disk holds.',
  timing: {
    durationsMs: [
      [500, 1_500],
      [4_000, 9_000],
    ],
    settleMs: 8_000,
  },
  draw: (random, context) => ({ target: drawReplicaRole(random, context), variant: 'power-off' }),
  inject,
  heal: (context, injected) =>
    injected['spared'] === true
      ? Promise.resolve({ tookEffect: true, spared: true })
      : kill.heal(asKill(context), injected),
};

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, targets } = context;
  const sparesNobody = context.plan['sparesNobody'] === true;
  if (!sparesNobody && !(await isWhole(context))) {
    return { tookEffect: false, spared: true, reason: 'a log has no full in-sync set' };
  }
  await Promise.all(targets.map((node) => processPort(cluster).kill(node, 'SIGKILL')));
  if (!sparesNobody && !(await isHeldByOthers(context))) {
    return { tookEffect: false, reason: 'the node was the last one in sync: only killed' };
  }
  const disk = diskPort(cluster);
  const lost = await Promise.all(targets.map((node) => disk.loseUnsynced(node)));
  const records = lost.reduce((sum, { records: count }) => sum + count, 0);
  const after = Object.fromEntries(
    await Promise.all(
      targets.map(
        async (node) => [`node-${node}`, await processPort(cluster).state(node)] as const,
      ),
    ),
  );
  const died = Object.values(after).every(({ running }) => !running);
  return { tookEffect: died && records > 0, after, records };
}

/** A change of an in-sync set may have been under way when the node died; a moment later it is decided. */
async function isHeldByOthers({ cluster, clock, targets }: FaultContext): Promise<boolean> {
  await clock.sleep(decidedMs);
  const views = await healthyViews(cluster, targets, healthTimeoutMs);
  const partitions = views.flatMap((view) => view.partitions ?? []);
  return (
    partitions.length > 0 &&
    partitions.every(({ inSync }) => inSync.some((replica) => !targets.includes(replica)))
  );
}

async function isWhole({ cluster, clock }: FaultContext): Promise<boolean> {
  const { admin } = cluster.ports;
  if (admin === undefined) return false;
  const measured = await measureUntil(
    clock,
    wholeTimeoutMs,
    () => admin.health(healthTimeoutMs),
    ({ healthy }) => healthy,
  );
  return measured.enough;
}

function asKill(context: FaultContext): FaultContext {
  return { ...context, plan: { ...context.plan, variant: 'SIGKILL' } };
}

function diskPort(cluster: Cluster): DiskPort {
  const port = cluster.ports.disk;
  if (port === undefined) throw new Error('the cluster offers no disk port');
  return port;
}
