/** `ordeal replay`: the run of a directory once more, from what the directory says was decided. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OrdealError, describeError } from '../core/errors.ts';
import { orderDocument } from '../report/json.ts';
import type { RunOptions } from '../run/options.ts';
import { optionLines, titleLine } from './announcement.ts';
import { listenForRun } from './emergency.ts';
import { failureDocument } from './failure.ts';
import { flagDefaults } from './flags.ts';
import type { Exit } from './program.ts';
import { readSavedOptions } from './saved-options.ts';
import type { Session } from './session.ts';
import type { RunReport, runOnce } from './single-run.ts';
import { runFiles } from './store.ts';

interface ReplayFlags {
  readonly store: string;
  readonly json?: boolean;
}

export function addReplayCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('replay')
    .summary('do the run of a directory again')
    .description(
      'Runs again what a run directory says was decided (options.json, and the faults of schedule.json), into a directory of its own. On the simulated cluster the new history is compared with the old one, byte by byte.',
    )
    .argument('<directory>', 'a run directory')
    .option('--store <directory>', 'where the new run is kept', flagDefaults.store)
    .option('--json', 'print JSON: the new run, whether it is identical, and its result')
    .addHelpText(
      'after',
      '\nExit codes: those of ordeal test.\n\nExamples:\n  ordeal replay store/latest\n  ordeal replay store/swarm-promising/20261126T044633.420Z --json',
    )
    .action(async (path: string, flags: ReplayFlags) => {
      const directory = await directoryOf(path);
      const options = await readSavedOptions(directory);
      // Loaded here: other commands do without the libraries of a run.
      const { runOnce } = await import('./single-run.ts');
      exit.code = await replay(session, runOnce, directory, options, flags);
    });
}

/** Where a path leads now: store/latest will lead to the new run. */
async function directoryOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new OrdealError(
      'NO_SUCH_FILE',
      `${path}: cannot be opened: ${describeError(cause)}`,
      'name the directory of a run, store/<test>/<time>',
      { cause },
    );
  }
}

async function replay(
  session: Session,
  run: typeof runOnce,
  directory: string,
  options: RunOptions,
  { store, json = false }: ReplayFlags,
): Promise<number> {
  using interruption = listenForRun(session);
  const announcement = [titleLine(options), `replay of ${directory}`, ...optionLines(options)];
  const report = await run(session, { options, store, announcement }, interruption);
  // A run that was cut short says nothing about what a whole one would have been.
  const isWhole = report.error === null && interruption.received() === null;
  const identical =
    options.cluster === 'simulated' && isWhole ? await isIdentical(directory, report) : null;
  if (json) session.stdout.write(jsonOf(directory, report, identical));
  else {
    if (report.text !== null) session.stdout.write(report.text);
    if (identical !== null) {
      const word = identical ? 'identical to' : 'not the same as';
      session.stdout.write(`the history is ${word} that of ${directory}\n`);
    }
  }
  return report.exitCode;
}

/** Null if one of them has no plain history. */
async function isIdentical(directory: string, report: RunReport): Promise<boolean | null> {
  if (report.directory === null) return null;
  const [before, after] = [directory, report.directory].map((path) =>
    join(path, runFiles.history),
  ) as [string, string];
  const sizes = await Promise.all([before, after].map(sizeOf));
  if (sizes.includes(null)) return null;
  return sizes[0] === sizes[1] && (await sameBytes(before, after));
}

function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

/** Of two files of one size. */
async function sameBytes(first: string, second: string): Promise<boolean> {
  const chunkBytes = 1 << 20;
  const other = createReadStream(second, { highWaterMark: chunkBytes })[Symbol.asyncIterator]();
  for await (const chunk of createReadStream(first, { highWaterMark: chunkBytes })) {
    const { value } = (await other.next()) as { readonly value: Buffer | undefined };
    if (value?.equals(chunk as Buffer) !== true) return false;
  }
  return true;
}

function jsonOf(replayOf: string, report: RunReport, identical: boolean | null): string {
  const { directory, seed, document, error } = report;
  const head = { replayOf, run: directory, seed, identical };
  const body =
    error === null
      ? { ...head, result: document === null ? null : orderDocument(document) }
      : { ...head, ...failureDocument(error, null) };
  return `${JSON.stringify(body, null, 2)}\n`;
}
