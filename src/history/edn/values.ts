/**
 * EDN values in memory. What JSON has too is itself (nil is null); vectors and lists are both arrays, for nothing in a history
 * depends on the difference; the rest has a class each.
 */

/** How deep collections may be nested, in what is read and in what is written. */
export const ednDepthMax = 500;

export type Edn =
  | null
  | boolean
  | string
  | number
  | readonly Edn[]
  | EdnMap
  | EdnSet
  | Keyword
  | EdnSymbol
  | Character
  | InexactNumber
  | Tagged;

/** A keyword by its name without the colon, the namespace before a slash. */
export class Keyword {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class EdnSymbol {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class Character {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A number that no double holds: too many digits, a fraction like 0.1, a ratio, infinity. */
export class InexactNumber {
  /** As it stands in the file, without the suffix N or M. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `#tag value`; records are printed so. */
export class Tagged {
  readonly tag: string;
  readonly value: Edn;

  constructor(tag: string, value: Edn) {
    this.tag = tag;
    this.value = value;
  }
}

export class EdnSet {
  readonly items: readonly Edn[];

  constructor(items: readonly Edn[]) {
    this.items = items;
  }
}

export class EdnMap {
  readonly entries: readonly (readonly [key: Edn, value: Edn])[];

  constructor(entries: readonly (readonly [key: Edn, value: Edn])[]) {
    this.entries = entries;
  }

  /** The value of a keyword; undefined where there is none. Operations have few keys: a scan is faster than a table. */
  get(keyword: string): Edn | undefined {
    for (const [key, value] of this.entries) {
      if (key instanceof Keyword && key.name === keyword) return value;
    }
    return undefined;
  }
}

/** The items of a vector, list or set, or null for anything else. */
export function itemsOf(value: Edn | undefined): readonly Edn[] | null {
  if (value instanceof EdnSet) return value.items;
  return Array.isArray(value) ? (value as readonly Edn[]) : null;
}

/** The map that a value is, or that a tag (the name of a record) stands before. */
export function mapIn(value: Edn): EdnMap | null {
  let inner = value;
  while (inner instanceof Tagged) inner = inner.value;
  return inner instanceof EdnMap ? inner : null;
}
