/**
 * The active controller: registers and fences brokers by their sessions, elects leaders, and decides in-sync sets. It
 * lives while its node leads the quorum; its decisions build on each other at once and count when they are committed.
 */
import { assertNever } from '../../core/assert.ts';
import { nsPerMs } from '../../core/units.ts';
import type { NodeId } from '../../spi/cluster.ts';
import {
  MetadataImage,
  type LogKey,
  type MetadataRecord,
  type PartitionState,
  type TopicConfig,
} from './metadata-image.ts';
import type { NodeProcess } from './node-process.ts';
import type { Quorum } from './quorum.ts';
import type { BrokerSettings } from './settings.ts';

/** Answered where the node is no active controller. */
export const notController = 'NOT_CONTROLLER';
/** Answered where it stopped being it before the decision was committed, and where no answer came. */
export const undecided = 'REQUEST_TIMED_OUT';

export type ControllerRequest =
  | {
      readonly type: 'register';
      readonly broker: NodeId;
      readonly incarnation: number;
      /** Its life before ended in an orderly shutdown, so its disk holds all that it had. */
      readonly stoppedInOrder: boolean;
    }
  | {
      readonly type: 'heartbeat';
      readonly broker: NodeId;
      readonly incarnation: number;
      /** How much of the metadata log the broker has applied. */
      readonly applied: number;
      readonly wantsShutdown: boolean;
    }
  | {
      readonly type: 'alter-partition';
      readonly broker: NodeId;
      readonly log: LogKey;
      readonly leaderEpoch: number;
      readonly partitionEpoch: number;
      readonly inSync: readonly NodeId[];
    }
  | {
      readonly type: 'create-topic';
      readonly topic: string;
      readonly replicas: readonly (readonly NodeId[])[];
      readonly config: TopicConfig;
    }
  | {
      readonly type: 'elect';
      readonly election: 'preferred' | 'unclean';
      readonly logs: readonly LogKey[] | null;
    }
  | { readonly type: 'reassign'; readonly log: LogKey; readonly replicas: readonly NodeId[] }
  | { readonly type: 'producer-ids' }
  | { readonly type: 'describe-quorum' };

export interface ControllerResponse {
  /** Kafka's name of the error, NONE if there is none. */
  readonly error: string;
  readonly [field: string]: unknown;
}

type Respond = (response: ControllerResponse) => void;

const producerIdBlock = 100;
const sessionCheckMs = 250;

interface PendingDecision {
  /** Length of the log at which it counts. */
  readonly at: number;
  readonly respond: Respond;
  readonly response: ControllerResponse;
}

export interface ControllerParts {
  readonly process: NodeProcess;
  readonly quorum: Quorum;
  readonly settings: BrokerSettings;
  readonly defects: ReadonlySet<string>;
}

export class Controller {
  readonly #parts: ControllerParts;
  /** What is decided, committed or not. */
  readonly #image = new MetadataImage();
  readonly #heardNs = new Map<NodeId, number>();
  readonly #leaving = new Set<NodeId>();
  #pending: PendingDecision[] = [];
  #over = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    for (const { record } of parts.quorum.disk.log) this.#image.apply(record);
    const nowNs = parts.process.kernel.nowNs;
    for (const broker of this.#image.brokers.keys()) this.#heardNs.set(broker, nowNs);
    this.#watchSessions();
  }

  /** What was not committed may be yet, by the next controller: whoever waits is told that nobody knows. */
  end(): void {
    this.#over = true;
    const pending = this.#pending;
    this.#pending = [];
    for (const { respond } of pending) respond({ error: undecided });
  }

  onCommit(): void {
    const { committed } = this.#parts.quorum;
    const ready = this.#pending.filter(({ at }) => at <= committed);
    this.#pending = this.#pending.filter(({ at }) => at > committed);
    for (const { respond, response } of ready) respond(response);
  }

  handle(request: ControllerRequest, respond: Respond): void {
    switch (request.type) {
      case 'register':
        this.#register(request);
        this.#whenCommitted(respond, { error: 'NONE' });
        return;
      case 'heartbeat':
        this.#heartbeat(request, respond);
        return;
      case 'alter-partition':
        this.#alterPartition(request, respond);
        return;
      case 'create-topic':
        this.#createTopic(request, respond);
        return;
      case 'elect':
        this.#elect(request.election, request.logs, respond);
        return;
      case 'reassign':
        this.#reassign(request, respond);
        return;
      case 'producer-ids': {
        const first = this.#image.nextProducerId;
        const reuses = this.#parts.defects.has('producer-id-reused');
        this.#decide({ kind: 'producer-ids', next: first + (reuses ? 0 : producerIdBlock) });
        this.#whenCommitted(respond, { error: 'NONE', first, count: producerIdBlock });
        return;
      }
      case 'describe-quorum': {
        const { term } = this.#parts.quorum;
        respond({ error: 'NONE', leader: this.#parts.process.id, leaderEpoch: term });
        return;
      }
      default:
        assertNever(request);
    }
  }

  #decide(record: MetadataRecord): void {
    this.#image.apply(record);
    this.#parts.quorum.propose(record);
  }

  #whenCommitted(respond: Respond, response: ControllerResponse): void {
    const at = this.#parts.quorum.disk.log.length;
    if (at <= this.#parts.quorum.committed) respond(response);
    else this.#pending.push({ at, respond, response });
  }

  #watchSessions(): void {
    this.#parts.process.after(sessionCheckMs, () => {
      if (this.#over) return;
      const { process, settings } = this.#parts;
      const limitNs = process.kernel.nowNs - settings.sessionMs * nsPerMs;
      for (const broker of this.#image.liveBrokers()) {
        if ((this.#heardNs.get(broker) ?? 0) < limitNs) this.#fence(broker);
      }
      this.#watchSessions();
    });
  }

  #register(request: Extract<ControllerRequest, { type: 'register' }>): void {
    const { broker, incarnation, stoppedInOrder } = request;
    const known = this.#image.brokers.get(broker);
    if (known?.incarnation === incarnation) return;
    const keepsInSync = this.#parts.defects.has('restart-keeps-in-sync');
    if (known !== undefined && !keepsInSync) this.#fence(broker, stoppedInOrder);
    this.#leaving.delete(broker);
    this.#decide({ kind: 'register', broker, incarnation });
  }

