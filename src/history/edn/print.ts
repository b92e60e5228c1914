/** EDN values as text that Clojure reads too. */
import { Problem } from '../problem.ts';
import {
  Character,
  EdnMap,
  EdnSet,
  EdnSymbol,
  InexactNumber,
  Keyword,
  Tagged,
  ednDepthMax,
  type Edn,
} from './values.ts';

const longMax = 9_223_372_036_854_775_807n;

const characterNames: Readonly<Record<string, string>> = {
  '\n': 'newline',
  ' ': 'space',
  '\t': 'tab',
  '\r': 'return',
};

/** One form on one line. @throws Problem if it is nested deeper than EDN is read. */
export function printEdn(value: Edn, depth = 0): string {
  if (depth > ednDepthMax) throw new Problem('', `nested deeper than ${ednDepthMax} levels`);
  if (value === null) return 'nil';
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'number':
      return printNumber(value);
    case 'string':
      return printString(value);
    default:
      break;
  }
  if (value instanceof EdnMap) {
    const entries = value.entries.map(
      ([key, each]) => `${printEdn(key, depth + 1)} ${printEdn(each, depth + 1)}`,
    );
    return `{${entries.join(', ')}}`;
  }
  if (value instanceof Keyword) return `:${value.name}`;
  if (value instanceof EdnSymbol) return value.name;
  if (value instanceof InexactNumber) return value.text;
  if (value instanceof Tagged) return `#${value.tag} ${printEdn(value.value, depth + 1)}`;
  if (value instanceof EdnSet) return `#{${printAll(value.items, depth)}}`;
  if (value instanceof Character) return printCharacter(value.text);
  return `[${printAll(value, depth)}]`;
}

function printAll(items: readonly Edn[], depth: number): string {
  return items.map((each) => printEdn(each, depth + 1)).join(' ');
}

/** An integer that no long holds needs the suffix of big ones. */
function printNumber(value: number): string {
  if (!Number.isInteger(value)) return String(value);
  if (Number.isSafeInteger(value)) return String(value + 0);
  const integer = BigInt(value);
  return integer > longMax || integer < -longMax ? `${integer}N` : String(integer);
}

/** The escapes of JSON are all escapes of Clojure. */
function printString(text: string): string {
  return JSON.stringify(text);
}

function printCharacter(text: string): string {
  const name = Object.hasOwn(characterNames, text) ? characterNames[text] : undefined;
  if (name !== undefined) return `\\${name}`;
  const isPlain = /^[!-~]$/.test(text);
  return isPlain ? `\\${text}` : `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A value as it stands in messages, cut to a bounded length. */
export function showEdn(value: Edn | undefined): string {
  if (value === undefined) return 'nothing';
  const text = printEdn(value);
  const shownCharactersMax = 60;
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}

export function expected(field: string, what: string, got: Edn | undefined): Problem {
  return new Problem(field, `expected ${what}, got ${showEdn(got)}`);
}
