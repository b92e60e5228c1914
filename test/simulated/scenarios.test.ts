/** Each scenario finds on the simulated cluster what it says, its control is valid, and each witness is proved again. */
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory } from '../../checkers/index.ts';
import { parseFlags } from '../../src/cli/flags.ts';
import { registries } from '../../src/cli/registries.ts';
import { resolveRun } from '../../src/cli/resolve.ts';
import { scenarios } from '../../src/cli/scenarios/index.ts';
import { runSimulated } from '../../src/cli/simulated-stage.ts';
import { loadHistoryEvents } from '../../src/history/load-events.ts';
import { anomalyNames } from '../../src/spi/verdict.ts';

const seed = '1';

function optionsOf(scenario: string, control: boolean) {
  const given = { scenario, ...(control ? { control } : {}) };
  return resolveRun(parseFlags(given), Object.keys(given), seed, registries);
}

async function judged(scenario: string, control: boolean) {
  const { header, events, outcome } = await runSimulated(optionsOf(scenario, control));
  expect(outcome.failure).toBeNull();
  return { header, events, document: checkHistory(loadHistoryEvents(header, events)) };
}

const all = [...scenarios.values()].map((scenario) => [scenario.name, scenario] as const);

describe.each(all)('%s', (name, { expects, clientDefects }) => {
  it('finds what it says', { timeout: 60_000 }, async () => {
    const { header, events, document } = await judged(name, false);
    const { anomalies } = document;
    expect(document.valid).toBe(false);
    for (const either of expects) {
      expect(either.some((anomaly) => anomalies[anomaly].outcome === 'found')).toBe(true);
    }
    for (const anomaly of anomalyNames) {
      for (const witness of anomalies[anomaly].witnesses) {
        const { holds, reason } = certifyWitness(header, events, anomaly, witness);
        expect(holds, `${anomaly}: ${reason}`).toBe(true);
      }
    }
    const lost = anomalies['lost-write'].witnesses.map(({ layer }) => layer);
    expect(lost).toEqual(lost.map(() => (clientDefects.length > 0 ? 'client' : 'broker')));
  });

  it('has a valid control', { timeout: 60_000 }, async () => {
    expect((await judged(name, true)).document.valid).toBe(true);
  });
});
