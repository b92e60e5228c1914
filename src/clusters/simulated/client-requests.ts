/** What a broker answers to clients: Kafka's requests as typed objects, with Kafka's error codes. */
import { logName } from '../../history/log-name.ts';
import { assert } from '../../core/assert.ts';
import type {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../kafka-protocol/messages/create-topics.ts';
import {
  clusterMetadataTopic,
  type DescribeQuorumResponse,
} from '../../kafka-protocol/messages/describe-quorum.ts';
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '../../kafka-protocol/messages/elect-leaders.ts';
import type {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../kafka-protocol/messages/find-coordinator.ts';
import type { InitProducerIdResponse } from '../../kafka-protocol/messages/init-producer-id.ts';
import {
  earliestOffset,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from '../../kafka-protocol/messages/list-offsets.ts';
import type { MetadataRequest, MetadataResponse } from '../../kafka-protocol/messages/metadata.ts';
import type { ProduceRequest, ProduceResponse } from '../../kafka-protocol/messages/produce.ts';
import { batchesOf } from '../../kafka-protocol/records.ts';
import { addressOf } from './addresses.ts';
import type { ApiCall } from './api-call.ts';
import type { Broker } from './broker.ts';
import { answerClientFetch } from './client-fetch.ts';
import { code } from './error-code.ts';
import { findGroupCoordinator, groupRequests } from './group-coordinator.ts';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../kafka-protocol/messages/alter-partition-reassignments.ts';
import type { FetchRequest } from '../../kafka-protocol/messages/fetch.ts';
import type { ControllerRequest, ControllerResponse } from './controller.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { MetadataImage, TopicConfig } from './metadata-image.ts';
import { simulatedBrokerConfig } from './settings.ts';

type Respond = (response: unknown) => void;

const forwardTimeoutMs = 2_500;

/** Kafka's own, for a topic that names none: a week and a day. */
const defaults = { segmentMs: 604_800_000, deleteRetentionMs: 86_400_000 } as const;

export function handleClient(broker: Broker, call: ApiCall, respond: Respond): void {
  const { request } = call;
  switch (call.api.name) {
    case 'Produce':
      produce(broker, request as ProduceRequest, respond);
      return;
    case 'Fetch':
      answerClientFetch(broker, request as FetchRequest, respond);
      return;
    case 'ListOffsets':
      respond(listOffsets(broker, request as ListOffsetsRequest));
      return;
    case 'Metadata':
      respond(metadata(broker, request as MetadataRequest));
      return;
    case 'InitProducerId':
      initProducerId(broker, respond);
      return;
    case 'CreateTopics':
      createTopics(broker, request as CreateTopicsRequest, respond);
      return;
    case 'ElectLeaders':
      electLeaders(broker, request as ElectLeadersRequest, respond);
      return;
    case 'AlterPartitionReassignments':
      reassign(broker, request as AlterPartitionReassignmentsRequest, respond);
      return;
    case 'DescribeQuorum':
      describeQuorum(broker, respond);
      return;
    case 'FindCoordinator':
      findCoordinator(broker, request as FindCoordinatorRequest, respond);
      return;
    default:
      if (groupRequests.has(call.api.name)) {
        broker.groups.handle(call, respond);
        return;
      }
      throw new Error(`the model does not answer ${call.api.name}`);
  }
}

function produce(broker: Broker, request: ProduceRequest, respond: Respond): void {
  let open = 1;
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partition, records }) => {
      const answer = {
        partition,
        errorCode: 0,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: 0,
      };
      const log = logName(name, partition);
      const replica = broker.replicas.get(log);
      const [batch] = batchesOf(records, log);
      assert(batch !== undefined, 'a produce request carries a batch for each partition');
      if (replica === undefined) {
        const known = broker.image.hasTopic(name);
        answer.errorCode = code(known ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_OR_PARTITION');
        return answer;
      }
      open += 1;
      replica.produce(batch, request.acks, request.timeoutMs, ({ error, baseOffset }) => {
        answer.errorCode = code(error);
        if (error === 'NONE') broker.noteAcknowledged(replica.key, batch);
        answer.baseOffset = baseOffset;
        done();
      });
      return answer;
    }),
  }));
  const response: ProduceResponse = { topics, throttleTimeMs: 0 };
  function done(): void {
    open -= 1;
    if (open === 0) respond(response);
  }
  done();
}

