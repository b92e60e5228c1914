/**
 * A modelled producer: what a sound client of Kafka does, over typed requests, on any clock. Its retries, sequences and
 * deadlines are half of what goes wrong in a cluster, so its defects can be switched on one by one (`defects.ts`).
 *
 * A call that passes its deadline is info, and the attempts of it that are under way run to their end: such calls are
 * counted and waited for. Every second producer that is retired with a call open is severed at once instead, as if its
 * process had died.
 */
import { withDeadline } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { OrdealError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { nsPerMs } from '../../core/units.ts';
import type { OperationError } from '../../history/event.ts';
import type { BrokerLink } from '../../kafka-protocol/link.ts';
import type {
  AbandonedCalls,
  Outcome,
  ProducerClient,
  ProducerFactory,
  ProducerSettings,
  SendRequest,
  Sent,
} from '../../spi/client.ts';
import type { NodeInfo } from '../../spi/cluster.ts';
import { encodeScalar } from '../wire/scalar.ts';
import { partitionOfKey, type PlacedRequest } from './batches.ts';
import { Call, OpenCalls } from './calls.ts';
import { Delivery } from './delivery.ts';
import { createLinks, type Links } from './links.ts';
import { createPicture, type Picture } from './metadata.ts';
import { sendOutcomeOf } from './outcomes.ts';
import { createIdentities, type Identities } from './sequences.ts';

/** How long `create` tries to get metadata and, if idempotent, a producer id. */
const connectBoundMs = 10_000;
const connectPauseMs = 200;
const unknownPartition = -1;

export interface SimulatedProducerOptions {
  readonly nodes: readonly NodeInfo[];
  /** A fresh link (one connection) to one node for one client. */
  readonly link: (node: NodeInfo, clientId: string) => BrokerLink;
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** Names of defects that are on; those that are not the producer's mean nothing here. */
  readonly defects: ReadonlySet<string>;
}

export function createSimulatedProducerFactory(options: SimulatedProducerOptions): ProducerFactory {
  return new SimulatedProducerFactory(options);
}

class SimulatedProducerFactory implements ProducerFactory {
  readonly #options: SimulatedProducerOptions;
  readonly #producers = new Set<SimulatedProducer>();
  readonly #abandoned = new OpenCalls();
  #abandonedTotal = 0;
  #retiredOpen = 0;

  constructor(options: SimulatedProducerOptions) {
    this.#options = options;
  }

  async create(name: string): Promise<ProducerClient> {
    const producer = new SimulatedProducer(name, this.#options, {
      abandoned: (call) => {
        this.#abandonedTotal += 1;
        this.#abandoned.add(call);
      },
      settled: (call) => {
        this.#abandoned.delete(call);
      },
      severs: () => {
        this.#retiredOpen += 1;
        return this.#retiredOpen % 2 === 0;
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
    if (this.#abandoned.size > 0) {
      await withDeadline(this.#options.clock, timeoutMs, this.#abandoned.whenEmpty());
    }
    const calls = this.abandoned();
    if (calls.open > 0) await Promise.all([...this.#producers].map((each) => each.sever()));
    return calls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const producers = [...this.#producers];
    await Promise.all(producers.map((producer) => producer.sever()));
    await Promise.all(producers.map((producer) => producer[Symbol.asyncDispose]()));
  }
}

interface ProducerOwner {
  /** Told of a call whose deadline passed while an attempt of it was under way. */
  abandoned(call: Call): void;
  /** Told of every call that has settled. */
  settled(call: Call): void;
  /** Asked when a producer is retired with calls open: true if it ends at once. */
  severs(): boolean;
  closed(): void;
}

class SimulatedProducer implements ProducerClient {
  readonly #options: SimulatedProducerOptions;
  readonly #owner: ProducerOwner;
  readonly #links: Links;
  readonly #picture: Picture;
  readonly #identities: Identities;
  readonly #delivery: Delivery;
  readonly #calls = new OpenCalls();
  #disposal: Promise<void> | null = null;

  constructor(name: string, options: SimulatedProducerOptions, owner: ProducerOwner) {
    this.#options = options;
    this.#owner = owner;
    const { nodes, clock, random, settings, defects } = options;
    this.#links = createLinks(nodes, (node) => options.link(node, name));
    const first = random.below(nodes.length);
    this.#picture = createPicture(this.#links, clock, first);
    this.#identities = createIdentities(this.#links, first);
    this.#delivery = new Delivery({
      links: this.#links,
      picture: this.#picture,
      identities: this.#identities,
      settings,
      clock,
      random,
      has: (defect) => defects.has(defect),
    });
  }

  async connect(): Promise<void> {
    const { clock, settings } = this.#options;
    const untilNs = clock.nowNs() + connectBoundMs * nsPerMs;
    for (;;) {
      if (!this.#picture.known) await this.#picture.refresh();
      if (this.#picture.known && settings.idempotent) await this.#identities.renew();
      const ready = !settings.idempotent || this.#identities.current() !== null;
      if (this.#picture.known && ready) return;
      if (clock.nowNs() >= untilNs) break;
      await clock.sleep(connectPauseMs);
    }
    throw new OrdealError(
      'CLUSTER_NOT_HEALTHY',
      `no node gave ${this.#picture.known ? 'a producer id' : 'metadata'} within ${connectBoundMs} ms`,
      'see which nodes run and can be reached',
    );
  }

  send(requests: readonly SendRequest[]): Promise<Outcome<readonly Sent[]>> {
    const { clock, settings } = this.#options;
    const deadlineNs = clock.nowNs() + settings.operationTimeoutMs * nsPerMs;
    if (requests.length === 0) return Promise.resolve({ type: 'ok', value: [] });
    if (this.#disposal !== null) {
      return Promise.resolve(notSent('CLIENT_CLOSED', 'this client is disposed'));
    }
    const placed = this.#place(requests);
    return placed === null
      ? this.#sendWhenKnown(requests, deadlineNs)
      : this.#call(placed, deadlineNs);
  }

  async #sendWhenKnown(
    requests: readonly SendRequest[],
    deadlineNs: number,
  ): Promise<Outcome<readonly Sent[]>> {
    await this.#picture.refresh();
    const placed = this.#place(requests);
    if (placed === null) {
      return notSent('UNKNOWN_TOPIC_OR_PARTITION', 'no node names the partitions of the topic');
    }
    return this.#call(placed, deadlineNs);
  }

  #call(placed: readonly PlacedRequest[], deadlineNs: number): Promise<Outcome<readonly Sent[]>> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const call = new Call({
        placed,
        deadlineNs,
        timestamp: clock.wallMs(),
        answer: resolve,
        settled: (settled) => {
          this.#calls.delete(settled);
          this.#owner.settled(settled);
        },
      });
      this.#calls.add(call);
      const leftMs = Math.max(0, deadlineNs - clock.nowNs()) / nsPerMs;
      call.expireBy(
        clock.after(leftMs, () => {
          this.#expire(call);
        }),
      );
      for (const batch of call.batches) this.#delivery.add(batch);
    });
  }

  /** Chooses the partition of each record, once. Null: a topic is not known. */
  #place(requests: readonly SendRequest[]): readonly PlacedRequest[] | null {
    const placed = requests.map((request): PlacedRequest => {
      const partition = request.partition ?? this.#choose(request) ?? unknownPartition;
      return { request, partition };
    });
    return placed.some(({ partition }) => partition === unknownPartition) ? null : placed;
  }

  #choose({ topic, meta }: SendRequest): number | null {
    const partitions = this.#picture.partitionsOf(topic);
    if (partitions === 0) return null;
    const key = meta.key === undefined ? null : encodeScalar(meta.key);
    if (key === null) return this.#options.random.below(partitions);
    return partitionOfKey(key, partitions);
  }

  #expire(call: Call): void {
    const { operationTimeoutMs } = this.#options.settings;
    const message = `no outcome within ${operationTimeoutMs} ms`;
    const error: OperationError = { code: 'DEADLINE', message };
    for (const batch of call.batches) this.#delivery.giveUp(batch, error);
    if (call.isSettled) return;
    this.#owner.abandoned(call);
    call.answerEarly({ type: 'info', error });
  }

  /** From here on nothing is sent. */
  sever(): Promise<void> {
    this.#delivery.stop();
    const error = { code: 'CLIENT_CLOSED', message: 'this client was severed' };
    for (const call of this.#calls) {
      for (const batch of call.batches) this.#delivery.giveUp(batch, error);
    }
    return this.#links.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    if (this.#calls.size > 0 && !this.#owner.severs()) await this.#calls.whenEmpty();
    await this.sever();
    this.#owner.closed();
  }
}

/** The outcome of a call of which nothing was sent. */
function notSent(code: string, message: string): Outcome<never> {
  return { type: sendOutcomeOf(code, 0), error: { code, message } };
}
