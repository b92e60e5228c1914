/**
 * What every cluster of ours does, simulated or of containers: three nodes with the topic orders, and each fault with
 * evidence that it bit and that it healed. The tests follow one another on one cluster, each leaving it whole.
 */
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { AdminPort, Cluster, NetworkPort, NodeId } from '../../../src/spi/cluster.ts';
import { planes, type ProcessPort } from '../../../src/spi/cluster.ts';

const recoveryTimeoutMs = 60_000;

/** A cluster, and how time passes for it. */
export interface ClusterBench {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Waits for work on the cluster: where time is virtual, it passes only here. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** Whether a client can connect to the node. */
  clientConnects(node: NodeId, timeoutMs: number): Promise<boolean>;
  /** The code of the error that says that a frozen process cannot act on SIGTERM. */
  readonly frozenStopCode: string;
}

interface Ports {
  readonly processes: ProcessPort;
  readonly network: NetworkPort;
  readonly admin: AdminPort;
}

export function portsOf(cluster: Cluster): Ports {
  const { process: processes, network, admin } = cluster.ports;
  if (processes === undefined || network === undefined || admin === undefined) {
    throw new Error('the cluster offers all three ports');
  }
  return { processes, network, admin };
}

/** Starts it, with orders/0 on nodes 1, 2 and 3, and waits until it is whole. */
export async function startWithOrders(bench: ClusterBench, timeoutMs: number): Promise<void> {
  await bench.cluster.start(timeoutMs, () => undefined);
  await portsOf(bench.cluster).admin.createTopics([
    { name: 'orders', replicas: [[1, 2, 3]], config: { 'min.insync.replicas': '2' } },
  ]);
  await untilHealthy(bench);
}

export async function untilHealthy({ cluster, clock }: ClusterBench): Promise<number> {
  const startedNs = clock.nowNs();
  let missing: readonly string[] = [];
  while ((clock.nowNs() - startedNs) / 1e6 < recoveryTimeoutMs) {
    const health = await portsOf(cluster).admin.health(2_000);
    if (health.healthy) return (clock.nowNs() - startedNs) / 1e6;
    missing = health.missing;
    await clock.sleep(100);
  }
  throw new Error(`not healthy after ${recoveryTimeoutMs} ms: ${missing.join('; ')}`);
}

async function leaderAfter(
  { cluster, clock }: ClusterBench,
  asked: NodeId,
  epoch: number,
): Promise<NodeId> {
  const deadlineNs = clock.nowNs() + recoveryTimeoutMs * 1e6;
  while (clock.nowNs() < deadlineNs) {
    const views = await portsOf(cluster).admin.views(1_000);
    const mine = views.find((view) => view.node === asked)?.partitions;
    const partition = mine?.find((entry) => entry.topic === 'orders');
    if (partition !== undefined && partition.leaderEpoch > epoch && partition.leader > 0) {
      return partition.leader;
    }
    await clock.sleep(100);
  }
  throw new Error(`node ${asked} saw no new leader of orders/0`);
}

async function epochOf(cluster: Cluster): Promise<number> {
  const views = await portsOf(cluster).admin.views(1_000);
  return Math.max(...views.map((view) => view.partitions?.[0]?.leaderEpoch ?? -1));
}

/** @param bench of a cluster that is started and whole; asked when a test runs. */
export function testFaults(bench: () => ClusterBench): void {
  const driven = (work: (bench: ClusterBench) => Promise<void>) => (): Promise<void> =>
    bench().drive(work(bench()));
  testProcesses(driven);
  testCuts(driven);
  testLargerFaults(driven);
  testStorage(driven);
  testReassignment(driven);
}

type Driven = (work: (bench: ClusterBench) => Promise<void>) => () => Promise<void>;