function listOffsets(broker: Broker, request: ListOffsetsRequest): ListOffsetsResponse {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, currentLeaderEpoch, timestamp }) => {
        const key = logName(name, partition);
        const replica = broker.replicas.get(key);
        const refuse = (error: string) => ({
          partition,
          errorCode: code(error),
          timestamp: -1,
          offset: -1,
          leaderEpoch: -1,
        });
        if (replica?.leads !== true) return refuse('NOT_LEADER_OR_FOLLOWER');
        const { leaderEpoch } = replica.state;
        if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== leaderEpoch) {
          return refuse(
            currentLeaderEpoch < leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH',
          );
        }
        const isEarliest = timestamp === earliestOffset;
        if (!isEarliest && !replica.knowsEnd) return refuse('OFFSET_NOT_AVAILABLE');
        const end = broker.frozenEnds.get(key) ?? replica.visibleEnd;
        const offset = isEarliest ? 0 : end;
        return { partition, errorCode: 0, timestamp: -1, offset, leaderEpoch };
      }),
    })),
  };
}

/** What an image says of all its topics: most answers are of an image that has not changed since the last. */
interface Described {
  readonly applied: number;
  readonly all: MetadataResponse;
}

const described = new WeakMap<MetadataImage, Described>();

function metadata({ image }: Broker, request: MetadataRequest): MetadataResponse {
  let known = described.get(image);
  if (known?.applied !== image.applied) {
    known = { applied: image.applied, all: describe(image) };
    described.set(image, known);
  }
  const { all } = known;
  if (request.topics === null) return all;
  const topics = request.topics.map(
    ({ name }) => all.topics.find((topic) => topic.name === name) ?? describeTopic(image, name, []),
  );
  return { ...all, topics };
}

function describe(image: MetadataImage): MetadataResponse {
  const names = new Set([...image.partitions.values()].map(({ topic }) => topic));
  const live = image.liveBrokers();
  return {
    throttleTimeMs: 0,
    brokers: live.map((nodeId) => ({ nodeId, ...addressOf(nodeId), rack: null })),
    clusterId: 'simulated',
    controllerId: live[0] ?? -1,
    topics: [...names].map((name) => describeTopic(image, name, live)),
    clusterAuthorizedOperations: -1,
  };
}

function describeTopic(
  image: MetadataImage,
  name: string,
  live: readonly NodeId[],
): MetadataResponse['topics'][number] {
  return {
    errorCode: image.hasTopic(name) ? 0 : code('UNKNOWN_TOPIC_OR_PARTITION'),
    name,
    internal: name.startsWith('__'),
    partitions: [...image.partitions.values()]
      .filter(({ topic }) => topic === name)
      .map(({ partition, leader, leaderEpoch, replicas, inSync }) => ({
        errorCode: leader < 0 ? code('LEADER_NOT_AVAILABLE') : 0,
        partition,
        leader,
        leaderEpoch,
        replicas,
        inSync,
        offline: replicas.filter((replica) => !live.includes(replica)),
      })),
    authorizedOperations: -1,
  };
}

function initProducerId(broker: Broker, respond: Respond): void {
  broker.producerId((id) => {
    const response: InitProducerIdResponse = {
      throttleTimeMs: 0,
      errorCode: id === null ? code('COORDINATOR_LOAD_IN_PROGRESS') : 0,
      producerId: id ?? -1,
      producerEpoch: id === null ? -1 : 0,
    };
    respond(response);
  });
}

/** Passes a request on to the active controller, as brokers do for clients. */
function forward(
  broker: Broker,
  request: ControllerRequest,
  done: (response: ControllerResponse) => void,
): void {
  broker.askController(request, forwardTimeoutMs, done);
}

