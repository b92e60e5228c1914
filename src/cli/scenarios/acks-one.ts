/**
 * acks=1 acknowledges what only the leader holds. A leader that clients still reach, but that neither the other brokers
 * nor the controllers do, goes on acknowledging after they have elected another; healed, it truncates to the new
 * leader's log, and what it acknowledged meanwhile is gone or stands under an offset that was given out twice.
 */
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

export const acksOne: Scenario = {
  name: 'acks-one',
  summary: 'acks=1; the leader is cut from the other brokers for 10 s while clients reach all',
  expects: [['lost-write'], ['inconsistent-offsets']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 4,
  ratePerSecond: 100,
  faultsMs: 16_000,
  schedule: [
    {
      id: 'f1',
      nemesis: 'partition',
      atMs: 3_000,
      durationMs: 10_000,
      plan: { target: { role: 'leader', ...hurtLog }, variant: 'isolate' },
    },
  ],
  settings: {
    ...soundSettings,
    producer: { ...soundSettings.producer, acks: 1, idempotent: false },
  },
  control: soundSettings,
  controlSummary: 'acks=all, idempotent',
  clientDefects: [],
};