  #heartbeat(request: Extract<ControllerRequest, { type: 'heartbeat' }>, respond: Respond): void {
    const { broker } = request;
    const known = this.#image.brokers.get(broker);
    if (known?.incarnation !== request.incarnation) {
      respond({ error: 'BROKER_ID_NOT_REGISTERED' });
      return;
    }
    this.#heardNs.set(broker, this.#parts.process.kernel.nowNs);
    if (request.wantsShutdown) {
      this.#leaving.add(broker);
      if (!known.fenced) this.#leaveInOrder(broker);
    } else if (known.fenced && request.applied >= known.registeredAt) {
      this.#unfence(broker);
    }
    const leads = [...this.#image.partitions.values()].some(({ leader }) => leader === broker);
    this.#whenCommitted(respond, { error: 'NONE', mayStop: request.wantsShutdown && !leads });
  }

  /** @param keepsData false: it may have lost what it had, so it is not eligible any more. */
  #fence(broker: NodeId, keepsData = true): void {
    this.#decide({ kind: 'fence', broker });
    for (const state of this.#partitionsOf(broker)) this.#withoutReplica(state, broker, keepsData);
  }

  /** An orderly shutdown: leadership goes to others, and the broker leaves the in-sync sets that stay filled without it. */
  #leaveInOrder(broker: NodeId): void {
    for (const state of this.#partitionsOf(broker)) {
      const trusted = [...state.inSync, ...state.eligible];
      const isFollowed = trusted.some((replica) => replica !== broker && this.#mayLead(replica));
      if (!isFollowed) continue;
      this.#withoutReplica(state, broker, true);
    }
  }

