/**
 * kafkajs as the member of a consumer group: one Kafka object and one consumer each, for members of one object share what they know of
 * committed offsets (KAFKA.md K-14). kafkajs pushes batches; a poll pulls: `eachBatch` offers its batch in a slot and waits until a
 * poll takes it, or until the group rebalances and it is dropped. It is eager: a rebalance takes away all that it had.
 */
import { Kafka, logLevel, type Consumer, type EachBatchPayload } from 'kafkajs';
import { withDeadline } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { LogName, RecordSeen } from '../../history/event.ts';
import { logName, parseLogName } from '../../history/log-name.ts';
import type {
  AuditClient,
  GroupOffsets,
  MemberClient,
  MemberIdentity,
  Outcome,
  PollResult,
  RebalanceTold,
} from '../../spi/client.ts';
import type { NodeInfo } from '../../spi/cluster.ts';
import { createWireAuditClient } from '../wire/index.ts';
import { decodeScalar } from '../wire/scalar.ts';
import { GroupRequests } from './group-requests.ts';
import { commitOutcomeOf } from './member-outcomes.ts';
import { errorCodeOf } from './outcomes.ts';
import { WatchedSockets } from './watched-sockets.ts';

const memberTimings = {
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 6_000,
  heartbeatIntervalMs: 500,
  /** A poll that finds nothing returns after this. */
  pollBoundMs: 500,
  commitTimeoutMs: 5_000,
  joinTimeoutMs: 14_000,
  leaveTimeoutMs: 5_000,
} as const;

const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 20 } as const;

export interface KafkajsMemberOptions {
  readonly name: string;
  readonly group: string;
  readonly nodes: readonly NodeInfo[];
  readonly fromBeginning: boolean;
  readonly clock: Clock;
  readonly told: (rebalance: RebalanceTold) => void;
  /** Takes kafkajs's own log, one JSON text per line. */
  readonly log: (line: string) => void;
}

export async function createKafkajsMember(options: KafkajsMemberOptions): Promise<MemberClient> {
  const member = new KafkajsMember(options);
  await member.connect();
  return member;
}

interface Offer {
  readonly log: LogName;
  readonly records: readonly RecordSeen[];
  /** Ends the waiting of `eachBatch`. */
  settle(how: 'taken' | 'dropped'): void;
}

class KafkajsMember implements MemberClient {
  readonly #options: KafkajsMemberOptions;
  readonly #requests = new GroupRequests();
  readonly #consumer: Consumer;
  readonly #auditor: AuditClient;
  readonly #sockets = new WatchedSockets(() => this.#requests.watch());
  readonly #owned = new Set<LogName>();
  #offer: Offer | null = null;
  #poller: ((result: PollResult) => void) | null = null;

