/** One fault in a correct history is found under its name, certified, and nothing unrelated is found with it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { anomalyNames } from '../../../src/spi/verdict.ts';
import { correctHistory, textOfHistory, withText } from '../../support/correct-model.ts';
import { mutations } from '../../support/correct-model-mutations.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';

const runs = propertyRuns(80);

describe.each(mutations)('when $name', ({ apply, injects, allows }) => {
  it('that is found, and nothing that does not follow from it', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(correctHistory, fc.nat())
          .map(([correct, pick]) => apply(correct, pick))
          .filter((mutated) => mutated !== null)
          .map(withText),
        (mutated) => {
          const history = loadHistoryText(textOfHistory(mutated), 'mutated.jsonl');
          const { anomalies } = checkHistory(history);
          const found = anomalyNames.filter((name) => anomalies[name].outcome === 'found');
          expect(found).toEqual(expect.arrayContaining([...injects]));
          expect(found.filter((name) => ![...injects, ...allows].includes(name))).toEqual([]);
          for (const name of found) {
            for (const witness of anomalies[name].witnesses) {
              const certificate = certifyWitness(mutated.header, mutated.events, name, witness);
              expect({ name, ...certificate, witness }).toMatchObject({ holds: true });
            }
          }
        },
      ),
      runs,
    );
  });
});
