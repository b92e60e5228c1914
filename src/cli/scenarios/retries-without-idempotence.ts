/**
 * A frozen leader answers late: the request that waited in its socket is appended after the thaw, and so is every retry
 * of it. Without idempotence the broker cannot tell them apart. The freeze stays below the 3 s broker session: a leader
 * that was fenced meanwhile would refuse the late appends.
 */
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';

const freezesAtMs = [3_000, 10_000, 17_000];

function freeze(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'pause',
    atMs,
    durationMs: 2_200,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'freeze' },
  };
}

/** Short enough that several attempts fall into one freeze; an operation outlasts the freeze. */
const impatient = {
  ...soundSettings.producer,
  requestTimeoutMs: 500,
  operationTimeoutMs: 10_000,
} as const;

export const retriesWithoutIdempotence: Scenario = {
  name: 'retries-without-idempotence',
  summary:
    'not idempotent, request timeout 500 ms, retries; the leader is frozen for 2.2 s, three times',
  expects: [['duplicate']],
  claims: ['durability', 'no-duplicates'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 4,
  ratePerSecond: 100,
  faultsMs: 21_000,
  schedule: freezesAtMs.map(freeze),
  settings: { ...soundSettings, producer: { ...impatient, idempotent: false } },
  control: { ...soundSettings, producer: impatient },
  controlSummary: 'idempotent',
  clientDefects: [],
};
