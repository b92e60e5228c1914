import { afterEach, describe, expect, test } from 'vitest';
import { createWireAdmin } from '../../../src/clients/wire/index.ts';
import { createRealClock } from '../../../src/core/clock.ts';
import type { AdminPort } from '../../../src/spi/cluster.ts';
import { emptyLog, type FakeCluster, startFakeCluster } from '../../support/fake-kafka.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function start(
  adminTimeoutMs = 10_000,
): Promise<{ cluster: FakeCluster; admin: AdminPort & AsyncDisposable }> {
  const cluster = await startFakeCluster();
  open.push(cluster);
  cluster.logs.set('orders/0', emptyLog());
  const settings = { adminTimeoutMs, requestTimeoutMs: 300 };
  const admin = createWireAdmin({ nodes: cluster.nodes, clock: createRealClock(), settings });
  open.push(admin);
  return { cluster, admin };
}

describe('views', () => {
  test('every node’s own picture, with the active controller', async () => {
    const { admin } = await start();
    const views = await admin.views(1_000);
    expect(views).toHaveLength(3);
    expect(views[1]).toEqual({
      node: 2,
      partitions: [
        {
          topic: 'orders',
          partition: 0,
          leader: 1,
          leaderEpoch: 4,
          replicas: [1, 2, 3],
          inSync: [1, 2, 3],
        },
      ],
      liveNodes: [1, 2, 3],
      controller: { node: 1, epoch: 1 },
      error: null,
    });
    expect(await admin.health(1_000)).toEqual({ healthy: true, missing: [] });
  });

  test('a frozen node says null within the bound, and the others are not held up', async () => {
    const { cluster, admin } = await start();
    cluster.brokers[1]!.intercept = () => ({ type: 'silence' });
    const views = await admin.views(300);
    expect(views[1]).toMatchObject({ node: 2, partitions: null, controller: null });
    expect(views[1]!.error).toMatch(/timeout/);
    expect(views[2]!.partitions).toHaveLength(1);
    const health = await admin.health(300);
    expect(health.healthy).toBe(false);
    expect(health.missing).toHaveLength(1);
    expect(health.missing[0]).toMatch(/^node-2 does not answer: timeout/);
  });

  test('a node without a way to the controller has a picture, and is not healthy', async () => {
    const { cluster, admin } = await start();
    cluster.brokers[2]!.intercept = (api) =>
      api === 'DescribeQuorum' ? { type: 'silence' } : null;
    const views = await admin.views(300);
    expect(views[2]!.partitions).toHaveLength(1);
    expect(views[2]!.controller).toBeNull();
    expect((await admin.health(300)).missing).toEqual(['node-3 reaches no active controller']);
  });
});

describe('topics', () => {
  const spec = {
    name: 'new',
    replicas: [
      [1, 2, 3],
      [2, 3, 1],
    ],
    config: { 'min.insync.replicas': '2' },
  };

  test('are created with the placement and configuration given', async () => {
    const { cluster, admin } = await start();
    const requests: unknown[] = [];
    cluster.brokers[0]!.intercept = (api, request) => {
      if (api === 'CreateTopics') requests.push(request);
      return null;
    };
    await admin.createTopics([spec]);
    expect(requests).toMatchObject([
      {
        topics: [
          {
            name: 'new',
            partitions: -1,
            replicationFactor: -1,
            assignments: [
              { partition: 0, brokers: [1, 2, 3] },
              { partition: 1, brokers: [2, 3, 1] },
            ],
            configs: [{ name: 'min.insync.replicas', value: '2' }],
          },
        ],
        validateOnly: false,
      },
    ]);
    expect(cluster.logs.get('new/1')?.leader).toBe(2);
  });

  test('an existing topic is refused', async () => {
    const { admin } = await start();
    const again = { ...spec, name: 'orders' };
    await expect(admin.createTopics([again])).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: 'the cluster refused topic orders: TOPIC_ALREADY_EXISTS (exists)',
    });
  });

  test('an attempt without answer that took effect is no conflict with itself', async () => {
    const { cluster, admin } = await start();
    const { intercept } = cluster.brokers[0]!;
    cluster.brokers[0]!.intercept = (api, request) => {
      if (api !== 'CreateTopics') return intercept(api, request);
      cluster.logs.set('new/0', emptyLog());
      cluster.logs.set('new/1', emptyLog());
      return { type: 'silence' };
    };
    await admin.createTopics([spec]);
    expect(cluster.brokers[1]!.requests).toContain('CreateTopics');
  });

  test('no node answers: an error that names the last trouble, within the bound', async () => {
    const { cluster, admin } = await start(100);
    for (const broker of cluster.brokers) broker.intercept = () => ({ type: 'silence' });
    await expect(admin.createTopics([spec])).rejects.toMatchObject({
      code: 'CLUSTER_NOT_HEALTHY',
      message: expect.stringMatching(
        /creating topics did not succeed in 100 ms; last: node-\d/,
      ) as string,
    });
  });
});

