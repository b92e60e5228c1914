/**
 * A group that has committed nothing begins where auto.offset.reset says. With `latest`, kafkajs's `fromBeginning: false` and every
 * Kafka client's default, that is the end: what was written before the first assignment is never read by anybody. No fault is
 * needed.
 */
import { soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

export const offsetResetLatest: Scenario = {
  name: 'offset-reset-latest',
  summary:
    'fromBeginning: false; producers write before the members of the group are assigned anything',
  expects: [['group-skip']],
  claims: ['group-delivery'],
  workload: 'groups',
  topics: 1,
  partitions: 3,
  concurrency: 4,
  ratePerSecond: 100,
  faultsMs: 12_000,
  schedule: [],
  settings: { ...soundSettings, offsetReset: 'latest' },
  control: soundSettings,
  controlSummary: 'fromBeginning: true',
  clientDefects: [],
};
