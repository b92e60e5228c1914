/** One operation of an EDN history as an event of ours. What it means among the others, sequence.ts decides. */
import type { HistoryEvent, OperationError } from '../event.ts';
import { checkEvent } from '../event-shape.ts';
import { isCount, naturalText } from '../scalar-shape.ts';
import { jsonOf, jsonTwiceOf, looseJsonOf, setOwn } from './json.ts';
import { jepsenTopic, type LogKeys } from './log-keys.ts';
import { microsOf } from './micro-operations.ts';
import { expected, printEdn } from './print.ts';
import { EdnMap, EdnSymbol, Keyword, itemsOf, type Edn } from './values.ts';

/** An event whose place in the history is not settled yet. */
export type Draft = { -readonly [field in keyof HistoryEvent]: HistoryEvent[field] } & {
  /** What jepsen.tests.kafka says besides; ignored by checkers. */
  jepsen?: Record<string, unknown>;
};

export interface DecodedOperation {
  /** `index` and `time` are 0 where the operation has none. */
  readonly event: Draft;
  /** The event for the rules of reading, if it holds numbers that no double holds. */
  readonly judged: Draft | null;
  readonly hasIndex: boolean;
  readonly hasTime: boolean;
  /** Values of `rebalance` events, in order; null where the client says nothing of rebalances. */
  readonly rebalances: readonly unknown[] | null;
}

/** What clients of jepsen.tests.kafka do that our format has too. */
const clientFunctions = new Set(['send', 'poll', 'txn', 'assign', 'subscribe']);
/** Other functions of jepsen.tests.kafka: observations that keep their names. */
const knownObservations = new Set(['crash', 'debug-topic-partitions']);
const observationPrefix = 'jepsen:';
/** The consumer group of all subscribers: a Jepsen test has one. */
const group = 'jepsen';

const types = new Set(['invoke', 'ok', 'fail', 'info']);

/** @throws Problem naming the field. */
export function decodeOperation(operation: EdnMap, keys: LogKeys): DecodedOperation {
  const index = countOf(operation, 'index', naturalText);
  const time = countOf(operation, 'time', `integer nanoseconds, ${naturalText}`);
  const place = { index: index ?? 0, time: time ?? 0 };
  const [hasIndex, hasTime] = [index !== null, time !== null];
  const whole = operation.get('ordeal/event');
  if (whole !== undefined) {
    const { event, judged } = exactEvent(whole, place);
    return { event, judged, hasIndex, hasTime, rebalances: null };
  }
  const event = naturalEvent(operation, keys, place);
  const rebalances = event.type === 'event' ? null : rebalancesOf(operation, keys);
  return { event, judged: null, hasIndex, hasTime, rebalances };
}

interface Place {
  readonly index: number;
  readonly time: number;
}

function countOf(operation: EdnMap, name: string, what: string): number | null {
  const value = operation.get(name) ?? null;
  if (value === null) return null;
  if (!isCount(value)) throw expected(name, what, value);
  return value;
}

/** An event that EDN has no other form for, as JSON in EDN. */
function exactEvent(whole: Edn, place: Place): Pick<DecodedOperation, 'event' | 'judged'> {
  if (!(whole instanceof EdnMap)) throw expected('ordeal/event', 'a map', whole);
  const { kept, judged } = jsonTwiceOf(whole, 'ordeal/event');
  const placed = (fields: unknown): Draft => ({ ...(fields as object), ...place }) as Draft;
  // At once, and not only in its place: whoever finds that place relies on its form.
  checkEvent(placed(judged));
  return { event: placed(kept), judged: kept === judged ? null : placed(judged) };
}

function naturalEvent(operation: EdnMap, keys: LogKeys, { index, time }: Place): Draft {
  const process = processOf(operation.get('process'));
  const said = typeOf(operation.get('type'));
  const name = functionOf(operation.get('f'));
  const isClient = typeof process === 'number' && clientFunctions.has(name);
  const given = operation.get('value');
  const type = isClient ? said : 'event';
  const f = isClient || knownObservations.has(name) ? name : `${observationPrefix}${name}`;
  const value = isClient ? clientValue(operation, f, said, keys) : looseValue(given);
  const event: Draft = { index, time, process, type, f, value };
  // A field that is there without a value would be told from one that is not there.
  if (value === undefined) delete (event as { value?: unknown }).value;
  addRest(event, operation, isClient ? null : said);
  return event;
}

/** All but the six fields that every event has. */
function addRest(event: Draft, operation: EdnMap, observed: string | null): void {
  const session = carried(operation, 'ordeal/session');
  if (session !== undefined) event.session = session as string;
  const error = operation.get('error') ?? null;
  if (error !== null) event.error = errorOf(error);
  const txn = carried(operation, 'ordeal/txn');
  if (txn !== undefined) event.txn = txn as NonNullable<HistoryEvent['txn']>;
  const origin = carried(operation, 'ordeal/origin');
  if (origin !== undefined) event.origin = origin as number;
  const rest = restOf(operation, observed);
  if (rest !== null) event.jepsen = rest;
}

