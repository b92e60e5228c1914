/**
 * Writes a history as EDN, one operation per line: what jepsen.tests.kafka knows in its own words, and beside it, under
 * `:ordeal/…`, whatever else is needed to get the same events back. Each operation is read again before it is written; where
 * that gives another event, it carries its event whole.
 */
import { OrdealError } from '../../core/errors.ts';
import type { AssignValue, Header, HistoryEvent, MicroOp } from '../event.ts';
import { Problem } from '../problem.ts';
import { isObject } from '../scalar-shape.ts';
import { eventLine } from '../write.ts';
import { ednOf, looseEdnOf } from './json.ts';
import { LogKeys } from './log-keys.ts';
import { microsToEdn } from './micro-operations.ts';
import { decodeOperation, type Draft } from './operation.ts';
import { printEdn } from './print.ts';
import { EdnMap, Keyword, type Edn } from './values.ts';

type Entry = readonly [Keyword, Edn];

/** The lines of the file, each with its newline. @throws OrdealError BAD_HISTORY for what is nested too deeply for EDN. */
export function* ednLines(
  header: Header,
  events: readonly HistoryEvent[],
): Generator<string, void, undefined> {
  const keys = LogKeys.of(events);
  const placed = placedSends(events);
  const first: Entry[] = [
    entry('ordeal/header', ednOf(header)),
    entry('ordeal/logs', keys.toEdn()),
  ];
  if (events.length === 0) {
    yield lineOf([...emptyOperation, ...first, entry('ordeal/empty', true)], 'the header');
  }
  for (const event of events) {
    const more = event.index === 0 ? first : [];
    const what = `event ${event.index}`;
    yield lineOf([...naming(what, () => encode(event, keys, placed)), ...more], what);
  }
}

function lineOf(entries: readonly Entry[], what: string): string {
  return `${naming(what, () => printEdn(new EdnMap(entries)))}\n`;
}

function naming<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw new OrdealError(
      'BAD_HISTORY',
      `${what}: ${problem.text}`,
      'EDN cannot hold it: keep this history as JSONL',
    );
  }
}

const keywords = new Map<string, Keyword>();

function keyword(name: string): Keyword {
  let known = keywords.get(name);
  if (known === undefined) keywords.set(name, (known = new Keyword(name)));
  return known;
}

function entry(name: string, value: Edn): Entry {
  return [keyword(name), value];
}

const emptyOperation: readonly Entry[] = [
  entry('index', 0),
  entry('time', 0),
  entry('process', keyword('nemesis')),
  entry('type', keyword('info')),
  entry('f', keyword('ordeal/header')),
  entry('value', null),
];

function encode(event: HistoryEvent, keys: LogKeys, placed: PlacedSends): readonly Entry[] {
  const entries = clientEntries(event, keys, placed) ?? observationEntries(event);
  const { event: again } = decodeAgain(entries, keys);
  if (again !== null && eventLine(again) === eventLine(event)) return entries;
  // The metas would be there twice.
  const bare = entries.filter(([{ name }]) => !name.startsWith('ordeal/'));
  // Index and time stand in every operation.
  const whole = { ...event, index: undefined, time: undefined };
  return [...bare, entry('ordeal/event', ednOf(whole))];
}

function decodeAgain(entries: readonly Entry[], keys: LogKeys): { readonly event: Draft | null } {
  try {
    return decodeOperation(new EdnMap(entries), keys);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { event: null };
  }
}

/** Null for what no client of jepsen.tests.kafka does. */
function clientEntries(
  event: HistoryEvent,
  keys: LogKeys,
  placed: PlacedSends,
): readonly Entry[] | null {
  const { process, type, session, txn, origin } = event;
  if (typeof process !== 'number' || type === 'event') return null;
  const value = clientValue(event, keys, placed);
  if (value === null) return null;
  const { f: renamed, ...rest } = jepsenOf(event);
  return [
    ...placeOf(event),
    entry('process', process),
    entry('type', keyword(type)),
    entry('f', keyword(typeof renamed === 'string' ? renamed : event.f)),
    ...value,
    ...errorOf(event),
    ...restEntries(rest),
    ...(session === undefined ? [] : [entry('ordeal/session', session)]),
    ...(txn === undefined ? [] : [entry('ordeal/txn', ednOf(txn))]),
    ...(origin === undefined ? [] : [entry('ordeal/origin', origin)]),
  ];
}

