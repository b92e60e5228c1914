/** `ordeal doctor`: what a run needs of this machine, what is missing, and how to get it. */
import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Diagnosis } from '../clusters/docker/index.ts';
import { describeError, exitCodes } from '../core/errors.ts';
import type { ClusterKind } from '../run/options.ts';
import { flagDefaults, parseCluster } from './flags.ts';
import type { Exit } from './program.ts';
import type { Session } from './session.ts';

/** The oldest Node that is tested; package.json says the same. */
const nodeVersionMin = [20, 19] as const;

interface DoctorOptions {
  readonly cluster: string;
  readonly store: string;
  readonly brokerVersion: string;
  readonly json?: boolean;
}

export function addDoctorCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('doctor')
    .summary('say what a run needs and what is missing')
    .description(
      'Looks at Node, the store, Docker, images, memory and cores, and says how to get what is missing.',
    )
    .option('--cluster <kind>', 'where runs would be: simulated or docker', flagDefaults.cluster)
    .option('--store <directory>', 'where runs would be kept', flagDefaults.store)
    .option(
      '--broker-version <version>',
      'version of Kafka to look for',
      flagDefaults.brokerVersion,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 a run can begin, 255 something is missing. What Docker lacks counts with --cluster docker only.\n\nExamples:\n  ordeal doctor\n  ordeal doctor --cluster docker --broker-version 4.2.0 --json',
    )
    .action(async (options: DoctorOptions) => {
      const checks = await diagnose(parseCluster(options.cluster), options);
      session.stdout.write(
        options.json === true
          ? `${JSON.stringify(checks, null, 2)}\n`
          : checks.map((check) => lineOf(session, check)).join(''),
      );
      if (checks.some(({ ok, needed }) => needed && !ok)) exit.code = exitCodes.environment;
    });
}

interface Check extends Diagnosis {
  /** Whether a run on the cluster that was asked for cannot begin without it. */
  readonly needed: boolean;
}

async function diagnose(cluster: ClusterKind, options: DoctorOptions): Promise<readonly Check[]> {
  const { diagnoseDocker } = await import('../clusters/docker/index.ts');
  const always = [diagnoseNode(process.versions.node), await diagnoseStore(options.store)];
  const docker = await diagnoseDocker(options.brokerVersion);
  return [
    ...always.map((check) => ({ ...check, needed: true })),
    ...docker.map((check) => ({ ...check, needed: cluster === 'docker' })),
  ];
}

function lineOf({ stdout }: Session, { check, ok, detail, next, needed }: Check): string {
  const mark = ok
    ? stdout.paint('good', 'ok     ')
    : stdout.paint(needed ? 'bad' : 'doubt', needed ? 'missing' : 'absent ');
  const who = ok || needed ? '' : ' (needed for --cluster docker)';
  return `${mark}  ${check}: ${detail}${who}\n${next === '' ? '' : `         next: ${next}\n`}`;
}

function diagnoseNode(version: string): Diagnosis {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = nodeVersionMin;
  const ok = major > majorMin || (major === majorMin && minor >= minorMin);
  return {
    check: 'node',
    ok,
    detail: version,
    next: ok ? '' : `install Node ${majorMin}.${minorMin} or later`,
  };
}

/** Tries to write in the store, or where it would be made; nothing is left there. */
async function diagnoseStore(store: string): Promise<Diagnosis> {
  const path = resolve(store);
  try {
    const place = await nearestDirectory(path);
    await rmdir(await mkdtemp(join(place, '.ordeal-doctor-')));
    const detail = place === path ? `${path} is writable` : `${path} can be made`;
    return { check: 'store', ok: true, detail, next: '' };
  } catch (thrown) {
    return {
      check: 'store',
      ok: false,
      detail: `${path} cannot be written: ${describeError(thrown)}`,
      next: 'make the directory yours, or choose another with --store',
    };
  }
}

async function nearestDirectory(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    try {
      await stat(place);
      return place;
    } catch (thrown) {
      if (place === dirname(place)) throw thrown;
    }
  }
}
