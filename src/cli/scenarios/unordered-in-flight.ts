/**
 * Ten sends of one client are open at once, none waits for the one before it. When the leader falls silent or dies each of
 * them is tried again after a back-off of its own: they are written in another order than they were sent in, and those that
 * it appends all the same are written twice. An idempotent producer would be no control: kafkajs with
 * unawaited idempotent sends inverts them too, and loses some (scenario concurrent-sends).
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const leader = { role: 'leader', ...hurtLog } as const;

/** The freeze outlasts the request timeout, not the 3 s broker session: what waits in the socket is appended after the thaw. */
const freezeThenKill: readonly ScheduledFault[] = [
  {
    id: 'f1',
    nemesis: 'pause',
    atMs: 3_000,
    durationMs: 2_200,
    plan: { target: leader, variant: 'freeze' },
  },
  {
    id: 'f2',
    nemesis: 'kill',
    atMs: 10_000,
    durationMs: 5_000,
    plan: { target: leader, variant: 'SIGKILL' },
  },
];

const impatient = {
  ...soundSettings,
  producer: { ...soundSettings.producer, requestTimeoutMs: 1_000, operationTimeoutMs: 10_000 },
} as const;

export const unorderedInFlight: Scenario = {
  name: 'unordered-in-flight',
  summary:
    'not idempotent, ten sends of each client open at once, request timeout 1 s; the leader is frozen for 2.2 s, later SIGKILL',
  expects: [['nonmonotonic-send'], ['duplicate']],
  claims: ['ordering', 'no-duplicates'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 40,
  ratePerSecond: 200,
  faultsMs: 16_000,
  schedule: freezeThenKill,
  settings: {
    ...impatient,
    producer: { ...impatient.producer, idempotent: false },
    sends: { ...plainSends, sharedBy: 10, afterFailure: 'continue' },
  },
  control: impatient,
  controlSummary: 'awaited sends, idempotent',
  clientDefects: ['unordered-retries'],
};
