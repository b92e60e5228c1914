/** Micro-operations of jepsen.tests.kafka, `[:send key value]` and `[:poll]`, from EDN and into it. */
import type { EventType, RecordSeen, Scalar } from '../event.ts';
import { Problem } from '../problem.ts';
import { isScalar, scalarText } from '../scalar-shape.ts';
import { jsonOf, setOwn } from './json.ts';
import type { LogKeys } from './log-keys.ts';
import { expected, showEdn } from './print.ts';
import { EdnMap, InexactNumber, Keyword, itemsOf, type Edn } from './values.ts';

/** What is known of records beside their values, in the order in which the value lists them. */
type Metas = (field: string) => unknown;

/**
 * Our form of a list of micro-operations; what is wrong with what they hold, the rules of reading say.
 * @param metas `:ordeal/metas` of the operation, if there is one.
 * @throws Problem where it is no list of them.
 */
export function microsOf(
  value: Edn | undefined,
  type: EventType,
  keys: LogKeys,
  metas: Edn | undefined,
): unknown[] {
  const micros = itemsOf(value);
  if (micros === null) throw expected('value', 'a vector of micro-operations', value);
  const cursor = metas === undefined ? null : new MetaCursor(metas);
  const nextMeta: Metas = (field) => cursor?.next(field);
  const mapped = micros.map((micro, i) => microOf(micro, type, keys, nextMeta, `value[${i}]`));
  cursor?.end();
  return mapped;
}

function microOf(
  micro: Edn,
  type: EventType,
  keys: LogKeys,
  nextMeta: Metas,
  field: string,
): unknown {
  const items = itemsOf(micro);
  if (items === null) throw expected(field, 'a micro-operation, a vector', micro);
  const word = items[0] instanceof Keyword ? items[0].name : null;
  if (word === 'send') {
    if (items.length !== 3) throw expected(field, '[:send key value]', items);
    const log = keys.nameOf(items[1], `${field}[1]`);
    const sent = sentOf(items[2]!, type, `${field}[2]`);
    const meta = nextMeta(field);
    return meta === undefined ? ['send', log, sent] : ['send', log, sent, meta];
  }
  if (word === 'poll') {
    if (items.length > 2) throw expected(field, '[:poll] or [:poll {key records}]', items);
    const records = items[1] ?? null;
    // A client that got nothing may say so in either way.
    if (records === null) return type === 'ok' ? ['poll', {}] : ['poll'];
    return ['poll', recordsOf(records, keys, nextMeta, `${field}[1]`)];
  }
  throw expected(`${field}[0]`, ':send or :poll', items[0]);
}

/** A client that does not learn offsets may acknowledge the bare value. */
function sentOf(sent: Edn, type: EventType, field: string): unknown {
  const pair = itemsOf(sent);
  if (pair !== null) return pair.map((each, i) => scalarOf(each, `${field}[${i}]`));
  const value = scalarOf(sent, field);
  return type === 'ok' ? [null, value] : value;
}

function recordsOf(records: Edn, keys: LogKeys, nextMeta: Metas, field: string): unknown {
  if (!(records instanceof EdnMap)) {
    throw expected(field, 'a map from keys to vectors of records', records);
  }
  const byLog: Record<string, unknown> = {};
  for (const [key, list] of records.entries) {
    const log = keys.nameOf(key, `${field} key`);
    if (Object.hasOwn(byLog, log)) throw new Problem(field, `key ${showEdn(key)} stands twice`);
    const items = itemsOf(list);
    if (items === null) throw expected(`${field}[${showEdn(key)}]`, 'a vector of records', list);
    const place = `${field}["${log}"]`;
    setOwn(
      byLog,
      log,
      items.map((record, i) => recordOf(record, nextMeta, place, i)),
    );
  }
  return byLog;
}

function recordOf(record: Edn, nextMeta: Metas, place: string, i: number): unknown {
  const pair = itemsOf(record);
  if (pair?.length !== 2) throw expected(`${place}[${i}]`, '[offset value]', record);
  const [offset, value] = pair as readonly [Edn, Edn];
  const meta = nextMeta(place);
  // The fields are named only for what is wrong: there are very many records.
  const seen = [
    isScalar(offset) ? offset : scalarOf(offset, `${place}[${i}][0]`),
    isScalar(value) ? value : scalarOf(value, `${place}[${i}][1]`),
  ];
  return meta === undefined ? seen : [...seen, meta];
}

/** A number that no double holds becomes what the rules of reading refuse by that name. */
function scalarOf(edn: Edn, field: string): unknown {
  if (isScalar(edn)) return edn;
  if (edn instanceof InexactNumber && /^-?[0-9]/.test(edn.text)) return [[[edn.text]]];
  throw expected(field, scalarText, edn);
}

class MetaCursor {
  readonly #metas: readonly Edn[];
  #next = 0;

  constructor(metas: Edn) {
    const items = itemsOf(metas);
    if (items === null) throw expected('ordeal/metas', 'a vector of maps', metas);
    this.#metas = items;
  }

  /** Undefined where nothing is known. */
  next(field: string): unknown {
    if (this.#next >= this.#metas.length) {
      throw new Problem('ordeal/metas', `${this.#metas.length} entries, and ${field} needs more`);
    }
    const at = this.#next++;
    const meta = this.#metas[at] ?? null;
    return meta === null ? undefined : jsonOf(meta, `ordeal/metas[${at}]`);
  }

  end(): void {
    const { length } = this.#metas;
    if (this.#next !== length) {
      throw new Problem('ordeal/metas', `${length} entries for ${this.#next} sends and records`);
    }
  }
}

/** Micro-operations as Jepsen writes them, and the metas that it has no place for; null where one has no counterpart. */
export function microsToEdn(
  micros: readonly (readonly unknown[])[],
  keys: LogKeys,
): { readonly value: Edn; readonly metas: readonly unknown[] } | null {
  const metas: unknown[] = [];
  const value: Edn[] = [];
  for (const [word, subject, sent, meta] of micros) {
    if (word === 'send') {
      value.push([send, keys.keyOf(subject as string), sent as Scalar | readonly Scalar[]]);
      metas.push(meta ?? null);
    } else if (word === 'poll') {
      const records = subject as Readonly<Record<string, readonly RecordSeen[]>> | undefined;
      value.push(records === undefined ? [poll] : [poll, recordsToEdn(records, keys, metas)]);
    } else return null;
  }
  return { value, metas };
}

const send = new Keyword('send');
const poll = new Keyword('poll');

function recordsToEdn(
  records: Readonly<Record<string, readonly RecordSeen[]>>,
  keys: LogKeys,
  metas: unknown[],
): Edn {
  return new EdnMap(
    Object.entries(records).map(([log, seen]) => [
      keys.keyOf(log),
      seen.map(([offset, value, meta]) => {
        metas.push(meta ?? null);
        return [offset, value];
      }),
    ]),
  );
}
