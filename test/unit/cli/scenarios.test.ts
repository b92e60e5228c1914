import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nemeses } from '../../../nemeses/index.ts';
import { isPartitionVariant } from '../../../nemeses/cut-rules.ts';
import { scenarios } from '../../../src/cli/scenarios/index.ts';
import { claims } from '../../../src/spi/verdict.ts';
import type { AnomalyName } from '../../../src/spi/verdict.ts';
import { plainSends } from '../../../src/spi/workload.ts';
import { workloads } from '../../../src/workloads/index.ts';

const all = [...scenarios.values()];

/** Start, recovery and audit of a run take about 25 s beside the faults phase; the whole must stay below 120 s. */
const faultsMsMax = 60_000;

describe.each(all.map((scenario) => [scenario.name, scenario] as const))(
  '%s',
  (_name, scenario) => {
    it('names a workload, nemeses and variants that exist', () => {
      expect(workloads.has(scenario.workload)).toBe(true);
      for (const { nemesis, plan } of scenario.schedule) {
        expect(nemeses.has(nemesis)).toBe(true);
        if (nemesis === 'partition') expect(isPartitionVariant(plan.variant)).toBe(true);
        if (nemesis === 'kill') expect(['SIGKILL', 'SIGTERM']).toContain(plan.variant);
      }
    });

    it('aims at a log that its workload has', () => {
      const topics = workloads.get(scenario.workload)!.topics({
        topics: scenario.topics,
        partitions: scenario.partitions,
        concurrency: scenario.concurrency,
        ratePerSecond: scenario.ratePerSecond,
        sends: plainSends,
        nodes: [1, 2, 3],
        topicConfig: scenario.settings.topicConfig,
      });
      for (const { plan } of scenario.schedule) {
        expect(plan.target.role).toBe('leader');
        if (plan.target.role !== 'leader') continue;
        const { topic, partition } = plan.target;
        const found = topics.find(({ name }) => name === topic);
        expect(found?.replicas[partition]).toHaveLength(3);
      }
    });

    it('heals within a short faults phase, with distinct ids in order', () => {
      const ids = scenario.schedule.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const times = scenario.schedule.map(({ atMs }) => atMs);
      expect([...times].sort((a, b) => a - b)).toEqual(times);
      for (const { atMs, durationMs } of scenario.schedule) {
        expect(atMs + durationMs).toBeLessThanOrEqual(scenario.faultsMs);
      }
      expect(scenario.faultsMs).toBeLessThanOrEqual(faultsMsMax);
    });

    it('demands a claim for everything that it shows', () => {
      const demanded: readonly AnomalyName[] = scenario.claims.flatMap((name) => claims[name]);
      for (const group of scenario.expects)
        expect(demanded).toEqual(expect.arrayContaining([...group]));
    });

    it('has a control that differs in settings, and under which Kafka promises durability', () => {
      expect(scenario.control).not.toEqual(scenario.settings);
      expect(scenario.control.producer).toMatchObject({ acks: 'all', idempotent: true });
      expect(scenario.control.topicConfig).toMatchObject({
        'min.insync.replicas': '2',
        'unclean.leader.election.enable': 'false',
      });
    });
  },
);

describe('docs/scenarios.md', () => {
  it('has a row for each scenario, and says what the code says', () => {
    const path = resolve(import.meta.dirname, '../../../docs/scenarios.md');
    const rows = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /^\| [a-z]+-/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
    expect(rows).toEqual(
      all.map(({ name, summary, expects, claims: demanded, controlSummary }) => [
        name,
        summary,
        expects.map((group) => group.join(' or ')).join(', '),
        demanded.join(', '),
        controlSummary,
      ]),
    );
  });
});
