/**
 * The checkers of compacted logs, and the certifier claim by claim, against their definitions, on random tiny histories of a
 * compacted topic alone: among all random histories such a one is rare.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { checkers, defaultLimits } from '../../../checkers/index.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { oracles } from '../../support/oracle-answers.ts';
import { compactionClaims } from '../../support/oracle-compaction.ts';
import type { Model, ModelScan } from '../../support/oracle-model.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomCompacted } from '../../support/random-compacted.ts';
import { textOf } from '../../support/random-history.ts';

const runs = propertyRuns(2_000);
const anomalies = ['compaction-lost-key', 'compaction-resurrected-key', 'scan-divergence'];

describe.each(oracles.filter(([anomaly]) => anomalies.includes(anomaly)))(
  '%s on random tiny histories of a compacted topic',
  (anomaly, oracle) => {
    const checker = checkers.find((each) => each.anomalies.includes(anomaly))!;

    it('is found if and only if brute force finds it, and every witness is certified', () => {
      let met = 0;
      fc.assert(
        fc.property(randomCompacted, (model) => {
          const { found, count } = oracle(model);
          if (found === null) return;
          const history = loadHistoryText(textOf(model), 'random.jsonl');
          const actual = checker.check(history, defaultLimits)[anomaly]!;
          expect(actual.outcome === 'found').toBe(found);
          if (count !== null) expect(actual.count).toBe(count);
          if (found) met++;
          for (const witness of actual.witnesses) {
            const certificate = certifyWitness(model.header, model.events, anomaly, witness);
            expect({ ...certificate, witness }).toMatchObject({ holds: true });
          }
        }),
        runs,
      );
      expect(met).toBeGreaterThanOrEqual(Math.floor(runs.numRuns / 1_000));
    });
  },
);

it('the certifier believes a claim about a compacted log exactly if its definition does', () => {
  const held = new Map(anomalies.map((anomaly) => [anomaly, 0]));
  fc.assert(
    fc.property(randomCompacted, (model) => {
      for (const { anomaly, scans, holds, ...named } of compactionClaims(model)) {
        const operations = scans.flatMap((scan) => chunksOf(model, scan));
        const witness = { ...named, operations, layer: 'unknown', explanation: '' } as const;
        const certificate = certifyWitness(model.header, model.events, anomaly, witness);
        const claim = { anomaly, ...named, operations };
        expect({ ...claim, holds: certificate.holds }).toEqual({ ...claim, holds });
        if (holds) held.set(anomaly, held.get(anomaly)! + 1);
      }
    }),
    runs,
  );
  for (const count of held.values()) {
    expect(count).toBeGreaterThanOrEqual(Math.floor(runs.numRuns / 1_000));
  }
});

/** The completions of its chunks: each scan is a process of its own. */
function chunksOf({ events }: Model, { chunks }: ModelScan): readonly number[] {
  const processes = chunks.map(({ op }) => op.process);
  return events
    .filter(({ type, process }) => type === 'ok' && processes.includes(Number(process)))
    .map(({ index }) => index);
}
