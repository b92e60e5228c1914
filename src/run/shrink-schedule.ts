/**
 * Shrinks a run that fails: fewer and shorter faults, fewer logs, clients and operations, as long as it still fails. Moves are
 * tried in that order, greedily, until none is accepted any more. What failing means is the caller's: one run on the simulated
 * cluster, k of m on a real one.
 */
import type { FaultPlan, Role, ScheduledFault } from '../spi/nemesis.ts';
import { removeChunks } from './chunk-removal.ts';
import type { RunOptions } from './options.ts';

type MoveName =
  'faults' | 'durations' | 'topics' | 'partitions' | 'clients' | 'start' | 'length' | 'rate';

/** A move that was accepted: the run still fails after it. */
export interface ShrinkMove {
  readonly move: MoveName;
  /** For progress: "5 -> 2". */
  readonly change: string;
}

export interface ShrinkRunLimits {
  /** Bound of the number of candidates that are run. */
  readonly candidatesMax: number;
  /** A fault is not made shorter than this. */
  readonly durationMinMs: number;
  /** A faults phase without faults is not made shorter than this. */
  readonly faultsMinMs: number;
}

export const shrinkRunLimits: ShrinkRunLimits = {
  candidatesMax: 200,
  durationMinMs: 100,
  faultsMinMs: 1_000,
};

export interface ShrinkRunProgress {
  readonly candidates: number;
  /** The last candidate still failed. */
  readonly accepted: boolean;
  readonly move: ShrinkMove;
}

export interface ShrinkRunRequest {
  /** True if the candidate still shows the anomaly. One that could not be run, and rejects, is not smaller: it is no run. */
  readonly fails: (candidate: RunOptions) => Promise<boolean>;
  /** The topics that the workload makes of these options, in order: faults that aim at a log follow them. */
  readonly topicsOf: (
    options: RunOptions,
  ) => readonly { readonly name: string; readonly partitions: number }[];
  readonly onProgress?: (progress: ShrinkRunProgress) => void;
  readonly limits?: ShrinkRunLimits;
  /** Ends it with the smallest so far. */
  readonly interrupt?: AbortSignal;
}

export interface ShrunkRun {
  readonly options: RunOptions;
  readonly moves: readonly ShrinkMove[];
  /** Number of candidates that were run. */
  readonly candidates: number;
  /** False: the bound was reached or it was interrupted, and the run might become smaller yet. */
  readonly finished: boolean;
}

/** The last fault ends at least this long before its phase does, as in drawn schedules. */
const tailMs = 500;

/** @param options a run that fails; that it does is the caller's to know. */
export async function shrinkRun(
  options: RunOptions,
  request: ShrinkRunRequest,
): Promise<ShrunkRun> {
  const shrinking = new Shrinking(options, request);
  for (let accepted = -1; shrinking.moves.length > accepted && !shrinking.spent;) {
    accepted = shrinking.moves.length;
    await fewerFaults(shrinking);
    await shorterFaults(shrinking);
    await fewer(shrinking, 'topics', 'topics');
    await fewer(shrinking, 'partitions', 'partitions');
    await fewer(shrinking, 'clients', 'concurrency');
    await earlierFaults(shrinking);
    await shorterPhase(shrinking);
    await fewer(shrinking, 'rate', 'ratePerSecond');
  }
  return {
    options: shrinking.current,
    moves: shrinking.moves,
    candidates: shrinking.candidates,
    finished: !shrinking.spent,
  };
}

class Shrinking {
  current: RunOptions;
  candidates = 0;
  spent = false;
  readonly moves: ShrinkMove[] = [];
  readonly limits: ShrinkRunLimits;
  readonly #request: ShrinkRunRequest;

  constructor(options: RunOptions, request: ShrinkRunRequest) {
    this.current = options;
    this.limits = request.limits ?? shrinkRunLimits;
    this.#request = request;
  }

  /** Runs the current options with some of them changed; if that fails too, it is where the next move begins. */
  async accept(part: Partial<RunOptions>, move: ShrinkMove): Promise<boolean> {
    const { fails, interrupt } = this.#request;
    if (this.candidates >= this.limits.candidatesMax || interrupt?.aborted === true) {
      this.spent = true;
      return false;
    }
    const candidate = this.#consistent({ ...this.current, ...part });
    this.candidates++;
    const accepted = await fails(candidate).catch(() => false);
    this.#request.onProgress?.({ candidates: this.candidates, accepted, move });
    if (!accepted) return false;
    this.current = candidate;
    this.moves.push(move);
    return true;
  }

