/** The Docker cluster and its fault ports on real brokers: each fault with evidence that it bit and that it healed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWireAdmin } from '../../src/clients/wire/admin.ts';
import {
  cleanDocker,
  createDockerCluster,
  diagnoseDocker,
  type KafkaConfig,
} from '../../src/clusters/docker/index.ts';
import { createRealClock } from '../../src/core/clock.ts';
import type { Cluster, NodeId } from '../../src/spi/cluster.ts';
import { planes } from '../../src/spi/cluster.ts';
import { dockerLines, leftovers, waitFor } from './command.ts';

const clock = createRealClock();
const startTimeoutMs = 90_000;
const recoveryTimeoutMs = 60_000;
const quiet = (): void => undefined;
let counter = 0;

function create(config: KafkaConfig = {}): Promise<Cluster> {
  counter++;
  const run = `cluster-test-${process.pid}-${counter}`;
  return createDockerCluster(
    {
      run,
      image: null,
      brokerVersion: '4.1.1',
      config,
      admin: (nodes) => createWireAdmin({ nodes, clock }),
    },
    quiet,
  );
}

const runOf = (number: number): string => `cluster-test-${process.pid}-${number}`;

function ports(cluster: Cluster) {
  const { process: processes, network, admin } = cluster.ports;
  if (processes === undefined || network === undefined || admin === undefined) {
    throw new Error('the Docker cluster offers all three ports');
  }
  return { processes, network, admin };
}

async function untilHealthy(cluster: Cluster): Promise<number> {
  const startedNs = clock.nowNs();
  let missing: readonly string[] = [];
  while ((clock.nowNs() - startedNs) / 1e6 < recoveryTimeoutMs) {
    const health = await ports(cluster).admin.health(2_000);
    if (health.healthy) return (clock.nowNs() - startedNs) / 1e6;
    missing = health.missing;
    await clock.sleep(100);
  }
  throw new Error(`not healthy after ${recoveryTimeoutMs} ms: ${missing.join('; ')}`);
}

async function leaderAfter(cluster: Cluster, asked: NodeId, epoch: number): Promise<NodeId> {
  const deadlineNs = clock.nowNs() + recoveryTimeoutMs * 1e6;
  while (clock.nowNs() < deadlineNs) {
    const views = await ports(cluster).admin.views(1_000);
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
  const views = await ports(cluster).admin.views(1_000);
  return Math.max(...views.map((view) => view.partitions?.[0]?.leaderEpoch ?? -1));
}

/** From the host, as a client would. */
function hostConnects(address: string, timeoutMs: number): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
    void clock.sleep(timeoutMs).then(() => {
      end(false);
    });
  });
}

