/**
 * With min ISR 1 a leader whose followers cannot fetch goes on alone: the in-sync set shrinks to itself, and acks=all
 * then means one copy. When it dies in that state, an unclean election gives the log to a follower that lacks it.
 */
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** The in-sync set was measured to shrink 5.5 to 6.8 s after the cut; the kill comes 9 s after it. */
const cutAtMs = 3_000;
const killAtMs = cutAtMs + 9_000;

export const uncleanElection: Scenario = {
  name: 'unclean-election',
  summary:
    'min ISR 1, unclean election on; replication of the leader is cut until it is alone in sync, then SIGKILL',
  expects: [['lost-write'], ['truncated-read', 'inconsistent-offsets']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 4,
  ratePerSecond: 100,
  faultsMs: 24_000,
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
      nemesis: 'kill',
      atMs: killAtMs,
      durationMs: 8_000,
      plan: { target: { role: 'leader', ...hurtLog }, variant: 'SIGKILL' },
    },
  ],
  settings: {
    ...soundSettings,
    topicConfig: { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' },
  },
  control: soundSettings,
  controlSummary: 'min ISR 2, unclean election off',
  clientDefects: [],
};
