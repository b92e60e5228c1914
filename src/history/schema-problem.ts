/** What the schema finds wrong, as one problem that names one field. */
import type { z } from 'zod';
import { Problem, mismatch } from './problem.ts';
import { isObject } from './scalar-shape.ts';

type Issue = z.core.$ZodIssue;

/** @throws Problem naming the field, below `field`, that does not fit. */
export function checkSchema(schema: z.ZodType, value: unknown, field: string): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const issue = deepest(result.error.issues[0]!);
  const place = issue.path.reduce<string>(
    (path, key) =>
      typeof key === 'number'
        ? `${path}[${key}]`
        : path === ''
          ? String(key)
          : `${path}.${String(key)}`,
    field,
  );
  const got = at(value, issue.path);
  const expected = expectation(issue);
  if (expected === null) throw new Problem(place, issue.message);
  throw mismatch(place, expected, got);
}

/** Of a union, the member that got furthest: what the author most likely meant. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  let best: Issue | null = null;
  for (const member of issue.errors) {
    const first = member[0];
    if (first === undefined) continue;
    const found = deepest(first);
    if (best === null || found.path.length > best.path.length) best = found;
  }
  if (best === null || best.path.length === 0) return issue;
  return { ...best, path: [...issue.path, ...best.path] };
}

function expectation(issue: Issue): string | null {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'an integer' : article(issue.expected);
    case 'invalid_value':
      return issue.values.map((word) => JSON.stringify(word)).join(' or ');
    case 'too_small':
      return `at least ${String(issue.minimum)}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}`;
    case 'invalid_union':
      return 'another form';
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return null;
  }
}

function article(type: string): string {
  const name = type === 'record' ? 'object' : type === 'tuple' ? 'list' : type;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) {
    if (Array.isArray(here)) here = here[Number(key)];
    else if (isObject(here) && Object.hasOwn(here, String(key))) here = here[String(key)];
    else return undefined;
  }
  return here;
}
