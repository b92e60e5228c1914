/**
 * One life of a broker, from the start of its process to its end: it takes part in the quorum, registers with the active
 * controller, follows the metadata log, leads and copies replicas, and answers requests. What must survive is the disk's.
 */
import type { Random } from '../../core/random.ts';
import { nsPerMs } from '../../core/units.ts';
import type { Content, LogRecord, RecordBatch } from '../../kafka-protocol/record-batch.ts';
import type { NodeId, Plane } from '../../spi/cluster.ts';
import { isApiCall } from './api-call.ts';
import { handleClient } from './client-requests.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { groupLog } from './group-log.ts';
import { Controller, notController, undecided } from './controller.ts';
import type { ControllerRequest, ControllerResponse } from './controller.ts';
import { MetadataImage, type LogKey, type PartitionState } from './metadata-image.ts';
import type { NodeProcess } from './node-process.ts';
import type { Peers } from './peers.ts';
import { Quorum, type AppendRequest, type QuorumDisk, type VoteRequest } from './quorum.ts';
import { ReplicaLog } from './replica-log.ts';
import { Replica } from './replica.ts';
import { answerFetch, ReplicaFetchers, type ReplicaFetch } from './replication.ts';
import { brokerSettings } from './settings.ts';

/** Of a record that some producer was told of: what it carries, which takes less room than the record. */
export type Acknowledged = Content | LogRecord;

/** What survives the process. */
export interface NodeDisk {
  readonly quorum: QuorumDisk;
  readonly logs: Map<LogKey, ReplicaLog>;
  /** Not on any disk of a real node: the model's own record of what this node acknowledged, for the ground truth. */
  readonly acknowledged: Map<LogKey, Acknowledged[]>;
  /** Written at the end of an orderly shutdown, gone from the next start on: Kafka's clean shutdown file. */
  stoppedInOrder: boolean;
}

export interface BrokerParts {
  readonly process: NodeProcess;
  readonly peers: Peers;
  readonly nodes: readonly NodeId[];
  readonly disk: NodeDisk;
  readonly random: Random;
  readonly defects: ReadonlySet<string>;
  /** Ends the process, after an orderly shutdown. */
  readonly exit: (code: number) => void;
}

const controllerTimeoutMs = 1_000;
const retryMs = 200;
/** An orderly shutdown that the controller does not allow by then goes on without it. */
const shutdownMsMax = 5_000;

export class Broker {
  readonly parts: BrokerParts;
  readonly image = new MetadataImage();
  readonly quorum: Quorum;
  readonly replicas = new Map<LogKey, Replica>();
  readonly groups: GroupCoordinator;
  /** Ends that a defective broker goes on telling: those of the moment when it was thawed. */
  readonly frozenEnds = new Map<LogKey, number>();
  readonly #fetchers: ReplicaFetchers;
  #controller: Controller | null = null;
  #registered = false;
  #heardControllerNs = 0;
  #stopping: number | null = null;
  #cleans = false;
  readonly #followsOrderlyStop: boolean;
  #producerIds: { next: number; end: number } | null = null;

  constructor(parts: BrokerParts) {
    this.parts = parts;
    this.#followsOrderlyStop = parts.disk.stoppedInOrder;
    parts.disk.stoppedInOrder = false;
    this.#heardControllerNs = parts.process.kernel.nowNs;
    this.groups = new GroupCoordinator(this);
    this.quorum = new Quorum(
      parts.process,
      parts.peers,
      parts.nodes,
      parts.disk.quorum,
      parts.random,
      {
        onCommit: () => {
          this.#applyCommitted();
        },
        onElected: () => {
          const { process, defects } = parts;
          const { quorum } = this;
          this.#controller = new Controller({ process, quorum, settings: brokerSettings, defects });
        },
        onResigned: () => {
          const controller = this.#controller;
          this.#controller = null;
          controller?.end();
        },
      },
    );
    this.#fetchers = new ReplicaFetchers(this);
  }

  begin(): void {
    const { process } = this.parts;
    this.quorum.begin();
    process.every(brokerSettings.heartbeatMs, () => {
      this.#heartbeat();
    });
    process.every(brokerSettings.replicaLagMs / 2, () => {
      for (const replica of this.replicas.values()) replica.checkLag();
    });
    process.every(brokerSettings.checkpointMs, () => {
      for (const replica of this.replicas.values()) replica.checkpoint();
    });
  }

  /** Its process is gone. */
  end(): void {
    for (const replica of this.replicas.values()) replica.end();
    this.#controller = null;
  }

  thawed(): void {
    if (!this.parts.defects.has('frozen-end')) return;
    for (const replica of this.replicas.values()) {
      if (replica.leads) this.frozenEnds.set(replica.key, replica.highWatermark);
    }
  }

  /** Clients are served from the moment the controller counts this broker as alive. */
  get listensToClients(): boolean {
    return this.#registered;
  }

  get id(): NodeId {
    return this.parts.process.id;
  }

  get hearsController(): boolean {
    const silentNs = this.parts.process.kernel.nowNs - this.#heardControllerNs;
    return silentNs < 2 * brokerSettings.heartbeatMs * nsPerMs;
  }

  /** Keeps in mind, for the ground truth, that a producer was told of a success. */
  noteAcknowledged(log: LogKey, { records = [] }: RecordBatch): void {
    const { acknowledged } = this.parts.disk;
    let known = acknowledged.get(log);
    if (known === undefined) {
      known = [];
      acknowledged.set(log, known);
    }
    for (const record of records) known.push(record.content ?? record);
  }

