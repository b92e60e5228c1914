/**
 * `ordeal shrink`: the smallest run, or the smallest slice of a history, that still shows an anomaly. A simulated run is
 * shrunk exactly, by running smaller ones; of any other history a closed slice is cut, in which every finding is one of the
 * whole history too.
 */
import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { checkHistory } from '../../checkers/index.ts';
import { OrdealError, exitCodes } from '../core/errors.ts';
import { unknownName } from '../core/suggestion.ts';
import { formatDurationMs, nsPerMs } from '../core/units.ts';
import { loadHistoryEvents } from '../history/load-events.ts';
import { loadRawHistory } from '../history/load.ts';
import { formatCount } from '../report/view.ts';
import type { RunOptions } from '../run/options.ts';
import { shrinkHistory } from '../run/shrink-history.ts';
import { shrinkRun } from '../run/shrink-schedule.ts';
import { anomalyNames } from '../spi/verdict.ts';
import type { AnomalyName, AnomalyResult, ResultDocument } from '../spi/verdict.ts';
import { exitOfInterrupt } from './exit.ts';
import { flagDefaults } from './flags.ts';
import { listenForSignals } from './interrupt.ts';
import { keepRun, type RecordedRun } from './kept-run.ts';
import type { Exit } from './program.ts';
import { topicsOf } from './registries.ts';
import { isSimulatedRun, readSavedOptions } from './saved-options.ts';
import type { Session } from './session.ts';

interface ShrinkFlags {
  readonly anomaly?: string;
  readonly store: string;
  readonly json?: boolean;
}

export function addShrinkCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('shrink')
    .summary('the smallest run or history that still shows an anomaly')
    .description(
      'Shrinks what shows an anomaly. A run directory of the simulated cluster: fewer faults, operations, clients and less time, by running it again and again. Any other history: the smallest slice of it.',
    )
    .argument('<path>', 'a run directory or a history')
    .option('--anomaly <name>', 'what must still be found (default: the first that is found)')
    .option('--store <directory>', 'where the small run is kept', flagDefaults.store)
    .option('--json', 'print JSON: the sizes, and where the small run is')
    .addHelpText(
      'after',
      '\nExit codes: 0, 254 bad arguments or nothing to shrink, 130 and 143 interrupted: the smallest so far is kept.\n\nExamples:\n  ordeal shrink store/latest\n  ordeal shrink history.jsonl.gz --anomaly lost-write',
    )
    .action(async (path: string, flags: ShrinkFlags) => {
      const anomaly = flags.anomaly === undefined ? null : parseAnomaly(flags.anomaly);
      exit.code = await shrink(session, path, flags, anomaly);
    });
}

async function shrink(
  session: Session,
  path: string,
  { store, json = false }: ShrinkFlags,
  anomaly: AnomalyName | null,
): Promise<number> {
  using interruption = listenForSignals(
    process,
    () => {
      session.stderr.write('\ninterrupted: the smallest so far is kept\n');
    },
    (signal) => process.exit(exitOfInterrupt(signal) ?? exitCodes.environment),
  );
  const startNs = session.clock.nowNs();
  const asked = { path, anomaly, interrupt: interruption.signal };
  const shrunk = (await isSimulatedRun(path))
    ? await shrinkSimulated(session, asked, await readSavedOptions(path))
    : await shrinkRecorded(session, asked);
  const { test, run, document } = shrunk;
  const place = { store, test, wallMs: session.clock.wallMs(), label: null };
  const directory = await keepRun(place, shrunk.options, run, document);
  const elapsedMs = (session.clock.nowNs() - startNs) / nsPerMs;
  session.stdout.write(json ? jsonOf(shrunk, directory) : textOf(shrunk, directory, elapsedMs));
  return exitOfInterrupt(interruption.received()) ?? exitCodes.valid;
}

interface Asked {
  readonly path: string;
  /** Null: the first that is found. */
  readonly anomaly: AnomalyName | null;
  readonly interrupt: AbortSignal;
}

interface Size {
  readonly events: number;
  readonly operations: number;
  readonly faults: number;
  /** Time of the cluster. */
  readonly durationMs: number;
}

interface Shrunk {
  readonly anomaly: AnomalyName;
  readonly test: string;
  /** Null for a slice: it is of no run. */
  readonly options: RunOptions | null;
  readonly run: RecordedRun;
  readonly document: ResultDocument;
  readonly before: Size;
  readonly after: Size;
  /** Candidates that were judged. */
  readonly checks: number;
  /** False: a bound was reached or it was interrupted, and it might become smaller yet. */
  readonly finished: boolean;
}

async function shrinkSimulated(
  session: Session,
  { path, anomaly: asked, interrupt }: Asked,
  options: RunOptions,
): Promise<Shrunk> {
  // Loaded here: a slice does without the model.
  const { runSimulated } = await import('./simulated-stage.ts');
  const attempt = async (candidate: RunOptions): Promise<RecordedRun & Judged> => {
    const run = await runSimulated(candidate);
    return { ...run, document: judge(run) };
  };
  const original = await attempt(options);
  const anomaly = chooseAnomaly(path, original.document, asked);
  const shows = showsLike(anomaly, original.document);
  session.stderr.write(`shrinking the run until ${anomaly} would no longer be found\n`);
  const shrunk = await shrinkRun(options, {
    fails: async (candidate) => shows((await attempt(candidate)).document),
    topicsOf,
    interrupt,
    onProgress: ({ candidates, accepted, move }) => {
      if (accepted) session.stderr.write(`${candidates}: ${move.move} ${move.change}\n`);
    },
  });
  const named: RunOptions = { ...shrunk.options, test: shrunkName(options.test) };
  const small = await attempt(named);
  return {
    anomaly,
    test: named.test,
    options: named,
    run: small,
    document: small.document,
    before: sizeOf(original.document),
    after: sizeOf(small.document),
    checks: shrunk.candidates,
    finished: shrunk.finished,
  };
}

