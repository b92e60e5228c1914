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
import type { Cluster } from '../../src/spi/cluster.ts';
import {
  type ClusterBench,
  portsOf,
  startWithOrders,
  testFaults,
  untilHealthy,
} from '../contract/cluster/faults.ts';
import { dockerLines, leftovers, waitFor } from './command.ts';

const clock = createRealClock();
const startTimeoutMs = 90_000;
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

function benchOf(cluster: Cluster): ClusterBench {
  return {
    cluster,
    clock,
    drive: (work) => work,
    frozenStopCode: 'DOCKER_FAILED',
    clientConnects: (node, timeoutMs) =>
      hostConnects(cluster.nodes.find(({ id }) => id === node)?.clientAddress ?? '', timeoutMs),
  };
}

describe('three brokers', () => {
  let cluster: Cluster;
  let bench: ClusterBench;

  beforeAll(async () => {
    cluster = await create();
    bench = benchOf(cluster);
    await startWithOrders(bench, startTimeoutMs);
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

  testFaults(() => bench);

  it('a dead holder is revived with its broker', async () => {
    await execa('docker', ['kill', `ordeal-${runOf(1)}-holder-2`]);
    expect(await cluster.healAll()).toMatchObject({ tookEffect: true, started: [2] });
    await untilHealthy(bench);
  });

  it('logs are collected from running, dead and frozen nodes', async () => {
    const { processes } = portsOf(cluster);
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
    await untilHealthy(bench);
  });

  it('a second cluster lives beside it, and its end disturbs nobody', async () => {
    const second = await create();
    await second.start(startTimeoutMs, quiet);
    expect(second.nodes[0]?.clientAddress).not.toBe(cluster.nodes[0]?.clientAddress);
    await portsOf(second).processes.pause(1);
    await second.remove();
    await second.remove();
    expect(await leftovers(runOf(counter))).toEqual([]);
    expect((await portsOf(cluster).admin.health(2_000)).missing).toEqual([]);
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
