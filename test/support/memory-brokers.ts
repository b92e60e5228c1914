/**
 * A few brokers in memory behind BrokerLink, for tests of the modelled producer: logs with sequence checks as Kafka has
 * them, leaders that a test moves, and a treatment for each Produce request.
 */
import type { Clock } from '../../src/core/clock.ts';
import type { LogName } from '../../src/history/event.ts';
import type { CallResult } from '../../src/kafka-protocol/connection.ts';
import { errorCodeOf } from '../../src/kafka-protocol/error-codes.ts';
import type { BrokerLink } from '../../src/kafka-protocol/link.ts';
import { initProducerId } from '../../src/kafka-protocol/messages/init-producer-id.ts';
import { metadata } from '../../src/kafka-protocol/messages/metadata.ts';
import { produce, type ProduceRequest } from '../../src/kafka-protocol/messages/produce.ts';
import type { RecordBatch } from '../../src/kafka-protocol/record-batch.ts';
import type { NodeId, NodeInfo } from '../../src/spi/cluster.ts';

/**
 * `answer`: handled as a broker does. `lose`: never handled, never answered. `mute`: handled, never answered. `refuse`:
 * nothing was sent. `close`: handled, then the connection ends. `late`: handled after three
 * seconds, never answered. An error is answered without an append.
 */
export type Treatment =
  'answer' | 'lose' | 'mute' | 'refuse' | 'close' | 'late' | { readonly error: string };

export interface Arrival {
  readonly node: NodeId;
  readonly log: LogName;
  readonly request: ProduceRequest;
  readonly batch: RecordBatch;
  readonly atNs: number;
}

export interface StoredRecord {
  readonly key: unknown;
  readonly value: unknown;
}

interface ProducerState {
  next: number;
  readonly batches: { readonly sequence: number; readonly count: number; readonly base: number }[];
}

const latencyMs = 1;
const lateMs = 3_000;

export class MemoryBrokers {
  readonly nodes: readonly NodeInfo[];
  /** Produce requests in the order in which they were sent. */
  readonly arrivals: Arrival[] = [];
  readonly down = new Set<NodeId>();
  producerIdsGiven = 0;
  metadataAsked = 0;
  closedLinks = 0;
  treat: (arrival: Arrival, index: number) => Treatment = () => 'answer';
  readonly #clock: Clock;
  readonly #partitions: number;
  readonly #leaders = new Map<LogName, { readonly leader: NodeId; readonly epoch: number }>();
  readonly #logs = new Map<LogName, StoredRecord[]>();
  readonly #states = new Map<string, ProducerState>();

  /** One topic `t`; all its logs are led by node 1. */
  constructor(clock: Clock, nodes: number, partitions: number) {
    this.#clock = clock;
    this.#partitions = partitions;
    this.nodes = Array.from({ length: nodes }, (_, index) => ({
      id: index + 1,
      clientAddress: `node-${index + 1}:9092`,
    }));
    for (let p = 0; p < partitions; p++) this.#leaders.set(`t/${p}`, { leader: 1, epoch: 1 });
  }

  lead(log: LogName, leader: NodeId): void {
    this.#leaders.set(log, { leader, epoch: (this.#leaders.get(log)?.epoch ?? 0) + 1 });
  }

  /** Values of a log in offset order. */
  values(log: LogName): readonly unknown[] {
    return this.records(log).map(({ value }) => value);
  }

  records(log: LogName): readonly StoredRecord[] {
    return this.#logs.get(log) ?? [];
  }

