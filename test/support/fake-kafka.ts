/** Fake brokers that share logs: enough of Kafka's behaviour for readers, the audit and the admin port. */
import { errorCodeOf } from '../../src/kafka-protocol/error-codes.ts';
import type { CreateTopicsRequest } from '../../src/kafka-protocol/messages/create-topics.ts';
import type { ElectLeadersRequest } from '../../src/kafka-protocol/messages/elect-leaders.ts';
import type { FetchRequest, FetchResponse } from '../../src/kafka-protocol/messages/fetch.ts';
import type {
  ListOffsetsRequest,
  ListOffsetsResponse,
} from '../../src/kafka-protocol/messages/list-offsets.ts';
import type {
  MetadataRequest,
  MetadataResponse,
} from '../../src/kafka-protocol/messages/metadata.ts';
import { decodeBatches } from '../../src/kafka-protocol/record-batch.ts';
import {
  encodeMarker,
  encodeRecords,
  plainBatch,
  type RecordDraft,
} from '../../src/kafka-protocol/record-encoding.ts';
import type { NodeInfo } from '../../src/spi/cluster.ts';
import { type FakeBroker, startFakeBroker } from './fake-broker.ts';

export interface FakeLog {
  leader: number;
  leaderEpoch: number;
  replicas: number[];
  inSync: number[];
  start: number;
  /** By default the end of the last batch, both. */
  highWatermark: number | null;
  lastStable: number | null;
  batches: Buffer[];
  /** In the order in which a broker lists them: by their ends. */
  aborted: { producerId: number; firstOffset: number; lastOffset: number }[];
}

export interface FakeCluster extends AsyncDisposable {
  readonly nodes: readonly NodeInfo[];
  readonly brokers: readonly FakeBroker[];
  readonly logs: Map<string, FakeLog>;
  controller: { node: number; epoch: number } | null;
}

type Named<T> = readonly { readonly name: string; readonly partitions: readonly T[] }[];

/** Three brokers over the same logs. */
export async function startFakeCluster(): Promise<FakeCluster> {
  const logs = new Map<string, FakeLog>();
  const brokers: FakeBroker[] = [];
  const cluster: FakeCluster = {
    brokers,
    logs,
    controller: { node: 1, epoch: 1 },
    get nodes() {
      return brokers.map(({ info }) => info);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(brokers.map((broker) => broker[Symbol.asyncDispose]()));
    },
  };
  for (const id of [1, 2, 3]) {
    brokers.push(await startFakeBroker(id, (api, request) => answer(cluster, id, api, request)));
  }
  return cluster;
}

/** An empty log in sync on nodes 1 to 3, led by node 1. */
export function emptyLog(changes: Partial<FakeLog> = {}): FakeLog {
  return {
    leader: 1,
    leaderEpoch: 4,
    replicas: [1, 2, 3],
    inSync: [1, 2, 3],
    start: 0,
    highWatermark: null,
    lastStable: null,
    batches: [],
    aborted: [],
    ...changes,
  };
}

/** The end of the last batch. */
export function endOf(log: FakeLog): number {
  const last = log.batches.at(-1);
  return last === undefined ? log.start : decodeBatches(last, 'fake/0')[0]!.lastOffset + 1;
}

/** Appends one batch; values are JSON, as producers of the project write them. Returns its base offset. */
export function append(log: FakeLog, values: readonly unknown[], producer?: number): number {
  const baseOffset = endOf(log);
  const records = values.map((value): RecordDraft => ({
    timestamp: 1,
    key: null,
    value: Buffer.from(JSON.stringify(value)),
  }));
  const identity =
    producer === undefined ? {} : { producerId: producer, producerEpoch: 0, transactional: true };
  log.batches.push(
    encodeRecords({
      ...plainBatch,
      ...identity,
      baseOffset,
      leaderEpoch: log.leaderEpoch,
      records,
    }),
  );
  return baseOffset;
}

/** Appends a transaction's end marker; an abort is listed with the transaction's first offset. */
export function endTransaction(log: FakeLog, producer: number, aborted?: number): void {
  const head = {
    baseOffset: endOf(log),
    leaderEpoch: log.leaderEpoch,
    producerId: producer,
    producerEpoch: 0,
  };
  log.batches.push(encodeMarker(head, aborted === undefined ? 'commit' : 'abort', 1));
  if (aborted !== undefined) {
    log.aborted.push({
      producerId: producer,
      firstOffset: aborted,
      lastOffset: head.baseOffset,
    });
  }
}

function code(name: string): number {
  const number = errorCodeOf(name);
  if (number === undefined) throw new Error(`${name} is no error of Kafka's`);
  return number;
}

function answer(cluster: FakeCluster, id: number, api: string, request: unknown): unknown {
  switch (api) {
    case 'Metadata':
      return metadataAnswer(cluster, request as MetadataRequest);
    case 'ListOffsets':
      return offsetsAnswer(cluster, id, request as ListOffsetsRequest);
    case 'Fetch':
      return fetchAnswer(cluster, request as FetchRequest);
    case 'DescribeQuorum':
      return quorumAnswer(cluster);
    case 'FindCoordinator':
      return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, nodeId: 2, host: 'x', port: 1 };
    case 'ElectLeaders':
      return electAnswer(cluster, request as ElectLeadersRequest);
    default:
      return createAnswer(cluster, request as CreateTopicsRequest);
  }
}