async function shrinkRecorded(
  session: Session,
  { path, anomaly: asked, interrupt }: Asked,
): Promise<Shrunk> {
  const history = await loadRawHistory(path);
  const document = judge(history);
  const anomaly = chooseAnomaly(path, document, asked);
  const shows = showsLike(anomaly, document);
  session.stderr.write(`shrinking the history until ${anomaly} would no longer be found\n`);
  const hint = document.anomalies[anomaly].witnesses[0];
  const shrunk = await shrinkHistory(
    history,
    async (candidate) => {
      // Judging keeps the event loop busy: without a turn of it no signal would be heard.
      await session.clock.turn();
      return shows(judge(candidate));
    },
    hint === undefined ? { interrupt } : { hint, interrupt },
  );
  const after = judge(shrunk.history);
  return {
    anomaly,
    test: shrunkName(nameOf(path)),
    options: null,
    run: shrunk.history,
    document: after,
    before: sizeOf(document),
    after: sizeOf(after),
    checks: shrunk.checks,
    finished: shrunk.finished,
  };
}

interface Judged {
  readonly document: ResultDocument;
}

function judge({ header, events }: RecordedRun): ResultDocument {
  return checkHistory(loadHistoryEvents(header, events));
}

/** The one that was asked for, or the first that is found, before those that a setting permits. */
function chooseAnomaly(
  path: string,
  { anomalies }: ResultDocument,
  asked: AnomalyName | null,
): AnomalyName {
  const found = anomalyNames.filter((name) => anomalies[name].outcome === 'found');
  const chosen =
    asked ?? found.find((name) => anomalies[name].permittedBy === null) ?? found[0] ?? null;
  if (chosen !== null && found.includes(chosen)) return chosen;
  const which = asked ?? 'no anomaly';
  throw new OrdealError(
    'BAD_ARGUMENT',
    `${path}: ${asked === null ? `${which} is found in it` : `${which} is not found in it`}`,
    found.length === 0
      ? 'only what shows an anomaly can be shrunk: see ordeal check'
      : `found are ${found.join(', ')}`,
  );
}

/** Says whether a verdict still has the anomaly, and not only because a setting permits it now. */
function showsLike(
  anomaly: AnomalyName,
  original: ResultDocument,
): (document: ResultDocument) => boolean {
  const isPermitted = ({ permittedBy }: AnomalyResult): boolean => permittedBy !== null;
  const mayBePermitted = isPermitted(original.anomalies[anomaly]);
  return ({ anomalies }) => {
    const result = anomalies[anomaly];
    return result.outcome === 'found' && (mayBePermitted || !isPermitted(result));
  };
}

function sizeOf({ coverage }: ResultDocument): Size {
  const { events, operations, faults, durationMs } = coverage;
  const injected = Object.values(faults).reduce((sum, kind) => sum + kind.injected, 0);
  return { events, operations, faults: injected, durationMs };
}

/** store/<test>/<time> is called after the test, a file after itself. */
function nameOf(path: string): string {
  const file = basename(path).replace(/\.(jsonl|edn)(\.gz)?$/, '');
  const isTime = /^\d{8}T\d{6}/.test(file);
  const name = (isTime ? basename(dirname(path)) : file).replace(/[^\w.-]/g, '');
  return name === '' || /^\.+$/.test(name) ? 'history' : name;
}

function shrunkName(test: string): string {
  return test.endsWith('-shrunk') ? test : `${test}-shrunk`;
}

function parseAnomaly(given: string): AnomalyName {
  const found = anomalyNames.find((name) => name === given);
  if (found === undefined) throw unknownName('--anomaly', given, anomalyNames);
  return found;
}

function textOf(shrunk: Shrunk, directory: string, elapsedMs: number): string {
  const { anomaly, document, before, after, checks, finished } = shrunk;
  const sizes = (['operations', 'events', 'faults'] as const).map(
    (what) => `${what} ${formatCount(before[what])} → ${formatCount(after[what])}`,
  );
  const time = `${formatDurationMs(before.durationMs)} → ${formatDurationMs(after.durationMs)}`;
  const bound = finished ? '' : ', and it might become smaller yet';
  const first = document.anomalies[anomaly].witnesses[0]?.explanation;
  return [
    `${anomaly}: ${sizes.join(', ')}, cluster time ${time}`,
    `${formatCount(checks)} candidates in ${formatDurationMs(elapsedMs)}${bound}`,
    ...(first === undefined ? [] : [first]),
    `kept: ${directory}`,
    '',
  ].join('\n');
}

function jsonOf(shrunk: Shrunk, directory: string): string {
  const { anomaly, before, after, checks, finished } = shrunk;
  return `${JSON.stringify({ anomaly, run: directory, before, after, checks, finished }, null, 2)}\n`;
}
