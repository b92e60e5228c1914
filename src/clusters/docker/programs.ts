/**
 * Programs of ours beside the cluster, each in a container of its own on the run's network: the harness's own Node and its files are
 * mounted read-only at the paths that they have outside. A frozen one is a frozen process; all of them go with the run's label.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { ClientPort, Program, ProgramEvents, ProgramHost } from '../../spi/cluster.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { frozenByKernel } from './freezer.ts';
import { labels, runLabels } from './labels.ts';

export interface Programs extends ProgramHost {
  readonly port: ClientPort;
}

export interface ProgramsOptions {
  readonly run: string;
  /** Any image with glibc. */
  readonly image: string;
  /** Name of the run's network; throws before the cluster was started. */
  readonly network: () => string;
}

const nodeInside = '/ordeal/node';

export function createPrograms(engine: Engine, options: ProgramsOptions): Programs {
  /** Container ids of those that run. */
  const running = new Map<string, string>();
  const inspect = async (name: string) => {
    const id = running.get(name);
    if (id === undefined) return null;
    const { State } = await engine.call(`inspecting ${name}`, () =>
      engine.docker.getContainer(id).inspect(),
    );
    if (!State.Running) return null;
    return { id, frozen: frozenByKernel(State.Pid, id) ?? State.Paused };
  };
  return {
    start: (name, script, events) => start(engine, options, running, { name, script, events }),
    port: {
      names: () => [...running.keys()],
      state: async (name) => {
        const state = await inspect(name);
        return state === null ? null : { frozen: state.frozen };
      },
      pause: async (name) => {
        const state = await inspect(name);
        if (state === null || state.frozen) return;
        await engine.call(`freezing ${name}`, () => engine.docker.getContainer(state.id).pause());
      },
      resume: async (name) => {
        const state = await inspect(name);
        if (state?.frozen !== true) return;
        await engine.call(`thawing ${name}`, () => engine.docker.getContainer(state.id).unpause());
      },
    },
  };
}

async function start(
  engine: Engine,
  { run, image, network }: ProgramsOptions,
  running: Map<string, string>,
  { name, script, events }: { readonly name: string; readonly script: string; readonly events: ProgramEvents }, // prettier-ignore
): Promise<Program> {
  const container = await engine.call(`creating ${name}`, () =>
    engine.docker.createContainer({
      name: `ordeal-${run}-${name}`,
      Image: image,
      Labels: runLabels(run, { [labels.role]: 'client' }),
      Cmd: [nodeInside, script],
      Entrypoint: [],
      // Without capabilities not even root may read what belongs to another.
      ...asThisUser(),
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: {
        CapDrop: ['ALL'],
        NetworkMode: network(),
        Binds: [`${realpathSync(process.execPath)}:${nodeInside}:ro`, ...sourceBinds(script)],
      },
    }),
  );
  const stream = await engine.call(`attaching to ${name}`, () =>
    container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
  );
  const [out, err] = [new PassThrough(), new PassThrough()];
  engine.docker.modem.demuxStream(stream, out, err);
  createInterface({ input: out }).on('line', events.line);
  createInterface({ input: err }).on('line', events.log);
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    running.delete(name);
    events.ended();
  };
  stream.once('end', end);
  stream.once('close', end);
  stream.once('error', end);
  await engine.call(`starting ${name}`, () => container.start());
  running.set(name, container.id);
  return {
    write: (text) => {
      if (!ended) stream.write(text);
    },
    kill: async () => {
      end();
      await removeContainer(engine, name, container.id);
      stream.end();
    },
  };
}

function asThisUser(): { User?: string } {
  const { getuid, getgid } = process;
  return getuid === undefined || getgid === undefined ? {} : { User: `${getuid()}:${getgid()}` };
}

async function removeContainer(engine: Engine, name: string, id: string): Promise<void> {
  try {
    await engine.call(`removing ${name}`, () =>
      engine.docker.getContainer(id).remove({ force: true, v: true }),
    );
  } catch (error) {
    // It is gone, or the removal of the whole run has come to it first.
    if (dockerStatus(error) !== 404 && dockerStatus(error) !== 409) throw error;
  }
}

/** The package that the script belongs to, and the folder in which its dependencies are, wherever a package manager put that. */
function sourceBinds(script: string): readonly string[] {
  const own = script.slice(0, script.lastIndexOf(`${sep}dist${sep}`));
  const dependency = createRequire(script).resolve('kafkajs');
  const modules = dependency.slice(0, dependency.lastIndexOf(`${sep}kafkajs${sep}`));
  const folders = modules.startsWith(`${own}${sep}`) ? [own] : [own, modules];
  return folders.map((folder) => `${folder}:${folder}:ro`);
}