function metadataAnswer(cluster: FakeCluster, request: MetadataRequest): MetadataResponse {
  const all = [...new Set([...cluster.logs.keys()].map((name) => name.split('/')[0]!))];
  const wanted = request.topics?.map(({ name }) => name) ?? all;
  return {
    throttleTimeMs: 0,
    brokers: cluster.brokers.map(({ info }) => ({
      nodeId: info.id,
      host: '127.0.0.1',
      port: Number(info.clientAddress.split(':')[1]),
      rack: null,
    })),
    clusterId: 'fake',
    controllerId: 1,
    topics: wanted.map((name) => ({
      errorCode: all.includes(name) ? 0 : code('UNKNOWN_TOPIC_OR_PARTITION'),
      name,
      internal: false,
      partitions: [...cluster.logs]
        .filter(([log]) => log.split('/')[0] === name)
        .map(([log, { leader, leaderEpoch, replicas, inSync }]) => ({
          errorCode: 0,
          partition: Number(log.split('/')[1]),
          leader,
          leaderEpoch,
          replicas,
          inSync,
          offline: [],
        })),
      authorizedOperations: 0,
    })),
    clusterAuthorizedOperations: 0,
  };
}

/** What a broker says to a client that believes in another epoch; 0 if they agree. */
function fence(log: FakeLog | undefined, epoch: number): number {
  if (log === undefined) return code('UNKNOWN_TOPIC_OR_PARTITION');
  if (epoch < log.leaderEpoch) return code('FENCED_LEADER_EPOCH');
  return epoch > log.leaderEpoch ? code('UNKNOWN_LEADER_EPOCH') : 0;
}

function offsetsAnswer(
  cluster: FakeCluster,
  id: number,
  request: ListOffsetsRequest,
): ListOffsetsResponse {
  return {
    throttleTimeMs: 0,
    topics: each(request.topics, (name, { partition, currentLeaderEpoch, timestamp }) => {
      const log = cluster.logs.get(`${name}/${partition}`);
      const fenced = fence(log, currentLeaderEpoch);
      const errorCode = log?.leader === id ? fenced : code('NOT_LEADER_OR_FOLLOWER');
      if (log === undefined || errorCode !== 0) {
        return { partition, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
      }
      const latest = request.isolationLevel === 1 ? stableOf(log) : watermarkOf(log);
      const offset = timestamp === -2 ? log.start : latest;
      return { partition, errorCode, timestamp: -1, offset, leaderEpoch: log.leaderEpoch };
    }),
  };
}

function fetchAnswer(cluster: FakeCluster, request: FetchRequest): FetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    topics: each(request.topics, (name, { partition, currentLeaderEpoch, fetchOffset }) => {
      const log = cluster.logs.get(`${name}/${partition}`);
      const fenced = fence(log, currentLeaderEpoch);
      const nothing = {
        partition,
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
        abortedTransactions: null,
        preferredReadReplica: -1,
        records: null,
      };
      if (log === undefined || fenced !== 0) return { ...nothing, errorCode: fenced };
      if (fetchOffset < log.start || fetchOffset > endOf(log)) {
        return { ...nothing, errorCode: code('OFFSET_OUT_OF_RANGE') };
      }
      const committed = request.isolationLevel === 1;
      const bound = committed ? stableOf(log) : watermarkOf(log);
      const batches = log.batches.filter((bytes) => {
        const batch = decodeBatches(bytes, 'fake/0')[0]!;
        return batch.lastOffset >= fetchOffset && batch.baseOffset < bound;
      });
      return {
        ...nothing,
        errorCode: 0,
        highWatermark: watermarkOf(log),
        lastStableOffset: stableOf(log),
        logStartOffset: log.start,
        abortedTransactions: committed
          ? log.aborted.filter(({ lastOffset }) => lastOffset >= fetchOffset)
          : null,
        records: Buffer.concat(batches),
      };
    }),
  };
}

function each<Q, R>(
  topics: Named<Q>,
  reply: (name: string, question: Q) => R,
): { name: string; partitions: R[] }[] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((question) => reply(name, question)),
  }));
}

function watermarkOf(log: FakeLog): number {
  return log.highWatermark ?? endOf(log);
}

function stableOf(log: FakeLog): number {
  return log.lastStable ?? watermarkOf(log);
}

function quorumAnswer(cluster: FakeCluster): unknown {
  const quorum = {
    partition: 0,
    errorCode: 0,
    leader: cluster.controller?.node ?? -1,
    leaderEpoch: cluster.controller?.epoch ?? -1,
    highWatermark: 1,
    currentVoters: [],
    observers: [],
  };
  return { errorCode: 0, topics: [{ name: '__cluster_metadata', partitions: [quorum] }] };
}

function electAnswer(cluster: FakeCluster, request: ElectLeadersRequest): unknown {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    results: each(
      (request.topics ?? []).map(({ name, partitions }) => ({ name, partitions })),
      (name, partition) => {
        const log = cluster.logs.get(`${name}/${partition}`);
        const preferred = log?.replicas[0];
        const needed = log !== undefined && preferred !== undefined && preferred !== log.leader;
        if (needed) {
          log.leader = preferred;
          log.leaderEpoch++;
        }
        const errorCode = needed ? 0 : code('ELECTION_NOT_NEEDED');
        return { partition, errorCode, errorMessage: null };
      },
    ),
  };
}

function createAnswer(cluster: FakeCluster, request: CreateTopicsRequest): unknown {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, assignments }) => {
      if (cluster.logs.has(`${name}/0`)) {
        return { name, errorCode: code('TOPIC_ALREADY_EXISTS'), errorMessage: 'exists' };
      }
      for (const { partition, brokers } of assignments) {
        const replicas = [...brokers];
        const log = emptyLog({ leader: replicas[0]!, leaderEpoch: 0, replicas, inSync: replicas });
        cluster.logs.set(`${name}/${partition}`, log);
      }
      return { name, errorCode: 0, errorMessage: null };
    }),
  };
}
