/**
 * The certifier's own reading of a history: operations, sends and sights as plain objects, straight from the events. It
 * shares nothing with the loader's columns, so that a mistake there cannot hide here. Memory is no concern.
 */
import type {
  AuditView,
  Header,
  HistoryEvent,
  Meta,
  Process,
  Scalar,
} from '../../src/history/event.ts';

export interface Operation {
  readonly f: string;
  readonly process: Process;
  readonly session: string;
  /** An invocation without completion counts as info. */
  readonly status: 'ok' | 'fail' | 'info';
  readonly invoke: HistoryEvent;
  readonly complete: HistoryEvent | null;
  readonly attempts: readonly HistoryEvent[];
  /** Time of the invocation, ns. */
  readonly inv: number;
  /** Time of the completion whatever its type, ns; Infinity without one. */
  readonly end: number;
}

/** One send micro-operation. */
export interface Send {
  readonly op: Operation;
  readonly topic: string;
  /** Null while nobody said which partition it went to. */
  readonly log: string | null;
  /** The invocation named the topic alone. */
  readonly topicOnly: boolean;
  readonly value: Scalar;
  readonly meta: Meta;
  /** As its completion gave it. */
  readonly offset: number | null;
  /** When it was recorded first: invocation or attempt, ns, and the index of that event. */
  readonly inv: number;
  readonly recorded: number;
  /** Position in its operation. */
  readonly place: number;
}

/** One record that a reader or an audit saw. */
export interface Sight {
  readonly op: Operation;
  readonly by: 'poll' | 'committed' | 'uncommitted';
  readonly log: string;
  readonly offset: number;
  readonly value: Scalar;
  readonly meta: Meta;
  /** When it had been seen at the latest: the completion's time, ns. */
  readonly end: number;
  /** Position among what its operation saw. */
  readonly place: number;
}

export interface Replay {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
  readonly errorNs: number;
  readonly operations: readonly Operation[];
  readonly sends: readonly Send[];
  readonly sights: readonly Sight[];
  readonly sendsByValue: ReadonlyMap<Scalar, readonly Send[]>;
  readonly sightsByValue: ReadonlyMap<Scalar, readonly Sight[]>;
  readonly sightsByOperation: ReadonlyMap<Operation, readonly Sight[]>;
  readonly sendsByOperation: ReadonlyMap<Operation, readonly Send[]>;
  /** By the index that a witness names: of the completion, or of the invocation where there is none. */
  readonly operationByIndex: ReadonlyMap<number, Operation>;
}

const replays = new WeakMap<readonly HistoryEvent[], Replay>();

/** Reads the events once; the same array gives the same replay. */
export function replayOf(header: Header, events: readonly HistoryEvent[]): Replay {
  const known = replays.get(events);
  if (known?.header === header) return known;
  const operations = readOperations(events);
  const sends = operations.flatMap(readSends);
  const sights = operations.flatMap(readSights);
  const replay: Replay = {
    header,
    events,
    errorNs: header.clock?.errorNs ?? 0,
    operations,
    sends,
    sights,
    sendsByValue: groupBy(sends, (send) => send.value),
    sightsByValue: groupBy(sights, (sight) => sight.value),
    sightsByOperation: groupBy(sights, (sight) => sight.op),
    sendsByOperation: groupBy(sends, (send) => send.op),
    operationByIndex: new Map(operations.map((op) => [(op.complete ?? op.invoke).index, op])),
  };
  replays.set(events, replay);
  return replay;
}

/** Items by what `keyOf` says, in their order. */
export function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Operations whose completion (or invocation, where there is none) the witness lists. */
export function namedOperations(
  replay: Replay,
  indexes: readonly number[],
): readonly Operation[] | null {
  const named = indexes.map((index) => replay.operationByIndex.get(index));
  return named.every((op) => op !== undefined) ? named : null;
}

export function sameValue(a: Scalar, b: Scalar): boolean {
  return a === b;
}

export function topicOf(log: string): string {
  const slash = log.lastIndexOf('/');
  return slash > 0 && /^\d+$/.test(log.slice(slash + 1)) ? log.slice(0, slash) : log;
}

export function isCompacted(replay: Replay, log: string): boolean {
  return replay.header.topics?.[topicOf(log)]?.cleanup?.includes('compact') ?? false;
}

export function isExternal(replay: Replay, log: string): boolean {
  return replay.header.topics?.[topicOf(log)]?.writers === 'external';
}

/** Absent acks permit nothing, so they count as all. */
export function acksAll(replay: Replay): boolean {
  const acks = replay.header.config?.['acks'];
  return acks === undefined || ['all', '-1', -1].includes(acks as string | number);
}

/** An event that bounds an operation. */
export interface Point {
  /** ns; Infinity where nothing was recorded. */
  readonly time: number;
  readonly process: Process;
  readonly index: number;
}

/** What ended at `end` precedes what was invoked at `inv`, whatever the clock's error did. */
export function precedes(replay: Replay, end: Point, inv: Point): boolean {
  if (end.process === inv.process && typeof end.process === 'number') {
    return end.index < inv.index;
  }
  return end.time + replay.errorNs < inv.time - replay.errorNs;
}