  #unfence(broker: NodeId): void {
    this.#decide({ kind: 'unfence', broker });
    for (const state of this.#partitionsOf(broker)) {
      if (state.leader < 0) this.#withLeader(state, state);
    }
  }

  #partitionsOf(broker: NodeId): readonly PartitionState[] {
    return [...this.#image.partitions.values()].filter(({ replicas }) => replicas.includes(broker));
  }

  #mayLead(replica: NodeId): boolean {
    return this.#image.isLive(replica) && !this.#leaving.has(replica);
  }

  #withoutReplica(state: PartitionState, gone: NodeId, keepsData: boolean): void {
    const leaves = state.inSync.includes(gone) || (!keepsData && state.eligible.includes(gone));
    if (!leaves && state.leader !== gone) return;
    const inSync = state.inSync.filter((replica) => replica !== gone);
    const trusted = trustedAfter(state, inSync);
    const eligible = trusted.eligible.filter((replica) => keepsData || replica !== gone);
    if (state.leader === gone || state.leader < 0) this.#withLeader(state, { inSync, eligible });
    else this.#change(state, { inSync, eligible }, state.leader);
  }

  /**
   * Elects who holds all that is committed, in the order of the replicas: in sync, or eligible. If there is nobody left who
   * may, the last leader is taken at its word when it is back; anyone at all only where unclean elections are allowed.
   */
  #withLeader(state: PartitionState, trusted: Trusted): void {
    if (this.#parts.defects.has('stuck-without-leader')) {
      this.#change(state, trusted, -1);
      return;
    }
    const { inSync, eligible } = trusted;
    const live = state.replicas.filter((replica) => this.#mayLead(replica));
    const ignoresInSync = this.#parts.defects.has('election-ignores-in-sync');
    const clean = ignoresInSync
      ? live.at(-1)
      : live.find((replica) => inSync.includes(replica) || eligible.includes(replica));
    if (clean !== undefined) {
      const entered = [...inSync, clean];
      this.#change(
        state,
        inSync.includes(clean) ? trusted : trustedAfter({ ...state, ...trusted }, entered),
        clean,
      );
      return;
    }
    const nobodyIsTrusted = inSync.length === 0 && eligible.length === 0;
    const last = nobodyIsTrusted && live.includes(state.lastLeader) ? state.lastLeader : undefined;
    const unclean = last ?? (state.config.unclean ? live[0] : undefined);
    if (unclean === undefined) this.#change(state, trusted, -1);
    else this.#change(state, { inSync: [unclean], eligible: [] }, unclean);
  }

  #change(state: PartitionState, { inSync, eligible }: Trusted, leader: NodeId): void {
    const isSame =
      leader === state.leader && sameSet(inSync, state.inSync) && sameSet(eligible, state.eligible);
    if (isSame) return;
    const leaderEpoch = leader === state.leader ? state.leaderEpoch : state.leaderEpoch + 1;
    const lastLeader =
      leader >= 0 || inSync.length > 0 ? -1 : Math.max(state.leader, state.lastLeader);
    const { log } = state;
    this.#decide({ kind: 'partition', log, inSync, leader, leaderEpoch, eligible, lastLeader });
  }

  #alterPartition(
    request: Extract<ControllerRequest, { type: 'alter-partition' }>,
    respond: Respond,
  ): void {
    const state = this.#image.partitions.get(request.log);
    if (state === undefined) {
      respond({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
      return;
    }
    if (state.leader !== request.broker || state.leaderEpoch !== request.leaderEpoch) {
      respond({ error: 'FENCED_LEADER_EPOCH' });
      return;
    }
    if (state.partitionEpoch !== request.partitionEpoch) {
      respond({ error: 'INVALID_UPDATE_VERSION' });
      return;
    }
    const entering = request.inSync.filter((replica) => !state.inSync.includes(replica));
    if (entering.some((replica) => !this.#mayLead(replica))) {
      respond({ error: 'INELIGIBLE_REPLICA' });
      return;
    }
    this.#change(state, trustedAfter(state, request.inSync), state.leader);
    this.#whenCommitted(respond, { error: 'NONE' });
  }

  #createTopic(
    { topic, replicas, config }: Extract<ControllerRequest, { type: 'create-topic' }>,
    respond: Respond,
  ): void {
    if (this.#image.hasTopic(topic)) {
      respond({ error: 'TOPIC_ALREADY_EXISTS' });
      return;
    }
    if (replicas.some((nodes) => nodes.some((node) => !this.#image.brokers.has(node)))) {
      respond({ error: 'INVALID_REPLICA_ASSIGNMENT' });
      return;
    }
    this.#decide({ kind: 'topic', topic, replicas, config });
    this.#whenCommitted(respond, { error: 'NONE' });
  }

  /** The same replicas in another order: the model moves no data. */
  #reassign(
    { log, replicas }: Extract<ControllerRequest, { type: 'reassign' }>,
    respond: Respond,
  ): void {
    const state = this.#image.partitions.get(log);
    if (state === undefined) respond({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
    else if (!sameSet(replicas, state.replicas)) respond({ error: 'INVALID_REPLICA_ASSIGNMENT' });
    else {
      this.#decide({ kind: 'replicas', log, replicas });
      this.#whenCommitted(respond, { error: 'NONE' });
    }
  }

  #elect(
    election: 'preferred' | 'unclean',
    logs: readonly LogKey[] | null,
    respond: Respond,
  ): void {
    const results = (logs ?? [...this.#image.partitions.keys()]).map((log) => ({
      log,
      error: this.#electOne(election, log),
    }));
    this.#whenCommitted(respond, { error: 'NONE', results });
  }

  #electOne(election: 'preferred' | 'unclean', log: LogKey): string {
    const state = this.#image.partitions.get(log);
    if (state === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    if (election === 'unclean') {
      if (state.leader >= 0) return 'ELECTION_NOT_NEEDED';
      const live = state.replicas.find((replica) => this.#mayLead(replica));
      if (live === undefined) return 'ELIGIBLE_LEADERS_NOT_AVAILABLE';
      this.#change(
        state,
        state.inSync.includes(live) ? state : { inSync: [live], eligible: [] },
        live,
      );
      return 'NONE';
    }
    const preferred = state.replicas[0] ?? -1;
    if (state.leader < 0 && this.#parts.defects.has('stuck-without-leader')) {
      return 'PREFERRED_LEADER_NOT_AVAILABLE';
    }
    if (state.leader === preferred) return 'ELECTION_NOT_NEEDED';
    if (!state.inSync.includes(preferred) || !this.#mayLead(preferred)) {
      return 'PREFERRED_LEADER_NOT_AVAILABLE';
    }
    this.#change(state, state, preferred);
    return 'NONE';
  }
}

/** Replicas that hold all that is committed. */
type Trusted = Pick<PartitionState, 'inSync' | 'eligible'>;

/** With another in-sync set: who leaves it stays eligible while it is too small for the watermark to rise. */
function trustedAfter(state: PartitionState, inSync: readonly NodeId[]): Trusted {
  const enough = Math.min(state.config.minInSync, state.replicas.length);
  if (inSync.length >= enough) return { inSync, eligible: [] };
  const known = new Set([...state.eligible, ...state.inSync]);
  return { inSync, eligible: [...known].filter((replica) => !inSync.includes(replica)) };
}

function sameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