function carried(operation: EdnMap, name: string): unknown {
  const value = operation.get(name);
  return value === undefined ? undefined : jsonOf(value, name);
}

function looseValue(value: Edn | undefined): unknown {
  return value === undefined ? undefined : looseJsonOf(value);
}

function processOf(process: Edn | undefined): number | string {
  if (process instanceof Keyword) return process.name;
  if (isCount(process) || (typeof process === 'string' && process !== '')) return process;
  throw expected('process', 'an integer in [0, 2^53) or a keyword', process);
}

function typeOf(type: Edn | undefined): 'invoke' | 'ok' | 'fail' | 'info' {
  const name = type instanceof Keyword ? type.name : null;
  if (name === null || !types.has(name))
    throw expected('type', ':invoke, :ok, :fail or :info', type);
  return name as 'invoke' | 'ok' | 'fail' | 'info';
}

function functionOf(f: Edn | undefined): string {
  if (f instanceof Keyword || f instanceof EdnSymbol) return f.name;
  if (typeof f === 'string') return f;
  // A nemesis may have none.
  if (f === undefined || f === null) return 'nil';
  throw expected('f', 'a keyword', f);
}

function clientValue(
  operation: EdnMap,
  f: string,
  type: 'invoke' | 'ok' | 'fail' | 'info',
  keys: LogKeys,
): unknown {
  const value = operation.get('value');
  if (value === undefined) return undefined;
  if (value === null && (type === 'fail' || type === 'info')) return null;
  if (f === 'assign' || f === 'subscribe') {
    const logs = logsOf(value, 'value', keys);
    if (f === 'subscribe') return { group, topics: topicsOf(logs), logs };
    const fromStart = operation.get('seek-to-beginning?') ?? false;
    // Elsewhere a consumer starts where its group has committed, and Jepsen's clients record no commit.
    return { logs, from: fromStart === false ? {} : 'beginning' };
  }
  return microsOf(value, type, keys, operation.get('ordeal/metas'));
}

function logsOf(value: Edn | undefined, field: string, keys: LogKeys): string[] {
  const items = itemsOf(value);
  if (items === null) throw expected(field, 'a vector of keys', value);
  return items.map((key, i) => keys.nameOf(key, `${field}[${i}]`));
}

function topicsOf(logs: readonly string[]): string[] {
  return [...new Set(logs.map((log) => log.split('/')[0] ?? jepsenTopic))];
}

/**
 * What each entry of a rebalance log took away or gave. Where a subscriber goes on is where its group has committed, which
 * is not recorded: so every entry ends the epochs of its keys, and opens none.
 */
function rebalancesOf(operation: EdnMap, keys: LogKeys): readonly unknown[] | null {
  const log = operation.get('rebalance-log') ?? null;
  if (log === null) return null;
  const entries = itemsOf(log);
  if (entries === null) throw expected('rebalance-log', 'a vector of maps', log);
  return entries.map((entry, i) => {
    const field = `rebalance-log[${i}]`;
    if (!(entry instanceof EdnMap)) throw expected(field, 'a map', entry);
    const revoked = [...new Set(logsOf(entry.get('keys'), `${field}.keys`, keys))];
    return { revoked, jepsen: looseJsonOf(entry) };
  });
}

const consumed = new Set([
  ...['index', 'time', 'process', 'type', 'f', 'value', 'error', 'seek-to-beginning?'],
]);

/** All that has no place in our format, or null if there is nothing. */
function restOf(operation: EdnMap, type: string | null): Record<string, unknown> | null {
  let rest: Record<string, unknown> | null = type === null ? null : { type };
  for (const [key, value] of operation.entries) {
    const name = key instanceof Keyword ? key.name : printEdn(key);
    if (consumed.has(name) || name.startsWith('ordeal/')) continue;
    setOwn((rest ??= {}), name, looseJsonOf(value));
  }
  return rest;
}

/** Clients write errors as they like: a keyword, a keyword with words, a text, anything. */
function errorOf(error: Edn): OperationError {
  if (error instanceof Keyword) return { code: error.name, message: error.name };
  if (typeof error === 'string') return { code: 'error', message: error };
  const items = itemsOf(error);
  if (items?.[0] instanceof Keyword) {
    const [{ name: code }, ...rest] = items as readonly [Keyword, ...Edn[]];
    const message = rest.map((each) => (typeof each === 'string' ? each : printEdn(each)));
    return { code, message: message.join(' ') };
  }
  const type = error instanceof EdnMap ? error.get('type') : undefined;
  return { code: type instanceof Keyword ? type.name : 'error', message: printEdn(error) };
}