export function endPoint(op: Operation): Point {
  return {
    time: op.end,
    process: op.process,
    index: op.complete === null ? Infinity : op.complete.index,
  };
}

export function startPoint(op: Operation): Point {
  return { time: op.inv, process: op.process, index: op.invoke.index };
}

/** A send may be recorded by an attempt in the middle of its operation. */
export function recordedPoint(send: Send): Point {
  return { time: send.inv, process: send.op.process, index: send.recorded };
}

/** Sends that `log` may hold under `value`: those that named it, and those that left the partition to the client. */
export function writersOf(replay: Replay, log: string, value: Scalar): readonly Send[] {
  const topic = topicOf(log);
  const sent = replay.sendsByValue.get(value) ?? [];
  return sent.filter((send) => (send.topicOnly ? send.topic === topic : send.log === log));
}

/** Sights of `value` in `log`. */
export function sightsOf(replay: Replay, log: string, value: Scalar): readonly Sight[] {
  return (replay.sightsByValue.get(value) ?? []).filter((sight) => sight.log === log);
}

function readOperations(events: readonly HistoryEvent[]): readonly Operation[] {
  interface Draft {
    readonly invoke: HistoryEvent;
    complete: HistoryEvent | null;
    readonly attempts: HistoryEvent[];
  }
  const drafts: Draft[] = [];
  const open = new Map<Process, Draft>();
  for (const event of events) {
    const current = open.get(event.process);
    if (event.type === 'invoke') {
      const draft: Draft = { invoke: event, complete: null, attempts: [] };
      drafts.push(draft);
      open.set(event.process, draft);
    } else if (event.type === 'event') {
      if (event.f === 'attempt' && current !== undefined) current.attempts.push(event);
    } else if (current !== undefined) {
      current.complete = event;
    }
  }
  return drafts.map(({ invoke, complete, attempts }) => ({
    f: invoke.f,
    process: invoke.process,
    session: invoke.session ?? `process ${JSON.stringify(invoke.process)}`,
    status: complete?.type === 'ok' || complete?.type === 'fail' ? complete.type : 'info',
    invoke,
    complete,
    attempts,
    inv: invoke.time,
    end: complete?.time ?? Infinity,
  }));
}

function micros(event: HistoryEvent | null): readonly (readonly unknown[])[] {
  const value = event?.value;
  return Array.isArray(value) ? value.filter((micro) => Array.isArray(micro)) : [];
}

function readSends(op: Operation): readonly Send[] {
  if (op.f !== 'send' && op.f !== 'txn') return [];
  const completed = micros(op.complete).filter((micro) => micro[0] === 'send');
  const sends: Send[] = [];
  for (const event of [op.invoke, ...op.attempts]) {
    for (const micro of micros(event)) {
      if (micro[0] !== 'send' || Array.isArray(micro[2])) continue;
      const named = micro[1] as string;
      const value = micro[2] as Scalar;
      const topicOnly = topicOf(named) === named;
      const answer = completed.find(
        (done) =>
          (topicOnly ? topicOf(done[1] as string) : done[1]) === named &&
          sameValue(valueOf(done[2]), value),
      );
      const log = answer === undefined ? named : (answer[1] as string);
      sends.push({
        op,
        topic: topicOf(named),
        log: topicOf(log) === log ? null : log,
        topicOnly,
        value,
        meta: { ...(micro[3] as Meta | undefined), ...(answer?.[3] as Meta | undefined) },
        offset: Array.isArray(answer?.[2]) ? (answer[2][0] as number | null) : null,
        inv: event.time,
        recorded: event.index,
        place: sends.length,
      });
    }
  }
  return sends;
}

function valueOf(third: unknown): Scalar {
  return (Array.isArray(third) ? third[1] : third) as Scalar;
}

function readSights(op: Operation): readonly Sight[] {
  if (op.complete === null) return [];
  if (op.f === 'audit') return op.status === 'ok' ? auditSights(op) : [];
  if (op.f !== 'poll' && op.f !== 'txn') return [];
  const sights: Sight[] = [];
  for (const micro of micros(op.complete)) {
    if (micro[0] !== 'poll' || micro[1] === undefined) continue;
    for (const [log, records] of Object.entries(micro[1] as Record<string, unknown>)) {
      for (const record of records as readonly (readonly unknown[])[]) {
        sights.push(sight(op, 'poll', log, record, sights.length));
      }
    }
  }
  return sights;
}

function auditSights(op: Operation): readonly Sight[] {
  const value = op.complete?.value as {
    readonly log: string;
    readonly view: AuditView;
    readonly records?: readonly (readonly unknown[])[];
  };
  // A raw chunk holds batches, and no records.
  const by = value.view as Sight['by'];
  return (value.records ?? []).map((record, place) => sight(op, by, value.log, record, place));
}

function sight(
  op: Operation,
  by: Sight['by'],
  log: string,
  record: readonly unknown[],
  place: number,
): Sight {
  return {
    op,
    by,
    log,
    offset: record[0] as number,
    value: record[1] as Scalar,
    meta: (record[2] as Meta | undefined) ?? {},
    end: op.end,
    place,
  };
}
