/**
 * What one client knows of topics and leaders. Any node is asked, each time the next one, and the highest leader epoch
 * wins: a node that is cut off goes on showing an old picture. Of old age alone nobody waits for a new picture; after a
 * failed attempt the next one does.
 */
import { nsPerMs } from '../../core/units.ts';
import type { Clock } from '../../core/clock.ts';
import type { LogName } from '../../history/event.ts';
import { logName } from '../../history/log-name.ts';
import {
  metadata,
  type MetadataRequest,
  type MetadataResponse,
} from '../../kafka-protocol/messages/metadata.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Links } from './links.ts';

const maxAgeNs = 1_000 * nsPerMs;
/** Of one question to one node. */
export const questionTimeoutMs = 1_000;

const allTopics: MetadataRequest = {
  topics: null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
};

export interface Picture {
  /** True once a node has answered. */
  readonly known: boolean;
  /** True if an attempt has failed since the newest answer. */
  readonly stale: boolean;
  /** -1: none that is known. */
  leaderOf(log: LogName): NodeId;
  /** 0: the topic is not known. */
  partitionsOf(topic: string): number;
  markStale(): void;
  /** Begins a refresh if the newest answer is too old; nobody waits for it. */
  refreshIfOld(): void;
  /** Asks one node after the other until one answers, each at most once. Joins a refresh that is under way. */
  refresh(): Promise<void>;
}

/** @param first which of the nodes is asked first. */
export function createPicture(links: Links, clock: Clock, first: number): Picture {
  const leaders = new Map<LogName, { readonly leader: NodeId; readonly epoch: number }>();
  const partitions = new Map<string, number>();
  let turn = first;
  let answeredNs: number | null = null;
  let stale = false;
  let underWay: Promise<void> | null = null;

  const merge = (response: MetadataResponse): void => {
    for (const topic of response.topics) {
      const count = Math.max(partitions.get(topic.name) ?? 0, topic.partitions.length);
      if (count > 0) partitions.set(topic.name, count);
      for (const { partition, leader, leaderEpoch } of topic.partitions) {
        const log = logName(topic.name, partition);
        if (leaderEpoch < (leaders.get(log)?.epoch ?? 0)) continue;
        leaders.set(log, { leader, epoch: leaderEpoch });
      }
    }
  };
  const ask = async (): Promise<void> => {
    for (let asked = 0; asked < links.ids.length; asked++) {
      const node = links.ids[turn % links.ids.length] ?? -1;
      turn += 1;
      const result = await links.call(node, metadata, allTopics, questionTimeoutMs);
      if (result.status !== 'ok') continue;
      merge(result.value);
      answeredNs = clock.nowNs();
      stale = false;
      break;
    }
    underWay = null;
  };
  const refresh = (): Promise<void> => (underWay ??= ask());

  return {
    get known() {
      return answeredNs !== null;
    },
    get stale() {
      return stale;
    },
    leaderOf: (log) => leaders.get(log)?.leader ?? -1,
    partitionsOf: (topic) => partitions.get(topic) ?? 0,
    markStale: () => {
      stale = true;
    },
    refreshIfOld: () => {
      if (answeredNs === null || clock.nowNs() - answeredNs >= maxAgeNs) void refresh();
    },
    refresh,
  };
}
