/**
 * Every fault of implementation that can be switched on is found by its checker within a few short runs, nothing that it
 * does not declare is found, and each witness is proved again by the certifier.
 */
import { expect, it } from 'vitest';
import { certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory } from '../../checkers/index.ts';
import { optionsOf, type ExploreRequest } from '../../src/cli/exploration.ts';
import { registries } from '../../src/cli/registries.ts';
import { runSimulated } from '../../src/cli/simulated-stage.ts';
import { loadHistoryEvents } from '../../src/history/load-events.ts';
import { anomalyNames, type ResultDocument } from '../../src/spi/verdict.ts';

const runsMax = 25;
/** From where the seeds count up: 1, but where the first to show it would be a long way off. */
const firstSeeds: Readonly<Record<string, number>> = {
  'forget-producers-on-election': 15,
  'watermark-by-majority': 30,
};

function found({ anomalies }: ResultDocument): readonly (typeof anomalyNames)[number][] {
  return anomalyNames.filter((name) => anomalies[name].outcome === 'found');
}

it.each([...registries.defects.values()].map((defect) => [defect.name, defect] as const))(
  '%s',
  { timeout: 120_000 },
  async (name, { primary, consequences }) => {
    const request: ExploreRequest = {
      seed: String(firstSeeds[name] ?? 1),
      swarm: 'promising',
      defects: [name],
      hash: false,
      keep: null,
      wallMs: 0,
    };
    for (let index = 0; index < runsMax; index++) {
      const seed = String(Number(request.seed) + index);
      const { header, events, outcome } = await runSimulated(optionsOf(request, seed));
      expect(outcome.failure).toBeNull();
      const document = checkHistory(loadHistoryEvents(header, events));
      for (const anomaly of found(document)) {
        expect([primary, ...consequences], `of seed ${seed}`).toContain(anomaly);
        for (const witness of document.anomalies[anomaly].witnesses) {
          const { holds, reason } = certifyWitness(header, events, anomaly, witness);
          expect(holds, `${anomaly} of seed ${seed}: ${reason}`).toBe(true);
        }
      }
      if (found(document).includes(primary)) return;
    }
    expect.fail(`${primary} was not found in ${runsMax} runs from seed ${request.seed}`);
  },
);
