/** Set-up: the cluster started and whole, its topics made, every worker connected. */
import { OrdealError } from '../core/errors.ts';
import { randomStream } from '../core/random.ts';
import { formatDurationMs } from '../core/units.ts';
import { createInterpreter, type Interpreter } from '../generators/interpreter.ts';
import type { Connections } from './parts.ts';
import { untilAborted, type PhaseScope } from './phase-scope.ts';
import type { RunState } from './run-state.ts';

const healthIntervalMs = 250;
const createClientTimeoutMs = 15_000;
/** Beyond the operation timeout that adapters keep themselves. */
const operationGuardSlackMs = 10_000;

/** What a run has once it is set up. */
export interface Session {
  readonly connections: Connections;
  readonly interpreter: Interpreter;
  /** All client processes: one per worker, and the auditor, whose number is the last. */
  readonly processes: number;
  readonly auditProcess: number;
}

/**
 * @returns null if an interrupt or a failure ended it; what had been started then is torn down as always.
 * @throws OrdealError CLUSTER_NOT_HEALTHY naming the step that was not finished within the phase's bound.
 */
export async function setUp(state: RunState): Promise<Session | null> {
  const { options, parts, record, watch } = state;
  const { cluster } = parts;
  using scope = state.scope({ limitMs: options.limits.setUpMs, interruptedLimitMs: 0 });
  const line = (text: string): void => {
    state.progress.line(text);
  };
  const steps = createSteps(state, scope);
  const starting = cluster.start(options.limits.setUpMs, line);
  state.starting = starting.catch(() => undefined);
  if (!(await steps.do('starting the cluster', starting)).done) return null;
  record.observe('system', cluster.system);
  const connecting = parts.connect(cluster).then((connections) => {
    // Kept at once: clients that come too late for the set-up are still closed at tear-down.
    state.connections = connections;
    return connections;
  });
  const connected = await steps.do('making clients', connecting);
  if (!connected.done) return null;
  const connections = connected.value;
  const created = await steps.do('creating topics', state.admin.createTopics(state.topics));
  if (!created.done) return null;
  if (!(await steps.do('waiting for health', untilHealthy(state, scope))).done) return null;
  await watch.look();
  const session = createSession(state, connections);
  const workers = await steps.do('connecting the workers', session.interpreter.connect());
  if (!workers.done || workers.value !== null) return null;
  return session;
}

function createSession(state: RunState, connections: Connections): Session {
  const { options, parts } = state;
  const scripts = parts.workload.workers(state.workloadOptions, (stream) =>
    randomStream(options.seed, `workload:${stream}`),
  );
  const processes = scripts.length + 1;
  const { record } = state;
  const interpreter = createInterpreter({
    scripts,
    processes,
    clock: parts.clock,
    append: (draft) => record.append(draft),
    tally: state.tally,
    stop: state.stopWorkers.signal,
    operationGuardMs: options.producer.operationTimeoutMs + operationGuardSlackMs,
    createTimeoutMs: createClientTimeoutMs,
    producers: connections.producers,
    readers: connections.readers,
    members: connections.members,
  });
  return { connections, interpreter, processes, auditProcess: scripts.length };
}

interface Steps {
  /** Waits for one step; not done if an interrupt or a failure cut it. */
  readonly do: <T>(
    what: string,
    step: Promise<T>,
  ) => Promise<{ readonly done: true; readonly value: T } | { readonly done: false }>;
}

function createSteps(state: RunState, scope: PhaseScope): Steps {
  const { interrupt, hurry, failure } = state.signals;
  return {
    do: async (what, step) => {
      const awaited = await untilAborted(scope.signal, step);
      if (awaited.status === 'done') return { done: true, value: awaited.value };
      if (interrupt.aborted || hurry.aborted || failure.aborted) return { done: false };
      throw new OrdealError(
        'CLUSTER_NOT_HEALTHY',
        `set-up: ${what} was not finished within ${formatDurationMs(state.options.limits.setUpMs)}`,
        'read the node logs in the run directory; a busy machine may need fewer nodes or clients',
      );
    },
  };
}

async function untilHealthy(state: RunState, scope: PhaseScope): Promise<void> {
  while (!scope.signal.aborted) {
    if ((await state.watch.health()).healthy) return;
    await state.parts.clock.sleep(healthIntervalMs, scope.signal);
  }
}
