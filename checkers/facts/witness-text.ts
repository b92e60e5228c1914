/** Pieces of explanations: values, times, processes and operations as people read them. */
import { opStatus, type History, type LogColumns } from '../../src/history/columns.ts';
import type { Scalar } from '../../src/history/event.ts';
import { indexOf } from './precedence.ts';

const producerFactor = 4_294_967_296;

/** A value: built-in ones as producer and sequence (p3#17), others as JSON. */
function showValue(value: Scalar): string {
  const builtIn =
    typeof value === 'number' && Number.isSafeInteger(value) && value >= producerFactor;
  return builtIn
    ? `p${Math.floor(value / producerFactor)}#${value % producerFactor}`
    : JSON.stringify(value);
}

/** The value with that id. */
export function showValueOf(history: History, value: number): string {
  return showValue(history.values[value]!);
}

/** "p3#17 at offset 41 of orders/0". */
export function showRecord(
  history: History,
  log: LogColumns,
  offset: number,
  value: number,
): string {
  return `${showValueOf(history, value)} at offset ${offset} of ${log.name}`;
}

/** The process of an operation: "process 3", or its own name where it has one. */
export function showProcess(history: History, op: number): string {
  const process = history.processes[history.ops.process[op]!]!;
  return typeof process === 'number' ? `process ${process}` : process;
}

/** A time of the history: seconds since its start, to the microsecond and no further than needed. */
export function showTime(ns: number): string {
  return `${Number((ns / 1e9).toFixed(6))}s`;
}

/** When an operation ended, with the index of that event: "at 1.2s (event 17)". */
export function showEnd(history: History, op: number): string {
  const completed = history.ops.completeIndex[op]!;
  return completed >= 0
    ? `at ${showTime(history.ops.endNs[op]!)} (event ${completed})`
    : `never (invoked as event ${history.ops.invokeIndex[op]!})`;
}

/** What a send came to: "process 3 sent p3#17 to orders/0; it was acknowledged at 1.2s (event 17), at offset 41". */
export function showSend(history: History, log: LogColumns, row: number): string {
  const { sends } = log;
  const op = sends.op[row]!;
  const what = `${showProcess(history, op)} sent ${showValueOf(history, sends.value[row]!)} to ${log.name}`;
  const offset = sends.offset[row]!;
  const place = offset >= 0 ? `, at offset ${offset}` : ', without an offset';
  switch (history.ops.status[op]) {
    case opStatus.ok:
      return `${what}, acknowledged ${showEnd(history, op)}${place}`;
    case opStatus.fail:
      return `${what}, which failed ${showEnd(history, op)}`;
    case opStatus.info:
      return `${what}, with uncertain outcome ${showEnd(history, op)}`;
    default:
      return `${what} (event ${indexOf(history, op)}) and never learned the outcome`;
  }
}