function createTopics(broker: Broker, request: CreateTopicsRequest, respond: Respond): void {
  const topics: CreateTopicsResponse['topics'][number][] = [];
  for (const { name, assignments, configs } of request.topics) {
    const replicas = [...assignments]
      .sort((a, b) => a.partition - b.partition)
      .map(({ brokers }) => brokers);
    const config = topicConfig(configs);
    forward(broker, { type: 'create-topic', topic: name, replicas, config }, ({ error }) => {
      topics.push({ name, errorCode: code(error), errorMessage: null });
      if (topics.length === request.topics.length) respond({ throttleTimeMs: 0, topics });
    });
  }
}

/** What a topic leaves out is as the brokers have it. */
function topicConfig(
  configs: readonly { readonly name: string; readonly value: string | null }[],
): TopicConfig {
  const valueOf = (name: string): unknown =>
    configs.find((config) => config.name === name)?.value ?? simulatedBrokerConfig[name];
  return {
    minInSync: Number(valueOf('min.insync.replicas')),
    unclean: String(valueOf('unclean.leader.election.enable')) === 'true',
    compaction:
      valueOf('cleanup.policy') === 'compact'
        ? {
            segmentMs: Number(valueOf('segment.ms') ?? defaults.segmentMs),
            deleteRetentionMs: Number(valueOf('delete.retention.ms') ?? defaults.deleteRetentionMs),
          }
        : null,
  };
}

interface ElectionResult {
  readonly log: string;
  readonly error: string;
}

function electLeaders(broker: Broker, request: ElectLeadersRequest, respond: Respond): void {
  const logs =
    request.topics?.flatMap(({ name, partitions }) =>
      partitions.map((partition) => `${name}/${partition}`),
    ) ?? null;
  const election = request.electionType === 0 ? 'preferred' : 'unclean';
  forward(broker, { type: 'elect', election, logs }, (answer) => {
    const done = (answer['results'] ?? []) as readonly ElectionResult[];
    const names = [...new Set(done.map(({ log }) => topicOf(log)))];
    const response: ElectLeadersResponse = {
      throttleTimeMs: 0,
      errorCode: code(answer.error),
      results: names.map((name) => ({
        name,
        partitions: done
          .filter(({ log }) => topicOf(log) === name)
          .map(({ log, error }) => ({
            partition: Number(log.slice(name.length + 1)),
            errorCode: code(error),
            errorMessage: null,
          })),
      })),
    };
    respond(response);
  });
}

function reassign(
  broker: Broker,
  { topics }: AlterPartitionReassignmentsRequest,
  respond: Respond,
): void {
  const asked = topics.flatMap(({ name, partitions }) =>
    partitions.map((each) => ({ name, ...each })),
  );
  const done: AlterPartitionReassignmentsResponse['topics'][number][] = [];
  for (const { name, partition, replicas } of asked) {
    forward(broker, { type: 'reassign', log: logName(name, partition), replicas }, ({ error }) => {
      const one = { partition, errorCode: code(error), errorMessage: null };
      done.push({ name, partitions: [one] });
      if (done.length < asked.length) return;
      respond({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: done });
    });
  }
}

function topicOf(log: string): string {
  return log.slice(0, log.lastIndexOf('/'));
}

function describeQuorum(broker: Broker, respond: Respond): void {
  forward(broker, { type: 'describe-quorum' }, (answer) => {
    const errorCode = code(answer.error);
    const partition = {
      partition: 0,
      errorCode,
      leader: (answer['leader'] ?? -1) as number,
      leaderEpoch: (answer['leaderEpoch'] ?? -1) as number,
      highWatermark: broker.quorum.committed,
      currentVoters: [],
      observers: [],
    };
    const topics = errorCode === 0 ? [{ name: clusterMetadataTopic, partitions: [partition] }] : [];
    const response: DescribeQuorumResponse = { errorCode, topics };
    respond(response);
  });
}

/** Transactions are not part of this model yet. */
function findCoordinator(
  broker: Broker,
  { keyType }: FindCoordinatorRequest,
  respond: Respond,
): void {
  if (keyType === 0) {
    findGroupCoordinator(broker, respond);
    return;
  }
  const answer: FindCoordinatorResponse = {
    throttleTimeMs: 0,
    errorCode: code('COORDINATOR_NOT_AVAILABLE'),
    errorMessage: null,
    nodeId: -1,
    host: '',
    port: -1,
  };
  respond(answer);
}
