/**
 * The certifier against brute force, without any checker between: a witness that names every operation holds if and only
 * if the history has the anomaly.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { oracles } from '../../support/oracle-answers.ts';
import type { Model } from '../../support/oracle-model.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomModel } from '../../support/random-history.ts';

const runs = propertyRuns(800);

describe.each(oracles)('a certified %s', (anomaly, oracle) => {
  it('is one that brute force finds', () => {
    fc.assert(
      fc.property(randomModel, (model) => {
        const { found } = oracle(model);
        if (found === null) return;
        const witness = {
          operations: ends(model),
          layer: 'unknown',
          explanation: '',
        } as const;
        const { holds } = certifyWitness(model.header, model.events, anomaly, witness);
        expect(holds).toBe(found);
      }),
      runs,
    );
  });
});

/** Completions, and invocations that have none: every index that a witness may name. */
function ends({ events }: Model): readonly number[] {
  const last = new Map<number | string, number>();
  const found: number[] = [];
  for (const { index, process, type } of events) {
    if (type === 'invoke') last.set(process, index);
    else if (type !== 'event') {
      last.delete(process);
      found.push(index);
    }
  }
  return [...found, ...last.values()];
}
