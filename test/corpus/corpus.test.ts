/** Every saved history is judged again: its verdict is the one that stands beside it, and each witness is certified. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory } from '../../checkers/index.ts';
import { loadHistoryText, readEvents } from '../../src/history/load-text.ts';
import { anomalyNames } from '../../src/spi/verdict.ts';
import { corpusRoots, readBytes, savedHistories, strayVerdicts } from './corpus.ts';
import { summarize, type ExpectedVerdict } from './expected-verdict.ts';

const saved = corpusRoots.flatMap(savedHistories);

describe('the corpus', () => {
  it('holds good histories and bad ones, the bad ones under names of anomalies', () => {
    const named = saved.map(({ anomaly }) => anomaly).filter((anomaly) => anomaly !== null);
    expect(named.length).toBeGreaterThan(0);
    expect(saved.length).toBeGreaterThan(named.length);
    expect(named.filter((anomaly) => !anomalyNames.includes(anomaly))).toEqual([]);
  });

  it('holds no verdict without its history', () => {
    expect(corpusRoots.flatMap(strayVerdicts)).toEqual([]);
  });
});

describe.each(saved)('$name', ({ file, expectedFile, anomaly }) => {
  const bytes = readBytes(file);
  // Judged inside each test: a mutation run calls the tests again, and not what stands around them.
  const judge = () => checkHistory(loadHistoryText(bytes, file));

  it('has the verdict that is expected of it', () => {
    const { shows, ...expected } = JSON.parse(
      readFileSync(expectedFile, 'utf8'),
    ) as ExpectedVerdict;
    expect(shows).not.toBe('');
    expect(summarize(judge())).toEqual(expected);
  });

  it(anomaly === null ? 'is valid' : `shows ${anomaly}`, () => {
    const result = judge();
    if (anomaly === null) expect(result.valid).toBe(true);
    else expect(result.anomalies[anomaly].outcome).toBe('found');
  });

  it('has witnesses that are certified', () => {
    const { header, events } = readEvents(bytes, file);
    const { anomalies } = judge();
    for (const name of anomalyNames) {
      for (const witness of anomalies[name].witnesses) {
        const certificate = certifyWitness(header, events, name, witness);
        expect({ name, ...certificate, witness }).toMatchObject({ holds: true });
      }
    }
  });
});