  constructor(options: KafkajsMemberOptions) {
    this.#options = options;
    const kafka = new Kafka({
      clientId: options.name,
      brokers: options.nodes.map(({ clientAddress }) => clientAddress),
      connectionTimeout: 1_000,
      requestTimeout: 3_000,
      retry,
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => {
        options.log(
          JSON.stringify({ client: options.name, label: entry.label, message: entry.log.message }),
        );
      },
      socketFactory: this.#sockets.factory,
    });
    this.#consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: memberTimings.sessionTimeoutMs,
      rebalanceTimeout: memberTimings.rebalanceTimeoutMs,
      heartbeatInterval: memberTimings.heartbeatIntervalMs,
      metadataMaxAge: 1_000,
      maxWaitTimeInMs: 200,
      allowAutoTopicCreation: false,
      retry,
    });
    this.#auditor = createWireAuditClient({ nodes: options.nodes, clock: options.clock });
    this.#listen();
  }

  connect(): Promise<void> {
    return this.#consumer.connect();
  }

  async subscribe(topics: readonly string[]): Promise<Outcome<null>> {
    const joining = this.#consumer
      .subscribe({ topics: [...topics], fromBeginning: this.#options.fromBeginning })
      .then(() =>
        this.#consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (batch) => this.#eachBatch(batch),
        }),
      );
    return this.#within(memberTimings.joinTimeoutMs, joining);
  }

  poll(): Promise<Outcome<PollResult>> {
    const offer = this.#offer;
    if (offer !== null) return Promise.resolve({ type: 'ok', value: this.#take(offer) });
    return new Promise((resolve) => {
      const done = (value: PollResult): void => {
        if (this.#poller !== done) return;
        this.#poller = null;
        resolve({ type: 'ok', value });
      };
      this.#poller = done;
      void this.#options.clock.sleep(memberTimings.pollBoundMs).then(() => {
        done({});
      });
    });
  }

  identity(): MemberIdentity {
    return this.#requests.identity;
  }

  async commit(offsets: GroupOffsets): Promise<Outcome<MemberIdentity>> {
    const before = this.#requests.commits;
    const list = Object.entries(offsets).map(([log, next]) => {
      const { topic, partition } = parseLogName(log) as { topic: string; partition: number };
      return { topic, partition, offset: String(next) };
    });
    const bounded = await withDeadline(
      this.#options.clock,
      memberTimings.commitTimeoutMs,
      this.#consumer.commitOffsets(list),
    );
    if (bounded.status === 'done') return { type: 'ok', value: this.#requests.identity };
    const attempts = this.#requests.commits - before;
    const code = bounded.status === 'late' ? 'DEADLINE' : errorCodeOf(bounded.error);
    const what = bounded.status === 'late' ? 'no outcome in time' : describeError(bounded.error);
    const message = `${what}; OffsetCommit requests seen: ${attempts}`;
    return { type: commitOutcomeOf(code, attempts), error: { code, message } };
  }

  committed(logs: readonly LogName[]): Promise<Outcome<GroupOffsets>> {
    return this.#auditor.committed(this.#options.group, logs);
  }

  async close(): Promise<Outcome<null>> {
    this.#giveUp('revoked');
    return this.#within(memberTimings.leaveTimeoutMs, this.#consumer.disconnect());
  }

  /** A process that dies says nothing to its group. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sockets.sever();
    await this.#auditor[Symbol.asyncDispose]();
  }

  /** Joining and leaving write nothing that a history owes: an error says that it did not happen, and a deadline nothing. */
  async #within(limitMs: number, work: Promise<unknown>): Promise<Outcome<null>> {
    const bounded = await withDeadline(this.#options.clock, limitMs, work);
    if (bounded.status === 'done') return { type: 'ok', value: null };
    if (bounded.status === 'late') {
      return {
        type: 'info',
        error: { code: 'DEADLINE', message: `no outcome within ${limitMs} ms` },
      };
    }
    const { error } = bounded;
    return { type: 'info', error: { code: errorCodeOf(error), message: describeError(error) } };
  }

  #listen(): void {
    const { GROUP_JOIN, REBALANCING, CRASH, STOP } = this.#consumer.events;
    this.#consumer.on(REBALANCING, () => {
      this.#giveUp('revoked');
    });
    this.#consumer.on(CRASH, () => {
      this.#giveUp('lost');
    });
    this.#consumer.on(STOP, () => {
      this.#giveUp('revoked');
    });
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberAssignment, memberId } }) => {
      const assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => logName(topic, partition)),
      );
      // A member that the coordinator had given up joins anew without a word about what it had.
      const revoked = [...this.#owned];
      this.#drop();
      this.#owned.clear();
      for (const log of assigned) this.#owned.add(log);
      this.#options.told({ ...this.identity(), member: memberId, assigned, revoked, lost: [] });
    });
  }

  #giveUp(how: 'revoked' | 'lost'): void {
    const had = [...this.#owned];
    this.#drop();
    this.#owned.clear();
    if (had.length === 0) return;
    const none = { assigned: [], revoked: [], lost: [] };
    this.#options.told({ ...this.identity(), ...none, [how]: had });
  }

  /** What was offered belongs to an assignment that is over; a poll that waits must not see the next one. */
  #drop(): void {
    this.#offer?.settle('dropped');
    this.#poller?.({});
  }

  #take(offer: Offer): PollResult {
    offer.settle('taken');
    return { [offer.log]: offer.records };
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const log = logName(batch.topic, batch.partition);
    if (!payload.isRunning() || payload.isStale() || !this.#owned.has(log)) return;
    const records = batch.messages.map(({ offset, key, value }): RecordSeen => {
      const seen = value === null ? null : decodeScalar(value);
      return key === null
        ? [Number(offset), seen]
        : [Number(offset), seen, { key: decodeScalar(key) }];
    });
    const last = batch.messages.at(-1);
    if (last === undefined) return;
    const settled = { how: null as 'taken' | 'dropped' | null };
    const { promise: waiting, resolve } = withResolver();
    const offer: Offer = {
      log,
      records,
      settle: (how) => {
        if (settled.how !== null) return;
        settled.how = how;
        if (this.#offer === offer) this.#offer = null;
        // At once: whatever fails behind this, what was taken must not be fetched again.
        if (how === 'taken') payload.resolveOffset(last.offset);
        resolve();
      },
    };
    const isOpen = (): boolean => settled.how === null;
    this.#offer = offer;
    this.#poller?.(this.#take(offer));
    try {
      while (isOpen()) {
        await withDeadline(this.#options.clock, memberTimings.heartbeatIntervalMs, waiting);
        // Throws when the group rebalances, or when the coordinator cannot be reached.
        if (isOpen()) await payload.heartbeat();
      }
    } finally {
      // kafkajs fetches it again: nobody may take this one any more.
      offer.settle('dropped');
    }
  }
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let settle: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return {
    promise,
    resolve: () => {
      settle();
    },
  };
}
