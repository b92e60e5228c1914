/** What the phases of one run share: the parts that never change, the record, and how the run is going. */
import { describeError, OrdealError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import type { LogName } from '../history/event.ts';
import type { AdminPort, NodeId, TopicSpec } from '../spi/cluster.ts';
import type { WorkloadOptions } from '../spi/workload.ts';
import { createTally, type Tally } from '../generators/tally.ts';
import { createDelayMonitor, noDelay, type DelayMonitor } from './delay-monitor.ts';
import { createLeaderWatch, type LeaderWatch } from './leader-watch.ts';
import type { RunOptions } from './options.ts';
import type { Connections, RunParts } from './parts.ts';
import { openScope, type PhaseBounds, type PhaseScope, type RunSignals } from './phase-scope.ts';
import type { PhaseName, Progress } from './progress.ts';
import type { RunFiles } from './run-files.ts';
import type { RunRecord } from './run-record.ts';

export interface RunState {
  readonly options: RunOptions;
  readonly parts: RunParts;
  readonly files: RunFiles;
  readonly progress: Progress;
  readonly admin: AdminPort;
  readonly topics: readonly TopicSpec[];
  readonly workloadOptions: WorkloadOptions;
  readonly record: RunRecord;
  readonly signals: RunSignals;
  readonly tally: Tally;
  readonly watch: LeaderWatch;
  readonly delay: DelayMonitor;
  /** Stops the workers; the faults; and, at tear-down, everything that runs beside the phases. */
  readonly stopWorkers: AbortController;
  readonly stopFaults: AbortController;
  readonly stopBackground: AbortController;
  phase: PhaseName;
  /** The start of the cluster; resolves when it has come to rest, well or not. */
  starting: Promise<void>;
  /** The clients, once made. */
  connections: Connections | null;
  /** Ends the run in good order with this as its failure; the first one counts. */
  fail(error: unknown): void;
  failure(): Error | null;
  /** Keeps an eye on a loop that runs beside the phases: its failure is the run's. */
  background(loop: Promise<void>): Promise<void>;
  scope(bounds: PhaseBounds): PhaseScope;
  elapsedMs(): number;
}

export interface RunStateParts {
  readonly options: RunOptions;
  readonly parts: RunParts;
  readonly files: RunFiles;
  readonly progress: Progress;
  readonly admin: AdminPort;
  readonly topics: readonly TopicSpec[];
  readonly workloadOptions: WorkloadOptions;
  readonly interrupt: AbortSignal;
  readonly record: (onFailure: (error: unknown) => void) => RunRecord;
}

export function createRunState(given: RunStateParts): RunState {
  const { parts, interrupt, record: openRecord, ...rest } = given;
  const { clock } = parts;
  const failed = new AbortController();
  let failure: Error | null = null;
  const fail = (error: unknown): void => {
    const known = toError(error);
    if (failure !== null) return;
    failure = known;
    // What heals and tears down waits for this, so it comes before anything that may fail in its turn.
    failed.abort();
    progress.line(`failed: ${describeError(known)}`);
  };
  const progress = guarded(given.progress, fail);
  const record = openRecord(fail);
  const startNs = clock.nowNs();
  const hurry = parts.hurry ?? new AbortController().signal;
  const signals: RunSignals = { clock, interrupt, hurry, failure: failed.signal };
  const logs = new Set(logsOf(given.topics).map(({ log }) => log));
  return {
    ...rest,
    parts,
    progress,
    record,
    signals,
    tally: createTally(),
    watch: createLeaderWatch(clock, given.admin, record, logs),
    delay: parts.realTime ? createDelayMonitor(clock, record) : noDelay,
    stopWorkers: new AbortController(),
    stopFaults: new AbortController(),
    stopBackground: new AbortController(),
    phase: 'set-up',
    starting: Promise.resolve(),
    connections: null,
    fail,
    failure: () => failure,
    background: (loop) => loop.catch(fail),
    scope: (bounds) => openScope(signals, bounds),
    elapsedMs: () => (clock.nowNs() - startNs) / nsPerMs,
  };
}

/** Every log of the workload, with the replicas it was placed on. */
export function logsOf(topics: readonly TopicSpec[]): readonly {
  readonly log: LogName;
  readonly replicas: readonly NodeId[];
  readonly compacted: boolean;
}[] {
  return topics.flatMap((topic) => {
    const compacted = topic.config['cleanup.policy']?.includes('compact') === true;
    return topic.replicas.map((replicas, partition) => {
      return { log: `${topic.name}/${partition}`, replicas, compacted };
    });
  });
}

/** A line that cannot be told is the run's failure, and no reason to leave out whatever comes after it. */
function guarded(progress: Progress, fail: (error: unknown) => void): Progress {
  return {
    line: (text) => {
      try {
        progress.line(text);
      } catch (error) {
        fail(error);
      }
    },
    snapshot: (snapshot) => {
      progress.snapshot(snapshot);
    },
  };
}

function toError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new OrdealError('INTERNAL', String(error), 'report this with the run directory');
}
