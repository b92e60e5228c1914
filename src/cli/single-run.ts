/** One run from its options to its report: directory, cluster, phases, verdict, files. */
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { OrdealError, exitCodes } from '../core/errors.ts';
import { renderJson } from '../report/json.ts';
import { plainPaint, renderText } from '../report/text.ts';
import { viewOf } from '../report/view.ts';
import type { ReportView } from '../report/view.ts';
import { executeRun } from '../run/execute.ts';
import type { RunOutcome } from '../run/execute.ts';
import type { RunOptions } from '../run/options.ts';
import type { ResultDocument } from '../spi/verdict.ts';
import { announcementLines } from './announcement.ts';
import { registries } from './registries.ts';
import { createStage, type Stage } from './stage.ts';
import { undoAll } from './emergency.ts';
import { exitOfInterrupt, exitOfRun } from './exit.ts';
import { codedError, explainFailure } from './failure.ts';
import type { TestFlags } from './flags.ts';
import type { InterruptSignal, Interruption } from './interrupt.ts';
import { judgeHistory, titleOf } from './judge.ts';
import type { Judgement } from './judge.ts';
import { refuseBeyondMemory } from './memory-need.ts';
import { createLineLog, createProgressView } from './progress-view.ts';
import type { ProgressView } from './progress-view.ts';
import { resolveRun } from './resolve.ts';
import type { Session } from './session.ts';
import {
  createRunDirectory,
  discardRunDirectory,
  pointLatest,
  runFiles,
  writeRunFile,
} from './store.ts';

export interface PreparedRun {
  readonly options: RunOptions;
  readonly store: string;
  /** What is printed before anything starts. */
  readonly announcement: readonly string[];
}

export interface RunReport {
  readonly exitCode: number;
  readonly seed: string;
  /** Null if the run never began. */
  readonly directory: string | null;
  /** Null if there is no history to judge. */
  readonly document: ResultDocument | null;
  /** The report for people, coloured for stdout. */
  readonly text: string | null;
  readonly error: OrdealError | null;
}

/** Decides everything; nothing is started. @throws OrdealError BAD_ARGUMENT. */
export function prepareRun(
  flags: TestFlags,
  given: Readonly<Record<string, unknown>>,
  seed: string,
): PreparedRun {
  const options = resolveRun(flags, Object.keys(given), seed, registries);
  return { options, store: flags.store, announcement: announcementLines(options, given) };
}

/** Runs it. Failures are told on stderr and returned; whatever happens, what was done to the machine is undone. */
export async function runOnce(
  session: Session,
  run: PreparedRun,
  interruption: Interruption,
): Promise<RunReport> {
  const { options } = run;
  session.runDirectory = null;
  interruption.listen();
  try {
    return await runInStore(session, run, interruption);
  } catch (thrown) {
    const error = codedError(thrown);
    explainFailure(session, error);
    await undoAll(session);
    return {
      exitCode: error.exitCode,
      seed: options.seed,
      directory: session.runDirectory,
      document: null,
      text: null,
      error,
    };
  } finally {
    session.emergency = null;
  }
}

async function runInStore(
  session: Session,
  { options, store, announcement }: PreparedRun,
  interruption: Interruption,
): Promise<RunReport> {
  refuseBeyondMemory(options, getHeapStatistics().heap_size_limit);
  for (const line of announcement) session.stderr.write(`${line}\n`);
  const made = await createRunDirectory(store, options.test, session.clock.wallMs(), null);
  const directory = made.path;
  session.runDirectory = directory;
  const log = join(directory, runFiles.logs, 'harness.log');
  const progress = createProgressView(session.stderr, session.clock, createLineLog(log));
  progress.line(`run directory ${directory}`);
  let stage: Stage;
  try {
    const created = createStage({
      options,
      directory,
      clock: session.clock,
      hurry: interruption.hurry,
      progress: (line) => {
        progress.line(line);
      },
    });
    const first = await Promise.race([created, aborted(interruption.signal)]);
    if (first === 'aborted') {
      // What is still being looked for or built is given up with the process.
      created.catch(() => undefined);
      progress.close();
      await discardRunDirectory(made);
      session.runDirectory = null;
      return neverBegan(options.seed, interruption.received());
    }
    stage = first;
  } catch (thrown) {
    progress.close();
    // Nothing was started, so nothing is to be kept.
    await discardRunDirectory(made);
    session.runDirectory = null;
    throw thrown;
  }
  session.emergency = stage.undo;
  await pointLatest(store, directory);
  const { parts } = stage;
  const outcome = await stage.carryOut(
    executeRun(options, directory, parts, progress, interruption.signal),
  );
  // All there was to undo is done, or its failure told: from here a signal ends the process at once.
  session.emergency = null;
  interruption.release();
  if (options.leaveRunning) {
    for (const { id, clientAddress } of parts.cluster.nodes) {
      progress.line(`node ${id} is left running at ${clientAddress}`);
    }
    progress.line(`to remove it: ordeal clean --run ${parts.run ?? ''}`);
  }
  return concludeRun(session, options, directory, outcome, progress);
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    const tell = (): void => {
      resolve('aborted');
    };
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

/** Interrupted before anything was on this machine: nothing to heal, nothing to judge. */
function neverBegan(seed: string, interrupted: InterruptSignal | null): RunReport {
  return {
    exitCode: exitOfInterrupt(interrupted) ?? exitCodes.environment,
    seed,
    directory: null,
    document: null,
    text: null,
    error: null,
  };
}

async function concludeRun(
  session: Session,
  options: RunOptions,
  directory: string,
  outcome: RunOutcome,
  progress: ProgressView,
): Promise<RunReport> {
  progress.line('check');
  const judgement = await judgeRecorded(directory, outcome);
  const { document } = judgement;
  const view = viewOf(document, titleOf(judgement));
  const unwritten = await writeResults(directory, document, view);
  progress.close();
  // The run's own failure first: on a full disk the results fail after it, and for the same reason.
  const errors = [outcome.failure, unwritten].filter((each) => each !== null).map(codedError);
  for (const each of errors) explainFailure(session, each);
  const error = errors[0] ?? null;
  return {
    exitCode: exitOfRun(outcome.interrupted, error, document.valid),
    seed: options.seed,
    directory,
    document,
    text: renderText(view, session.stdout.paint),
    error,
  };
}

/** @returns why they could not be written, or null: a verdict that cannot be kept is told all the same. */
async function writeResults(
  directory: string,
  document: ResultDocument,
  view: ReportView,
): Promise<unknown> {
  try {
    await writeRunFile(directory, runFiles.results, renderJson(document));
    await writeRunFile(directory, runFiles.report, renderText(view, plainPaint));
    return null;
  } catch (thrown) {
    return thrown;
  }
}

/** A run that failed before it recorded anything fails with its own error, not with that of a missing file. */
async function judgeRecorded(directory: string, outcome: RunOutcome): Promise<Judgement> {
  try {
    return await judgeHistory(directory, null);
  } catch (thrown) {
    throw outcome.failure ?? thrown;
  }
}
