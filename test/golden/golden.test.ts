/**
 * Every history of histories/simulated/ has the verdict that stands beside it, to the byte: outcomes, counts, reasons,
 * witnesses with what they say, coverage. `node dist/scripts/save-golden.js` writes the verdicts again.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory } from '../../checkers/index.ts';
import { loadHistoryEvents } from '../../src/history/load-events.ts';
import { readEvents } from '../../src/history/load-text.ts';
import { renderJson } from '../../src/report/json.ts';
import { anomalyNames, type ResultDocument } from '../../src/spi/verdict.ts';
import { goldenRoot, readBytes, savedHistories, strayVerdicts } from '../corpus/corpus.ts';

const saved = savedHistories(goldenRoot);

it('holds histories of every kind of verdict, and no verdict without its history', () => {
  const kinds = new Set(saved.map(({ name }) => name.split('/')[0]));
  expect([...kinds].sort()).toEqual(['bad', 'good', 'unknown']);
  expect(strayVerdicts(goldenRoot)).toEqual([]);
});

describe.each(saved)('$name', ({ file, resultsFile, name, anomaly }) => {
  const { header, events } = readEvents(readBytes(file), file);
  const expected = readFileSync(resultsFile, 'utf8');

  it('has the verdict that stands beside it, and witnesses that are certified', () => {
    // Loaded anew in each call: the checkers remember what they know of a history, and a mutant must not be spared.
    const document = checkHistory(loadHistoryEvents(header, events));
    expect(renderJson(document)).toBe(expected);
    for (const found of anomalyNames) {
      for (const witness of document.anomalies[found].witnesses) {
        const certificate = certifyWitness(header, events, found, witness);
        expect({ found, ...certificate, witness }).toMatchObject({ holds: true });
      }
    }
  });

  it('stands where its verdict belongs', () => {
    const { valid, anomalies } = JSON.parse(expected) as ResultDocument;
    if (anomaly !== null) expect(anomalies[anomaly].outcome).toBe('found');
    else expect(valid).toBe(name.startsWith('good/') ? true : 'unknown');
  });
});
