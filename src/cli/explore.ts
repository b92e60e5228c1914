/** `ordeal explore`: many short simulated runs, each drawn from its seed, judged and compared with what the model knows. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';
import { OrdealError, exitCodes } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import { formatCount } from '../report/view.ts';
import { exitOfInterrupt } from './exit.ts';
import type { ExploreRequest, RunSummary } from './exploration.ts';
import { exploreText } from './explore-report.ts';
import { ExploreTotals, type ExploreDocument } from './explore-totals.ts';
import { drawnSeedsMax, exploreFlagShape, parseWith } from './flags.ts';
import type { PoolOptions, exploreInOrder } from './explore-pool.ts';
import { listenForSignals } from './interrupt.ts';
import type { Exit } from './program.ts';
import { defectsNamed, registries } from './registries.ts';
import type { Session } from './session.ts';
import { createRunDirectory, discardRunDirectory } from './store.ts';

const exploreFlags = z.strictObject(exploreFlagShape);
type ExploreFlags = z.output<typeof exploreFlags>;
type Explorer = typeof exploreInOrder;

export function addExploreCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('explore')
    .summary('many simulated runs from many seeds, in search of a violation')
    .description(
      'Runs the simulated cluster again and again, in memory: settings, environment, workload and faults of each run are drawn from its seed. Judges each, compares the verdict with what the model knows, and says how to run a violation again.',
    )
    .option('--seed <number>', 'of the first run; the others count up (default: drawn)')
    .option('--runs <number>', 'how many (default: 100)')
    .option('--swarm <kind>', 'settings: promising, permissive, any (default: promising)')
    .option('--defect <names>', 'faults of implementation to switch on, with commas')
    .option('--threads <number>', 'runs at a time (default: one per core)')
    .option('--stop-first', 'end at the first run with a violation (the default)')
    .option('--count-all', 'go on, and count them')
    .option('--keep <directory>', 'a store for the runs with a violation')
    .option('--hash', 'tell the sha256 of every history, with --json')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(async (given: Readonly<Record<string, unknown>>) => {
      const flags = exploreFlagsOf(given);
      // Loaded here: other commands do without the model. (Not in a function with `using`: tsc then leaves the path as it is.)
      const { exploreInOrder } = await import('./explore-pool.ts');
      exit.code = await explore(session, flags, exploreInOrder);
    });
}

const help = [
  '',
  'A violation is an anomaly that no setting permits, a verdict that the model knows to be wrong, or a failure of the',
  'harness. The same seeds give the same result, whatever the number of threads.',
  'Exit codes: 0 none, 1 some, 2 none but no run was valid either, 254 bad arguments, 255 failed, 130 and 143',
  'interrupted.',
  '',
  'Examples:',
  '  ordeal explore --runs 1000',
  '  ordeal explore --swarm any --count-all --seed 1 --runs 200 --json',
  '  ordeal explore --defect ack-before-replication --keep store',
].join('\n');

function exploreFlagsOf(given: Readonly<Record<string, unknown>>): ExploreFlags {
  const flags = parseWith(exploreFlags, given, 'explore');
  if (flags.stopFirst && flags.countAll) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      '--stop-first and --count-all contradict each other',
      'give one of them',
    );
  }
  defectsNamed(registries, flags.defect);
  return flags;
}

/** A store that cannot be written is found out before the first run, not after the first violation. */
async function tryStore(store: string, wallMs: number): Promise<void> {
  await discardRunDirectory(await createRunDirectory(store, 'explore', wallMs, 'trial'));
}

async function explore(
  session: Session,
  flags: ExploreFlags,
  exploreInOrder: Explorer,
): Promise<number> {
  const request: ExploreRequest = {
    seed: flags.seed ?? String(randomInt(drawnSeedsMax)),
    swarm: flags.swarm,
    defects: flags.defect,
    hash: flags.hash,
    keep: flags.keep,
    wallMs: session.clock.wallMs(),
  };
  if (request.keep !== null) await tryStore(request.keep, request.wallMs);
  using interruption = listenForSignals(
    process,
    () => {
      session.stderr.write('\ninterrupted: what was counted so far\n');
    },
    (signal) => process.exit(exitOfInterrupt(signal) ?? exitCodes.environment),
  );
  // Once this is read a signal finds its listener.
  session.stderr.write(`explore, ${flags.swarm} settings, from seed ${request.seed}\n`);
  const meter = createMeter(session, flags.runs);
  const totals = new ExploreTotals(request, flags.runs);
  const pool: PoolOptions = {
    request,
    runs: flags.runs,
    threads: flags.threads ?? availableParallelism(),
    stopFirst: !flags.countAll,
    interrupt: interruption.signal,
    onSummary: meter.count,
  };
  await exploreInOrder(pool, (summary) => {
    totals.add(summary);
  });
  meter.close();
  const document = totals.document();
  session.stdout.write(
    flags.json
      ? `${JSON.stringify(document, null, 2)}\n`
      : exploreText(document, session.stdout.paint),
  );
  return exitOfInterrupt(interruption.received()) ?? exitOf(document);
}

function exitOf({ violations, valid }: ExploreDocument): number {
  const failed = violations.some(({ violations: all }) =>
    all.some(({ kind }) => kind === 'failure'),
  );
  if (failed) return exitCodes.environment;
  if (violations.length > 0) return exitCodes.invalid;
  return valid > 0 ? exitCodes.valid : exitCodes.unknown;
}

const terminalIntervalMs = 500;
const plainIntervalMs = 10_000;

/** Tells on stderr how far it is and how fast: now and then, and at the end. */
function createMeter(
  { stderr, clock }: Session,
  asked: number,
): { readonly count: (summary: RunSummary) => void; readonly close: () => void } {
  const startNs = clock.nowNs();
  const intervalMs = stderr.isTerminal ? terminalIntervalMs : plainIntervalMs;
  const end = stderr.isTerminal ? '\r' : '\n';
  let dueMs = intervalMs;
  let runs = 0;
  let operations = 0;
  let violating = 0;
  const tell = (elapsedMs: number, last: string): void => {
    const perSecond = (count: number): string =>
      formatCount(Math.round((count * 1_000) / Math.max(1, elapsedMs)));
    const counts = `${formatCount(runs)} of ${formatCount(asked)} runs, ${formatCount(violating)} with violations`;
    const rates = `${((runs * 1_000) / Math.max(1, elapsedMs)).toFixed(1)} runs/s, ${perSecond(operations)} operations/s`;
    stderr.write(`${counts}; ${rates}${last}`);
  };
  return {
    count: ({ coverage, violations }) => {
      runs += 1;
      operations += coverage?.operations ?? 0;
      if (violations.length > 0) violating += 1;
      const elapsedMs = (clock.nowNs() - startNs) / nsPerMs;
      if (elapsedMs < dueMs) return;
      dueMs = elapsedMs + intervalMs;
      tell(elapsedMs, end);
    },
    close: () => {
      tell((clock.nowNs() - startNs) / nsPerMs, '\n');
    },
  };
}
