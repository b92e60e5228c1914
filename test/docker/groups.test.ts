/**
 * A consumer group on real Kafka, its members killed and frozen and brokers hurt: valid, with every kind of fault that bit. Short: one
 * seed, 20 s of faults. Full (ORDEAL_SUITE=full): seeds 1, 2 and 3, 120 s each.
 */
import { describe, expect, it } from 'vitest';
import { ordeal, results, Store } from './command.ts';

const full = process.env['ORDEAL_SUITE'] === 'full';
const seeds = full ? ['1', '2', '3'] : ['1'];
const timeLimit = full ? '120s' : '20s';
const kinds = full ? ['kill', 'pause', 'partition', 'freeze-member'] : ['kill', 'freeze-member'];

describe(`groups, ${timeLimit} of faults`, () => {
  for (const seed of seeds) {
    it(`seed ${seed}: valid`, async () => {
      using store = new Store();
      const args = ['--workload', 'groups', '--nemesis', kinds.join(','), '--seed', seed];
      const run = await ordeal([
        'test',
        '--cluster',
        'docker',
        ...args,
        '--time-limit',
        timeLimit,
        '--store',
        store.path,
      ]);
      expect(run.exitCode, run.all).toBe(0);
      const { valid, claims, anomalies, coverage } = results(store.runDirectory() ?? '');
      console.log(
        `groups, seed ${seed}:`,
        JSON.stringify({ valid, rebalances: coverage.rebalances, faults: coverage.faults }),
      );
      expect(claims['group-delivery'].outcome).toBe('proved');
      // Members begin, commit and are told generations: else nothing of this was checked.
      for (const anomaly of ['commit-regression', 'group-skip', 'stale-commit'] as const) {
        expect(anomalies[anomaly].checked, anomaly).toBeGreaterThanOrEqual(full ? 20 : 5);
      }
      expect(coverage.rebalances).toBeGreaterThan(3);
      for (const kind of kinds) {
        expect(coverage.faults[kind]?.tookEffect, kind).toBeGreaterThan(0);
        expect(coverage.faults[kind]?.healed, kind).toBe(coverage.faults[kind]?.injected);
      }
    });
  }
});
