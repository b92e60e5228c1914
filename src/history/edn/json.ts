/**
 * JSON in EDN and EDN in JSON. What Ordeal carries through an EDN file under `:ordeal/…` is JSON written as EDN: maps with
 * strings for keys. What a Jepsen test carries beside what is judged becomes JSON as well as it can: keywords keep their colon.
 */
import { Problem } from '../problem.ts';
import { expected, printEdn } from './print.ts';
import {
  Character,
  EdnMap,
  EdnSet,
  InexactNumber,
  Keyword,
  Tagged,
  ednDepthMax,
  type Edn,
} from './values.ts';

type JsonObject = Record<string, unknown>;

/** A property of that name whatever the name is: `__proto__` is none of the object's own otherwise. */
export function setOwn(object: JsonObject, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, writable: true });
}

/** JSON as EDN, from which `jsonOf` makes the same JSON. Undefined members are left out, as JSON.stringify does. */
export function ednOf(json: unknown, depth = 0): Edn {
  if (depth > ednDepthMax) throw new Problem('', `nested deeper than ${ednDepthMax} levels`);
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json;
    case 'number':
      return Number.isFinite(json) ? json + 0 : null;
    case 'object':
      if (json === null) return null;
      if (Array.isArray(json)) return json.map((each) => ednOf(each, depth + 1));
      return new EdnMap(
        Object.entries(json)
          .filter(([, value]) => value !== undefined)
          .map(([key, value]) => [key, ednOf(value, depth + 1)]),
      );
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return null;
  }
}

/**
 * The JSON that was written as EDN.
 * @param inexact what to make of a number that no double holds: JSON.parse takes the nearest.
 * @throws Problem where it is something that JSON does not have.
 */
export function jsonOf(
  edn: Edn,
  field: string,
  inexact: (text: string) => unknown = Number,
): unknown {
  if (Array.isArray(edn)) {
    return (edn as readonly Edn[]).map((each, i) => jsonOf(each, `${field}[${i}]`, inexact));
  }
  if (edn instanceof EdnMap) {
    const object: JsonObject = {};
    for (const [key, value] of edn.entries) {
      if (typeof key !== 'string') throw expected(`${field} key`, 'a string', key);
      setOwn(object, key, jsonOf(value, `${field}.${key}`, inexact));
    }
    return object;
  }
  if (edn instanceof InexactNumber && /^-?[0-9.eE+-]+$/.test(edn.text)) return inexact(edn.text);
  if (typeof edn !== 'object' || edn === null) return edn;
  throw expected(field, 'what JSON has too', edn);
}

/** What is kept, and the same for the rules of reading, which see what a number was in the file. */
export interface JsonTwice {
  readonly kept: unknown;
  readonly judged: unknown;
}

/** @throws Problem where it is something that JSON does not have. */
export function jsonTwiceOf(edn: Edn, field: string): JsonTwice {
  const inexact: string[] = [];
  const judged = jsonOf(edn, field, (text) => {
    inexact.push(text);
    return [[[text]]];
  });
  return { kept: inexact.length === 0 ? judged : jsonOf(edn, field), judged };
}

/** Any EDN as JSON that a person can read, and that `ednOfLoose` turns back where it can. */
export function looseJsonOf(edn: Edn): unknown {
  if (typeof edn !== 'object' || edn === null) return edn;
  if (Array.isArray(edn)) return (edn as readonly Edn[]).map(looseJsonOf);
  if (edn instanceof EdnMap) {
    const object: JsonObject = {};
    for (const [key, value] of edn.entries) setOwn(object, looseKey(key), looseJsonOf(value));
    return object;
  }
  if (edn instanceof EdnSet) return edn.items.map(looseJsonOf);
  if (edn instanceof Character) return edn.text;
  if (edn instanceof Tagged) {
    const object: JsonObject = {};
    setOwn(object, `#${edn.tag}`, looseJsonOf(edn.value));
    return object;
  }
  const isDecimal = edn instanceof InexactNumber && /^-?[0-9]+\.[0-9]/.test(edn.text);
  if (isDecimal) return Number(edn.text);
  return printEdn(edn);
}

function looseKey(key: Edn): string {
  return typeof key === 'string' ? key : printEdn(key);
}

/** A string that is a keyword becomes one; everything else is what JSON says. */
export function looseEdnOf(json: unknown, depth = 0): Edn {
  if (depth > ednDepthMax) throw new Problem('', `nested deeper than ${ednDepthMax} levels`);
  if (typeof json === 'string') return keywordIn(json) ?? json;
  if (Array.isArray(json)) return json.map((each) => looseEdnOf(each, depth + 1));
  if (typeof json !== 'object' || json === null) return ednOf(json);
  return new EdnMap(
    Object.entries(json).map(([key, value]) => [
      keywordIn(key) ?? integerIn(key) ?? key,
      looseEdnOf(value, depth + 1),
    ]),
  );
}

function keywordIn(text: string): Keyword | null {
  return /^:[A-Za-z*!_?$%&<>=+.-][\w*!?$%&<>=+./'-]*$/.test(text)
    ? new Keyword(text.slice(1))
    : null;
}

function integerIn(text: string): number | null {
  return /^(?:0|-?[1-9][0-9]{0,14})$/.test(text) ? Number(text) : null;
}
