/**
 * Replicas compact alone. Tombstones that are written while a replica is away, and cleaned by the others before it is back, are
 * never fetched by it: it goes on holding what they deleted. When it leads again, deleted keys are read again, for ever, though every
 * write was acknowledged by all in-sync replicas and no more than one broker was away: a defect of Kafka 3.9 to 4.3.
 *
 * Times: keys are written at 0.8 s, the leader dies at 3 s, another leads some 3 s later, the tombstones follow at 9.5 s, and three
 * passes of the cleaner (about 2.5 s, measured) remove them well before the broker is started again at 18 s. The leader of the second
 * fault is the preferred replica, which was elected just before: the one that was away.
 */
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario, ScenarioSettings } from './scenario.ts';

const leader = { role: 'leader', ...hurtLog } as const;

function compacted(deleteRetentionMs: number): ScenarioSettings {
  return {
    ...soundSettings,
    topicConfig: {
      ...soundSettings.topicConfig,
      'delete.retention.ms': String(deleteRetentionMs),
    },
  };
}

const dayMs = 86_400_000;

export const compactionRace: Scenario = {
  name: 'compaction-race',
  summary:
    'a compacted topic; the leader is down while tombstones are written and cleaned by the others, and then leads again',
  expects: [['compaction-resurrected-key'], ['scan-divergence']],
  claims: ['compaction', 'durability'],
  workload: 'compaction',
  topics: 1,
  partitions: 1,
  concurrency: 1,
  ratePerSecond: 20,
  faultsMs: 36_000,
  schedule: [
    {
      id: 'f1',
      nemesis: 'kill',
      atMs: 3_000,
      durationMs: 15_000,
      plan: { target: leader, variant: 'SIGKILL' },
    },
    {
      id: 'f2',
      nemesis: 'move-leader',
      atMs: 33_000,
      durationMs: 1_000,
      plan: { target: leader, variant: 'preferred-election' },
    },
  ],
  settings: compacted(500),
  control: compacted(dayMs),
  controlSummary: 'delete.retention.ms of a day',
  clientDefects: [],
};
