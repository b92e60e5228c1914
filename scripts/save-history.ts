/**
 * Keeps the history of a run in histories/, compressed, with the verdict that it has today beside it.
 * Usage: node dist/scripts/save-history.js RUN_DIRECTORY good/NAME|bad/ANOMALY/NAME "where it comes from, what it shows"
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkHistory } from '../checkers/index.ts';
import { loadHistoryText } from '../src/history/load-text.ts';
import { summarize } from '../test/corpus/expected-verdict.ts';

const [directory, place, shows] = process.argv.slice(2);
if (directory === undefined || place === undefined || shows === undefined) {
  console.error('usage: save-history RUN_DIRECTORY good/NAME|bad/ANOMALY/NAME "what it shows"');
  process.exit(254);
}
const text = readFileSync(join(directory, 'history.jsonl'));
const summary = summarize(checkHistory(loadHistoryText(text, place)));
const target = join('histories', place);
mkdirSync(dirname(target), { recursive: true });
writeFileSync(`${target}.jsonl.gz`, gzipSync(text, { level: 9 }));
writeFileSync(`${target}.expected.json`, `${JSON.stringify({ shows, ...summary }, null, 2)}\n`);
console.log(`${target}.jsonl.gz:`, JSON.stringify({ valid: summary.valid, found: summary.found }));
