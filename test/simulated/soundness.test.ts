/**
 * Without a defect nothing is found that no setting permits, no verdict contradicts what the model itself knows, and no
 * run fails; and the runs are worth something: faults bite, records are acknowledged, checkers have something to check.
 */
import { expect, it } from 'vitest';
import { explorePool } from '../../src/cli/explore-pool.ts';
import type { SwarmKind } from '../../src/cli/swarm.ts';

it.each([
  ['promising', 100],
  ['permissive', 60],
] as const satisfies readonly (readonly [SwarmKind, number])[])(
  '%s settings, %d runs',
  { timeout: 300_000 },
  async (swarm, runs) => {
    const summaries = await explorePool({
      request: { seed: '1000', swarm, defects: [], hash: false, keep: null, wallMs: 0 },
      runs,
      threads: 1,
      stopFirst: false,
      interrupt: new AbortController().signal,
      onSummary: () => undefined,
    });
    expect(summaries).toHaveLength(runs);
    expect(
      summaries.flatMap(({ seed, violations }) => violations.map(({ text }) => `${seed}: ${text}`)),
    ).toEqual([]);
    for (const { seed, valid, coverage, anomalies } of summaries) {
      expect(coverage?.operations, `operations of seed ${seed}`).toBeGreaterThan(50);
      const bites = Object.values(coverage?.faults ?? {}).map(({ tookEffect }) => tookEffect);
      expect(Math.max(...bites), `faults of seed ${seed}`).toBeGreaterThan(0);
      if (swarm === 'promising') expect(valid, `verdict of seed ${seed}`).not.toBe(false);
      expect(anomalies['lost-write']?.checked, `sends of seed ${seed}`).toBeGreaterThan(0);
    }
    // Permissive settings do lose records: the checkers are not blind to it.
    const losing = summaries.filter(
      ({ anomalies }) => anomalies['lost-write']?.outcome === 'found',
    );
    if (swarm === 'permissive') expect(losing.length).toBeGreaterThan(3);
    else expect(losing).toEqual([]);
  },
);
