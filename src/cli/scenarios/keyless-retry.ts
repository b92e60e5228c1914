/**
 * kafkajs asks its partitioner anew in every retry. A keyless record whose request waits in a frozen leader's socket is
 * sent to another partition meanwhile and appended to the first one after the thaw: it stands in both, for idempotence
 * is by partition. The sequence number of the first attempt was taken back, so the next record for that partition counts
 * as written already: it is acknowledged and lost.
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const freezesAtMs = [3_000, 10_000, 17_000];

/** Below the 3 s broker session: a leader that was fenced meanwhile would refuse what waited in its socket. */
function freeze(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'pause',
    atMs,
    durationMs: 2_200,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'freeze' },
  };
}

const impatient = {
  ...soundSettings,
  producer: { ...soundSettings.producer, requestTimeoutMs: 500, operationTimeoutMs: 10_000 },
} as const;

export const keylessRetry: Scenario = {
  name: 'keyless-retry',
  summary:
    'idempotent, half of the records keyless, the client chooses the partition; the leader of one is frozen for 2.2 s, three times',
  expects: [['duplicate'], ['lost-write']],
  claims: ['durability', 'no-duplicates'],
  workload: 'log',
  topics: 1,
  partitions: 3,
  concurrency: 6,
  ratePerSecond: 60,
  faultsMs: 21_000,
  schedule: freezesAtMs.map(freeze),
  settings: { ...impatient, sends: { ...plainSends, partition: 'client' } },
  control: impatient,
  controlSummary: 'explicit partitions',
  clientDefects: ['keyless-retry'],
};