  link = (node: NodeInfo): BrokerLink => {
    let closed = false;
    const open = new Set<() => void>();
    return {
      call: (api, request, timeoutMs) =>
        new Promise((resolve) => {
          if (closed) {
            resolve({ status: 'closed', message: 'the link is closed' });
            return;
          }
          const timers = [
            this.#clock.after(timeoutMs, () => {
              settle({ status: 'timeout', message: 'no answer' });
            }),
          ];
          const end = (): void => {
            settle({ status: 'closed', message: 'the link was closed' });
          };
          const settle = (result: CallResult<never>): void => {
            for (const timer of timers) timer.cancel();
            open.delete(end);
            resolve(result);
          };
          open.add(end);
          const result = this.#handle(node.id, api.key, request);
          if (result === null) return;
          // The bodies belong to the API that was asked for.
          timers.push(
            this.#clock.after(latencyMs, () => {
              settle(result as CallResult<never>);
            }),
          );
        }),
      [Symbol.asyncDispose]: () => {
        closed = true;
        this.closedLinks += 1;
        for (const end of [...open]) end();
        return Promise.resolve();
      },
    };
  };

  #handle(node: NodeId, key: number, request: unknown): CallResult<unknown> | null {
    if (this.down.has(node)) return { status: 'refused', message: `node-${node} is down` };
    if (key === metadata.key) return { status: 'ok', value: this.#metadata() };
    if (key === initProducerId.key) {
      this.producerIdsGiven += 1;
      const producerId = 1_000 + this.producerIdsGiven;
      const value = { throttleTimeMs: 0, errorCode: 0, producerId, producerEpoch: 0 };
      return { status: 'ok', value };
    }
    if (key !== produce.key) throw new Error(`no answer is scripted for API ${key}`);
    return this.#produce(node, request as ProduceRequest);
  }

  #metadata(): unknown {
    this.metadataAsked += 1;
    const partitions = Array.from({ length: this.#partitions }, (_, partition) => {
      const { leader, epoch } = this.#leaders.get(`t/${partition}`) ?? { leader: -1, epoch: 0 };
      return { errorCode: 0, partition, leader, leaderEpoch: epoch };
    });
    return { topics: [{ errorCode: 0, name: 't', partitions }] };
  }

  #produce(node: NodeId, request: ProduceRequest): CallResult<unknown> | null {
    const [topic] = request.topics;
    const [part] = topic?.partitions ?? [];
    if (topic === undefined || part === undefined || !Array.isArray(part.records)) {
      throw new Error('a modelled producer sends batches that never were bytes');
    }
    const [batch] = part.records as readonly RecordBatch[];
    if (batch === undefined) throw new Error('a request carries a batch');
    const log = `${topic.name}/${part.partition}`;
    const arrival = { node, log, request, batch, atNs: this.#clock.nowNs() };
    const treatment = this.treat(arrival, this.arrivals.push(arrival) - 1);
    if (treatment === 'refuse') return { status: 'refused', message: 'no connection' };
    if (treatment === 'lose') return null;
    if (treatment === 'late') {
      this.#clock.after(lateMs, () => this.#append(node, log, batch));
      return null;
    }
    const [errorCode, baseOffset] =
      typeof treatment === 'object'
        ? [errorCodeOf(treatment.error) ?? -1, -1]
        : this.#append(node, log, batch);
    if (treatment === 'mute' || request.acks === 0) return null;
    if (treatment === 'close') return { status: 'closed', message: 'the connection ended' };
    const partitions = [{ partition: part.partition, errorCode, baseOffset }];
    return { status: 'ok', value: { topics: [{ name: topic.name, partitions }] } };
  }

  #append(node: NodeId, log: LogName, batch: RecordBatch): [errorCode: number, base: number] {
    if (this.#leaders.get(log)?.leader !== node) {
      return [errorCodeOf('NOT_LEADER_OR_FOLLOWER') ?? -1, -1];
    }
    const stored = this.#logs.get(log) ?? [];
    this.#logs.set(log, stored);
    const base = stored.length;
    if (batch.producerId >= 0) {
      const id = `${log} ${batch.producerId}`;
      const { baseSequence: sequence, recordCount: count } = batch;
      const state = this.#states.get(id);
      const same = state?.batches.find((b) => b.sequence === sequence && b.count === count);
      if (same !== undefined) return [0, same.base];
      if (state !== undefined && state.next !== sequence) {
        return [errorCodeOf('OUT_OF_ORDER_SEQUENCE_NUMBER') ?? -1, -1];
      }
      const batches = [...(state?.batches ?? []), { sequence, count, base }];
      this.#states.set(id, { next: sequence + count, batches });
    }
    if (batch.records === undefined) throw new Error('the records never were bytes');
    for (const { key, value } of batch.records) {
      stored.push({ key: textOf(key), value: textOf(value) });
    }
    return [0, base];
  }
}

function textOf(bytes: Buffer | null): unknown {
  return bytes === null ? null : JSON.parse(bytes.toString('utf8'));
}
