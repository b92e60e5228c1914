/** What the cluster's metadata says: built by applying the records of the controllers' log, one after the other. */
import type { NodeId } from '../../spi/cluster.ts';

/** `topic/partition`. */
export type LogKey = string;

export type MetadataRecord =
  | { readonly kind: 'no-op' }
  | { readonly kind: 'register'; readonly broker: NodeId; readonly incarnation: number }
  | { readonly kind: 'fence' | 'unfence'; readonly broker: NodeId }
  | {
      readonly kind: 'topic';
      readonly topic: string;
      readonly replicas: readonly (readonly NodeId[])[];
      readonly config: TopicConfig;
    }
  | {
      readonly kind: 'partition';
      readonly log: LogKey;
      readonly inSync: readonly NodeId[];
      /** -1: none. */
      readonly leader: NodeId;
      readonly leaderEpoch: number;
      readonly eligible: readonly NodeId[];
      readonly lastLeader: NodeId;
    }
  | { readonly kind: 'replicas'; readonly log: LogKey; readonly replicas: readonly NodeId[] }
  | { readonly kind: 'producer-ids'; readonly next: number };

/** Of topics with cleanup.policy=compact. */
export interface Compaction {
  /** segment.ms */
  readonly segmentMs: number;
  /** delete.retention.ms */
  readonly deleteRetentionMs: number;
}

export interface TopicConfig {
  readonly minInSync: number;
  readonly unclean: boolean;
  /** Null: nothing is ever removed. */
  readonly compaction: Compaction | null;
}

export interface PartitionState {
  readonly log: LogKey;
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly NodeId[];
  readonly config: TopicConfig;
  readonly inSync: readonly NodeId[];
  readonly leader: NodeId;
  readonly leaderEpoch: number;
  /**
   * Not in sync, and yet they hold all that is committed (KIP-966): they left while fewer than min.insync.replicas stayed, so
   * the watermark has stood still since.
   */
  readonly eligible: readonly NodeId[];
  /** Who led when the last one in sync left; -1 while there is a leader, or somebody in sync. */
  readonly lastLeader: NodeId;
  /** Rises with every change. */
  readonly partitionEpoch: number;
}

export interface BrokerState {
  readonly incarnation: number;
  readonly fenced: boolean;
  /** Index of the record that registered this incarnation. */
  readonly registeredAt: number;
}

export class MetadataImage {
  /** Records applied. */
  applied = 0;
  nextProducerId = 1_000;
  readonly brokers = new Map<NodeId, BrokerState>();
  readonly partitions = new Map<LogKey, PartitionState>();

  /** @returns the partitions that it changed. */
  apply(record: MetadataRecord): readonly PartitionState[] {
    this.applied += 1;
    switch (record.kind) {
      case 'no-op':
        return [];
      case 'register':
        this.brokers.set(record.broker, {
          incarnation: record.incarnation,
          fenced: true,
          registeredAt: this.applied,
        });
        return [];
      case 'fence':
      case 'unfence':
        return this.#fence(record.broker, record.kind === 'fence');
      case 'producer-ids':
        this.nextProducerId = record.next;
        return [];
      case 'topic':
        return this.#create(record);
      case 'partition':
        return this.#change(record);
      case 'replicas':
        return this.#reorder(record);
    }
  }

  isLive(broker: NodeId): boolean {
    return this.brokers.get(broker)?.fenced === false;
  }

  liveBrokers(): readonly NodeId[] {
    return [...this.brokers.keys()].filter((broker) => this.isLive(broker)).sort((a, b) => a - b);
  }

  hasTopic(topic: string): boolean {
    return this.partitions.has(`${topic}/0`);
  }

  #fence(broker: NodeId, fenced: boolean): readonly PartitionState[] {
    const state = this.brokers.get(broker);
    if (state !== undefined) this.brokers.set(broker, { ...state, fenced });
    return [];
  }

  #create(record: Extract<MetadataRecord, { kind: 'topic' }>): readonly PartitionState[] {
    return record.replicas.map((replicas, partition) => {
      const log = `${record.topic}/${partition}`;
      const state: PartitionState = {
        log,
        topic: record.topic,
        partition,
        replicas,
        config: record.config,
        inSync: replicas,
        leader: replicas[0] ?? -1,
        leaderEpoch: 0,
        eligible: [],
        lastLeader: -1,
        partitionEpoch: 0,
      };
      this.partitions.set(log, state);
      return state;
    });
  }

  #change(record: Extract<MetadataRecord, { kind: 'partition' }>): readonly PartitionState[] {
    const before = this.partitions.get(record.log);
    if (before === undefined) return [];
    const { inSync, leader, leaderEpoch, eligible, lastLeader } = record;
    const partitionEpoch = before.partitionEpoch + 1;
    const change = { inSync, leader, leaderEpoch, eligible, lastLeader };
    const state: PartitionState = { ...before, ...change, partitionEpoch };
    this.partitions.set(record.log, state);
    return [state];
  }

  #reorder({
    log,
    replicas,
  }: Extract<MetadataRecord, { kind: 'replicas' }>): readonly PartitionState[] {
    const before = this.partitions.get(log);
    if (before === undefined) return [];
    const state = { ...before, replicas, partitionEpoch: before.partitionEpoch + 1 };
    this.partitions.set(log, state);
    return [state];
  }
}
