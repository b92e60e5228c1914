/**
 * With min ISR 1 a leader whose followers cannot fetch goes on alone, and acks=all then means one copy. When its disk loses
 * the log in that state, it is still the only replica in sync: it leads again with an empty log, no unclean election is
 * needed, and the others truncate to it. Lost is also what all three had held.
 */
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** The in-sync set was measured to shrink 5.4 to 7.2 s after the cut; the disk goes 9 s after it. */
const cutAtMs = 3_000;
const wipeAtMs = cutAtMs + 9_000;

export const minIsrOne: Scenario = {
  name: 'min-isr-one',
  summary:
    'min ISR 1; replication of the leader is cut until it is alone in sync, then SIGKILL, and its disk loses the log',
  expects: [['lost-write'], ['truncated-read', 'inconsistent-offsets']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 4,
  ratePerSecond: 100,
  faultsMs: 20_000,
  schedule: [
    {
      id: 'f1',
      nemesis: 'partition',
      atMs: cutAtMs,
      durationMs: 10_000,
      plan: { target: { role: 'leader', ...hurtLog }, variant: 'replication-only' },
    },
    {
      id: 'f2',
      nemesis: 'wipe',
      atMs: wipeAtMs,
      durationMs: 4_000,
      plan: { target: { role: 'leader', ...hurtLog }, variant: 'one-log' },
    },
  ],
  settings: {
    ...soundSettings,
    topicConfig: { ...soundSettings.topicConfig, 'min.insync.replicas': '1' },
  },
  control: soundSettings,
  controlSummary: 'min ISR 2',
  clientDefects: [],
};
