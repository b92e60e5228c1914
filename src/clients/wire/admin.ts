/** The admin port over the wire: topics with explicit placement, pictures of the cluster, coordinators, elections. */
import type { Clock } from '../../core/clock.ts';
import { OrdealError } from '../../core/errors.ts';
import { nsPerMs } from '../../core/units.ts';
import type { Api } from '../../kafka-protocol/api.ts';
import { malformed } from '../../kafka-protocol/bytes.ts';
import { errorCodeOf, errorName } from '../../kafka-protocol/error-codes.ts';
import { alterPartitionReassignments } from '../../kafka-protocol/messages/alter-partition-reassignments.ts';
import { createTopics } from '../../kafka-protocol/messages/create-topics.ts';
import { electLeaders } from '../../kafka-protocol/messages/elect-leaders.ts';
import { findCoordinator } from '../../kafka-protocol/messages/find-coordinator.ts';
import type { AdminPort, NodeId, NodeView, TopicSpec } from '../../spi/cluster.ts';
import { nodeView, partitionsView } from './node-views.ts';
import { createNodes, type Nodes, type WireOptions } from './nodes.ts';
import { judgeHealth } from './pictures.ts';
import { wireDefaults, type WireSettings } from './settings.ts';

/** How long an admin call pauses between two attempts. */
const retryPauseMs = 200;

/** The admin port of these nodes, over connections of its own; dispose it when the cluster goes. */
export function createWireAdmin(options: WireOptions): AdminPort & AsyncDisposable {
  const { clock } = options;
  const complete = { ...wireDefaults, ...options.settings };
  const links = createNodes(options, complete, 'ordeal-admin');
  const attempts = createAttempts(links, clock, complete);
  const views = (timeoutMs: number): Promise<readonly NodeView[]> =>
    Promise.all(links.ids.map((node) => nodeView(links, clock, node, timeoutMs)));
  return {
    views,
    health: async (timeoutMs) => judgeHealth(links.ids, await views(timeoutMs)),
    createTopics: async (topics) => {
      await create(attempts, topics, complete);
      await known(links, attempts, topics, complete);
    },
    coordinator: (kind, key) => coordinator(attempts, kind, key),
    elect: (kind, partitions) => elect(attempts, kind, partitions, complete),
    reassign: (log, replicas) => reassign(attempts, log, replicas, complete),
    [Symbol.asyncDispose]: () => links[Symbol.asyncDispose](),
  };
}

/** What one attempt came to: done, or why it is worth another. */
type Attempt<T> = { readonly done: T } | { readonly again: string };

interface Attempts {
  /** Repeats `attempt` at one node after the other until it is done; throws CLUSTER_NOT_HEALTHY after the bound. */
  until<T>(what: string, attempt: (node: NodeId) => Promise<Attempt<T>>): Promise<T>;
  call<Request, Response>(
    node: NodeId,
    api: Api<Request, Response>,
    request: Request,
  ): Promise<Attempt<Response>>;
}

function createAttempts(nodes: Nodes, clock: Clock, settings: WireSettings): Attempts {
  return {
    until: async (what, attempt) => {
      const deadlineNs = clock.nowNs() + settings.adminTimeoutMs * nsPerMs;
      for (let turn = 0; ; turn++) {
        const node = nodes.ids[turn % nodes.ids.length] ?? 0;
        const outcome = await attempt(node);
        if ('done' in outcome) return outcome.done;
        if (clock.nowNs() >= deadlineNs) {
          throw new OrdealError(
            'CLUSTER_NOT_HEALTHY',
            `${what} did not succeed in ${settings.adminTimeoutMs} ms; last: ${outcome.again}`,
            "read the brokers' logs in the run directory",
          );
        }
        await clock.sleep(retryPauseMs);
      }
    },
    call: async (node, api, request) => {
      // The broker waits for the controller on our behalf, up to the same bound, before it answers.
      const result = await nodes.call(node, api, request, 2 * settings.requestTimeoutMs);
      if (result.status === 'ok') return { done: result.value };
      // Brokers fall silent and come back; one that does not speak Kafka never will.
      if (result.status === 'unreadable') throw malformed(`node-${node}: ${result.message}`);
      return { again: `node-${node}: ${result.message}` };
    },
  };
}

/** Codes after which a topic cannot come to be, however often one asks. */
const hopeless = new Set([
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_REPLICA_ASSIGNMENT',
  'INVALID_CONFIG',
  'INVALID_REQUEST',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
]);

