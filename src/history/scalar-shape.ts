/** Predicates over parsed JSON, shared by the checks of shape. They accept what the schema accepts. */
import type { Scalar } from './event.ts';
import { mismatch, type Problem } from './problem.ts';
import { logPattern } from './log-name.ts';

export const naturalText = 'an integer in [0, 2^53)';
export const scalarText = 'a string, an exact number, a boolean or null';

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The property of that name which the object itself has: a name from a file never reaches a prototype. */
export function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** An integer in [0, 2^53): an index, a time or an offset. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** An id or epoch of Kafka's, where -1 means none. */
export function isIdOrNone(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= -1;
}

export function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

export function isScalar(value: unknown): value is Scalar {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value);
    case 'string':
    case 'boolean':
      return true;
    default:
      return value === null;
  }
}

/** Names seen lately that are logs: the pattern is matched once per name, not once per record. */
const recentLogs = new Set<string>();
const recentLogsMax = 4096;

export function isLog(name: unknown): name is string {
  if (typeof name !== 'string') return false;
  if (recentLogs.has(name)) return true;
  if (!logPattern.test(name)) return false;
  if (recentLogs.size >= recentLogsMax) recentLogs.clear();
  recentLogs.add(name);
  return true;
}

/** Makes the Problem once it is asked for: the name of a field is worked out only for one that is wrong. */
export type FieldProblem = (field: string) => Problem;

/** @param part what is wrong, as it stands behind the name of the whole. */
export function wrongPart(part: string, expected: string, value: unknown): FieldProblem {
  return (field) => mismatch(`${field}${part}`, expected, value);
}

/** Null if `meta` is an object whose known fields are well-formed. */
export function metaProblem(meta: unknown): FieldProblem | null {
  if (!isObject(meta)) return wrongPart('', 'an object', meta);
  for (const name in meta) {
    const value = meta[name];
    if (value === undefined) continue;
    const expected = metaExpectation(name, value);
    if (expected !== null) return wrongPart(`.${name}`, expected, value);
  }
  return null;
}

/** What was expected of a field of meta, or null if it is that. */
function metaExpectation(name: string, value: unknown): string | null {
  switch (name) {
    case 'key':
    case 'result':
      return isScalar(value) ? null : scalarText;
    case 'from':
    case 'slot':
    case 'hash':
      return typeof value === 'string' ? null : 'a string';
    case 'amount':
    case 'timestamp':
      return Number.isFinite(value) ? null : 'an exact number';
    case 'tombstone':
    case 'final':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'window': {
      const numbers =
        Array.isArray(value) && value.length === 2 && value.every((end) => Number.isFinite(end));
      return numbers ? null : '[start, end]';
    }
    default:
      return null;
  }
}

/** Null if `record` is [offset, value] or [offset, value, meta]. */
export function recordProblem(record: unknown): FieldProblem | null {
  if (!Array.isArray(record) || record.length < 2 || record.length > 3) {
    return wrongPart('', '[offset, value] or [offset, value, meta]', record);
  }
  const parts: readonly unknown[] = record;
  if (!isCount(parts[0])) return wrongPart('[0]', `an offset, ${naturalText}`, parts[0]);
  if (!isScalar(parts[1])) return wrongPart('[1]', scalarText, parts[1]);
  return parts.length === 3 ? partProblem('[2]', metaProblem(parts[2])) : null;
}

function partProblem(part: string, problem: FieldProblem | null): FieldProblem | null {
  return problem === null ? null : (field) => problem(`${field}${part}`);
}

/** @throws Problem unless `map` is an object from logs to offsets. */
export function checkLogOffsets(map: unknown, field: string): void {
  if (!isObject(map)) throw mismatch(field, 'an object from logs to offsets', map);
  for (const log of Object.keys(map)) {
    if (!isLog(log)) throw mismatch(`${field} key`, 'a log, "topic/partition"', log);
    if (!isCount(map[log])) {
      throw mismatch(`${field}["${log}"]`, `an offset, ${naturalText}`, map[log]);
    }
  }
}
