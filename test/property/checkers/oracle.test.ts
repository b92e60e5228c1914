/**
 * Each checker against brute force on random tiny histories with uncertain, failed and open operations, attempts,
 * complete and incomplete audits: found iff the oracle finds it, and each witness is certified.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkers, defaultLimits } from '../../../checkers/index.ts';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import type { AnomalyName, AnomalyResult, Witness } from '../../../src/spi/verdict.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { oracles } from '../../support/oracle-answers.ts';
import type { Model } from '../../support/oracle-model.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomModel, textOf } from '../../support/random-history.ts';

const runs = propertyRuns(1_500);

describe.each(oracles)('%s on random tiny histories', (anomaly, oracle) => {
  it('is found if and only if brute force finds it, and every witness is certified', () => {
    fc.assert(
      fc.property(randomModel, (model) => {
        const expected = oracle(model);
        const actual = judge(model, anomaly);
        if (expected.found !== null) expect(actual.outcome === 'found').toBe(expected.found);
        if (expected.found !== null && expected.count !== null)
          expect(actual.count).toBe(expected.count);
        for (const witness of actual.witnesses) {
          if (inOrder.has(anomaly)) expect(witness.operations).toEqual(ascending(witness));
          const certificate = certifyWitness(model.header, model.events, anomaly, witness);
          expect({ ...certificate, witness }).toMatchObject({ holds: true });
        }
      }),
      runs,
    );
  });
});

/** Their witnesses name operations in the order of events; the others by what each one shows. */
const inOrder: ReadonlySet<AnomalyName> = new Set([
  'scan-divergence',
  'inconsistent-offsets',
  'phantom',
  'future-read',
  'corrupt-record',
  'duplicate',
  'poll-skip',
  'int-poll-skip',
  'aborted-read',
]);

function ascending({ operations }: Witness): readonly number[] {
  return operations.toSorted((a, b) => a - b);
}

function judge(model: Model, anomaly: AnomalyName): AnomalyResult {
  const checker = checkers.find(({ anomalies }) => anomalies.includes(anomaly))!;
  const history = loadHistoryText(textOf(model), 'random.jsonl');
  return checker.check(history, defaultLimits)[anomaly]!;
}
