/** Each scenario finds what it must on real Kafka, and its control is valid. Full: three times each. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { AnomalyName, Layer } from '../../src/spi/verdict.ts';
import { ordeal, results, Store } from './command.ts';
import { selectCases, type SuiteCase } from './selection.ts';

interface ScenarioCase extends SuiteCase {
  readonly scenario: string;
  readonly control: boolean;
  /** Of each list at least one is found. */
  readonly found: readonly (readonly AnomalyName[])[];
  /** Of every witness of lost-write. */
  readonly layer: Layer;
}

const full = process.env['ORDEAL_SUITE'] === 'full';
const repetitions = full ? 3 : 1;
/** Scenarios and controls of the short suite may take this long together. */
const budgetSeconds = full ? Number.POSITIVE_INFINITY : 20 * 60;

function pair(
  scenario: string,
  seconds: number,
  found: ScenarioCase['found'],
  layer: Layer = 'broker',
): ScenarioCase[] {
  return [
    { name: scenario, scenario, control: false, seconds, found, layer },
    { name: `${scenario} --control`, scenario, control: true, seconds, found: [], layer },
  ];
}

const cases = [
  ...pair('acks-one', 60, [['lost-write'], ['inconsistent-offsets']]),
  ...pair('retries-without-idempotence', 60, [['duplicate']]),
  ...pair('unclean-election', 80, [['lost-write'], ['truncated-read', 'inconsistent-offsets']]),
  ...pair('unordered-in-flight', 60, [['nonmonotonic-send'], ['duplicate']]),
  ...pair('sequence-reuse', 50, [['lost-write'], ['inconsistent-offsets']], 'client'),
  ...pair('concurrent-sends', 50, [['lost-write']], 'client'),
  ...pair('keyless-retry', 50, [['duplicate'], ['lost-write']], 'client'),
  ...pair('partial-acknowledgement', 75, [['lost-write']], 'client'),
  ...pair('moved-acks-one', 60, [['lost-write']]),
  ...pair('min-isr-one', 60, [['lost-write'], ['truncated-read', 'inconsistent-offsets']]),
  ...pair('offset-reset-latest', 40, [['group-skip']]),
  ...pair('compaction-race', 60, [['compaction-resurrected-key'], ['scan-divergence']]),
];

const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const { chosen, leftOut } = selectCases(cases, budgetSeconds, commit);
console.log(
  `scenarios left out of this commit's suite: ${leftOut.map(({ name }) => name).join(', ') || 'none'}`,
);

describe('scenarios on real Kafka', () => {
  for (const { name, scenario, control, found, layer } of chosen) {
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      it(`${name}, run ${repetition}`, async () => {
        using store = new Store();
        const args = ['--scenario', scenario, ...(control ? ['--control'] : [])];
        const run = await ordeal([
          'test',
          '--cluster',
          'docker',
          ...args,
          '--seed',
          `${repetition}`,
          '--store',
          store.path,
        ]);
        expect(run.exitCode, run.all).toBe(control ? 0 : 1);
        expect(run.durationMs).toBeLessThan(120_000);
        const { anomalies } = results(store.runDirectory() ?? '');
        const counts = Object.entries(anomalies).filter(([, { outcome }]) => outcome === 'found');
        console.log(
          `${name}:`,
          Object.fromEntries(counts.map(([anomaly, { count }]) => [anomaly, count])),
        );
        for (const either of found) {
          expect(
            either.some((anomaly) => anomalies[anomaly].outcome === 'found'),
            either.join(' or '),
          ).toBe(true);
        }
        const layers = anomalies['lost-write'].witnesses.map((witness) => witness.layer);
        expect(layers).toEqual(layers.map(() => layer));
        if (scenario === 'acks-one' && !control) {
          expect(anomalies['lost-write'].permittedBy).toContain('acks');
          expect(anomalies['lost-write'].witnesses[0]?.explanation).toContain('acks=1');
        }
      });
    }
  }
});
