/** What is wrong with one line or event, before anybody knows which file it came from. */
import { isInexact } from './exact-numbers.ts';

export class Problem extends Error {
  /** Where in the event, e.g. "value[0][2]"; empty when it concerns the line as a whole. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = 'Problem';
    this.field = field;
  }

  /** "value[0][2]: what is wrong". */
  get text(): string {
    return this.field === '' ? this.message : `${this.field}: ${this.message}`;
  }
}

/** A problem of the form "expected …, got …". */
export function mismatch(field: string, expected: string, got: unknown): Problem {
  return isInexact(got)
    ? new Problem(field, `a double does not hold ${got[0][0][0]} exactly`)
    : new Problem(field, `expected ${expected}, got ${show(got)}`);
}

const shownCharactersMax = 60;

/** A value as it stands in the file, cut to a bounded length. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : jsonOf(value);
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}

/** JSON.parse takes any depth, JSON.stringify only as much as the stack holds. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    if (thrown instanceof RangeError) return 'a value that is nested too deeply to be shown';
    throw thrown;
  }
}
