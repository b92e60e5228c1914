/** STAND-IN of the branch `cli`: the fake cluster behind the interface of the simulation. Dropped at the merge. */
import type { Clock } from '../../src/core/clock.ts';
import { randomStream, type Random } from '../../src/core/random.ts';
import type { BrokerLink } from '../../src/kafka-protocol/link.ts';
import type { FetchRequest } from '../../src/kafka-protocol/messages/fetch.ts';
import type { ListOffsetsRequest } from '../../src/kafka-protocol/messages/list-offsets.ts';
import type { MetadataRequest } from '../../src/kafka-protocol/messages/metadata.ts';
import { encodeRecords, plainBatch } from '../../src/kafka-protocol/record-encoding.ts';
import type { ProducerFactory, ProducerSettings } from '../../src/spi/client.ts';
import type { AdminPort, Cluster, NodeId, NodeInfo } from '../../src/spi/cluster.ts';
import type { Defect, SimulatedProfile } from '../../src/spi/simulation.ts';
import { createFakeConnections } from './fake-cluster-clients.ts';
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface SimulationOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly profile: SimulatedProfile;
  readonly defects: ReadonlySet<string>;
  readonly admin: (
    nodes: readonly NodeInfo[],
    link: LinkFactory,
    clock: Clock,
  ) => AdminPort & AsyncDisposable;
}
export type LinkFactory = (node: NodeInfo, clientId: string) => BrokerLink;
export interface GroundTruth {
  readonly lost: readonly string[];
}
export interface Simulation {
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly link: LinkFactory;
  drive<T>(promise: Promise<T>): Promise<T>;
  readonly truth: GroundTruth;
}

export const simulatedNodes: readonly NodeId[] = [1, 2, 3];
export const simulatedBrokerConfig: Readonly<Record<string, unknown>> = {
  'broker.session.timeout.ms': 3000,
  'replica.lag.time.max.ms': 5000,
};
export const brokerDefects: readonly Defect[] = [
  {
    name: 'ack-before-replication',
    layer: 'broker',
    summary: 'The leader acknowledges what only it holds, whatever acks says.',
    twin: null,
    primary: 'lost-write',
    consequences: ['inconsistent-offsets', 'truncated-read', 'not-recovered'],
    needs: { nemeses: ['kill'] },
  },
];
export const clientDefects: readonly Defect[] = [
  {
    name: 'stand-in-client',
    layer: 'client',
    summary: 'Nothing is done wrong.',
    twin: null,
    primary: 'duplicate',
    consequences: [],
    needs: { idempotent: false },
  },
];

const clusters = new WeakMap<LinkFactory, { cluster: FakeCluster; clock: Clock }>();

export function createSimulation(options: SimulationOptions): Simulation {
  const clock = createVirtualClock();
  const cluster = createFakeCluster(clock);
  const link: LinkFactory = (node) => linkTo(node.id, cluster, clock, options.seed);
  clusters.set(link, { cluster, clock });
  return { clock, cluster, link, drive: (promise) => clock.drive(promise), truth: { lost: [] } };
}

function linkTo(id: NodeId, cluster: FakeCluster, clock: Clock, seed: string): BrokerLink {
  const random = randomStream(seed, `link-${id}`);
  return {
    call: async (api, request, timeoutMs) => {
      await clock.sleep(1 + random.below(3));
      const { running, frozen } = cluster.state(id);
      if (!running) return { status: 'refused', message: 'not running' };
      if (frozen) {
        await clock.sleep(timeoutMs);
        return { status: 'timeout', message: 'frozen' };
      }
      if (api.name === 'Fetch') await clock.sleep(20);
      return { status: 'ok', value: answer(api.name, request, cluster, id) as never };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function answer(api: string, request: unknown, cluster: FakeCluster, id: NodeId): unknown {
  if (api === 'Metadata') return metadata(request as MetadataRequest, cluster);
  if (api === 'ListOffsets') return offsets(request as ListOffsetsRequest, cluster, id);
  if (api === 'Fetch') return fetched(request as FetchRequest, cluster);
  throw new Error(`the stand-in does not answer ${api}`);
}

function metadata(request: MetadataRequest, cluster: FakeCluster): unknown {
  const names = new Set([...cluster.logs.values()].map(({ topic }) => topic));
  return {
    throttleTimeMs: 0,
    brokers: cluster.nodes.map(({ id }) => ({ nodeId: id, host: 'x', port: 1, rack: null })),
    clusterId: 'x',
    controllerId: 1,
    topics: (request.topics?.map(({ name }) => name) ?? [...names]).map((name) => ({
      errorCode: 0,
      name,
      internal: false,
      partitions: [...cluster.logs.values()]
        .filter(({ topic }) => topic === name)
        .map(({ partition, leader, epoch, replicas, inSync }) => ({
          errorCode: 0,
          partition,
          leader,
          leaderEpoch: epoch,
          replicas,
          inSync,
          offline: [],
        })),
      authorizedOperations: 0,
    })),
    clusterAuthorizedOperations: 0,
  };
}

function offsets(request: ListOffsetsRequest, cluster: FakeCluster, id: NodeId): unknown {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, timestamp }) => {
        const log = cluster.logs.get(`${name}/${partition}`);
        const offset = timestamp === -2 ? 0 : (log?.records.length ?? 0);
        const errorCode = log?.leader === id ? 0 : 6;
        return { partition, errorCode, timestamp: -1, offset, leaderEpoch: log?.epoch ?? 0 };
      }),
    })),
  };
}

function fetched(request: FetchRequest, cluster: FakeCluster): unknown {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, fetchOffset }) => {
        const log = cluster.logs.get(`${name}/${partition}`)!;
        const end = log.records.length;
        const records = log.records.slice(fetchOffset).map(({ value, key }) => ({
          timestamp: 1,
          key: key === undefined ? null : Buffer.from(JSON.stringify(key)),
          value: Buffer.from(JSON.stringify(value)),
        }));
        const head = { ...plainBatch, baseOffset: fetchOffset, leaderEpoch: log.epoch, records };
        return {
          partition,
          errorCode: 0,
          highWatermark: end,
          lastStableOffset: end,
          logStartOffset: 0,
          abortedTransactions: null,
          preferredReadReplica: -1,
          records: records.length === 0 ? Buffer.alloc(0) : encodeRecords(head),
        };
      }),
    })),
  };
}

export interface SimulatedProducerOptions {
  readonly nodes: readonly NodeInfo[];
  readonly link: LinkFactory;
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly defects: ReadonlySet<string>;
}

export function createSimulatedProducerFactory(options: SimulatedProducerOptions): ProducerFactory {
  const { cluster, clock } = clusters.get(options.link)!;
  const { producers } = createFakeConnections(clock, cluster);
  if (!options.defects.has('ack-before-replication')) return producers;
  return {
    create: async (name) => {
      const inner = await producers.create(name);
      return {
        send: async (request) => {
          await clock.sleep(2 + options.random.below(4));
          if (!options.random.chance(1, 30)) return inner.send(request);
          return { type: 'ok', value: { offset: null } };
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      };
    },
    abandoned: () => producers.abandoned(),
    settle: (timeoutMs) => producers.settle(timeoutMs),
    [Symbol.asyncDispose]: () => producers[Symbol.asyncDispose](),
  };
}
