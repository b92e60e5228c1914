/** `ordeal doctor`: what a run on Docker needs, what of it is there, and how to get the rest. */
import { accessSync, constants, existsSync } from 'node:fs';
import { cpus, freemem, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { createRealClock } from '../../core/clock.ts';
import { OrdealError, describeError } from '../../core/errors.ts';
import { runsOnHost } from './clean.ts';
import { connectEngine, type Engine } from './engine.ts';
import { runLabels } from './labels.ts';
import { holderImage, inspectImage, localImage, officialImage } from './images.ts';

export interface Diagnosis {
  readonly check: string;
  /** False: a run will fail or cannot be trusted. A check that only advises is true with a `next`. */
  readonly ok: boolean;
  readonly detail: string;
  /** What to do; empty if nothing needs to be done. */
  readonly next: string;
}

/** Three brokers of 384 MiB heap take this much in all. */
const memoryNeededMb = 2_000;

/** Never throws for a missing piece: what is missing is a row of the answer. */
export async function diagnoseDocker(brokerVersion = '4.1.1'): Promise<readonly Diagnosis[]> {
  const machine = [memory(), cores(), freezer()];
  let engine: Engine;
  try {
    engine = await connectEngine(createRealClock());
  } catch (error) {
    const next = error instanceof OrdealError ? error.next : '';
    return [row('engine', false, describeError(error), next), ...machine];
  }
  const images = await imageRows(engine, brokerVersion);
  return [
    row('engine', true, `${engine.version}, API ${engine.apiVersion}, on ${engine.endpoint}`),
    reachable(engine),
    ...machine,
    ...images,
    await iptables(engine),
    await leftovers(engine),
  ];
}

function row(check: string, ok: boolean, detail: string, next = ''): Diagnosis {
  return { check, ok, detail, next };
}

function memory(): Diagnosis {
  const freeMb = Math.round(freemem() / 1024 ** 2);
  const ok = freeMb >= memoryNeededMb;
  return row(
    'memory',
    ok,
    `${freeMb} MiB free; three brokers take about ${memoryNeededMb} MiB`,
    ok ? '' : 'end other programs, or use a larger machine',
  );
}

function cores(): Diagnosis {
  const count = cpus().length;
  return row(
    'cores',
    count >= 2,
    `${count}`,
    count >= 2 ? '' : 'on one core brokers restart too slowly for the bounds; use two or more',
  );
}

function freezer(): Diagnosis {
  const found = [
    '/sys/fs/cgroup/freezer',
    '/sys/fs/cgroup/cgroup.controllers',
    '/sys/fs/cgroup/unified',
  ].find((path) => existsSync(path));
  return row(
    'freezer',
    true,
    found === undefined
      ? 'control groups cannot be read here'
      : `state is read below ${found.split('/').slice(0, 5).join('/')}`,
    found === undefined ? 'evidence of a pause is then Docker’s own word, which is weaker' : '',
  );
}

/** Clients speak to the containers' own addresses: that works where the engine runs on this very kernel. */
function reachable(engine: Engine): Diagnosis {
  const ok = platform() === 'linux' && engine.endpoint.startsWith('unix://');
  return row(
    'addresses',
    ok,
    ok ? 'containers are reachable by address' : `engine at ${engine.endpoint} on ${platform()}`,
    ok
      ? ''
      : 'run ordeal on the engine’s own Linux machine, or in a container on the network of the run',
  );
}

async function imageRows(engine: Engine, version: string): Promise<Diagnosis[]> {
  const [official, local, holder] = await Promise.all(
    [officialImage(version), localImage(version), holderImage].map((name) =>
      inspectImage(engine, name),
    ),
  );
  const tools = missingTools();
  const rows: Diagnosis[] = [];
  if (official) rows.push(row('broker image', true, `${officialImage(version)} ${official.id}`));
  else if (local) rows.push(row('broker image', true, `${localImage(version)} ${local.id}`));
  else {
    rows.push(
      row(
        'broker image',
        tools.length === 0,
        `neither ${officialImage(version)} nor ${localImage(version)} is present; a run pulls the first or builds the second`,
        tools.length === 0
          ? `to build it now: bash docker/broker/build.sh ${version}`
          : `docker pull ${officialImage(version)}, or for a local build: apt-get install -y ${tools.join(' ')}`,
      ),
    );
  }
  rows.push(
    holder
      ? row('holder image', true, `${holderImage} ${holder.id}`)
      : row(
          'holder image',
          commandExists('docker'),
          `${holderImage} is not present; a run builds it`,
          'to build it now: bash docker/holder/build.sh',
        ),
  );
  return rows;
}

/** Debian packages that a local build needs and that are missing. */
function missingTools(): string[] {
  const packages: readonly (readonly [command: string, name: string])[] = [
    ['docker', 'docker.io'],
    ['mvn', 'maven'],
    ['java', 'default-jre-headless'],
    ['debootstrap', 'debootstrap'],
  ];
  return packages.filter(([command]) => !commandExists(command)).map(([, name]) => name);
}

function commandExists(command: string): boolean {
  const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

/** Puts a rule into a holder's namespace and looks whether it stands: the thing itself, not a version number. */
async function iptables(engine: Engine): Promise<Diagnosis> {
  if ((await inspectImage(engine, holderImage)) === null) {
    return row(
      'iptables',
      true,
      'not tried: the holder image is not present',
      'run `ordeal doctor` after a first run',
    );
  }
  const script =
    'iptables -w 5 -I INPUT -p tcp --dport 9 -j DROP && iptables-save -c | grep -q -e "--dport 9 -j DROP"';
  const container = await engine.call('creating a holder to try iptables', () =>
    engine.docker.createContainer({
      Image: holderImage,
      Entrypoint: ['sh', '-c', script],
      Labels: runLabels(`doctor-${process.pid}`),
      HostConfig: { CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'], NetworkMode: 'none' },
    }),
  );
  try {
    await engine.call('starting it', () => container.start());
    const end = (await engine.call('waiting for it', () => container.wait())) as {
      StatusCode: number;
    };
    const ok = end.StatusCode === 0;
    return row(
      'iptables',
      ok,
      ok
        ? 'a rule in a holder stands'
        : `the rule in a holder failed with status ${end.StatusCode}`,
      ok
        ? ''
        : 'load the kernel’s tables (modprobe ip_tables iptable_filter nf_tables); partitions need them',
    );
  } finally {
    await engine.call('removing it', () => container.remove({ force: true, v: true }));
  }
}

async function leftovers(engine: Engine): Promise<Diagnosis> {
  const runs = await runsOnHost(engine);
  const dead = runs.filter(({ state }) => state.alive === false);
  const living = `${runs.length - dead.length} living`;
  if (dead.length === 0) return row('leftovers', true, `none of dead runs; ${living}`);
  return row(
    'leftovers',
    true,
    `${dead.length} dead runs left things here: ${dead.map(({ run }) => run).join(', ')}; ${living}`,
    'remove them with `ordeal clean`',
  );
}
