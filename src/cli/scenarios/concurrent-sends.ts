/**
 * Sends that one idempotent kafkajs producer has open at once take sequence numbers in turn, and an attempt that times out
 * gives its number back by subtraction, although the leader has appended it and only waits for its followers. Whoever
 * comes next carries that number: the broker takes it for the one before, and it is acknowledged but never written.
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const cutsAtMs = [3_000, 10_000, 17_000];

/** Longer than the request timeout, and shorter than replica.lag.time.max.ms: no replica leaves the in-sync set. */
function cut(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'partition',
    atMs,
    durationMs: 2_500,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'replication-only' },
  };
}

const impatient = {
  ...soundSettings,
  producer: { ...soundSettings.producer, requestTimeoutMs: 1_000, operationTimeoutMs: 10_000 },
} as const;

export const concurrentSends: Scenario = {
  name: 'concurrent-sends',
  summary:
    'idempotent, four sends of each producer open at once, request timeout 1 s; replication of the leader is cut for 2.5 s, three times',
  expects: [['lost-write']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 12,
  ratePerSecond: 100,
  faultsMs: 22_000,
  schedule: cutsAtMs.map(cut),
  settings: { ...impatient, sends: { ...plainSends, sharedBy: 4, afterFailure: 'continue' } },
  control: impatient,
  controlSummary: 'awaited sends',
  clientDefects: ['concurrent-sends'],
};