function testStorage(driven: Driven): void {
  it(
    'a log is deleted under a node that is down, which then gets it back from the others',
    driven(async (bench) => {
      const { processes } = portsOf(bench.cluster);
      const { storage } = bench.cluster.ports;
      const orders = { topic: 'orders', partition: 0 };
      await expect(storage?.wipe(2, orders)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await processes.kill(2, 'SIGKILL');
      // Nobody has written to it; a log that was never there is no error either.
      expect(await storage?.wipe(2, orders)).toEqual({ bytes: 0 });
      expect(await storage?.wipe(2, orders)).toEqual({ bytes: 0 });
      await processes.start(2);
      await untilHealthy(bench);
    }),
  );
}

function testReassignment(driven: Driven): void {
  it(
    'replicas in another order, and an election: the first of them leads, an epoch later',
    driven(async (bench) => {
      const { admin } = portsOf(bench.cluster);
      const orders = { topic: 'orders', partition: 0 };
      for (const replicas of [
        [3, 1, 2],
        [1, 2, 3],
      ]) {
        expect(await admin.reassign(orders, replicas)).toBeNull();
        const epoch = await epochOf(bench.cluster);
        const [first] = replicas;
        const [view] = await admin.views(1_000);
        const leads = view?.partitions?.find(({ topic }) => topic === 'orders')?.leader === first;
        expect(await admin.elect('preferred', [orders])).toEqual(
          leads ? ['orders/0: ELECTION_NOT_NEEDED'] : [],
        );
        if (!leads) expect(await leaderAfter(bench, 2, epoch)).toBe(first);
      }
      expect(await admin.reassign({ topic: 'none', partition: 0 }, [1, 2, 3])).toBe(
        'UNKNOWN_TOPIC_OR_PARTITION',
      );
      await untilHealthy(bench);
    }),
  );
}

function testProcesses(driven: Driven): void {
  it(
    'SIGKILL: exit 137, a new leader; starts again on its old data',
    driven(async (bench) => {
      const { processes } = portsOf(bench.cluster);
      const epoch = await epochOf(bench.cluster);
      await processes.kill(1, 'SIGKILL');
      expect(await processes.state(1)).toEqual({
        running: false,
        frozen: false,
        exitCode: 137,
        starts: 1,
      });
      expect([2, 3]).toContain(await leaderAfter(bench, 2, epoch));
      await processes.kill(1, 'SIGKILL');
      await processes.start(1);
      await processes.start(1);
      expect(await processes.state(1)).toMatchObject({ running: true, exitCode: null, starts: 2 });
      await untilHealthy(bench);
    }),
  );

  it(
    'SIGTERM: the process ends by itself',
    driven(async (bench) => {
      const { processes } = portsOf(bench.cluster);
      await processes.kill(3, 'SIGTERM');
      expect(await processes.state(3)).toMatchObject({ running: false, exitCode: 143 });
      await processes.start(3);
      await untilHealthy(bench);
    }),
  );

  it(
    'a freeze: the freezer says so, Metadata goes unanswered, and a frozen node can be killed',
    driven(async (bench) => {
      const { processes, admin, network } = portsOf(bench.cluster);
      await processes.pause(2);
      await processes.pause(2);
      expect(await processes.state(2)).toMatchObject({ running: true, frozen: true });
      const views = await admin.views(1_000);
      expect(views.find((view) => view.node === 2)?.partitions).toBeNull();
      // The kernel still accepts for a frozen process: a port probe proves nothing here.
      expect((await network.probe(1, 2, 'replication')).connected).toBe(true);
      await processes.resume(2);
      await processes.resume(2);
      expect(await processes.state(2)).toMatchObject({ running: true, frozen: false });
      await processes.pause(2);
      await expect(processes.kill(2, 'SIGTERM')).rejects.toMatchObject({
        code: bench.frozenStopCode,
      });
      await processes.kill(2, 'SIGKILL');
      expect(await processes.state(2)).toMatchObject({ running: false, frozen: false });
      await processes.resume(2);
      await processes.start(2);
      await untilHealthy(bench);
    }),
  );
}

function testCuts(driven: Driven): void {
  it.each(planes)('a cut of the %s plane alone drops that plane alone, and heals', (plane) =>
    driven(async (bench) => {
      const { network } = portsOf(bench.cluster);
      const rules = ([2, 3] as const).map(
        (peer) => ({ at: 1, peer, planes: [plane], directions: ['in', 'out'] }) as const,
      );
      await network.cut('one', rules);
      expect(await network.standing()).toEqual(['one']);
      for (const other of planes) {
        const probe = await network.probe(1, 2, other);
        expect(probe.connected, `${other}: ${probe.detail}`).toBe(other !== plane);
      }
      const counters = await network.counters('one');
      expect(counters.packets).toBeGreaterThan(0);
      expect(counters.byNode['node-1']?.out).toBeGreaterThan(0);
      expect(counters.byNode['node-2']).toEqual({ in: 0, out: 0 });
      await network.heal('one');
      await network.heal('one');
      expect(await network.standing()).toEqual([]);
      expect((await network.probe(1, 2, plane)).connected).toBe(true);
      await untilHealthy(bench);
    })(),
  );

  it(
    'one way: only the counters of that direction move, though a probe fails both ways',
    driven(async (bench) => {
      const { network } = portsOf(bench.cluster);
      await network.cut('deaf', [{ at: 1, peer: 2, planes, directions: ['in'] }]);
      expect((await network.probe(1, 2, 'replication')).connected).toBe(false);
      expect((await network.probe(2, 1, 'replication')).connected).toBe(false);
      const { byNode } = await network.counters('deaf');
      expect(byNode['node-1']?.in).toBeGreaterThan(0);
      expect(byNode['node-1']?.out).toBe(0);
      await network.heal('deaf');
      await untilHealthy(bench);
    }),
  );

  it(
    'clients can be cut off alone: nodes still reach each other on the client port',
    driven(async (bench) => {
      const { network } = portsOf(bench.cluster);
      expect(await bench.clientConnects(1, 2_000)).toBe(true);
      await network.cut('clients', [
        { at: 1, peer: 'clients', planes: ['client'], directions: ['in', 'out'] },
      ]);
      expect(await bench.clientConnects(1, 1_000)).toBe(false);
      expect(await bench.clientConnects(2, 2_000)).toBe(true);
      expect((await network.probe(2, 1, 'client')).connected).toBe(true);
      expect((await network.probe(1, 1, 'client')).connected).toBe(true);
      expect((await network.counters('clients')).byNode['node-1']?.in).toBeGreaterThan(0);
      await network.heal('clients');
      expect(await bench.clientConnects(1, 2_000)).toBe(true);
    }),
  );
}

function testLargerFaults(driven: Driven): void {
  it(
    'a cut isolates the leader, survives its kill and restart, and stands beside another',
    driven(async (bench) => {
      const { network, processes, admin } = portsOf(bench.cluster);
      const epoch = await epochOf(bench.cluster);
      const views = await admin.views(1_000);
      const leader = views[0]?.partitions?.[0]?.leader ?? 0;
      const others = [1, 2, 3].filter((node) => node !== leader);
      const isolation = others.map(
        (peer) => ({ at: leader, peer, planes, directions: ['in', 'out'] }) as const,
      );
      await network.cut('alone', isolation);
      await network.cut('second', [
        { at: others[0] ?? 0, peer: leader, planes: ['client'], directions: ['in'] },
      ]);
      expect(others).toContain(await leaderAfter(bench, others[0] ?? 0, epoch));
      const before = await network.counters('alone');
      expect(before.packets).toBeGreaterThan(10);
      await processes.kill(leader, 'SIGKILL');
      await processes.start(leader);
      expect(await network.standing()).toEqual(['alone', 'second']);
      expect((await network.counters('alone')).packets).toBeGreaterThanOrEqual(before.packets);
      await network.heal('second');
      expect(await network.standing()).toEqual(['alone']);
      await network.heal('alone');
      await untilHealthy(bench);
    }),
  );

  it(
    'healAll undoes whatever stands, twice',
    driven(async (bench) => {
      const { network, processes } = portsOf(bench.cluster);
      await network.cut('left', [{ at: 1, peer: 2, planes, directions: ['in', 'out'] }]);
      await processes.pause(2);
      await processes.kill(3, 'SIGKILL');
      expect(await bench.cluster.healAll()).toMatchObject({
        tookEffect: true,
        rulesRemoved: ['left'],
        thawed: [2],
        started: [3],
      });
      expect(await bench.cluster.healAll()).toMatchObject({
        tookEffect: true,
        rulesRemoved: [],
        thawed: [],
        started: [],
      });
      await untilHealthy(bench);
    }),
  );
}
