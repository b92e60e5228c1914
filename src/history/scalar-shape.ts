/** Predicates over parsed JSON, shared by the checks of shape. They accept what the schema accepts. */
import type { Scalar } from './event.ts';
import { mismatch } from './problem.ts';
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

/** @throws Problem unless `meta` is an object whose known fields are well-formed. `field` is called only then. */
export function checkMeta(meta: unknown, field: () => string): void {
  if (!isObject(meta)) throw mismatch(field(), 'an object', meta);
  for (const name of Object.keys(meta)) {
    const value = meta[name];
    if (value === undefined) continue;
    const expected = metaExpectation(name, value);
    if (expected !== null) throw mismatch(`${field()}.${name}`, expected, value);
  }
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

/** @throws Problem unless `record` is [offset, value] or [offset, value, meta]. */
export function checkRecord(record: unknown, field: () => string): void {
  if (!Array.isArray(record) || record.length < 2 || record.length > 3) {
    throw mismatch(field(), '[offset, value] or [offset, value, meta]', record);
  }
  const parts: readonly unknown[] = record;
  if (!isCount(parts[0])) throw mismatch(`${field()}[0]`, `an offset, ${naturalText}`, parts[0]);
  if (!isScalar(parts[1])) throw mismatch(`${field()}[1]`, scalarText, parts[1]);
  if (parts.length === 3) checkMeta(parts[2], () => `${field()}[2]`);
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
