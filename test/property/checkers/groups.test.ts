/** The checkers of consumer groups against their definitions, on random tiny histories: counts agree, witnesses are certified. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { checkers, defaultLimits } from '../../../checkers/index.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { groupClaims, groupOracles } from '../../support/oracle-groups.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomGroups } from '../../support/random-groups.ts';

const runs = propertyRuns(2_000);

describe.each(groupOracles)('%s on random tiny histories of groups', (anomaly, oracle) => {
  const checker = checkers.find(({ anomalies }) => anomalies.includes(anomaly))!;

  it('is found as often as brute force finds it, and every witness is certified', () => {
    let found = 0;
    fc.assert(
      fc.property(randomGroups, (model) => {
        const history = loadHistoryText(model.text, 'random.jsonl');
        const { count, witnesses } = checker.check(history, defaultLimits)[anomaly]!;
        expect(count).toBe(oracle(model));
        if (count > 0) found++;
        for (const witness of witnesses) {
          const certificate = certifyWitness(model.header, model.events, anomaly, witness);
          expect({ ...certificate, witness }).toMatchObject({ holds: true });
        }
      }),
      runs,
    );
    // Some are rare: so few runs as mutation testing makes need not meet them.
    expect(found).toBeGreaterThanOrEqual(Math.floor(runs.numRuns / 1_000));
  });
});

it('the certifier believes a claim about a group exactly if its definition does', () => {
  let held = 0;
  fc.assert(
    fc.property(randomGroups, (model) => {
      for (const { anomaly, holds, ...named } of groupClaims(model)) {
        const witness = { ...named, layer: 'unknown', explanation: '' } as const;
        const certificate = certifyWitness(model.header, model.events, anomaly, witness);
        expect({ anomaly, ...named, holds: certificate.holds }).toEqual({
          anomaly,
          ...named,
          holds,
        });
        if (holds) held++;
      }
    }),
    runs,
  );
  expect(held).toBeGreaterThan(runs.numRuns / 100);
});
