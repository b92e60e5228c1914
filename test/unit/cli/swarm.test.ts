import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/flags.ts';
import { drawnNemesesOf, registries } from '../../../src/cli/registries.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';
import { swarmDecision, type SwarmKind } from '../../../src/cli/swarm.ts';
import type { RunOptions } from '../../../src/run/options.ts';
import type { Defect } from '../../../src/spi/simulation.ts';

const names = drawnNemesesOf(registries, 'simulated');
const seeds = Array.from({ length: 200 }, (_, seed) => String(seed));

const drawn = (kind: SwarmKind, defects: readonly Defect[] = []) =>
  seeds.map((seed) => swarmDecision(seed, kind, names, defects));

function resolved(seed: string): RunOptions {
  const given = { swarm: 'promising' };
  return resolveRun(parseFlags(given), Object.keys(given), seed, registries);
}

const isPromising = ({ settings }: ReturnType<typeof swarmDecision>): boolean =>
  settings.producer.acks === 'all' &&
  settings.producer.idempotent &&
  settings.topicConfig['min.insync.replicas'] === '2' &&
  settings.topicConfig['unclean.leader.election.enable'] === 'false';

describe('swarmDecision', () => {
  it('is a function of the seed, and varies every knob', () => {
    const decisions = drawn('any');
    expect(drawn('any')).toEqual(decisions);
    const knobs = (decision: ReturnType<typeof swarmDecision>): Record<string, unknown> => ({
      ...decision,
      ...decision.settings.producer,
      ...decision.settings.topicConfig,
      ...decision.settings.sends,
      ...decision.profile,
      faultsMs: decision.limits.faultsMs,
    });
    const fixed = new Set(['test', 'claims', 'defects']);
    for (const knob of Object.keys(knobs(decisions[0]!))) {
      const values = new Set(decisions.map((decision) => JSON.stringify(knobs(decision)[knob])));
      if (fixed.has(knob)) expect(values.size, knob).toBe(1);
      else expect(values.size, knob).toBeGreaterThan(1);
    }
  });

  it('lets the last replica in sync die where settings permit what follows, and nowhere else', () => {
    expect(drawn('promising').every(({ schedule }) => schedule === null)).toBe(true);
    const planned = drawn('permissive').filter(({ schedule }) => schedule !== null);
    expect(planned.length).toBeGreaterThan(0);
    for (const { schedule, settings, faults } of planned) {
      const { topicConfig } = settings;
      expect([
        topicConfig['min.insync.replicas'],
        topicConfig['unclean.leader.election.enable'],
      ]).not.toEqual(['2', 'false']);
      expect(schedule!.map(({ nemesis }) => nemesis)).toEqual(faults);
    }
  });

  it('keeps every promise in promising settings, and breaks one in permissive ones', () => {
    expect(drawn('promising').every(isPromising)).toBe(true);
    expect(drawn('permissive').some(isPromising)).toBe(false);
    const either = drawn('any').map(isPromising);
    expect(new Set(either)).toEqual(new Set([true, false]));
  });

  it('never asks a producer for what it would refuse', () => {
    for (const { settings } of drawn('permissive')) {
      const { acks, idempotent, requestTimeoutMs, operationTimeoutMs } = settings.producer;
      if (acks !== 'all') expect(idempotent).toBe(false);
      expect(requestTimeoutMs).toBeLessThanOrEqual(operationTimeoutMs);
    }
  });

  it('plans at least two faults, and about as many operations as one can read', () => {
    const runs = seeds.map(resolved);
    expect(new Set(runs.map(({ workload }) => workload))).toEqual(
      new Set(['log', 'groups', 'compaction']),
    );
    for (const { schedule, seed } of runs) {
      expect(schedule.length, `seed ${seed}`).toBeGreaterThanOrEqual(2);
    }
    const sends = runs.map(
      ({ ratePerSecond, limits }) => (ratePerSecond * limits.faultsMs) / 1_000,
    );
    expect(Math.min(...sends)).toBeGreaterThan(50);
    expect(Math.max(...sends)).toBeLessThan(1_200);
  });

  it('compacts logs where nothing else permits the loss of a record, and keeps tombstones', () => {
    expect(drawn('permissive').map(({ workload }) => workload)).not.toContain('compaction');
    const compacted = drawn('promising').filter(({ workload }) => workload === 'compaction');
    expect(compacted.length).toBeGreaterThan(0);
    for (const { settings } of compacted) {
      expect(settings.topicConfig['delete.retention.ms']).toBe('86400000');
    }
  });

  it('freezes members of groups, and only where there are some', () => {
    const decisions = drawn('any');
    for (const { workload, faults } of decisions) {
      if (workload !== 'groups') expect(faults).not.toContain('freeze-member');
    }
    const frozen = decisions.filter(({ faults }) => faults.includes('freeze-member'));
    const grouped = decisions.filter(({ workload }) => workload === 'groups');
    expect(frozen.length).toBeGreaterThan(0);
    expect(frozen.length).toBeLessThan(grouped.length);
  });

  it.each([...registries.defects].map(([name, defect]) => [name, defect] as const))(
    'has what %s needs, whatever was drawn',
    (_name, defect) => {
      const { needs } = defect;
      for (const { settings, faults, workload } of drawn('promising', [defect])) {
        expect(workload).toBe(needs.workload ?? 'log');
        expect(settings.sends).toMatchObject(needs.sends ?? {});
        expect(faults).toEqual(expect.arrayContaining([...(needs.nemeses ?? [])]));
        const { acks, idempotent, requestTimeoutMs, retriesMax } = settings.producer;
        expect({ acks, idempotent, requestTimeoutMs, retriesMax }).toMatchObject(
          Object.fromEntries(
            Object.entries(needs).filter(
              ([key]) => !['nemeses', 'sends', 'minInSync', 'workload'].includes(key),
            ),
          ),
        );
        if (needs.minInSync === undefined) continue;
        expect(settings.topicConfig['min.insync.replicas']).toBe(String(needs.minInSync));
      }
    },
  );
});