function clientValue(
  event: HistoryEvent,
  keys: LogKeys,
  placed: PlacedSends,
): readonly Entry[] | null {
  const { f, value } = event;
  switch (f) {
    case 'send':
    case 'poll':
    case 'txn': {
      if (value === undefined || value === null) return noValue(value);
      const micros = microsToEdn(placed.get(event) ?? (value as readonly MicroOp[]), keys);
      if (micros === null) return null;
      const { metas } = micros;
      const isBare = metas.every((meta) => meta === null);
      return [
        entry('value', micros.value),
        ...(isBare ? [] : [entry('ordeal/metas', ednOf(metas))]),
      ];
    }
    case 'assign': {
      if (value === undefined || value === null) return noValue(value);
      const { logs, from } = value as AssignValue;
      return [
        entry('value', keysOf(logs, keys)),
        ...(from === 'beginning' ? [entry('seek-to-beginning?', true)] : []),
      ];
    }
    case 'subscribe': {
      if (value === undefined || value === null) return noValue(value);
      // Topics have no keys; a test of Jepsen's names its logs besides.
      const { logs } = value as { readonly logs?: unknown };
      const isKnown = Array.isArray(logs) && logs.every((log) => keys.has(log));
      return [entry('value', isKnown ? keysOf(logs as readonly string[], keys) : [])];
    }
    default:
      return null;
  }
}

function noValue(value: null | undefined): readonly Entry[] {
  return value === null ? [entry('value', null)] : [];
}

function keysOf(logs: readonly string[], keys: LogKeys): Edn {
  return logs.map((log) => keys.keyOf(log));
}

/** To Jepsen these are deeds of the nemesis, which its checker of queues passes over. */
function observationEntries(event: HistoryEvent): readonly Entry[] {
  const { process, type, f, value } = event;
  const { type: said, ...rest } = jepsenOf(event);
  const isTheirs = type === 'event' && typeof said === 'string';
  if (!isTheirs) {
    return [
      ...placeOf(event),
      entry('process', keyword('nemesis')),
      entry('type', keyword('info')),
      entry('f', nameKeyword(f)),
      entry('value', null),
    ];
  }
  return [
    ...placeOf(event),
    entry('process', typeof process === 'number' ? process : nameKeyword(process)),
    entry('type', nameKeyword(said)),
    entry('f', nameKeyword(f.replace(/^jepsen:/, ''))),
    ...(value === undefined ? [] : [entry('value', looseEdnOf(value))]),
    ...errorOf(event),
    ...restEntries(rest),
  ];
}

const plainName = /^[A-Za-z*!_?$%&<>=+.-][\w*!?$%&<>=+./-]*$/;

function nameKeyword(name: string): Keyword {
  return keyword(plainName.test(name) ? name : 'unnamed');
}

function placeOf({ index, time }: HistoryEvent): readonly Entry[] {
  return [entry('index', index), entry('time', time)];
}

/** `[:CODE "message"]`, as Jepsen's clients write what they could make something of. */
function errorOf({ error }: HistoryEvent): readonly Entry[] {
  if (error === undefined) return [];
  const { code, message } = error;
  return [entry('error', [plainName.test(code) ? keyword(code) : code, message])];
}

function jepsenOf(event: HistoryEvent): Readonly<Record<string, unknown>> {
  const { jepsen } = event as { readonly jepsen?: unknown };
  return isObject(jepsen) ? jepsen : {};
}

/** Keys that an operation has anyway cannot stand for something else. */
const ownKeys = new Set(['index', 'time', 'process', 'type', 'f', 'value', 'error']);

function restEntries(rest: Readonly<Record<string, unknown>>): readonly Entry[] {
  return Object.entries(rest)
    .filter(([name]) => plainName.test(name) && !ownKeys.has(name) && !name.startsWith('ordeal/'))
    .map(([name, value]) => entry(name, looseEdnOf(value)));
}

/** Invocations whose sends name the topic alone, with the logs that their completions name. */
type PlacedSends = ReadonlyMap<HistoryEvent, readonly MicroOp[]>;

/** Jepsen knows no send without a key: one that the client placed gets the key of where it went. */
function placedSends(events: readonly HistoryEvent[]): PlacedSends {
  const placed = new Map<HistoryEvent, readonly MicroOp[]>();
  const open = new Map<unknown, HistoryEvent>();
  for (const event of events) {
    const { process, type, f, value } = event;
    if (typeof process !== 'number' || type === 'event' || !(f === 'send' || f === 'txn')) continue;
    const micros = (value ?? []) as readonly MicroOp[];
    if (type === 'invoke') {
      if (micros.some(namesTopic)) open.set(process, event);
      continue;
    }
    const invoked = open.get(process);
    open.delete(process);
    if (invoked === undefined) continue;
    const logs = new Map(micros.flatMap((micro) => placeIn(micro)));
    placed.set(
      invoked,
      (invoked.value as readonly MicroOp[]).map((micro) => {
        const log = namesTopic(micro) ? logs.get(micro[2]) : undefined;
        return log === undefined ? micro : (['send', log, micro[2]] as MicroOp);
      }),
    );
  }
  return placed;
}

function namesTopic(micro: MicroOp): boolean {
  return micro[0] === 'send' && !micro[1].includes('/');
}

function placeIn(micro: MicroOp): readonly (readonly [unknown, string])[] {
  if (micro[0] !== 'send') return [];
  return [[Array.isArray(micro[2]) ? (micro[2] as readonly unknown[])[1] : micro[2], micro[1]]];
}
