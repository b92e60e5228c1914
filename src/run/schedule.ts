/**
 * Draws the faults of a run from its seed: what, whom and when, before anything starts. One random stream per nemesis
 * and one for the interleaving, so that asking for one more kind does not change what the others do.
 */
import { randomStream, type Random } from '../core/random.ts';
import type {
  DrawContext,
  FaultPlan,
  FaultTiming,
  Nemesis,
  ScheduledFault,
} from '../spi/nemesis.ts';

export interface ScheduleRequest {
  readonly seed: string;
  /** The kinds asked for; order does not matter. */
  readonly nemeses: readonly Nemesis[];
  /** Length of the faults phase, ms. */
  readonly faultsMs: number;
  /** Mean time from the end of one fault to the start of the next, ms. */
  readonly intervalMs: number;
  readonly context: DrawContext;
}

const defaultTiming: FaultTiming = { durationsMs: [[4_000, 9_000]], settleMs: 4_000 };
/** The last fault ends at least this long before the phase does, so that its heal still belongs to the phase. */
const tailMs = 500;
/** The quiet before the first fault is at most this, so that a long interval does not waste a short run. */
const leadMsMax = 5_000;
/** When time is short the gaps shrink first, down to this share of the phase; then the durations. */
const gapShareMin = 0.25;

interface DrawnFault {
  readonly nemesis: string;
  readonly plan: FaultPlan;
  readonly gapMs: number;
  readonly durationMs: number;
}

/**
 * The schedule: kinds come in rounds, each round in an order of its own; no two faults overlap; and every kind occurs
 * at least once, with gaps and durations scaled down if the phase is too short for the first round.
 */
export function drawSchedule(request: ScheduleRequest): readonly ScheduledFault[] {
  const nemeses = [...request.nemeses].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (nemeses.length === 0) return [];
  const order = randomStream(request.seed, 'schedule');
  const streams = new Map(
    nemeses.map((nemesis) => [nemesis.name, randomStream(request.seed, `nemesis:${nemesis.name}`)]),
  );
  const budgetMs = request.faultsMs - tailMs;
  const schedule: ScheduledFault[] = [];
  if (budgetMs <= 0) return schedule;
  let cursorMs = 0;
  let settleMs = 0;
  let first = true;
  for (;;) {
    const round = order.shuffle(nemeses).map((nemesis) => {
      const fault = drawFault(nemesis, streams.get(nemesis.name) as Random, request, {
        gapMs: drawGap(order, request.intervalMs, first),
        settleMs,
      });
      settleMs = timingOf(nemesis).settleMs;
      first = false;
      return fault;
    });
    const fitted = schedule.length === 0 ? fit(round, budgetMs) : round;
    for (const { nemesis, plan, gapMs, durationMs } of fitted) {
      const atMs = cursorMs + gapMs;
      if (atMs + durationMs > budgetMs) return schedule;
      schedule.push({ id: `f${schedule.length + 1}`, nemesis, atMs, durationMs, plan });
      cursorMs = atMs + durationMs;
    }
  }
}

/** A fault that overlaps the one before begins at least this long after it. */
const overlapLeadMs = 500;

/**
 * Lets faults of different kinds overlap: with this chance each one begins while the one before still stands, which no
 * schedule of `drawSchedule` does. Ids, kinds, durations and plans stay as they were.
 */
export function overlapFaults(
  seed: string,
  schedule: readonly ScheduledFault[],
  percent: number,
): readonly ScheduledFault[] {
  const random = randomStream(seed, 'overlap');
  let previous: ScheduledFault | null = null;
  return schedule.map((fault) => {
    const before = previous;
    previous = fault;
    if (before === null || before.nemesis === fault.nemesis) return fault;
    const earliestMs = before.atMs + overlapLeadMs;
    const latestMs = Math.min(fault.atMs, before.atMs + before.durationMs);
    if (earliestMs > latestMs || !random.chance(percent, 100)) return fault;
    previous = { ...fault, atMs: random.between(earliestMs, latestMs) };
    return previous;
  });
}

function timingOf(nemesis: Nemesis): FaultTiming {
  return nemesis.timing ?? defaultTiming;
}

function drawFault(
  nemesis: Nemesis,
  random: Random,
  request: ScheduleRequest,
  before: { readonly gapMs: number; readonly settleMs: number },
): DrawnFault {
  const [low, high] = random.pick(timingOf(nemesis).durationsMs);
  return {
    nemesis: nemesis.name,
    durationMs: random.between(low, high),
    plan: nemesis.draw(random, request.context),
    gapMs: Math.max(before.gapMs, before.settleMs),
  };
}

/** Uniform around the mean: half to one and a half times the interval. */
function drawGap(random: Random, intervalMs: number, first: boolean): number {
  const meanMs = first ? Math.min(intervalMs, leadMsMax) : intervalMs;
  const half = Math.floor(meanMs / 2);
  return random.between(half, first ? meanMs : meanMs + half);
}

/** Shrinks the gaps, then the durations, until the round ends within the budget. */
function fit(round: readonly DrawnFault[], budgetMs: number): readonly DrawnFault[] {
  const gapsMs = round.reduce((sum, fault) => sum + fault.gapMs, 0);
  const durationsMs = round.reduce((sum, fault) => sum + fault.durationMs, 0);
  if (gapsMs + durationsMs <= budgetMs) return round;
  const gapsLeftMs = Math.min(gapsMs, Math.max(budgetMs - durationsMs, gapShareMin * budgetMs));
  const gapScale = gapsMs === 0 ? 1 : gapsLeftMs / gapsMs;
  const durationScale = Math.min(1, (budgetMs - gapsLeftMs) / durationsMs);
  return round.map((fault) => ({
    ...fault,
    gapMs: Math.floor(fault.gapMs * gapScale),
    durationMs: Math.floor(fault.durationMs * durationScale),
  }));
}
