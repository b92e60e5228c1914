/**
 * Which of two operations came first. Across processes: by time, strictly, with the clock's error on both sides. Within
 * one process: by program order, whatever the clock's error is.
 */
import { opStatus, type History } from '../../src/history/columns.ts';

/** The header's clock error, ns. */
export function clockErrorNs(history: History): number {
  return history.header.clock?.errorNs ?? 0;
}

/** Operation `a` had ended (whatever its outcome) before operation `b` was invoked. */
export function precedes(history: History, a: number, b: number): boolean {
  const { ops } = history;
  if (ops.endNs[a]! + 2 * clockErrorNs(history) < ops.invNs[b]!) return true;
  return ops.process[a] === ops.process[b] && endedBy(history, a, ops.invokeIndex[b]!);
}

/** Operation `a` had ended before something of process `process` that was recorded at `ns` as event `index`. */
export function precedesEvent(
  history: History,
  a: number,
  event: { readonly ns: number; readonly index: number; readonly process: number },
): boolean {
  const { ops } = history;
  if (ops.endNs[a]! + 2 * clockErrorNs(history) < event.ns) return true;
  return ops.process[a] === event.process && endedBy(history, a, event.index);
}

/** The index by which witnesses name an operation: of its completion, of the invocation where there is none. */
export function indexOf(history: History, op: number): number {
  const completed = history.ops.completeIndex[op]!;
  return completed >= 0 ? completed : history.ops.invokeIndex[op]!;
}

export function isAcknowledged(history: History, op: number): boolean {
  return history.ops.status[op] === opStatus.ok;
}

function endedBy(history: History, op: number, index: number): boolean {
  const completed = history.ops.completeIndex[op]!;
  return completed >= 0 && completed < index;
}