  /** Faults aim at logs that there are, and no kind is asked for that the schedule does not hold. */
  #consistent(options: RunOptions): RunOptions {
    const topics = this.#request.topicsOf(options);
    const schedule = options.schedule.map((fault) => ({
      ...fault,
      plan: { ...fault.plan, target: aimed(fault.plan, topics) },
    }));
    const kinds = new Set(schedule.map(({ nemesis }) => nemesis));
    return { ...options, schedule, faults: options.faults.filter((kind) => kinds.has(kind)) };
  }
}

function aimed(
  { target }: FaultPlan,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Role {
  if (target.role !== 'leader' && target.role !== 'follower') return target;
  const topic = topics.find(({ name }) => name === target.topic) ?? topics[0];
  if (topic === undefined) return target;
  return { ...target, topic: topic.name, partition: target.partition % topic.partitions };
}

async function fewerFaults(shrinking: Shrinking): Promise<void> {
  await removeChunks(shrinking.current.schedule, (schedule) => {
    const change = `${shrinking.current.schedule.length} -> ${schedule.length}`;
    return shrinking.accept({ schedule }, { move: 'faults', change });
  });
}

/** Halves one duration after the other. */
async function shorterFaults(shrinking: Shrinking): Promise<void> {
  for (const { id } of shrinking.current.schedule) {
    for (let accepted = true; accepted;) {
      const { schedule } = shrinking.current;
      const before = schedule.find((fault) => fault.id === id)?.durationMs ?? 0;
      const durationMs = Math.floor(before / 2);
      if (durationMs < shrinking.limits.durationMinMs) break;
      accepted = await shrinking.accept(
        { schedule: schedule.map((fault) => (fault.id === id ? { ...fault, durationMs } : fault)) },
        { move: 'durations', change: `${id}: ${before} -> ${durationMs} ms` },
      );
    }
  }
}

/** As few as will do: one, else half, else one less. */
async function fewer(
  shrinking: Shrinking,
  move: MoveName,
  option: 'topics' | 'partitions' | 'concurrency' | 'ratePerSecond',
): Promise<void> {
  for (let accepted = true; accepted;) {
    accepted = false;
    const before = shrinking.current[option];
    for (const less of new Set([1, Math.floor(before / 2), before - 1])) {
      if (less < 1 || less >= before || accepted) continue;
      const change = `${before} -> ${less}`;
      accepted = await shrinking.accept({ [option]: less }, { move, change });
    }
  }
}

/** Less quiet before the first fault; the distances between faults stay. */
async function earlierFaults(shrinking: Shrinking): Promise<void> {
  for (let accepted = true; accepted;) {
    const { schedule } = shrinking.current;
    const firstMs = Math.min(...schedule.map(({ atMs }) => atMs));
    const byMs = Math.ceil(firstMs / 2);
    if (schedule.length === 0 || byMs < shrinking.limits.durationMinMs) return;
    accepted = await shrinking.accept(
      { schedule: schedule.map((fault) => ({ ...fault, atMs: fault.atMs - byMs })) },
      { move: 'start', change: `${firstMs} -> ${firstMs - byMs} ms` },
    );
  }
}

/** A shorter faults phase, down to the end of the last fault. */
async function shorterPhase(shrinking: Shrinking): Promise<void> {
  for (let accepted = true; accepted;) {
    accepted = false;
    const { limits, schedule } = shrinking.current;
    const leastMs = Math.max(shrinking.limits.faultsMinMs, endOf(schedule) + tailMs);
    const halfwayMs = Math.floor((leastMs + limits.faultsMs) / 2);
    for (const faultsMs of new Set([leastMs, halfwayMs])) {
      if (faultsMs >= limits.faultsMs || accepted) continue;
      const change = `${limits.faultsMs} -> ${faultsMs} ms`;
      accepted = await shrinking.accept(
        { limits: { ...limits, faultsMs } },
        { move: 'length', change },
      );
    }
  }
}

function endOf(schedule: readonly ScheduledFault[]): number {
  return Math.max(0, ...schedule.map(({ atMs, durationMs }) => atMs + durationMs));
}
