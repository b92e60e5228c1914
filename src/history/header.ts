/** The first line of a history. */
import type { Header } from './event.ts';
import { Problem, mismatch } from './problem.ts';
import { isObject } from './scalar-shape.ts';
import { checkSchema } from './schema-problem.ts';
import { headerSchema } from './schema.ts';

/** @throws Problem unless `line` is a header of format 1. */
export function checkHeader(line: unknown): void {
  if (!isObject(line)) throw mismatch('', 'the header, an object', line);
  const format = line['ordeal'];
  if (format === undefined) {
    throw new Problem('ordeal', 'missing: the first line must be the header of a history');
  }
  if (format !== 1) throw mismatch('ordeal', 'format 1', format);
  checkSchema(headerSchema, line, '');
}

/**
 * A checked header whose maps have no prototype: a topic called "constructor" that the header does not name must not
 * find Object's own.
 */
export function sealHeader(line: unknown): Header {
  const header = line as Header;
  if (header.topics !== undefined) Object.setPrototypeOf(header.topics, null);
  if (header.config !== undefined) Object.setPrototypeOf(header.config, null);
  return header;
}
