/**
 * Ten sends of one client are open at once, none waits for the one before it. When the leader dies each of them is tried
 * again after a back-off of its own: they are written in another order than they were sent in, and those that the dead
 * leader had appended and not yet answered are written twice. An idempotent producer would be no control: kafkajs with
 * unawaited idempotent sends inverts them too, and loses some (scenario concurrent-sends).
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const killsAtMs = [3_000, 16_000];

function kill(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'kill',
    atMs,
    durationMs: 5_000,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'SIGKILL' },
  };
}

export const unorderedInFlight: Scenario = {
  name: 'unordered-in-flight',
  summary: 'not idempotent, ten sends of each client open at once; SIGKILL of the leader, twice',
  expects: [['nonmonotonic-send'], ['duplicate']],
  claims: ['ordering', 'no-duplicates'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 40,
  ratePerSecond: 300,
  faultsMs: 24_000,
  schedule: killsAtMs.map(kill),
  settings: {
    ...soundSettings,
    producer: { ...soundSettings.producer, idempotent: false, operationTimeoutMs: 10_000 },
    sends: { ...plainSends, sharedBy: 10, afterFailure: 'continue' },
  },
  control: {
    ...soundSettings,
    producer: { ...soundSettings.producer, operationTimeoutMs: 10_000 },
  },
  controlSummary: 'awaited sends, idempotent',
  clientDefects: ['unordered-retries'],
};
