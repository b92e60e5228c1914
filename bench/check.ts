/**
 * Time and peak memory of `ordeal check` on a large history, as a ratio to JSON.parse of each line in the same run:
 * node dist/bench/check.js [--sends N] [--poll-records N] [--rounds N]. Each measurement is a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkHistory } from '../checkers/index.ts';
import { LineSplitter } from '../src/history/lines.ts';
import { loadHistory } from '../src/history/load.ts';
import { writeHistory } from './history-source.ts';

interface Measured {
  readonly ms: number;
  readonly peakMb: number;
  readonly detail: string;
}

/** What a child process measures: the baseline first. */
const tasks: Readonly<Record<string, (path: string) => Promise<string>>> = {
  'JSON.parse of each line': parseLines,
  load: async (path) => {
    const history = await loadHistory(path);
    return `${history.eventCount} events, ${history.logs.length} logs`;
  },
  'load and check': async (path) => {
    const result = checkHistory(await loadHistory(path));
    return `valid: ${String(result.valid)}`;
  },
};

async function parseLines(path: string): Promise<string> {
  let parsed = 0;
  const parse = (text: string): void => {
    const line: unknown = JSON.parse(text);
    if (line !== null) parsed++;
  };
  const splitter = new LineSplitter({ line: parse, tail: parse });
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    splitter.push(chunk as Uint8Array);
  }
  splitter.end();
  return `${parsed} lines`;
}

async function measureHere(task: string, path: string): Promise<void> {
  const startMs = performance.now();
  const detail = await tasks[task]!(path);
  const ms = performance.now() - startMs;
  const peakMb = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(JSON.stringify({ ms, peakMb, detail } satisfies Measured));
}

function measureApart(task: string, path: string, rounds: number): Measured {
  const results = Array.from({ length: rounds }, () => {
    const script = fileURLToPath(import.meta.url);
    const child = spawnSync(process.execPath, [script, '--task', task, '--file', path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0)
      throw new Error(`${task}: the child ended with ${String(child.status)}`);
    return JSON.parse(child.stdout) as Measured;
  });
  // The least disturbed round: other work on the machine only ever adds time.
  return results.reduce((best, next) => (next.ms < best.ms ? next : best));
}

function compare(sends: number, pollRecords: number, rounds: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'ordeal-bench-'));
  try {
    const path = join(directory, 'history.jsonl');
    const bytes = writeHistory(path, { sends, producers: 8, logs: 4, pollRecords });
    const size = `${(bytes / 2 ** 20).toFixed(0)} MB`;
    console.log(`${sends} sends, each polled once, ${pollRecords} records a poll: ${size}`);
    console.log(`best of ${rounds}, Node ${process.version}\n`);
    let baseline: Measured | null = null;
    console.log(`${'task'.padEnd(26)}${'time'.padStart(9)}${'ratio'.padStart(8)}   peak memory`);
    for (const task of Object.keys(tasks)) {
      const measured = measureApart(task, path, rounds);
      baseline ??= measured;
      const time = `${(measured.ms / 1000).toFixed(2)} s`.padStart(9);
      const ratio = (measured.ms / baseline.ms).toFixed(2).padStart(8);
      const peak = `${measured.peakMb.toFixed(0)} MB`.padStart(14);
      console.log(`${task.padEnd(26)}${time}${ratio}${peak}   ${measured.detail}`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const { values } = parseArgs({
  options: {
    sends: { type: 'string', default: '1000000' },
    'poll-records': { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    task: { type: 'string' },
    file: { type: 'string' },
  },
});
if (values.task !== undefined && values.file !== undefined) {
  await measureHere(values.task, values.file);
} else {
  compare(Number(values.sends), Number(values['poll-records']), Number(values.rounds));
}