async function create(
  attempts: Attempts,
  topics: readonly TopicSpec[],
  settings: WireSettings,
): Promise<void> {
  let pending = topics;
  let uncertain = false;
  await attempts.until('creating topics', async (node): Promise<Attempt<null>> => {
    const outcome = await attempts.call(node, createTopics, {
      topics: pending.map(topicRequest),
      timeoutMs: settings.requestTimeoutMs,
      validateOnly: false,
    });
    if ('again' in outcome) {
      uncertain = true;
      return outcome;
    }
    const refused: string[] = [];
    for (const { name, errorCode, errorMessage } of outcome.done.topics) {
      const code = errorName(errorCode);
      // A topic that an earlier, unanswered attempt may have made is ours.
      if (code === 'NONE' || (code === 'TOPIC_ALREADY_EXISTS' && uncertain)) {
        pending = pending.filter((topic) => topic.name !== name);
      } else if (code === 'TOPIC_ALREADY_EXISTS' || hopeless.has(code)) {
        throw topicRefused(name, code, errorMessage);
      } else {
        uncertain ||= code === 'REQUEST_TIMED_OUT';
        refused.push(`${name}: ${code}`);
      }
    }
    return pending.length === 0 ? { done: null } : { again: refused.join('; ') };
  });
}

function topicRequest({ name, replicas, config }: TopicSpec): {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly { partition: number; brokers: readonly number[] }[];
  readonly configs: readonly { name: string; value: string }[];
} {
  return {
    name,
    partitions: -1,
    replicationFactor: -1,
    assignments: replicas.map((brokers, partition) => ({ partition, brokers })),
    configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
  };
}

function topicRefused(name: string, code: string, detail: string | null): OrdealError {
  return new OrdealError(
    'BAD_ARGUMENT',
    `the cluster refused topic ${name}: ${code}${detail === null ? '' : ` (${detail})`}`,
    'choose another topic name, placement or topic configuration',
  );
}

/** A topic is created when every node shows all of its partitions with a leader. */
async function known(
  nodes: Nodes,
  attempts: Attempts,
  topics: readonly TopicSpec[],
  settings: WireSettings,
): Promise<void> {
  const names = topics.map(({ name }) => name);
  await attempts.until('spreading new topics', async (): Promise<Attempt<null>> => {
    const views = await Promise.all(
      nodes.ids.map((node) => partitionsView(nodes, node, names, settings.requestTimeoutMs)),
    );
    for (const { node, partitions, error } of views) {
      for (const { name, replicas } of topics) {
        const led = (partitions ?? []).filter(({ topic, leader }) => topic === name && leader >= 0);
        if (led.length < replicas.length) {
          const detail = error ?? `${led.length} of ${replicas.length} partitions have a leader`;
          return { again: `${name} on node-${node}: ${detail}` };
        }
      }
    }
    return { done: null };
  });
}

function coordinator(
  attempts: Attempts,
  kind: 'group' | 'transaction',
  key: string,
): Promise<NodeId> {
  const request = { key, keyType: kind === 'group' ? 0 : 1 };
  return attempts.until(`finding the coordinator of ${key}`, async (node) => {
    const outcome = await attempts.call(node, findCoordinator, request);
    if ('again' in outcome) return outcome;
    // The first question creates the internal topic, and the answer is "not available" until that is done.
    const { errorCode, nodeId } = outcome.done;
    return errorCode === 0 ? { done: nodeId } : { again: errorName(errorCode) };
  });
}

async function elect(
  attempts: Attempts,
  kind: 'preferred' | 'unclean',
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  settings: WireSettings,
): Promise<readonly string[]> {
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  const request = {
    electionType: kind === 'preferred' ? 0 : 1,
    topics: names.map((name) => ({
      name,
      partitions: partitions.filter(({ topic }) => topic === name).map((one) => one.partition),
    })),
    timeoutMs: settings.requestTimeoutMs,
  };
  const notController = errorCodeOf('NOT_CONTROLLER');
  const results = await attempts.until(`a ${kind} election`, async (node) => {
    const outcome = await attempts.call(node, electLeaders, request);
    if ('again' in outcome) return outcome;
    const { errorCode, results: done } = outcome.done;
    return errorCode === notController
      ? { again: 'NOT_CONTROLLER' }
      : { done: { errorCode, done } };
  });
  if (results.errorCode !== 0) {
    return partitions.map(
      ({ topic, partition }) => `${topic}/${partition}: ${errorName(results.errorCode)}`,
    );
  }
  return results.done.flatMap(({ name, partitions: done }) =>
    done
      .filter(({ errorCode }) => errorCode !== 0)
      .map(({ partition, errorCode }) => `${name}/${partition}: ${errorName(errorCode)}`),
  );
}

async function reassign(
  attempts: Attempts,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  replicas: readonly NodeId[],
  settings: WireSettings,
): Promise<string | null> {
  const request = {
    timeoutMs: settings.requestTimeoutMs,
    topics: [{ name: topic, partitions: [{ partition, replicas }] }],
  };
  const notController = errorCodeOf('NOT_CONTROLLER');
  const { errorCode, topics } = await attempts.until(
    `reassigning ${topic}/${partition}`,
    async (node) => {
      const outcome = await attempts.call(node, alterPartitionReassignments, request);
      if ('again' in outcome) return outcome;
      return outcome.done.errorCode === notController ? { again: 'NOT_CONTROLLER' } : outcome;
    },
  );
  const [refused] = topics
    .flatMap(({ partitions }) => partitions)
    .filter((each) => each.errorCode !== 0);
  const code = errorCode === 0 ? (refused?.errorCode ?? 0) : errorCode;
  return code === 0 ? null : errorName(code);
}
