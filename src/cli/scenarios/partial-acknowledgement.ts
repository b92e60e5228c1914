/**
 * kafkajs keeps the answers to one call by broker, across its retries. If the leader of one partition dies and leadership
 * goes to a broker that has answered for another partition of the call, nothing is sent again: the call resolves, though
 * its answer lacks the partition and the record was never written. Only a call that is open when the leader dies can be hit: a
 * later one does not get past the dead broker, and asks all of them once the leader is known. So many calls are open here.
 */
import { plainSends } from '../../spi/workload.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const killsAtMs = [3_000, 16_000, 29_000];

function kill(atMs: number, position: number): ScheduledFault {
  return {
    id: `f${position + 1}`,
    nemesis: 'kill',
    atMs,
    durationMs: 5_000,
    plan: { target: { role: 'leader', ...hurtLog }, variant: 'SIGKILL' },
  };
}

const patient = {
  ...soundSettings,
  producer: { ...soundSettings.producer, operationTimeoutMs: 10_000 },
} as const;

export const partialAcknowledgement: Scenario = {
  name: 'partial-acknowledgement',
  summary:
    'idempotent, 30 producers, up to six records for three partitions in one call; SIGKILL of a leader, three times',
  expects: [['lost-write']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 3,
  concurrency: 30,
  ratePerSecond: 500,
  faultsMs: 36_000,
  schedule: killsAtMs.map(kill),
  settings: { ...patient, sends: { ...plainSends, recordsPerSendMax: 6 } },
  control: patient,
  controlSummary: 'one record per send',
  clientDefects: ['partial-acknowledgement'],
};
