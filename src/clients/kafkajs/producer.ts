/**
 * kafkajs as a producer that judges the broker: used so that its own defects cannot show (KAFKA.md A1). One Kafka object
 * and one producer each, one record per send, explicit partition, awaited; after any outcome but ok the caller retires
 * the producer. kafkajs goes on retrying an abandoned call, so those are counted, waited for and at last severed. Every
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
} from '../../spi/client.ts';
import { errorCodeOf, sendOutcomeOf } from './outcomes.ts';
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

  constructor(options: KafkajsOptions) {
    this.#options = options;
  }

  async create(name: string): Promise<ProducerClient> {
    const producer = new KafkajsProducer(name, this.#options, {
      abandoned: (call) => {
        this.#abandonedTotal++;
        if (this.#abandonedTotal % 2 === 0) {
          producer.sever();
          return;
        }
        const settled = call.finally(() => this.#abandoned.delete(settled));
        this.#abandoned.add(settled);
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
  closed(): void;
}

class KafkajsProducer implements ProducerClient {
  readonly #options: KafkajsOptions;
  readonly #owner: ProducerOwner;
  readonly #sockets = new CountingSockets();
  readonly #producer: Producer;
  #open: Promise<unknown> | null = null;
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
      createPartitioner: () => explicitPartition,
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

  async send(request: SendRequest): Promise<Outcome<{ readonly offset: number | null }>> {
    const { clock, settings } = this.#options;
    const framesBefore = this.#sockets.produceFrames;
    const call = this.#producer.send({
      topic: request.topic,
      acks: settings.acks === 'all' ? -1 : settings.acks,
      messages: [
        {
          partition: request.partition,
          key: request.meta.key === undefined ? null : encodeScalar(request.meta.key),
          value: encodeScalar(request.value),
        },
      ],
    });
    const settled = call.catch(() => undefined);
    this.#open = settled;
    const bounded = await withDeadline(clock, settings.operationTimeoutMs, call);
    if (bounded.status === 'late') {
      this.#owner.abandoned(settled);
      const message = `no outcome within ${settings.operationTimeoutMs} ms`;
      return { type: 'info', error: { code: 'DEADLINE', message } };
    }
    this.#open = null;
    if (bounded.status === 'failed') {
      const code = errorCodeOf(bounded.error);
      const attempts = this.#sockets.produceFrames - framesBefore;
      const message = `${describeError(bounded.error)}; Produce requests seen: ${attempts}`;
      return { type: sendOutcomeOf(code, attempts), error: { code, message } };
    }
    return { type: 'ok', value: { offset: acknowledgedOffset(bounded.value, request) } };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  /** Waits for the open call first: kafkajs would reconnect for it after a disconnect, and leave that connection open. */
  async #dispose(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#severed;
    const severed = new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    if (!signal.aborted) await Promise.race([this.#open, severed]);
    await withDeadline(clock, disconnectTimeoutMs, this.#producer.disconnect());
    this.sever();
    this.#owner.closed();
  }
}

/** Null where the answer lacks the partition (KAFKA.md K-1) or the broker told no offset (acks=0). */
function acknowledgedOffset(
  answer: readonly RecordMetadata[],
  request: SendRequest,
): number | null {
  const entry = answer.find(
    (metadata) => metadata.topicName === request.topic && metadata.partition === request.partition,
  );
  const offset = Number(entry?.baseOffset ?? entry?.offset ?? -1);
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : null;
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

/** kafkajs asks its partitioner for every record, also for those that name their partition. */
function explicitPartition({ message }: { readonly message: Message }): number {
  assert(message.partition !== undefined, 'every record names its partition');
  return message.partition;
}
