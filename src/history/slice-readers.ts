/**
 * Readers for slices: which operations and rebalances of a process decide to which assignment epoch a read belongs, and
 * what that epoch had read before it. Assign, subscribe, close and whatever was not ok (transactions apart) begin a
 * segment; within one, an epoch whose start is known is kept from there on, any other without a gap.
 */
import type { Process } from './event.ts';
import { statusOf, type SliceIndex, type SliceOperation } from './slice-index.ts';
import { fieldsOf, textIn } from './slice-values.ts';

export interface Reading {
  /** Unique for its process and segment. */
  readonly name: string;
  /** Places in the timeline: of the operation, and from where on the segment has to be kept. */
  readonly at: number;
  readonly from: number;
  /** What begins the segment, and what set the isolation level. */
  readonly changes: readonly number[];
  /** Positions of rebalances up to the end of the read. */
  readonly rebalances: readonly number[];
  /** Operations between two places of the timeline, both included. */
  between(from: number, to: number): readonly number[];
}

export interface Readers {
  segmentOf(operation: number): Reading;
  /** Positions of all rebalances of the process of an operation. */
  rebalancesOf(operation: number): readonly number[];
  /** The last subscribe of the process of a rebalance before it, if there is one. */
  subscribesBefore(position: number): readonly number[];
}

interface Timeline {
  /** Operations that read or change what is read, in order. */
  readonly operations: SliceOperation[];
  /** By place: the place at which its segment begins. */
  readonly starts: number[];
  /** Positions, in order. */
  readonly rebalances: number[];
}

export function readersOf(index: SliceIndex): Readers {
  const timelines = new Map<Process, Timeline>();
  const places = new Map<number, number>();
  for (const operation of index.operations) {
    if (typeof operation.process !== 'number' || !isOnTimeline(operation)) continue;
    const timeline = entry(timelines, operation.process);
    const place = timeline.operations.push(operation) - 1;
    timeline.starts.push(
      place === 0 || isBoundary(operation) ? place : timeline.starts[place - 1]!,
    );
    places.set(operation.id, place);
  }
  index.history.events.forEach(({ type, f, process }, position) => {
    if (type === 'event' && f === 'rebalance') entry(timelines, process).rebalances.push(position);
  });
  const timelineOf = (id: number) => entry(timelines, index.operations[id]!.process);
  return {
    segmentOf: (id) => readingAt(timelineOf(id), places.get(id)!),
    rebalancesOf: (id) => timelineOf(id).rebalances,
    subscribesBefore: (position) => {
      const { process } = index.history.events[position]!;
      const before = entry(timelines, process).operations.filter(
        ({ f, events }) => f === 'subscribe' && events[0]! < position,
      );
      return before.slice(-1).map(({ id }) => id);
    },
  };
}

function entry(timelines: Map<Process, Timeline>, process: Process): Timeline {
  let timeline = timelines.get(process);
  if (timeline === undefined) {
    timelines.set(process, (timeline = { operations: [], starts: [], rebalances: [] }));
  }
  return timeline;
}

function isOnTimeline(operation: SliceOperation): boolean {
  const { f } = operation;
  return f === 'poll' || f === 'txn' || isAssignment(operation) || statusOf(operation) !== 'ok';
}

function isAssignment({ f }: SliceOperation): boolean {
  return f === 'assign' || f === 'subscribe' || f === 'close';
}

function isBoundary(operation: SliceOperation): boolean {
  return isAssignment(operation) || (operation.f !== 'txn' && statusOf(operation) !== 'ok');
}

function readingAt({ operations, starts, rebalances }: Timeline, place: number): Reading {
  const start = starts[place]!;
  const opener = operations[start]!;
  const end = operations[place]!.events.at(-1)!;
  const before = rebalances.filter((position) => position < end);
  const knownStart = isKnownStart(opener) || before.length > 0;
  const from = knownStart || start === place ? start : place;
  return {
    name: `${opener.process} ${start}`,
    at: place,
    from,
    changes: [
      ...(isBoundary(opener) ? [opener.id] : []),
      ...isolationBefore(operations, start),
      ...(before.length > 0 ? lastSubscribe(operations, place) : []),
    ],
    rebalances: before,
    between: (low, high) => operations.slice(low, high + 1).map(({ id }) => id),
  };
}

/** The epochs that it opens begin where somebody knows. */
function isKnownStart(opener: SliceOperation): boolean {
  if (opener.f === 'subscribe') return true;
  if (opener.f !== 'assign' || statusOf(opener) === 'fail') return false;
  return fieldsOf((opener.completed ?? opener.invoked).value).get('from') !== 'end';
}

/** The assignment that set the isolation level which holds from `start` on; itself not, for it is kept anyway. */
function isolationBefore(operations: readonly SliceOperation[], start: number): readonly number[] {
  for (let place = start; place >= 0; place--) {
    const { id, f, invoked } = operations[place]!;
    if (f !== 'assign' && f !== 'subscribe') continue;
    if (textIn(invoked.value, 'isolation') === null) continue;
    if (statusOf(operations[place]!) === 'fail') continue;
    return place === start ? [] : [id];
  }
  return [];
}

function lastSubscribe(operations: readonly SliceOperation[], place: number): readonly number[] {
  const found = operations.slice(0, place + 1).findLast(({ f }) => f === 'subscribe');
  return found === undefined ? [] : [found.id];
}
