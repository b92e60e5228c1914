/** The simulated cluster against what holds for every cluster, and what is its own: virtual time, disks, its end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWireAdmin } from '../../../src/clients/wire/admin.ts';
import { createSimulation, simulatedNodes } from '../../../src/clusters/simulated/index.ts';
import type { Simulation } from '../../../src/clusters/simulated/index.ts';
import { metadata } from '../../../src/kafka-protocol/messages/metadata.ts';
import { quietProfile } from '../../../src/spi/simulation.ts';
import { type ClusterBench, portsOf, startWithOrders, testFaults, untilHealthy } from './faults.ts';

const startTimeoutMs = 90_000;
const quiet = (): void => undefined;

function simulate(seed: string): Simulation {
  return createSimulation({
    seed,
    nodes: simulatedNodes,
    profile: quietProfile,
    defects: new Set(),
    admin: (nodes, link, clock) => createWireAdmin({ nodes, clock, link }),
  });
}

function benchOf({ cluster, clock, drive, link }: Simulation): ClusterBench {
  return {
    cluster,
    clock,
    drive,
    frozenStopCode: 'CLUSTER_NOT_HEALTHY',
    clientConnects: async (node, timeoutMs) => {
      const info = cluster.nodes.find(({ id }) => id === node);
      if (info === undefined) throw new Error(`no node ${node}`);
      await using connection = link(info, 'probe');
      const request = {
        topics: [],
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      };
      return (await connection.call(metadata, request, timeoutMs)).status === 'ok';
    },
  };
}

describe.each(['1', '2', '3'])('three simulated nodes, seed %s', (seed) => {
  const simulation = simulate(seed);
  const bench = benchOf(simulation);
  const { cluster, drive } = simulation;

  beforeAll(() => drive(startWithOrders(bench, startTimeoutMs)));

  afterAll(() => drive(cluster.remove()));

  it('say what they are and where', () => {
    expect(cluster).toMatchObject({ kind: 'simulated', system: { name: 'simulated' } });
    expect(cluster.nodes.map((node) => node.id)).toEqual([1, 2, 3]);
    for (const node of cluster.nodes) {
      expect(node.clientAddress).toBe(`node-${node.id}.simulated:9092`);
    }
  });

  testFaults(() => bench);

  it('a start ends an orderly stop that is still under way, so that the node stays', () =>
    drive(
      (async () => {
        const { processes } = portsOf(cluster);
        const before = (await processes.state(1)).starts;
        const stopping = processes.kill(1, 'SIGTERM');
        await processes.start(1);
        await stopping;
        expect(await processes.state(1)).toMatchObject({ running: true, starts: before + 1 });
        await untilHealthy(bench);
      })(),
    ));

  it('a disk loses what was not flushed, of a node that is down, and the node catches up', () =>
    drive(
      (async () => {
        const { processes } = portsOf(cluster);
        const { disk } = cluster.ports;
        await expect(disk?.loseUnsynced(2)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
        await processes.kill(2, 'SIGKILL');
        expect(await disk?.loseUnsynced(2)).toEqual({ records: 0 });
        await processes.start(2);
        await untilHealthy(bench);
      })(),
    ));
});

describe('the life of a simulated cluster', () => {
  it('starts in seconds of its own time, and says so', async () => {
    const { cluster, clock, drive } = simulate('1');
    const lines: string[] = [];
    await drive(cluster.start(startTimeoutMs, (line) => lines.push(line)));
    expect(lines).toEqual(['starting 3 simulated nodes']);
    expect(clock.wallMs()).toBeGreaterThan(2_500);
    expect(clock.wallMs()).toBeLessThan(15_000);
    await drive(cluster.remove());
    await drive(cluster.remove());
  });

  it('that is not whole in time fails, with what is missing', async () => {
    const { cluster, drive } = simulate('1');
    await expect(drive(cluster.start(1_000, quiet))).rejects.toMatchObject({
      code: 'CLUSTER_NOT_HEALTHY',
      message: expect.stringContaining('node-1') as string,
    });
  });

  it('comes to the same end from the same seed, and to another from another', async () => {
    const ends = [];
    for (const seed of ['1', '1', '2']) {
      const simulation = simulate(seed);
      await simulation.drive(startWithOrders(benchOf(simulation), startTimeoutMs));
      ends.push(simulation.clock.nowNs());
    }
    expect(ends[1]).toBe(ends[0]);
    expect(ends[2]).not.toBe(ends[0]);
  });
});
