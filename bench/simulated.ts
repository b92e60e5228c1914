/**
 * Simulated operations per second on one core, and the time that an hour of cluster time takes, as ratios to the same
 * number of sends through a bare virtual clock: node dist/bench/simulated.js [--seconds N] [--hour-seconds N]
 * [--rounds N]. Each measurement is a process of its own; recording is part of it, checking is not.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseFlags } from '../src/cli/flags.ts';
import { registries } from '../src/cli/registries.ts';
import { resolveRun } from '../src/cli/resolve.ts';
import { runSimulated } from '../src/cli/simulated-stage.ts';
import { createVirtualClock, Kernel } from '../src/clusters/simulated/kernel.ts';

interface Measured {
  /** Processor time of the process, without what the measurement was warmed up with. */
  readonly cpuMs: number;
  readonly operations: number;
  readonly peakMb: number;
}

interface Load {
  readonly seconds: number;
  readonly ratePerSecond: number;
  readonly workers: number;
  readonly nemesis: string;
}

/** Of cluster time, before the measurement begins: by then the code that runs is compiled. */
const warmUpSeconds = 20;

/** What a child process measures: how many operations it did. */
const tasks: Readonly<Record<string, (load: Load) => Promise<number>>> = {
  'bare clock': bareLoop,
  simulation: simulate,
};

/** Loops that wait a virtual millisecond per send: a promise and a timer each, and no cluster. */
async function bareLoop({ seconds, ratePerSecond, workers }: Load): Promise<number> {
  const kernel = new Kernel();
  const clock = createVirtualClock(kernel);
  const sends = Math.ceil((seconds * ratePerSecond) / workers);
  const work = async (): Promise<void> => {
    for (let sent = 0; sent < sends; sent++) await clock.sleep(1);
  };
  await kernel.drive(Promise.all(Array.from({ length: workers }, work)));
  return sends * workers;
}

async function simulate({ seconds, ratePerSecond, workers, nemesis }: Load): Promise<number> {
  const flags = {
    nemesis,
    rate: String(ratePerSecond),
    concurrency: String(workers),
    timeLimit: `${seconds}s`,
  };
  const options = resolveRun(parseFlags(flags), Object.keys(flags), '1', registries);
  const { events, outcome } = await runSimulated(options);
  if (outcome.failure !== null) throw outcome.failure;
  return events.filter(({ type }) => type === 'invoke').length;
}

async function measureHere(task: string, load: Load): Promise<void> {
  const work = tasks[task]!;
  await work({ ...load, seconds: Math.min(load.seconds, warmUpSeconds) });
  const before = process.cpuUsage();
  const operations = await work(load);
  const { user, system } = process.cpuUsage(before);
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const measured: Measured = { cpuMs: (user + system) / 1_000, operations, peakMb };
  process.stdout.write(JSON.stringify(measured));
}

function measureApart(task: string, load: Load, rounds: number): Measured {
  const results = Array.from({ length: rounds }, () => {
    const script = fileURLToPath(import.meta.url);
    const child = spawnSync(
      process.execPath,
      [script, '--task', task, '--load', JSON.stringify(load)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (child.status !== 0)
      throw new Error(`${task}: the child ended with ${String(child.status)}`);
    return JSON.parse(child.stdout) as Measured;
  });
  // The least disturbed round: other work on the machine only ever adds time.
  return results.reduce((best, next) => (next.cpuMs < best.cpuMs ? next : best));
}

function compare(title: string, load: Load, rounds: number): void {
  const { seconds, ratePerSecond, workers, nemesis } = load;
  console.log(
    `\n${title}: ${seconds} s of cluster time, ${ratePerSecond} sends a second by ${workers} workers, nemesis ${nemesis}`,
  );
  console.log(
    `${'task'.padEnd(14)}${'processor'.padStart(10)}${'ratio'.padStart(8)}${'operations'.padStart(12)}${'per second'.padStart(12)}   peak memory`,
  );
  let baseline: Measured | null = null;
  for (const task of Object.keys(tasks)) {
    const measured = measureApart(task, load, rounds);
    baseline ??= measured;
    const { cpuMs, operations, peakMb } = measured;
    const time = `${(cpuMs / 1_000).toFixed(2)} s`.padStart(10);
    const ratio = (cpuMs / baseline.cpuMs).toFixed(1).padStart(8);
    const count = operations.toLocaleString('en').padStart(12);
    const rate = Math.round((operations / cpuMs) * 1_000)
      .toLocaleString('en')
      .padStart(12);
    const peak = `${peakMb.toFixed(0)} MB`.padStart(14);
    console.log(`${task.padEnd(14)}${time}${ratio}${count}${rate}${peak}`);
  }
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    'hour-seconds': { type: 'string', default: '3600' },
    rounds: { type: 'string', default: '3' },
    task: { type: 'string' },
    load: { type: 'string' },
  },
});
if (values.task !== undefined && values.load !== undefined) {
  await measureHere(values.task, JSON.parse(values.load) as Load);
} else {
  const rounds = Number(values.rounds);
  console.log(`best of ${rounds}, Node ${process.version}`);
  compare(
    'many operations',
    { seconds: Number(values.seconds), ratePerSecond: 2_000, workers: 20, nemesis: 'none' },
    rounds,
  );
  compare(
    'an hour',
    {
      seconds: Number(values['hour-seconds']),
      ratePerSecond: 100,
      workers: 10,
      nemesis: 'kill,pause,partition',
    },
    rounds,
  );
}
