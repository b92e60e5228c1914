/**
 * Where saved histories are: those of real runs in histories/, the smallest of each anomaly, by hand, in smallest/, and
 * those with their complete verdicts in histories/simulated/.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import type { AnomalyName } from '../../src/spi/verdict.ts';

export const corpusRoots = [
  join(import.meta.dirname, '../../histories'),
  join(import.meta.dirname, 'smallest'),
];
export const goldenRoot = join(import.meta.dirname, '../../histories/simulated');

export interface SavedHistory {
  /** "good/name", "bad/anomaly/name" or "unknown/name". */
  readonly name: string;
  readonly file: string;
  /** A summary of its verdict. */
  readonly expectedFile: string;
  /** Its whole verdict, of the golden ones. */
  readonly resultsFile: string;
  /** Null: a good one, or one that proves nothing. */
  readonly anomaly: AnomalyName | null;
}

/** Every *.jsonl and *.jsonl.gz under good/, bad/<anomaly>/ and unknown/, in order of name. */
export function savedHistories(root: string): readonly SavedHistory[] {
  const good = historiesIn(join(root, 'good'), 'good', null);
  const bad = namesIn(join(root, 'bad')).flatMap((anomaly) =>
    historiesIn(join(root, 'bad', anomaly), `bad/${anomaly}`, anomaly as AnomalyName),
  );
  return [...good, ...bad, ...historiesIn(join(root, 'unknown'), 'unknown', null)];
}

/** Expected verdicts that no history belongs to. */
export function strayVerdicts(root: string): readonly string[] {
  const known = new Set(
    savedHistories(root).flatMap(({ expectedFile, resultsFile }) => [expectedFile, resultsFile]),
  );
  const folders = [
    join(root, 'good'),
    join(root, 'unknown'),
    ...namesIn(join(root, 'bad')).map((name) => join(root, 'bad', name)),
  ];
  return folders
    .flatMap((folder) => namesIn(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.json') && !known.has(file));
}

export function readBytes(file: string): Uint8Array {
  const bytes = readFileSync(file);
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function historiesIn(
  folder: string,
  prefix: string,
  anomaly: AnomalyName | null,
): readonly SavedHistory[] {
  return namesIn(folder)
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .map((file) => {
      const name = file.replace(/\.jsonl(\.gz)?$/, '');
      return {
        name: `${prefix}/${name}`,
        file: join(folder, file),
        expectedFile: join(folder, `${name}.expected.json`),
        resultsFile: join(folder, `${name}.results.json`),
        anomaly,
      };
    });
}

function namesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort();
}
