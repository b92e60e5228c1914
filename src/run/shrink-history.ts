/**
 * Shrinks a history: the smallest slice that still shows what a judge looks for. By log, then by time, then by process, then
 * by record and operation, in chunks; what is accepted is the start of the next step. Every candidate is a closed slice, so
 * whatever the judge finds in one the whole history holds too.
 */
import type { RawHistory } from '../history/load-text.ts';
import { Slicer, type Selection } from '../history/slice.ts';
import { logsOf, type SliceIndex } from '../history/slice-index.ts';
import type { Witness } from '../spi/verdict.ts';
import { removeChunks, trimEnds } from './chunk-removal.ts';

/** True if the history still shows the anomaly. */
export type HistoryJudge = (history: RawHistory) => boolean | Promise<boolean>;

export interface ShrinkHistoryLimits {
  /** Bound of the number of candidates that are judged. */
  readonly checksMax: number;
}

export const shrinkHistoryLimits: ShrinkHistoryLimits = { checksMax: 2000 };

export interface HistorySize {
  readonly events: number;
  readonly operations: number;
  readonly records: number;
}

export interface ShrunkHistory {
  readonly history: RawHistory;
  readonly before: HistorySize;
  readonly after: HistorySize;
  /** Number of candidates judged. */
  readonly checks: number;
  /** False: the bound was reached or it was interrupted, and the history might become smaller yet. */
  readonly finished: boolean;
}

export interface ShrinkHistoryOptions {
  /** A witness of the anomaly in this history, if one is at hand: what it names is tried first. */
  readonly hint?: Witness;
  readonly limits?: ShrinkHistoryLimits;
  /** Ends it with the smallest so far. */
  readonly interrupt?: AbortSignal;
}

/**
 * @returns the history itself where no smaller one is accepted; that the judge accepts the whole is the caller's to know.
 */
export async function shrinkHistory(
  history: RawHistory,
  judge: HistoryJudge,
  options: ShrinkHistoryOptions = {},
): Promise<ShrunkHistory> {
  const shrinking = new Shrinking(history, judge, options);
  const before = sizeOf(history);
  if (options.hint !== undefined) await shrinking.accept(sliceAround(history, options.hint));
  for (const step of [byLog, byTime, byProcess]) await step(shrinking);
  for (let events = Infinity; shrinking.current.events.length < events && !shrinking.spent;) {
    events = shrinking.current.events.length;
    await byRecord(shrinking);
    await byOperation(shrinking);
  }
  return {
    history: shrinking.current,
    before,
    after: sizeOf(shrinking.current),
    checks: shrinking.checks,
    finished: !shrinking.spent,
  };
}

/** The slice of what a witness names: its operations, and of all records its own and those at its offsets. */
export function sliceAround(history: RawHistory, witness: Witness): RawHistory {
  const slicer = new Slicer(history);
  const { operations, observations } = slicer.select([
    ...witness.operations,
    ...lastEvent(history, witness),
  ]);
  const { log, value, offset, otherLog = log, otherOffset } = witness;
  const logs = [log, otherLog].filter((each) => typeof each === 'string');
  const places = [offset, otherOffset].filter((each) => typeof each === 'number');
  const own = [
    ...slicer.ownRecords(operations),
    ...logs.flatMap((each) => [
      ...(value === undefined ? [] : slicer.named([{ log: each, value }])),
      ...places.flatMap((place) => slicer.standingAt(each, place)),
    ]),
  ];
  return slicer.slice({ operations, observations, dropped: slicer.allBut(own), logs: null });
}

/** Of a witness that names a heal: how long the history went on after it is part of what it shows. */
function lastEvent({ events }: RawHistory, { operations }: Witness): readonly number[] {
  return operations.some((index) => events[index]?.f === 'heal') ? [events.length - 1] : [];
}

class Shrinking {
  current: RawHistory;
  checks = 0;
  spent = false;
  readonly #judge: HistoryJudge;
  readonly #limits: ShrinkHistoryLimits;
  readonly #interrupt: AbortSignal | null;

