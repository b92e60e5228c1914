/** What an operation recorded on its way: attempts of sends, of offsets, of the commit. */
import { Memo } from '../../src/core/memo.ts';
import { opKinds, type History } from '../../src/history/columns.ts';
import type { HistoryEvent } from '../../src/history/event.ts';
import { lowestWhere } from './search.ts';

const known = new Memo<History, ReadonlyMap<number, readonly HistoryEvent[]>>();

/** By transaction: its attempt events, in order. Linear, but for a search per event; computed once per history. */
export function attemptsByOperation(
  history: History,
): ReadonlyMap<number, readonly HistoryEvent[]> {
  return known.of(history, gather);
}

/** The micro-operations of an event. */
export function microsOf(event: HistoryEvent | null): readonly (readonly unknown[])[] {
  const value = event?.value;
  return Array.isArray(value) ? (value as readonly (readonly unknown[])[]) : [];
}

/** An attempt is of the operation that was open in its process. */
function gather(history: History): ReadonlyMap<number, readonly HistoryEvent[]> {
  const attempts = new Map<number, HistoryEvent[]>();
  const events = history.observations.filter(({ f }) => f === 'attempt');
  if (events.length === 0) return attempts;
  const { ops } = history;
  const positions = new Map(history.processes.map((process, position) => [process, position]));
  const byProcess = new Map<number, number[]>();
  ops.kind.forEach((kind, op) => {
    if (kind !== opKinds.txn) return;
    const list = byProcess.get(ops.process[op]!);
    if (list === undefined) byProcess.set(ops.process[op]!, [op]);
    else list.push(op);
  });
  for (const event of events) {
    const own = byProcess.get(positions.get(event.process)!) ?? [];
    const op = own[countBefore(own, ops.invokeIndex, event.index) - 1];
    if (op === undefined) continue;
    const list = attempts.get(op);
    if (list === undefined) attempts.set(op, [event]);
    else list.push(event);
  }
  return attempts;
}

/** How many of `list`, in order of invocation, were invoked before event `index`. */
export function countBefore(
  list: readonly number[],
  invokeIndex: Float64Array,
  index: number,
): number {
  return lowestWhere(list.length, (position) => invokeIndex[list[position]!]! >= index);
}