describe('three brokers', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await create();
    await cluster.start(startTimeoutMs, quiet);
    await ports(cluster).admin.createTopics([
      { name: 'orders', replicas: [[1, 2, 3]], config: { 'min.insync.replicas': '2' } },
    ]);
    await untilHealthy(cluster);
  });

  afterAll(async () => {
    await cluster.remove();
  });

  it('say what they are and where', () => {
    expect(cluster.system).toMatchObject({ name: 'kafka', version: '4.1.1' });
    expect(cluster.system.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(cluster.nodes.map((node) => node.id)).toEqual([1, 2, 3]);
    for (const node of cluster.nodes)
      expect(node.clientAddress).toMatch(/^10\.213\.\d+\.1\d:9092$/);
  });

  it('brokers run without any capability, holders with NET_ADMIN alone', async () => {
    const ids = await dockerLines(['ps', '-q', '--filter', `label=ordeal.run=${runOf(1)}`]);
    const format =
      '{{index .Config.Labels "ordeal.role"}} {{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}';
    const lines = await dockerLines(['inspect', '--format', format, ...ids]);
    expect(lines.sort()).toEqual([
      ...Array<string>(3).fill('broker [] [ALL]'),
      ...Array<string>(3).fill('holder [NET_ADMIN] [ALL]'),
    ]);
  });

  it('SIGKILL: exit 137, a new leader; starts again on its old data', async () => {
    const { processes } = ports(cluster);
    const epoch = await epochOf(cluster);
    await processes.kill(1, 'SIGKILL');
    expect(await processes.state(1)).toEqual({
      running: false,
      frozen: false,
      exitCode: 137,
      starts: 1,
    });
    expect([2, 3]).toContain(await leaderAfter(cluster, 2, epoch));
    await processes.kill(1, 'SIGKILL');
    await processes.start(1);
    await processes.start(1);
    expect(await processes.state(1)).toMatchObject({ running: true, exitCode: null, starts: 2 });
    await untilHealthy(cluster);
  });

  it('SIGTERM: the process ends by itself', async () => {
    const { processes } = ports(cluster);
    await processes.kill(3, 'SIGTERM');
    expect(await processes.state(3)).toMatchObject({ running: false, exitCode: 143 });
    await processes.start(3);
    await untilHealthy(cluster);
  });

  it('a freeze: the freezer says so, Metadata goes unanswered, and a frozen node can be killed', async () => {
    const { processes, admin, network } = ports(cluster);
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
    await expect(processes.kill(2, 'SIGTERM')).rejects.toMatchObject({ code: 'DOCKER_FAILED' });
    await processes.kill(2, 'SIGKILL');
    expect(await processes.state(2)).toMatchObject({ running: false, frozen: false });
    await processes.resume(2);
    await processes.start(2);
    await untilHealthy(cluster);
  });

  it.each(planes)(
    'a cut of the %s plane alone drops that plane alone, and heals',
    async (plane) => {
      const { network } = ports(cluster);
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
      await untilHealthy(cluster);
    },
  );

  it('one way: only the counters of that direction move, though a probe fails both ways', async () => {
    const { network } = ports(cluster);
    await network.cut('deaf', [{ at: 1, peer: 2, planes, directions: ['in'] }]);
    expect((await network.probe(1, 2, 'replication')).connected).toBe(false);
    expect((await network.probe(2, 1, 'replication')).connected).toBe(false);
    const { byNode } = await network.counters('deaf');
    expect(byNode['node-1']?.in).toBeGreaterThan(0);
    expect(byNode['node-1']?.out).toBe(0);
    await network.heal('deaf');
    await untilHealthy(cluster);
  });

  it('clients can be cut off alone: nodes still reach each other on the client port', async () => {
    const { network } = ports(cluster);
    const address = cluster.nodes[0]?.clientAddress ?? '';
    expect(await hostConnects(address, 2_000)).toBe(true);
    await network.cut('clients', [
      { at: 1, peer: 'clients', planes: ['client'], directions: ['in', 'out'] },
    ]);
    expect(await hostConnects(address, 1_000)).toBe(false);
    expect(await hostConnects(cluster.nodes[1]?.clientAddress ?? '', 2_000)).toBe(true);
    expect((await network.probe(2, 1, 'client')).connected).toBe(true);
    expect((await network.probe(1, 1, 'client')).connected).toBe(true);
    expect((await network.counters('clients')).byNode['node-1']?.in).toBeGreaterThan(0);
    await network.heal('clients');
    expect(await hostConnects(address, 2_000)).toBe(true);
  });

  it('a cut isolates the leader, survives its kill and restart, and stands beside another', async () => {
    const { network, processes } = ports(cluster);
    const epoch = await epochOf(cluster);
    const views = await ports(cluster).admin.views(1_000);
    const leader = views[0]?.partitions?.[0]?.leader ?? 0;
    const others = [1, 2, 3].filter((node) => node !== leader);
    const isolation = others.map(
      (peer) => ({ at: leader, peer, planes, directions: ['in', 'out'] }) as const,
    );
    await network.cut('alone', isolation);
    await network.cut('second', [
      { at: others[0] ?? 0, peer: leader, planes: ['client'], directions: ['in'] },
    ]);
    expect(others).toContain(await leaderAfter(cluster, others[0] ?? 0, epoch));
    const before = await network.counters('alone');
    expect(before.packets).toBeGreaterThan(10);
    await processes.kill(leader, 'SIGKILL');
    await processes.start(leader);
    expect(await network.standing()).toEqual(['alone', 'second']);
    expect((await network.counters('alone')).packets).toBeGreaterThanOrEqual(before.packets);
    await network.heal('second');
    expect(await network.standing()).toEqual(['alone']);
    await network.heal('alone');
    await untilHealthy(cluster);
  });

  it('healAll undoes whatever stands, twice', async () => {
    const { network, processes } = ports(cluster);
    await network.cut('left', [{ at: 1, peer: 2, planes, directions: ['in', 'out'] }]);
    await processes.pause(2);
    await processes.kill(3, 'SIGKILL');
    expect(await cluster.healAll()).toMatchObject({
      tookEffect: true,
      rulesRemoved: ['left'],
      thawed: [2],
      started: [3],
    });
    expect(await cluster.healAll()).toMatchObject({
      tookEffect: true,
      rulesRemoved: [],
      thawed: [],
      started: [],
    });
    await untilHealthy(cluster);
  });

  it('a dead holder is revived with its broker', async () => {
    await execa('docker', ['kill', `ordeal-${runOf(1)}-holder-2`]);
    expect(await cluster.healAll()).toMatchObject({ tookEffect: true, started: [2] });
    await untilHealthy(cluster);
  });

  it('logs are collected from running, dead and frozen nodes', async () => {
    const { processes } = ports(cluster);
    const directory = mkdtempSync(join(tmpdir(), 'ordeal-logs-'));
    await processes.kill(1, 'SIGKILL');
    await processes.pause(2);
    await cluster.collectLogs(directory);
    for (const node of [1, 2, 3]) {
      expect(readFileSync(join(directory, `node-${node}.log`), 'utf8')).toContain(
        'Kafka Server started',
      );
    }
    rmSync(directory, { recursive: true });
    await cluster.healAll();
    await untilHealthy(cluster);
  });

  it('a second cluster lives beside it, and its end disturbs nobody', async () => {
    const second = await create();
    await second.start(startTimeoutMs, quiet);
    expect(second.nodes[0]?.clientAddress).not.toBe(cluster.nodes[0]?.clientAddress);
    await ports(second).processes.pause(1);
    await second.remove();
    await second.remove();
    expect(await leftovers(runOf(counter))).toEqual([]);
    expect((await ports(cluster).admin.health(2_000)).missing).toEqual([]);
  });
});

