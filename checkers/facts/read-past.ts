/**
 * Readers that went past an offset: an assignment epoch that began at or below it (by its assignment, or by a record that
 * it read there) and read a higher one. What nobody saw although a reader went past it was not there.
 */
import type { History, LogColumns } from '../../src/history/columns.ts';
import { assignmentEpochs } from './epochs.ts';
import { precedes, precedesEvent } from './precedence.ts';
import { hasRetention } from './topics.ts';

/**
 * @returns the last operation of a reader that went past `offset`, after the send in row `send` of the log had begun, or
 * -1.
 */
export type ReadPast = (offset: number, send: number) => number;

interface Reader {
  /** Everything from here on would have been read. */
  readonly low: number;
  readonly high: number;
  /** Row of its last read. */
  readonly last: number;
}

/** Linear to build; a question costs the readers that began below the offset. */
export function readPastOf(history: History, log: LogColumns): ReadPast {
  const { epochs, epochOf, previous } = assignmentEpochs(history)[log.id]!;
  const { reads } = log;
  const count = epochs.length;
  const last = new Int32Array(count).fill(-1);
  const high = new Float64Array(count).fill(-1);
  const least = new Float64Array(count).fill(Infinity);
  // By row: the least offset that its epoch read before it.
  const lowBefore = new Float64Array(reads.count);
  for (let row = 0; row < reads.count; row++) {
    const epoch = epochOf[row]!;
    lowBefore[row] = least[epoch]!;
    least[epoch] = Math.min(least[epoch]!, reads.offset[row]!);
    high[epoch] = Math.max(high[epoch]!, reads.offset[row]!);
    last[epoch] = row;
  }
  const readers: Reader[] = [];
  epochs.forEach(({ readBefore }, epoch) => {
    const low = Math.min(readBefore === null ? Infinity : readBefore + 1, least[epoch]!);
    if (last[epoch]! >= 0) readers.push({ low, high: high[epoch]!, last: last[epoch]! });
  });
  readers.sort((a, b) => a.low - b.low);
  const begunBelow = (row: number, offset: number): boolean => {
    const { readBefore } = epochs[epochOf[row]!]!;
    return (readBefore !== null && readBefore < offset) || lowBefore[row]! < offset;
  };
  return (offset, send) => {
    const start = startKnown(history, log, offset);
    if (start === null) return -1;
    const begun = {
      ns: log.sends.invNs[send]!,
      index: log.sends.recordedIndex[send]!,
      process: history.ops.process[log.sends.op[send]!]!,
    };
    for (let i = 0; i < readers.length && readers[i]!.low <= offset; i++) {
      if (readers[i]!.high <= offset) continue;
      for (let row = readers[i]!.last; row >= 0; row = previous[row]!) {
        const op = reads.op[row]!;
        if (precedesEvent(history, op, begun)) break;
        if (reads.offset[row]! > offset && begunBelow(row, offset) && start(op)) return op;
      }
    }
    return -1;
  };
}

/**
 * Tells of an operation whether the log start was certainly no higher than the offset when it had ended; null where that is
 * so of none.
 */
function startKnown(
  history: History,
  log: LogColumns,
  offset: number,
): ((op: number) => boolean) | null {
  const lower = log.audits.filter(({ start }) => start <= offset);
  if (lower.length === log.audits.length && !hasRetention(history)) return () => true;
  const last = lower.toSorted((a, b) => a.op - b.op).at(-1);
  return last === undefined ? null : (op) => precedes(history, op, last.op);
}
