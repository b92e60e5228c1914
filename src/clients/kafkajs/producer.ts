/**
 * kafkajs as a producer, one Kafka object and one producer each. Whoever judges the broker uses it so that its own defects
 * cannot show (KAFKA.md A1): one record per send, explicit partition, awaited, and a new producer after any outcome but
 * ok. kafkajs goes on retrying an abandoned call, so those are counted, waited for and at last severed. Every
 * second producer that is retired with a call open is severed at once instead, as if its process had died: of such a
 * call only the bytes that had left are still under way, so that uncertain sends of both fates occur.
 */
import {
  Kafka,
  logLevel,
  type LogEntry,
  type Message,
  type Producer,
  type RecordMetadata,
  type TopicMessages,
} from 'kafkajs';
import { assert } from '../../core/assert.ts';
import { withDeadline } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Scalar } from '../../history/event.ts';
import type {
  AbandonedCalls,
  Outcome,
  ProducerClient,
  ProducerFactory,
  ProducerSettings,
  SendRequest,
  Sent,
} from '../../spi/client.ts';
import { placesOf, type RoutedRecord } from './acknowledgement.ts';
import { errorCodeOf, sendOutcomeOf } from './outcomes.ts';
import { PartitionChoices } from './partition-choices.ts';
import { identityHeader } from '../identity-header.ts';
import { CountingSockets } from './produce-attempts.ts';

/** Short back-off and many tries: a send outlives a failover (KAFKA.md K-8, A1). */
const initialRetryMs = 100;
const maxRetryMs = 1_000;
/** kafkajs does not refresh metadata on a request timeout, so a stalled leader is noticed only by age. */
const metadataMaxAgeMs = 1_000;
const connectionTimeoutMs = 1_000;
/** How long a retired producer may take to disconnect before its sockets are destroyed. */
const disconnectTimeoutMs = 5_000;

export interface KafkajsOptions {
  /** host:port of each broker's client listener. */
  readonly brokers: readonly string[];
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  /** Takes kafkajs's own log, one JSON text per line without newline. */
  readonly log: (line: string) => void;
}

export function createKafkajsProducerFactory(options: KafkajsOptions): ProducerFactory {
  return new KafkajsProducerFactory(options);
}

class KafkajsProducerFactory implements ProducerFactory {
  readonly #options: KafkajsOptions;
  readonly #producers = new Set<KafkajsProducer>();
  readonly #abandoned = new Set<Promise<unknown>>();
  #abandonedTotal = 0;
  #retiredOpen = 0;

  constructor(options: KafkajsOptions) {
    this.#options = options;
  }

