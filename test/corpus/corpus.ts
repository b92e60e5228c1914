/** Where saved histories are: those of real runs in histories/, the smallest of each anomaly, by hand, in smallest/. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import type { AnomalyName } from '../../src/spi/verdict.ts';

export const corpusRoots = [
  join(import.meta.dirname, '../../histories'),
  join(import.meta.dirname, 'smallest'),
];

export interface SavedHistory {
  /** "good/name" or "bad/anomaly/name". */
  readonly name: string;
  readonly file: string;
  readonly expectedFile: string;
  /** Null: a good one. */
  readonly anomaly: AnomalyName | null;
}

/** Every *.jsonl and *.jsonl.gz under good/ and bad/<anomaly>/, in order of name. */
export function savedHistories(root: string): readonly SavedHistory[] {
  const good = historiesIn(join(root, 'good'), 'good', null);
  const bad = namesIn(join(root, 'bad')).flatMap((anomaly) =>
    historiesIn(join(root, 'bad', anomaly), `bad/${anomaly}`, anomaly as AnomalyName),
  );
  return [...good, ...bad];
}

/** Expected verdicts that no history belongs to. */
export function strayVerdicts(root: string): readonly string[] {
  const known = new Set(savedHistories(root).map(({ expectedFile }) => expectedFile));
  const folders = [
    join(root, 'good'),
    ...namesIn(join(root, 'bad')).map((name) => join(root, 'bad', name)),
  ];
  return folders
    .flatMap((folder) => namesIn(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.expected.json') && !known.has(file));
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
