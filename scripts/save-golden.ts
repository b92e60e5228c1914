/**
 * Writes the complete verdicts of histories/simulated/ again, or adds a history to them, where its verdict says it belongs.
 * A verdict that changed is a change of what the checkers say: read the diff of each, and say in the commit why it is right.
 *
 *     npm run build && node dist/scripts/save-golden.js
 *     npm run build && node dist/scripts/save-golden.js HISTORY.jsonl NAME [ANOMALY]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { certifyWitness } from '../checkers/certify/index.ts';
import { checkHistory } from '../checkers/index.ts';
import { loadHistoryText, readEvents } from '../src/history/load-text.ts';
import { renderJson } from '../src/report/json.ts';
import { anomalyNames, type AnomalyName, type ResultDocument } from '../src/spi/verdict.ts';
import { readBytes, savedHistories } from '../test/corpus/corpus.ts';

/** Seen from the directory of the package, for the built script stands elsewhere. */
const root = join('histories', 'simulated');

const [given, name, asked] = process.argv.slice(2);
if (given === undefined) judgeAllAgain();
else if (name !== undefined) add(given, name);
else {
  console.error('usage: save-golden [HISTORY NAME [ANOMALY]]');
  process.exit(254);
}

function judgeAllAgain(): void {
  for (const { name: saved, file, resultsFile } of savedHistories(root)) {
    const text = renderJson(verdictOf(readBytes(file), file));
    if (text === readFileSync(resultsFile, 'utf8')) continue;
    writeFileSync(resultsFile, text);
    console.log(`${saved}: another verdict`);
  }
}

function add(file: string, called: string): void {
  const bytes = readBytes(file);
  const document = verdictOf(bytes, file);
  const target = join(root, placeOf(document), called);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(`${target}.jsonl.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${target}.results.json`, renderJson(document));
  console.log(target);
}

/** @throws if the certifier refuses a witness: a verdict in doubt is not kept. */
function verdictOf(bytes: Uint8Array, file: string): ResultDocument {
  const document = checkHistory(loadHistoryText(bytes, file));
  const { header, events } = readEvents(bytes, file);
  for (const anomaly of anomalyNames) {
    for (const witness of document.anomalies[anomaly].witnesses) {
      const { holds, reason } = certifyWitness(header, events, anomaly, witness);
      if (!holds) throw new Error(`${file}: a witness of ${anomaly} does not hold: ${reason}`);
    }
  }
  return document;
}

function placeOf({ valid, anomalies }: ResultDocument): string {
  const found = anomalyNames.filter((anomaly) => anomalies[anomaly].outcome === 'found');
  const shown = found.includes(asked as AnomalyName) ? asked : found[0];
  if (shown !== undefined) return `bad/${shown}`;
  return valid === true ? 'good' : 'unknown';
}