describe('a start that does not come to its end', () => {
  it('with a setting that Kafka refuses: its words, the log, and nothing left behind', async () => {
    const cluster = await create({ 'log.retention.ms': 'soon' });
    await expect(cluster.start(startTimeoutMs, quiet)).rejects.toMatchObject({
      code: 'CLUSTER_NOT_HEALTHY',
      message: expect.stringContaining('log.retention.ms') as string,
    });
    expect(await leftovers(runOf(counter))).toEqual([]);
    const directory = mkdtempSync(join(tmpdir(), 'ordeal-logs-'));
    await cluster.collectLogs(directory);
    // The first node that ends fails the start; the others may not have come as far.
    const logs = [1, 2, 3].map((node) => readFileSync(join(directory, `node-${node}.log`), 'utf8'));
    expect(logs.join('')).toContain('log.retention.ms');
    rmSync(directory, { recursive: true });
  });

  it('removed in the middle: it fails, and nothing is left behind', async () => {
    const cluster = await create();
    const start = cluster.start(startTimeoutMs, quiet);
    const refused = expect(start).rejects.toMatchObject({ code: 'CLUSTER_NOT_HEALTHY' });
    while ((await leftovers(runOf(counter))).length === 0) await clock.turn();
    await cluster.remove();
    await refused;
    expect(await leftovers(runOf(counter))).toEqual([]);
  });
});

describe('clean', () => {
  /** Holds a cluster with a frozen node and a cut, says so, and waits to be killed. */
  const holder = `
    import { createDockerCluster } from './dist/src/clusters/docker/index.js';
    const cluster = await createDockerCluster({
      run: process.argv[1], image: null, brokerVersion: '4.1.1', nodes: 2,
      admin: () => ({ health: async () => ({ healthy: true, missing: [] }) }),
    }, () => undefined);
    await cluster.start(60_000, () => undefined);
    await cluster.ports.process.pause(1);
    await cluster.ports.network.cut('f1', [{ at: 2, peer: 1, planes: ['client'], directions: ['in'] }]);
    console.log('ready');
    setInterval(() => undefined, 1_000);
  `;

  it('leaves what a living harness holds, and removes it once the harness was killed', async () => {
    const run = `cluster-test-${process.pid}-killed`;
    const child = execa(process.execPath, ['--input-type=module', '-e', holder, run], {
      reject: false,
      buffer: false,
    });
    const said: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    // Not `for await`: leaving such a loop waits for the end of the process.
    await waitFor(
      () => (said.join('').includes('ready') ? true : undefined),
      60_000,
      'the cluster',
    );
    const during = await cleanDocker({ run });
    expect(during).toMatchObject({ removed: [], left: [{ run }] });
    expect(await leftovers(run)).not.toEqual([]);
    const { left } = await diagnoseLeftovers();
    expect(left).not.toContain(run);

    child.kill('SIGKILL');
    await child;
    expect((await diagnoseLeftovers()).left).toContain(run);
    const lines: string[] = [];
    const after = await cleanDocker({ run }, (line) => lines.push(line));
    expect(after.left).toEqual([]);
    expect(after.removed).toHaveLength(1);
    expect(after.removed[0]?.containers).toHaveLength(4);
    expect(after.removed[0]?.networks).toEqual([`ordeal-${run}`]);
    expect(after.removed[0]?.volumes).toHaveLength(2);
    expect(lines.join()).toMatch(/removed run .*4 containers, 1 network, 2 volumes/);
    expect(await leftovers(run)).toEqual([]);
    expect(await cleanDocker({ run })).toEqual({ removed: [], left: [] });
  });

  async function diagnoseLeftovers(): Promise<{ readonly left: string }> {
    const rows = await diagnoseDocker();
    expect(rows.filter((row) => !row.ok)).toEqual([]);
    return { left: rows.find((row) => row.check === 'leftovers')?.detail ?? '' };
  }
});