  /** SIGTERM: leadership is handed over first. */
  stopInOrder(exitCode: number): void {
    if (this.#stopping !== null) return;
    this.#stopping = exitCode;
    this.#heartbeat();
    this.parts.process.after(shutdownMsMax, () => {
      this.parts.exit(exitCode);
    });
  }

  handle(plane: Plane, request: unknown, respond: (response: unknown) => void): void {
    if (plane === 'client') {
      if (isApiCall(request)) handleClient(this, request, respond);
      return;
    }
    if (plane === 'replication') {
      answerFetch(this, request as ReplicaFetch, respond);
      return;
    }
    const { type } = request as { readonly type: string };
    if (type === 'vote' || type === 'append') {
      respond(this.quorum.handle(request as VoteRequest | AppendRequest));
    } else if (this.#controller === null) respond({ error: notController });
    else this.#controller.handle(request as ControllerRequest, respond);
  }

  /** Asks the active controller. */
  askController(
    request: ControllerRequest,
    timeoutMs: number,
    done: (response: ControllerResponse) => void,
  ): void {
    const { leader } = this.quorum;
    if (leader === null) {
      done({ error: notController });
      return;
    }
    this.parts.peers.call(leader, 'controller', request, timeoutMs, (response) => {
      done((response as ControllerResponse | null) ?? { error: undecided });
    });
  }

  /** A producer id out of this broker's block, asking for another block if it is used up. */
  producerId(done: (id: number | null) => void): void {
    const block = this.#producerIds;
    if (block !== null && block.next < block.end) {
      done(block.next++);
      return;
    }
    this.askController({ type: 'producer-ids' }, controllerTimeoutMs, (response) => {
      if (response.error !== 'NONE') {
        done(null);
        return;
      }
      const first = response['first'] as number;
      this.#producerIds = { next: first + 1, end: first + (response['count'] as number) };
      done(first);
    });
  }

  #heartbeat(): void {
    const { process } = this.parts;
    const { incarnation } = process;
    const broker = this.id;
    const known = this.image.brokers.get(broker);
    if (known?.incarnation !== incarnation) {
      const stoppedInOrder = this.#followsOrderlyStop;
      this.askController(
        { type: 'register', broker, incarnation, stoppedInOrder },
        controllerTimeoutMs,
        () => {
          this.#heartbeatSoon();
        },
      );
      return;
    }
    const wantsShutdown = this.#stopping !== null;
    const { applied } = this.image;
    this.askController(
      { type: 'heartbeat', broker, incarnation, applied, wantsShutdown },
      controllerTimeoutMs,
      (response) => {
        if (response.error !== 'NONE') return;
        this.#heardControllerNs = process.kernel.nowNs;
        if (this.#stopping === null) return;
        if (response['mayStop'] === true) this.parts.exit(this.#stopping);
        else this.#heartbeatSoon();
      },
    );
  }

  /** Registering and stopping do not wait for the next regular heartbeat. */
  #heartbeatSoon(): void {
    if (this.#registered && this.#stopping === null) return;
    this.parts.process.after(retryMs, () => {
      this.#heartbeat();
    });
  }

  #applyCommitted(): void {
    const { disk } = this.parts;
    const { committed } = this.quorum;
    const changed = new Map<LogKey, PartitionState>();
    while (this.image.applied < committed) {
      const entry = disk.quorum.log[this.image.applied];
      if (entry === undefined) break;
      for (const state of this.image.apply(entry.record)) changed.set(state.log, state);
    }
    this.#controller?.onCommit();
    const isFirst = this.#noteRegistration();
    if (!this.#registered) return;
    const states = isFirst ? this.image.partitions.values() : changed.values();
    for (const state of states) this.#takeOver(state);
    this.#fetchers.refresh();
  }

  /** @returns true when this life of the broker has just been let in: what came before it is history. */
  #noteRegistration(): boolean {
    const known = this.image.brokers.get(this.id);
    const isLetIn = known?.incarnation === this.parts.process.incarnation && !known.fenced;
    if (!isLetIn || this.#registered) return false;
    this.#registered = true;
    return true;
  }

  #takeOver(state: PartitionState): void {
    if (!state.replicas.includes(this.id)) return;
    let replica = this.replicas.get(state.log);
    if (replica === undefined) {
      replica = this.#createReplica(state);
      this.replicas.set(state.log, replica);
    }
    replica.become(state);
    if (state.log === groupLog) this.groups.leadershipChanged();
  }

  /** Where there is nothing to clean nothing is awake for it. */
  #beginCleaning(): void {
    if (this.#cleans) return;
    this.#cleans = true;
    this.parts.process.every(brokerSettings.cleanerBackOffMs, () => {
      for (const replica of this.replicas.values()) replica.clean();
    });
  }

  #createReplica(state: PartitionState): Replica {
    const { process, defects, disk } = this.parts;
    if (state.config.compaction !== null) this.#beginCleaning();
    let log = disk.logs.get(state.log);
    if (log === undefined) {
      log = new ReplicaLog();
      disk.logs.set(state.log, log);
    }
    return new Replica(state, log, {
      process,
      settings: brokerSettings,
      defects,
      isLive: (broker) => this.image.isLive(broker),
      hearsController: () => this.hearsController,
      alterInSync: ({ log: key, leaderEpoch, partitionEpoch }, inSync, done) => {
        this.askController(
          {
            type: 'alter-partition',
            broker: this.id,
            log: key,
            leaderEpoch,
            partitionEpoch,
            inSync,
          },
          controllerTimeoutMs,
          (response) => {
            done(response.error);
          },
        );
      },
    });
  }
}
