/** A client of one simulated broker: typed requests for orders/0 over a link, answers with Kafka's names of the errors. */
import { errorName } from '../../src/kafka-protocol/error-codes.ts';
import type { CallResult } from '../../src/kafka-protocol/connection.ts';
import { fetch } from '../../src/kafka-protocol/messages/fetch.ts';
import { latestOffset, listOffsets } from '../../src/kafka-protocol/messages/list-offsets.ts';
import { metadata } from '../../src/kafka-protocol/messages/metadata.ts';
import { produce } from '../../src/kafka-protocol/messages/produce.ts';
import { batchesOf } from '../../src/kafka-protocol/records.ts';
import type { RecordBatch } from '../../src/kafka-protocol/record-batch.ts';
import type { NodeId } from '../../src/spi/cluster.ts';
import { orders, type ModelCluster } from './model-cluster.ts';
import { batchOf, valuesOf } from './model-batches.ts';

/** `error`: NONE, Kafka's name, or how the call itself failed. */
interface Answer {
  readonly error: string;
}

interface ProduceAnswer extends Answer {
  readonly baseOffset: number;
}

interface FetchAnswer extends Answer {
  readonly values: readonly string[];
  readonly highWatermark: number;
}

export class ModelClient {
  readonly #model: ModelCluster;
  readonly #link: ReturnType<ModelCluster['link']>;

  constructor(model: ModelCluster, node: NodeId) {
    this.#model = model;
    this.#link = model.link(node);
  }

  /** Sends and waits, in virtual time. */
  produce(records: readonly string[] | RecordBatch, acks = -1): Promise<ProduceAnswer> {
    return this.#model.drive(this.beginProduce(records, acks));
  }

  /** @param timeoutMs how long the broker may wait for the in-sync set. */
  async beginProduce(
    records: readonly string[] | RecordBatch,
    acks = -1,
    timeoutMs = 1_500,
    callMs = 20_000,
  ): Promise<ProduceAnswer> {
    const batch = 'recordCount' in records ? records : batchOf(records);
    const request = {
      transactionalId: null,
      acks,
      timeoutMs,
      topics: [{ name: 'orders', partitions: [{ partition: 0, records: [batch] }] }],
    };
    const result = await this.#link.call(produce, request, callMs);
    const one = partitionOf(result);
    return { error: nameOf(result, one), baseOffset: one?.baseOffset ?? -1 };
  }

  fetch(offset: number, maxWaitMs = 0, leaderEpoch = -1): Promise<FetchAnswer> {
    return this.#model.drive(this.beginFetch(offset, maxWaitMs, leaderEpoch));
  }

  async beginFetch(offset: number, maxWaitMs: number, leaderEpoch = -1): Promise<FetchAnswer> {
    const position = {
      partition: 0,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: offset,
      logStartOffset: -1,
      partitionMaxBytes: 1_000_000,
    };
    const request = {
      replicaId: -1,
      maxWaitMs,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ name: 'orders', partitions: [position] }],
      forgottenTopics: [],
      rackId: '',
    };
    const result = await this.#link.call(fetch, request, 20_000);
    const one = partitionOf(result);
    return {
      error: nameOf(result, one),
      values: valuesOf(batchesOf(one?.records ?? null, orders)),
      highWatermark: one?.highWatermark ?? -1,
    };
  }

  async end(
    leaderEpoch = -1,
    timestamp = latestOffset,
  ): Promise<Answer & { readonly offset: number }> {
    const position = { partition: 0, currentLeaderEpoch: leaderEpoch, timestamp };
    const topics = [{ name: 'orders', partitions: [position] }];
    const request = { replicaId: -1, isolationLevel: 0, topics };
    const result = await this.#model.drive(this.#link.call(listOffsets, request, 20_000));
    const one = partitionOf(result);
    return { error: nameOf(result, one), offset: one?.offset ?? -1 };
  }

  /** What this broker says of orders/0; null if it does not answer. */
  async picture(): Promise<{
    readonly leader: NodeId;
    readonly inSync: readonly NodeId[];
    readonly live: readonly NodeId[];
  } | null> {
    const request = {
      topics: [{ name: 'orders' }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    };
    const result = await this.#model.drive(this.#link.call(metadata, request, 1_000));
    const one = partitionOf(result);
    if (result.status !== 'ok' || one === undefined) return null;
    const live = result.value.brokers.map(({ nodeId }) => nodeId);
    return { leader: one.leader, inSync: one.inSync, live };
  }

  async close(): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

type Partitioned<P> = CallResult<{
  readonly topics: readonly { readonly partitions: readonly P[] }[];
}>;

function partitionOf<P>(result: Partitioned<P>): P | undefined {
  return result.status === 'ok' ? result.value.topics[0]?.partitions[0] : undefined;
}

function nameOf(
  result: { readonly status: string },
  one: { readonly errorCode: number } | undefined,
): string {
  return one === undefined ? result.status : errorName(one.errorCode);
}
