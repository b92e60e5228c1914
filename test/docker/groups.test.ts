/**
 * A consumer group on real Kafka, its members killed and frozen and brokers hurt: valid, with every kind of fault that bit. One finding is
 * known, and counts only where it is proved to be what it is: kafkajs hands out a batch again when the leader moves while the batch is
 * with the application (test/unit/clients/kafkajs/leader-move.test.ts). Short: one seed, 20 s of faults. Full
 * (ORDEAL_SUITE=full): seeds 1, 2 and 3, 120 s each.
 */
import { describe, expect, it } from 'vitest';
import { nsPerMs } from '../../src/core/units.ts';
import { anomalyNames, type ResultDocument } from '../../src/spi/verdict.ts';
import { eventsSoFar, ordeal, results, Store } from './command.ts';

const full = process.env['ORDEAL_SUITE'] === 'full';
const seeds = full ? ['1', '2', '3'] : ['1'];
const timeLimit = full ? '120s' : '20s';
const kinds = full ? ['kill', 'pause', 'partition', 'freeze-member'] : ['kill', 'freeze-member'];

/**
 * How long before the second delivery the leader may have moved (the batch waits for the application's next poll), and how late the
 * harness may have seen that it moved (it asks the nodes now and then).
 */
const movedBeforeMs = 5_000;
const seenLateMs = 4_000;

/** Findings of a run, each proved to be kafkajs's two fetchers: the client's layer, by the raw log, and behind a move of the leader. */
function secondDeliveries({ anomalies }: ResultDocument, directory: string): number {
  const found = anomalyNames.filter((name) => anomalies[name].outcome === 'found');
  expect(['', 'nonmonotonic-poll']).toContain(found.join(' '));
  const { witnesses, count } = anomalies['nonmonotonic-poll'];
  const events = eventsSoFar(directory);
  const moves = events.filter(({ f }) => f === 'leader');
  for (const { layer, log, operations, explanation } of witnesses) {
    expect(layer, explanation).toBe('client');
    const second = events.find(({ index }) => index === operations.at(-1))!;
    const moved = moves.some(
      ({ time, value }) =>
        (value as { readonly log: string }).log === log &&
        time < second.time + seenLateMs * nsPerMs &&
        time > second.time - movedBeforeMs * nsPerMs,
    );
    expect(moved, `${explanation}: the leader of ${log} had not moved`).toBe(true);
  }
  return count;
}

describe(`groups, ${timeLimit} of faults`, () => {
  for (const seed of seeds) {
    it(`seed ${seed}: valid, or kafkajs's own second deliveries`, async () => {
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
      const directory = store.runDirectory() ?? '';
      const document = results(directory);
      const { valid, claims, anomalies, coverage } = document;
      const deliveredTwice = secondDeliveries(document, directory);
      expect(run.exitCode, run.all).toBe(deliveredTwice === 0 ? 0 : 1);
      console.log(
        `groups, seed ${seed}:`,
        JSON.stringify({
          ...{ valid, deliveredTwice, rebalances: coverage.rebalances },
          faults: coverage.faults,
        }),
      );
      for (const [claim, { demanded, outcome }] of Object.entries(claims)) {
        if (demanded && claim !== 'ordering') expect(outcome, claim).toBe('proved');
      }
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
