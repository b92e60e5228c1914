/**
 * Who leads which log, as far as all nodes together know. Every node is asked, and the highest leader epoch wins: one
 * node alone may be cut off and still show the picture of an hour ago (KAFKA.md A4).
 */
import { nsPerMs } from '../../core/units.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { LogName } from '../../history/event.ts';
import { logName } from '../../history/log-name.ts';
import type { MetadataResponse } from '../../kafka-protocol/messages/metadata.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Nodes } from './nodes.ts';
import { askMetadata } from './requests.ts';
import type { WireSettings } from './settings.ts';

export interface Leader {
  /** -1: none at present. */
  readonly leader: NodeId;
  readonly leaderEpoch: number;
}

export interface LeaderTable {
  /** Asks the nodes again if the table is old or was called stale; otherwise does nothing. */
  refresh(topics: readonly string[]): Promise<void>;
  /** Undefined until some node named one. */
  of(log: LogName): Leader | undefined;
  /** The next refresh asks, however young the table is. */
  stale(): void;
}

export function createLeaderTable(nodes: Nodes, clock: Clock, settings: WireSettings): LeaderTable {
  const leaders = new Map<LogName, Leader>();
  let refreshedNs: number | null = null;
  let stale = true;
  const merge = (response: MetadataResponse): void => {
    for (const topic of response.topics) {
      for (const { partition, leader, leaderEpoch } of topic.partitions) {
        const log = logName(topic.name, partition);
        if (leaderEpoch >= (leaders.get(log)?.leaderEpoch ?? 0)) {
          leaders.set(log, { leader, leaderEpoch });
        }
      }
    }
  };
  return {
    of: (log) => leaders.get(log),
    stale: () => {
      stale = true;
    },
    refresh: async (topics) => {
      const ageMs = refreshedNs === null ? Infinity : (clock.nowNs() - refreshedNs) / nsPerMs;
      if (!stale && ageMs < settings.metadataMaxAgeMs) return;
      if (ageMs < settings.refreshBackoffMs) await clock.sleep(settings.refreshBackoffMs - ageMs);
      await firstAnswers(nodes, topics, clock, settings, merge);
      refreshedNs = clock.nowNs();
      stale = false;
    },
  };
}

/** Resolves when all nodes have answered or failed, or `metadataGraceMs` after the first answer. Late ones still merge. */
async function firstAnswers(
  nodes: Nodes,
  topics: readonly string[],
  clock: Clock,
  settings: WireSettings,
  merge: (response: MetadataResponse) => void,
): Promise<void> {
  let grace: Timer | null = null;
  let end = (): void => undefined;
  const graceOver = new Promise<void>((resolve) => {
    end = resolve;
  });
  const all = Promise.all(
    nodes.ids.map(async (node) => {
      const result = await askMetadata(nodes, node, topics, settings.metadataTimeoutMs);
      if (result.status !== 'ok') return;
      merge(result.value);
      grace ??= clock.after(settings.metadataGraceMs, end);
    }),
  );
  await Promise.race([all, graceOver]);
  (grace as Timer | null)?.cancel();
}