  async create(name: string): Promise<ProducerClient> {
    const producer = new KafkajsProducer(name, this.#options, {
      abandoned: (call) => {
        this.#abandonedTotal++;
        this.#abandoned.add(call);
        void call.then(() => this.#abandoned.delete(call));
      },
      retired: (calls) => {
        const open = calls.filter((call) => this.#abandoned.has(call));
        if (open.length === 0) return;
        this.#retiredOpen++;
        if (this.#retiredOpen % 2 !== 0) return;
        for (const call of open) this.#abandoned.delete(call);
        producer.sever();
      },
      closed: () => this.#producers.delete(producer),
    });
    this.#producers.add(producer);
    try {
      await producer.connect();
    } catch (thrown) {
      await producer[Symbol.asyncDispose]();
      throw thrown;
    }
    return producer;
  }

  abandoned(): AbandonedCalls {
    return { total: this.#abandonedTotal, open: this.#abandoned.size };
  }

  async settle(timeoutMs: number): Promise<AbandonedCalls> {
    await withDeadline(this.#options.clock, timeoutMs, Promise.all([...this.#abandoned]));
    const calls = this.abandoned();
    if (calls.open > 0) for (const producer of this.#producers) producer.sever();
    return calls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const producers = [...this.#producers];
    for (const producer of producers) producer.sever();
    await Promise.all(producers.map((producer) => producer[Symbol.asyncDispose]()));
  }
}

interface ProducerOwner {
  /** Told of a call whose deadline passed; the promise never rejects. */
  abandoned(call: Promise<unknown>): void;
  /** Told once, before the producer waits for these calls, which are open. */
  retired(calls: readonly Promise<unknown>[]): void;
  closed(): void;
}

class KafkajsProducer implements ProducerClient {
  readonly #options: KafkajsOptions;
  readonly #owner: ProducerOwner;
  readonly #sockets = new CountingSockets();
  readonly #choices = new PartitionChoices();
  readonly #producer: Producer;
  readonly #open = new Set<Promise<unknown>>();
  #disposal: Promise<void> | null = null;
  readonly #severed = new AbortController();

  constructor(name: string, options: KafkajsOptions, owner: ProducerOwner) {
    this.#options = options;
    this.#owner = owner;
    const { settings } = options;
    const retry = {
      initialRetryTime: initialRetryMs,
      maxRetryTime: maxRetryMs,
      retries: settings.retriesMax,
    };
    const kafka = new Kafka({
      clientId: name,
      brokers: [...options.brokers],
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      retry,
      logLevel: logLevel.WARN,
      logCreator: () => logLine(name, options.log),
      socketFactory: this.#sockets.factory,
    });
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: settings.idempotent,
      metadataMaxAge: metadataMaxAgeMs,
      createPartitioner: this.#choices.partitioner,
      retry,
      ...(settings.idempotent ? { maxInFlightRequests: 1 } : {}),
    });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  /** From here on nothing is written, though kafkajs may go on trying to connect until its retries are used up. */
  sever(): void {
    this.#sockets.sever();
    this.#severed.abort();
  }

  async send(requests: readonly SendRequest[]): Promise<Outcome<readonly Sent[]>> {
    const { clock, settings } = this.#options;
    const framesBefore = this.#sockets.produceFrames;
    const messages = requests.map(messageOf);
    const call = this.#call(requests, messages);
    const settled = call.catch(() => undefined);
    this.#open.add(settled);
    void settled.then(() => this.#open.delete(settled));
    const bounded = await withDeadline(clock, settings.operationTimeoutMs, call);
    if (bounded.status === 'late') {
      this.#owner.abandoned(settled);
      const message = `no outcome within ${settings.operationTimeoutMs} ms`;
      return { type: 'info', error: { code: 'DEADLINE', message } };
    }
    const routed = requests.map(({ topic, partition }, i): RoutedRecord => {
      return { topic, partition, choices: this.#choices.of(messages[i] as Message) };
    });
    if (bounded.status === 'failed') {
      const code = errorCodeOf(bounded.error);
      const attempts = this.#sockets.produceFrames - framesBefore;
      const message = `${describeError(bounded.error)}; Produce requests seen: ${attempts}`;
      return { type: sendOutcomeOf(code, attempts, logsOf(routed)), error: { code, message } };
    }
    const places = placesOf(routed, bounded.value);
    if (places !== null) return { type: 'ok', value: places };
    const message = 'acknowledged after other partitions were chosen in a retry';
    return { type: 'info', error: { code: 'PARTITION_UNTOLD', message } };
  }

  #call(requests: readonly SendRequest[], messages: Message[]): Promise<RecordMetadata[]> {
    const acks = this.#options.settings.acks === 'all' ? -1 : this.#options.settings.acks;
    const [first] = requests;
    assert(first !== undefined, 'a send has at least one record');
    if (requests.length === 1) return this.#producer.send({ topic: first.topic, acks, messages });
    const byTopic = new Map<string, Message[]>();
    for (const [i, { topic }] of requests.entries()) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), messages[i] as Message]);
    }
    const topicMessages = [...byTopic].map(([topic, ofTopic]): TopicMessages => ({
      topic,
      messages: ofTopic,
    }));
    return this.#producer.sendBatch({ acks, topicMessages });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  /** Waits for the open calls first: kafkajs would reconnect for one after a disconnect, and leave that connection open. */
  async #dispose(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#severed;
    const severed = new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    const open = [...this.#open];
    this.#owner.retired(open);
    if (!signal.aborted) await Promise.race([Promise.all(open), severed]);
    await withDeadline(clock, disconnectTimeoutMs, this.#producer.disconnect());
    this.sever();
    this.#owner.closed();
  }
}

function messageOf({ partition, value, meta }: SendRequest): Message {
  return {
    ...(partition === null ? {} : { partition }),
    key: meta.key === undefined ? null : encodeScalar(meta.key),
    ...(meta.tombstone === true
      ? { value: null, headers: { [identityHeader]: encodeScalar(value) ?? 'null' } }
      : { value: encodeScalar(value) }),
  };
}

/** For how many logs requests were made. One record goes to one log at a time, whatever was chosen for it in a retry. */
function logsOf(records: readonly RoutedRecord[]): number {
  if (records.length === 1) return 1;
  const logs = records.flatMap(({ topic, choices }) =>
    choices.map((partition) => `${topic}/${partition}`),
  );
  return new Set(logs).size;
}

function encodeScalar(value: Scalar): string | null {
  return value === null ? null : JSON.stringify(value);
}

function logLine(name: string, log: (line: string) => void): (entry: LogEntry) => void {
  return ({ namespace, label, log: { message, timestamp, ...extra } }) => {
    const line = { client: name, timestamp, label, namespace, message, ...extra };
    // Stacks and the client's id repeat on every line and say nothing new.
    log(JSON.stringify(line, (key, value: unknown) => (noise.has(key) ? undefined : value)));
  };
}

const noise: ReadonlySet<string> = new Set(['stack', 'clientId']);
