/** The client's requests, one function each: fields that never change are filled in here. */
import type { IsolationLevel } from '../../history/event.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import {
  fetch,
  type FetchedPartition,
  type FetchRequest,
  type FetchResponse,
} from '../../kafka-protocol/messages/fetch.ts';
import { listOffsets } from '../../kafka-protocol/messages/list-offsets.ts';
import { metadata, type MetadataResponse } from '../../kafka-protocol/messages/metadata.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Nodes } from './nodes.ts';
import { fail, type Fail, failedCall, failedCode } from './outcomes.ts';

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** A place in a log, fenced: the broker refuses it unless it knows the same leader epoch. */
export interface Position extends Partition {
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly bytesMax: number;
}

export function askMetadata(
  nodes: Nodes,
  node: NodeId,
  topics: readonly string[] | null,
  timeoutMs: number,
): Promise<CallResult<MetadataResponse>> {
  const request = {
    topics: topics === null ? null : topics.map((name) => ({ name })),
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  };
  return nodes.call(node, metadata, request, timeoutMs);
}

/** One ListOffsets answer for one log. @param timestamp `latestOffset` or `earliestOffset`. */
export async function askOffset(
  nodes: Nodes,
  node: NodeId,
  log: Partition & { readonly leaderEpoch: number },
  question: { readonly timestamp: number; readonly isolation: IsolationLevel },
  timeoutMs: number,
): Promise<{ readonly type: 'ok'; readonly offset: number; readonly leaderEpoch: number } | Fail> {
  const request = {
    replicaId: -1,
    isolationLevel: isolationNumber(question.isolation),
    topics: [
      {
        name: log.topic,
        partitions: [
          {
            partition: log.partition,
            currentLeaderEpoch: log.leaderEpoch,
            timestamp: question.timestamp,
          },
        ],
      },
    ],
  };
  const what = `ListOffsets of ${log.topic}/${log.partition} from node-${node}`;
  const result = await nodes.call(node, listOffsets, request, timeoutMs);
  if (result.status !== 'ok') return failedCall(result);
  const answer = result.value.topics
    .find((topic) => topic.name === log.topic)
    ?.partitions.find((partition) => partition.partition === log.partition);
  if (answer === undefined) return fail('UNREADABLE', `${what}: the answer leaves it out`);
  if (answer.errorCode !== 0) return failedCode(answer.errorCode, what);
  return { type: 'ok', offset: answer.offset, leaderEpoch: answer.leaderEpoch };
}

/** One Fetch without a session. Its result holds an answer for each position, or says what went wrong. */
export async function askFetch(
  nodes: Nodes,
  node: NodeId,
  positions: readonly Position[],
  question: {
    readonly isolation: IsolationLevel;
    readonly maxWaitMs: number;
    readonly bytesMax: number;
  },
  timeoutMs: number,
): Promise<{ readonly type: 'ok'; readonly answers: readonly FetchedPartition[] } | Fail> {
  const request = fetchRequest(positions, question);
  const result = await nodes.call(node, fetch, request, question.maxWaitMs + timeoutMs);
  if (result.status !== 'ok') return failedCall(result);
  if (result.value.errorCode !== 0) {
    return failedCode(result.value.errorCode, `Fetch from node-${node}`);
  }
  const answers: FetchedPartition[] = [];
  let failure: Fail | null = null;
  for (const { topic, partition } of positions) {
    const what = (): string => `Fetch of ${topic}/${partition} from node-${node}`;
    const answer = answerFor(result.value, topic, partition);
    if (answer === undefined) return fail('UNREADABLE', `${what()}: the answer leaves it out`);
    if (answer.errorCode !== 0) {
      const one = failedCode(answer.errorCode, what());
      // Out of range is the one error that the caller must act on, so it comes first.
      if (failure === null || one.error.code === 'OFFSET_OUT_OF_RANGE') failure = one;
    }
    answers.push(answer);
  }
  return failure ?? { type: 'ok', answers };
}

/** A topic may be listed more than once. */
function answerFor(
  { topics }: FetchResponse,
  topic: string,
  partition: number,
): FetchedPartition | undefined {
  for (const { name, partitions } of topics) {
    if (name !== topic) continue;
    const answer = partitions.find((fetched) => fetched.partition === partition);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

type TopicToFetch = FetchRequest['topics'][number];
interface AskedTopic extends TopicToFetch {
  readonly partitions: TopicToFetch['partitions'][number][];
}

function fetchRequest(
  positions: readonly Position[],
  question: {
    readonly isolation: IsolationLevel;
    readonly maxWaitMs: number;
    readonly bytesMax: number;
  },
): FetchRequest {
  const topics: AskedTopic[] = [];
  for (const { topic: name, partition, leaderEpoch, offset, bytesMax } of positions) {
    let topic = topics.find((asked) => asked.name === name);
    if (topic === undefined) {
      topic = { name, partitions: [] };
      topics.push(topic);
    }
    topic.partitions.push({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: offset,
      logStartOffset: -1,
      partitionMaxBytes: bytesMax,
    });
  }
  return {
    replicaId: -1,
    maxWaitMs: question.maxWaitMs,
    minBytes: 1,
    maxBytes: question.bytesMax,
    isolationLevel: isolationNumber(question.isolation),
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopics: [],
    rackId: '',
  };
}

function isolationNumber(isolation: IsolationLevel): number {
  return isolation === 'read_committed' ? 1 : 0;
}
