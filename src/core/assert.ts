/** Errors of programmers: a broken invariant of our own code, never of input or environment. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** The default arm of a switch over a discriminated union: a new member fails the build here. */
export function assertNever(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
