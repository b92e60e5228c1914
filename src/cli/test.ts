/** `ordeal test`: runs a workload on a cluster, hurts it, heals it, audits it, and judges what was recorded. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { orderDocument, renderJson } from '../report/json.ts';
import type { ResultDocument } from '../spi/verdict.ts';
import { listenForRun } from './emergency.ts';
import { exitOfInterrupt, mergeExits } from './exit.ts';
import { failureDocument } from './failure.ts';
import type { FailureDocument } from './failure.ts';
import { drawnSeedsMax, flagDefaults, parseFlags } from './flags.ts';
import type { TestFlags } from './flags.ts';
import type { Exit } from './program.ts';
import type { RunReport, prepareRun, runOnce } from './single-run.ts';
import type { Session } from './session.ts';

interface Runner {
  readonly prepareRun: typeof prepareRun;
  readonly runOnce: typeof runOnce;
}

export function addTestCommand(program: Command, session: Session, exit: Exit): void {
  const command = program
    .command('test')
    .summary('run a workload with faults, and judge it')
    .description(
      'Starts a cluster, runs a workload on it, injects and heals faults, audits every log, and judges what was recorded.',
    );
  addFlags(command);
  command
    .addHelpText('after', examples)
    .action(async (given: Readonly<Record<string, unknown>>) => {
      const flags = parseFlags(given);
      // Loaded here: other commands do without Docker's and Kafka's libraries.
      const runner = await import('./single-run.ts');
      exit.code = await runAll(session, runner, flags, given);
    });
}

const examples = [
  '',
  'Durations are numbers with a unit: 500ms, 60s, 2m. A run leaves everything in store/<test>/<timestamp>/.',
  'Exit codes: 0 valid, 1 invalid, 2 unknown, 254 bad arguments, 255 harness or environment failed, 130 and 143',
  'interrupted; of several runs the worst decides: 255, 130 and 143, 1, 2, 0.',
  '',
  'Examples:',
  '  ordeal test',
  '  ordeal test --nemesis kill,pause,partition --time-limit 120s --seed 1',
  '  ordeal test --scenario acks-one',
  '  ordeal test --scenario acks-one --control',
  '  ordeal test --defect ack-before-replication',
  '  ordeal test --cluster docker --time-limit 30s',
  '  ordeal test --nemesis none --rate 200 --test-count 3 --json',
].join('\n');

function addFlags(command: Command): void {
  const d = flagDefaults;
  command
    .option(
      '--cluster <kind>',
      `where the system runs: simulated or docker (default: ${d.cluster})`,
    )
    .option('--workload <name>', `what clients do (default: ${d.workload})`)
    .option('--scenario <name>', 'settings and faults under which a known anomaly shows')
    .option('--control', "the scenario's twin, in which it cannot")
    .option('--defect <names>', 'faults of implementation to switch on, with commas (simulated)')
    .option(
      '--swarm <kind>',
      'draw everything from the seed: promising, permissive, any (simulated)',
    )
    .option('--nemesis <names>', `faults: names with commas, all, or none (default: ${d.nemesis})`)
    .option('--nemesis-interval <time>', `mean time between faults (default: ${d.nemesisInterval})`)
    .option('--time-limit <time>', `length of the faults phase (default: ${d.timeLimit})`)
    .option('--rate <number>', `sends per second, over all producers (default: ${d.rate})`)
    .option('--concurrency <number>', `producers (default: ${d.concurrency})`)
    .option('--topics <number>', `topics (default: ${d.topics})`)
    .option('--partitions <number>', `partitions of each topic (default: ${d.partitions})`)
    .option('--seed <number>', 'decides operations, targets and times (default: drawn)')
    .option('--claims <names>', 'claims to demand, with commas (default: what is promised)')
    .option(
      '--image <reference>',
      'image of the brokers (docker; default: official, else built here)',
    )
    .option('--broker-version <version>', `version of Kafka (docker; default: ${d.brokerVersion})`)
    .option('--operation-timeout <time>', `bound of one send (default: ${d.operationTimeout})`)
    .option('--recovery-timeout <time>', `bound of recovery (default: ${d.recoveryTimeout})`)
    .option('--store <directory>', `where runs are kept (default: ${d.store})`)
    .option('--json', 'print the result document; for several runs an array')
    .option('--reporter <kind>', `text or json, which is --json (default: ${d.reporter})`)
    .option('--leave-running', 'leave the cluster running, healed (docker)')
    .option('--test-count <number>', `runs, with seeds that count up (default: ${d.testCount})`);
}

/** One after the other, until one is interrupted. */
async function runAll(
  session: Session,
  runner: Runner,
  flags: TestFlags,
  given: Readonly<Record<string, unknown>>,
): Promise<number> {
  const first = BigInt(flags.seed ?? randomInt(drawnSeedsMax));
  const runs = Array.from({ length: flags.testCount }, (_, position) =>
    runner.prepareRun(flags, given, (first + BigInt(position)).toString()),
  );
  using interruption = listenForRun(session);
  const isJson = flags.json || flags.reporter === 'json';
  const reports: RunReport[] = [];
  for (const run of runs) {
    if (interruption.received() !== null) break;
    const report = await runner.runOnce(session, run, interruption);
    reports.push(report);
    if (!isJson && report.text !== null) session.stdout.write(report.text);
  }
  if (isJson) session.stdout.write(jsonOf(reports));
  const interrupted =
    reports.length < runs.length ? exitOfInterrupt(interruption.received()) : null;
  const codes = reports.map(({ exitCode }) => exitCode);
  return mergeExits(interrupted === null ? codes : [...codes, interrupted]);
}

type Entry = { readonly run: string | null; readonly seed: string } & (
  { readonly result: ResultDocument } | FailureDocument
);

/** One run: its document, or its error. Several: an array in the order of the runs. */
function jsonOf(reports: readonly RunReport[]): string {
  const [only] = reports;
  if (only !== undefined && reports.length === 1) {
    if (only.error !== null) {
      return `${JSON.stringify(failureDocument(only.error, only.directory), null, 2)}\n`;
    }
    if (only.document !== null) return renderJson(only.document);
  }
  const entries = reports.flatMap(({ directory, seed, document, error }): Entry[] => {
    if (error !== null) return [{ run: directory, seed, ...failureDocument(error, null) }];
    return document === null ? [] : [{ run: directory, seed, result: orderDocument(document) }];
  });
  return `${JSON.stringify(entries, null, 2)}\n`;
}
