/** Runs the built command as a user would, on the real cluster, and reads what it left in its run directory. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { createRealClock } from '../../src/core/clock.ts';
import type { HistoryEvent } from '../../src/history/event.ts';
import type { ResultDocument } from '../../src/spi/verdict.ts';

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js');
const clock = createRealClock();

/** With ORDEAL_SUITE_STORE the run directories of the suite are kept below it. */
const keepBelow = process.env['ORDEAL_SUITE_STORE'];

/** A directory for --store that disappears with the test, unless they are to be kept. */
export class Store {
  readonly path = mkdtempSync(join(keepBelow ?? tmpdir(), 'ordeal-suite-'));

  /** The only run directory in the store, once it exists. */
  runDirectory(): string | undefined {
    return this.runDirectories()[0];
  }

  runDirectories(): string[] {
    const tests = readdirSync(this.path, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return tests.flatMap((test) =>
      readdirSync(join(this.path, test.name)).map((run) => join(this.path, test.name, run)),
    );
  }

  [Symbol.dispose](): void {
    if (keepBelow === undefined) rmSync(this.path, { recursive: true, force: true });
  }
}

/** @param env added to the environment of this process. */
export function ordeal(args: readonly string[], env: Record<string, string> = {}) {
  return execa(process.execPath, [main, ...args], { reject: false, all: true, env });
}

export function results(directory: string): ResultDocument {
  return JSON.parse(readFileSync(join(directory, 'results.json'), 'utf8')) as ResultDocument;
}

/** Events so far; a line that is still being written is left out. */
export function eventsSoFar(directory: string): HistoryEvent[] {
  const path = join(directory, 'history.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(1, -1);
  return lines.map((line) => JSON.parse(line) as HistoryEvent);
}

/** Waits until `look` gives something, at most `timeoutMs`, while the command runs. */
export async function waitFor<T>(
  look: () => T | undefined,
  timeoutMs: number,
  what: string,
): Promise<T> {
  const untilNs = clock.nowNs() + timeoutMs * 1_000_000;
  while (clock.nowNs() < untilNs) {
    const seen = look();
    if (seen !== undefined) return seen;
    await clock.sleep(100);
  }
  throw new Error(`did not see ${what} within ${timeoutMs} ms`);
}

/** Waits until a fault of this kind stands: injected with effect and not healed yet. */
export function standingFault(store: Store, kind: string): Promise<string> {
  return waitFor(
    () => {
      const directory = store.runDirectory();
      if (directory === undefined) return undefined;
      const events = eventsSoFar(directory);
      const injected = events.some((event) => event.f === kind && event.type === 'ok');
      return injected ? directory : undefined;
    },
    180_000,
    `a ${kind} that took effect`,
  );
}

export async function dockerLines(args: readonly string[]): Promise<string[]> {
  const { stdout } = await execa('docker', args);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Containers, networks and volumes of one run that are still there. */
export async function leftovers(run: string): Promise<string[]> {
  const filter = ['--filter', `label=ordeal.run=${run}`, '-q'];
  return [
    ...(await dockerLines(['ps', '-a', ...filter])),
    ...(await dockerLines(['network', 'ls', ...filter])),
    ...(await dockerLines(['volume', 'ls', ...filter])),
  ];
}

/** The run id in the header of the history. */
export function runId(directory: string): string {
  const [header] = readFileSync(join(directory, 'history.jsonl'), 'utf8').split('\n', 1);
  return (JSON.parse(header ?? '{}') as { run: string }).run;
}
