/** `ordeal clean`: removes what dead harnesses left, and says what it left alone and why. */
import { createRealClock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { connectEngine, type Engine } from './engine.ts';
import { harnessState } from './labels.ts';
import { findLeftovers, removeRun, type Leftover } from './leftovers.ts';

export interface CleanOptions {
  /** Also what belongs to living harnesses. */
  readonly all?: boolean;
  /** Only this run; without `all`, still only if its harness is gone. */
  readonly run?: string;
}

export interface CleanedRun {
  readonly run: string;
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Why it was removed, or why it was left. */
  readonly why: string;
}

export interface CleanReport {
  readonly removed: readonly CleanedRun[];
  readonly left: readonly CleanedRun[];
}

/**
 * Rules and frozen processes live inside the containers, so that removing those leaves nothing of them either.
 * @throws OrdealError DOCKER_UNREACHABLE
 */
export async function cleanDocker(
  options: CleanOptions = {},
  progress: (line: string) => void = () => undefined,
): Promise<CleanReport> {
  const engine = await connectEngine(createRealClock());
  const removed: CleanedRun[] = [];
  const left: CleanedRun[] = [];
  for (const { run, things, state } of await runsOnHost(engine, options.run)) {
    if (state.alive !== false && options.all !== true) {
      left.push(summary(run, things, state.why));
      progress(`left ${describe(run, things)}: ${state.why}`);
      continue;
    }
    try {
      const gone = await removeRun(engine, run);
      removed.push(summary(run, gone, state.why));
      progress(`removed ${describe(run, gone)}: ${state.why}`);
    } catch (error) {
      // One stubborn run must not keep the others from being cleaned; the caller sees it among what is left.
      left.push(summary(run, things, describeError(error)));
      progress(`could not remove ${describe(run, things)}: ${describeError(error)}`);
    }
  }
  return { removed, left };
}

/** Each run that has something on the host, with the state of the harness that put it there. */
export async function runsOnHost(engine: Engine, run?: string) {
  const byRun = new Map<string, Leftover[]>();
  for (const thing of await findLeftovers(engine, run)) {
    byRun.set(thing.run, [...(byRun.get(thing.run) ?? []), thing]);
  }
  const local = engine.endpoint.startsWith('unix://');
  return [...byRun].map(([name, things]) => ({
    run: name,
    things,
    state: harnessState(things[0]?.harness, local),
  }));
}

function summary(run: string, things: readonly Leftover[], why: string): CleanedRun {
  const names = (kind: Leftover['kind']): string[] =>
    things
      .filter((thing) => thing.kind === kind)
      .map((thing) => thing.name)
      .sort();
  return {
    run,
    containers: names('container'),
    networks: names('network'),
    volumes: names('volume'),
    why,
  };
}

function describe(run: string, things: readonly Leftover[]): string {
  const count = (kind: Leftover['kind']): string => {
    const number = things.filter((thing) => thing.kind === kind).length;
    return `${number} ${kind}${number === 1 ? '' : 's'}`;
  };
  return `run ${run} (${count('container')}, ${count('network')}, ${count('volume')})`;
}