test('an address that is no broker is told at once', async () => {
  const { cluster, admin } = await start();
  const html = Buffer.from('HTTP/1.1 400 Bad Request');
  cluster.brokers[0]!.intercept = () => ({ type: 'bytes', bytes: html });
  await expect(admin.coordinator('group', 'g')).rejects.toMatchObject({ code: 'WIRE' });
});

describe('coordinators and elections', () => {
  test('the coordinator is asked for again while it is not available', async () => {
    const { cluster, admin } = await start();
    cluster.brokers[0]!.intercept = () => ({
      type: 'answer',
      value: {
        throttleTimeMs: 0,
        errorCode: 15,
        errorMessage: null,
        nodeId: -1,
        host: '',
        port: -1,
      },
    });
    expect(await admin.coordinator('transaction', 'tx')).toBe(2);
    expect(cluster.brokers[0]!.requests).toEqual(['FindCoordinator']);
  });

  test('an election moves what can be moved, and names what was not', async () => {
    const { cluster, admin } = await start();
    cluster.logs.set('orders/1', emptyLog({ leader: 3 }));
    const partitions = [0, 1].map((partition) => ({ topic: 'orders', partition }));
    expect(await admin.elect('preferred', partitions)).toEqual(['orders/0: ELECTION_NOT_NEEDED']);
    expect(cluster.logs.get('orders/1')).toMatchObject({ leader: 1, leaderEpoch: 5 });
  });

  test('a reassignment names log and replicas in order, and tells why it was refused', async () => {
    const { cluster, admin } = await start();
    const asked: unknown[] = [];
    const answers = [
      { errorCode: 0, ofPartition: 0 },
      { errorCode: 0, ofPartition: 39 },
      { errorCode: 31, ofPartition: 0 },
    ];
    cluster.brokers[0]!.intercept = (api, request) => {
      if (api !== 'AlterPartitionReassignments') return null;
      asked.push(request);
      const { errorCode, ofPartition } = answers.shift()!;
      const partitions = [{ partition: 0, errorCode: ofPartition, errorMessage: null }];
      const topics = [{ name: 'orders', partitions }];
      return {
        type: 'answer',
        value: { throttleTimeMs: 0, errorCode, errorMessage: null, topics },
      };
    };
    const log = { topic: 'orders', partition: 0 };
    expect(await admin.reassign(log, [2, 1, 3])).toBeNull();
    expect(asked).toMatchObject([
      { topics: [{ name: 'orders', partitions: [{ partition: 0, replicas: [2, 1, 3] }] }] },
    ]);
    expect(await admin.reassign(log, [2, 2, 3])).toBe('INVALID_REPLICA_ASSIGNMENT');
    expect(await admin.reassign(log, [2, 1, 3])).toBe('CLUSTER_AUTHORIZATION_FAILED');
  });

  test('an election that is refused as a whole names every partition', async () => {
    const { cluster, admin } = await start();
    cluster.brokers[0]!.intercept = () => ({
      type: 'answer',
      value: { throttleTimeMs: 0, errorCode: 31, results: [] },
    });
    expect(await admin.elect('unclean', [{ topic: 'orders', partition: 0 }])).toEqual([
      'orders/0: CLUSTER_AUTHORIZATION_FAILED',
    ]);
  });
});