  constructor(history: RawHistory, judge: HistoryJudge, options: ShrinkHistoryOptions) {
    this.current = history;
    this.#judge = judge;
    this.#limits = options.limits ?? shrinkHistoryLimits;
    this.#interrupt = options.interrupt ?? null;
  }

  /** Judges a candidate; one that is accepted is where the next step begins. */
  async accept(candidate: RawHistory): Promise<boolean> {
    if (this.checks >= this.#limits.checksMax || this.#interrupt?.aborted === true) {
      this.spent = true;
      return false;
    }
    this.checks++;
    if (!(await this.#judge(candidate))) return false;
    this.current = candidate;
    return true;
  }

  /** Offers slices of the history as it is now. A slice that is no smaller than the last one is no candidate. */
  offers(): {
    readonly index: SliceIndex;
    readonly take: (part: Partial<Selection>) => Promise<boolean>;
  } {
    const slicer = new Slicer(this.current);
    const whole = { ...slicer.select(this.current.events.keys()), dropped: none, logs: null };
    let last = weightOf(this.current);
    return {
      index: slicer.index,
      take: async (part) => {
        if (this.spent) return false;
        const candidate = slicer.slice({ ...whole, ...part });
        const weight = weightOf(candidate);
        // What a closure gave back would be asked again and again.
        if (weight >= last || !(await this.accept(candidate))) return false;
        last = weight;
        return true;
      },
    };
  }
}

const none: ReadonlySet<number> = new Set();

async function byLog(shrinking: Shrinking): Promise<void> {
  const { index, take } = shrinking.offers();
  const logs = new Set(index.records.flatMap(logsOf));
  await removeChunks([...logs], (kept) => take({ logs: new Set(kept) }));
}

/** A window of what was sent. */
async function byTime(shrinking: Shrinking): Promise<void> {
  const { index, take } = shrinking.offers();
  const records = index.records.toSorted((a, b) => a.timeNs - b.timeNs).map(({ id }) => id);
  await trimEnds(records, (kept) => take({ dropped: allBut(records, kept) }));
}

async function byProcess(shrinking: Shrinking): Promise<void> {
  const { index, take } = shrinking.offers();
  const processes = [...new Set(index.operations.map(({ process }) => process))];
  await removeChunks(processes, (kept) => {
    const acting = new Set(kept);
    const operations = index.operations.filter(({ process }) => acting.has(process));
    const gone = index.operations.filter(({ process }) => !acting.has(process));
    return take({
      operations: operations.map(({ id }) => id),
      dropped: new Set(gone.flatMap(({ sent }) => sent)),
    });
  });
}

async function byRecord(shrinking: Shrinking): Promise<void> {
  const { index, take } = shrinking.offers();
  const records = index.records.map(({ id }) => id);
  await removeChunks(records, (kept) => take({ dropped: allBut(records, kept) }));
}

/** Operations and observations. */
async function byOperation(shrinking: Shrinking): Promise<void> {
  const observed = shrinking.offers();
  const positions = observed.index.history.events.keys();
  const observations = [...positions].filter((each) => observed.index.operationAt[each] === -1);
  await removeChunks(observations, (kept) => observed.take({ observations: kept }));
  const { index, take } = shrinking.offers();
  const operations = index.operations.map(({ id }) => id);
  await removeChunks(operations, (kept) => take({ operations: kept }));
}

function allBut(all: readonly number[], kept: readonly number[]): ReadonlySet<number> {
  const dropped = new Set(all);
  for (const each of kept) dropped.delete(each);
  return dropped;
}

function sizeOf(history: RawHistory): HistorySize {
  const { operations, records } = new Slicer(history).index;
  return {
    events: history.events.length,
    operations: operations.length,
    records: records.length,
  };
}

/** Events count, and so does what they hold: a record less in a scan is progress. */
function weightOf({ events }: RawHistory): number {
  return events.reduce((sum, { value }) => sum + 1 + leavesIn(value), 0);
}

function leavesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + leavesIn(each), 0);
}
