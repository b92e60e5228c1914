/**
 * Reads EDN forms out of a text. It takes what Clojure prints: beside the EDN of the specification also ratios, hexadecimal
 * numbers, `##Inf`, namespaced maps, regular expressions and vars, which are in exceptions and objects that a test logged.
 */
import { isExact } from '../exact-numbers.ts';
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

/** Thrown where the text ends within a form: more of it may come. One object, for it is thrown once per chunk. */
export const endOfText = new Error('the text ends within a form');

const space = 32;
const quote = 34;
const hash = 35;
const apostrophe = 39;
const parenOpen = 40;
const parenClose = 41;
const plus = 43;
const comma = 44;
const minus = 45;
const zero = 48;
const nine = 57;
const colon = 58;
const semicolon = 59;
const listOpen = 91;
const backslash = 92;
const listClose = 93;
const underscore = 95;
const mapOpen = 123;
const mapClose = 125;

/** By code below 128: what ends a token. */
const endsToken = new Uint8Array(128);
for (let blank = 0; blank <= 32; blank++) endsToken[blank] = 1;
for (const character of '",;()[]{}') endsToken[character.charCodeAt(0)] = 1;

const escapes: Readonly<Record<string, string>> = {
  t: '\t',
  r: '\r',
  n: '\n',
  b: '\b',
  f: '\f',
  '\\': '\\',
  '"': '"',
};
const namedCharacters: Readonly<Record<string, string>> = {
  newline: '\n',
  space: ' ',
  tab: '\t',
  return: '\r',
  formfeed: '\f',
  backspace: '\b',
};

