/**
 * kafkajs gives a send up after its retries and takes its sequence number back, but the request still waits in the frozen
 * leader's socket and is appended after the thaw. The next send of that producer carries the same number: the broker
 * takes it for the one before and answers with that one's offset. It is acknowledged and was never written.
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const freezesAtMs = [3_000, 7_000, 11_000, 15_000];

/** One retry of 500 ms is over after 1.1 s; what is sent next must still be waiting when the leader thaws. */
function freeze(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'pause',
    atMs,
    durationMs: 1_400,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'freeze' },
  };
}

const impatient = {
  ...soundSettings,
  producer: { ...soundSettings.producer, requestTimeoutMs: 500, retriesMax: 1 },
} as const;

export const sequenceReuse: Scenario = {
  name: 'sequence-reuse',
  summary:
    'idempotent, request timeout 500 ms, one retry, the producer goes on after a rejection; the leader is frozen for 1.4 s, four times',
  expects: [['lost-write'], ['inconsistent-offsets']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 6,
  ratePerSecond: 60,
  faultsMs: 18_000,
  schedule: freezesAtMs.map(freeze),
  settings: { ...impatient, sends: { ...plainSends, afterFailure: 'continue' } },
  control: impatient,
  controlSummary: 'a new producer after any rejection',
  clientDefects: ['sequence-reuse'],
};