const integerPattern = /^[+-]?(?:0|[1-9][0-9]*)$/;
const numberPattern =
  /^[+-]?(?:0[xX][0-9a-fA-F]{1,32}N?|(?:0|[1-9][0-9]*)(?:N|\/[1-9][0-9]*|(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M?))$/;
/** Tokens that were read lately, by their text: the same few keywords make up most of a file. */
const keywordsKeptMax = 4096;

export class EdnReader {
  position: number;
  readonly #text: string;
  /** False while more text may follow: then a token that touches the end may be cut. */
  readonly #complete: boolean;
  readonly #keywords: Map<string, Keyword>;

  constructor(text: string, position: number, complete: boolean, keywords: Map<string, Keyword>) {
    this.#text = text;
    this.position = position;
    this.#complete = complete;
    this.#keywords = keywords;
  }

  /** Passes over white space, commas, comments and discarded forms. False at the end of the text. */
  skip(depth = 0): boolean {
    const text = this.#text;
    // Discards may discard discards.
    if (depth > ednDepthMax) throw tooDeep();
    for (;;) {
      const at = text.charCodeAt(this.position);
      if (Number.isNaN(at)) return false;
      if (at <= space || at === comma) this.position++;
      else if (at === semicolon) this.#skipComment();
      // What follows tells whether a form begins here or is discarded.
      else if (at === hash && this.position + 1 === text.length) throw endOfText;
      else if (at === hash && text.charCodeAt(this.position + 1) === underscore) {
        const start = this.position;
        this.position += 2;
        try {
          if (!this.skip(depth + 1)) throw endOfText;
          this.#form(depth + 1);
        } catch (thrown) {
          // Begun again once there is more text.
          if (thrown === endOfText) this.position = start;
          throw thrown;
        }
      } else return true;
    }
  }

  /** The character at hand. */
  peek(): string {
    return this.#text.charAt(this.position);
  }

  /** One form; `skip` has found its start. @throws Problem, or `endOfText`. */
  read(): Edn {
    return this.#form(0);
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.position);
    if (end === -1 && !this.#complete) throw endOfText;
    this.position = end === -1 ? this.#text.length : end + 1;
  }

  #form(depth: number): Edn {
    if (depth > ednDepthMax) throw tooDeep();
    switch (this.#text.charCodeAt(this.position)) {
      case mapOpen:
        this.position++;
        return this.#map(depth, '');
      case listOpen:
        this.position++;
        return this.#items(listClose, depth);
      case parenOpen:
        this.position++;
        return this.#items(parenClose, depth);
      case quote:
        return this.#string();
      case hash:
        return this.#dispatch(depth);
      case backslash:
        return this.#character();
      case colon:
        return this.#keyword();
      case mapClose:
      case listClose:
      case parenClose:
        throw new Problem('', `"${this.peek()}" closes nothing`);
      default:
        return this.#token();
    }
  }

  #items(close: number, depth: number): Edn[] {
    const items: Edn[] = [];
    for (;;) {
      if (!this.skip(depth)) throw endOfText;
      if (this.#text.charCodeAt(this.position) === close) {
        this.position++;
        return items;
      }
      items.push(this.#form(depth + 1));
    }
  }

  /** @param namespace of keys that have none, or empty. */
  #map(depth: number, namespace: string): EdnMap {
    const entries: [Edn, Edn][] = [];
    for (;;) {
      if (!this.skip(depth)) throw endOfText;
      if (this.#text.charCodeAt(this.position) === mapClose) {
        this.position++;
        return new EdnMap(entries);
      }
      const key = this.#form(depth + 1);
      if (!this.skip(depth)) throw endOfText;
      if (this.#text.charCodeAt(this.position) === mapClose) {
        throw new Problem('', 'the map has a key without a value');
      }
      entries.push([namespace === '' ? key : within(namespace, key), this.#form(depth + 1)]);
    }
  }

  #string(): string {
    const text = this.#text;
    let end = this.position + 1;
    let plain = true;
    for (;;) {
      const at = text.charCodeAt(end);
      if (Number.isNaN(at)) throw endOfText;
      if (at === quote) break;
      if (at === backslash) {
        plain = false;
        end++;
      }
      end++;
    }
    const raw = text.slice(this.position + 1, end);
    const value = plain ? raw : unescape(raw);
    this.position = end + 1;
    return value;
  }

  #dispatch(depth: number): Edn {
    const next = this.#text.charCodeAt(this.position + 1);
    if (Number.isNaN(next)) throw endOfText;
    if (next === mapOpen) {
      this.position += 2;
      return new EdnSet(this.#items(mapClose, depth));
    }
    if (next === quote) return this.#regularExpression();
    if (next === hash) return this.#symbolicNumber();
    if (next === apostrophe) {
      this.position += 2;
      return new EdnSymbol(`#'${this.#word()}`);
    }
    this.position++;
    if (next === colon) return this.#namespacedMap(depth);
    const tag = this.#word();
    if (!/^[\p{L}*!_?$%&<>.][^]*$/u.test(tag)) {
      throw new Problem('', `"#${tag.slice(0, 20)}" is not the start of a form`);
    }
    if (!this.skip(depth)) throw endOfText;
    return new Tagged(tag, this.#form(depth + 1));
  }

  #regularExpression(): Edn {
    const text = this.#text;
    const start = this.position + 2;
    let end = start;
    while (end < text.length && text.charCodeAt(end) !== quote) {
      end += text.charCodeAt(end) === backslash ? 2 : 1;
    }
    if (end >= text.length) throw endOfText;
    this.position = end + 1;
    return new Tagged('regex', text.slice(start, end));
  }

  #symbolicNumber(): Edn {
    this.position += 2;
    const word = this.#word();
    if (word !== 'Inf' && word !== '-Inf' && word !== 'NaN') {
      throw new Problem('', `"##${word.slice(0, 20)}" is no number`);
    }
    return new InexactNumber(`##${word}`);
  }

  /** `#:name{…}`: keys without a namespace have this one. */
  #namespacedMap(depth: number): Edn {
    this.position++;
    const namespace = this.#word();
    if (namespace === '' || namespace.startsWith(':')) {
      throw new Problem('', 'a namespaced map without a namespace');
    }
    if (!this.skip(depth)) throw endOfText;
    if (this.#text.charCodeAt(this.position) !== mapOpen) {
      throw new Problem('', `"#:${namespace.slice(0, 20)}" without a map`);
    }
    this.position++;
    return this.#map(depth, namespace);
  }

  #character(): Edn {
    const start = this.position + 1;
    if (start >= this.#text.length) throw endOfText;
    const first = String.fromCodePoint(this.#text.codePointAt(start)!);
    this.position = start + first.length;
    const name = first + this.#word();
    if (name === first) return new Character(first);
    if (/^u[0-9a-fA-F]{4}$/.test(name)) {
      return new Character(String.fromCharCode(Number.parseInt(name.slice(1), 16)));
    }
    if (/^o[0-7]{1,3}$/.test(name)) {
      return new Character(String.fromCharCode(Number.parseInt(name.slice(1), 8)));
    }
    const named = Object.hasOwn(namedCharacters, name) ? namedCharacters[name] : undefined;
    if (named === undefined) throw new Problem('', `"\\${name.slice(0, 20)}" is no character`);
    return new Character(named);
  }

  #keyword(): Keyword {
    this.position++;
    const name = this.#word();
    const known = this.#keywords.get(name);
    if (known !== undefined) return known;
    if (name === '' || name.startsWith(':')) throw new Problem('', `":${name}" is no keyword`);
    const keyword = new Keyword(name);
    if (this.#keywords.size < keywordsKeptMax) this.#keywords.set(name, keyword);
    return keyword;
  }

  #token(): Edn {
    const word = this.#word();
    const first = word.charCodeAt(0);
    const sign = first === plus || first === minus ? 1 : 0;
    const digit = word.charCodeAt(sign);
    if (digit >= zero && digit <= nine) return numberOf(word);
    switch (word) {
      case 'nil':
        return null;
      case 'true':
        return true;
      case 'false':
        return false;
      default:
        return new EdnSymbol(word);
    }
  }

  /** Up to what ends a token. */
  #word(): string {
    const text = this.#text;
    let end = this.position;
    for (;;) {
      const at = text.charCodeAt(end);
      if (Number.isNaN(at)) {
        if (!this.#complete) throw endOfText;
        break;
      }
      if (at < 128 && endsToken[at] === 1) break;
      end++;
    }
    const word = text.slice(this.position, end);
    this.position = end;
    return word;
  }
}

function tooDeep(): Problem {
  return new Problem('', `nested deeper than ${ednDepthMax} levels`);
}

/** Newlines in a part of a text. */
export function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let i = text.indexOf('\n', from); i !== -1 && i < to; i = text.indexOf('\n', i + 1)) lines++;
  return lines;
}

function within(namespace: string, key: Edn): Edn {
  if (!(key instanceof Keyword)) return key;
  if (key.name.startsWith('_/')) return new Keyword(key.name.slice(2));
  return key.name.includes('/') ? key : new Keyword(`${namespace}/${key.name}`);
}

function unescape(raw: string): string {
  return raw.replace(/\\(u[0-9a-fA-F]{4}|[0-7]{1,3}|[^])/g, (_, escape: string) => {
    const plain = Object.hasOwn(escapes, escape) ? escapes[escape] : undefined;
    if (plain !== undefined) return plain;
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    throw new Problem('', `"\\${escape}" is no escape of a string`);
  });
}

function numberOf(word: string): Edn {
  if (word.length < 16 && integerPattern.test(word)) return Number(word) + 0;
  if (!numberPattern.test(word)) throw new Problem('', `"${word.slice(0, 40)}" is no number`);
  const plain = word.replace(/^\+|[NM]$/g, '');
  if (/^-?0x/i.test(plain)) {
    const magnitude = BigInt(plain.replace('-', ''));
    return exactly(String(plain.startsWith('-') ? -magnitude : magnitude));
  }
  return plain.includes('/') ? new InexactNumber(plain) : exactly(plain.replace(/\.(?![0-9])/, ''));
}

function exactly(plain: string): Edn {
  return isExact(plain) ? Number(plain) + 0 : new InexactNumber(plain);
}
