/** Writes histories where a user asked for them: JSONL or EDN, gzipped or not, to a file or to standard output. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { OrdealError, describeError } from '../core/errors.ts';
import { unknownName } from '../core/suggestion.ts';
import { ednLines } from '../history/edn/export.ts';
import { linesOf, type RecordedRun } from './kept-run.ts';
import type { Session } from './session.ts';

export const historyFormats = ['jsonl', 'edn'] as const;
export type HistoryFormat = (typeof historyFormats)[number];

export interface HistoryTarget {
  /** `-` for standard output. */
  readonly path: string;
  readonly format: HistoryFormat;
  readonly gzip: boolean;
}

/** Lines are joined to pieces of about this size: a write per line is slow. */
const pieceCharactersMin = 1 << 16;

/**
 * Where and how to write.
 * @param format what was asked for, or undefined: then the name decides.
 * @param flag what named the path, for messages.
 * @throws OrdealError BAD_ARGUMENT.
 */
export function parseTarget(
  path: string,
  format: string | undefined,
  flag: string,
  standard: HistoryFormat | null,
): HistoryTarget {
  const asked = format === undefined ? null : parseFormat(format);
  if (path === '-') {
    const chosen = asked ?? standard;
    if (chosen !== null) return { path, format: chosen, gzip: false };
    throw refused(
      `${flag}: standard output has no name that says in which format to write`,
      'add --to jsonl or --to edn',
    );
  }
  const match = /\.(jsonl|edn)(\.gz)?$/.exec(path);
  if (match === null) {
    throw refused(
      `${flag}: "${path}" ends neither in .jsonl nor in .edn, with or without .gz`,
      'give it a name that says in which format to write',
    );
  }
  const named = match[1] as HistoryFormat;
  if (asked !== null && asked !== named) {
    throw refused(`--to ${asked} contradicts the name "${path}"`, 'leave --to out, or rename it');
  }
  return { path, format: named, gzip: match[2] !== undefined };
}

/** The whole file or none. @throws OrdealError OUTPUT_IO; BAD_HISTORY for what the format cannot hold. */
export async function writeHistory(
  session: Session,
  { path, format, gzip }: HistoryTarget,
  history: RecordedRun,
): Promise<void> {
  const lines = format === 'jsonl' ? linesOf(history) : ednLines(history.header, history.events);
  if (path === '-') {
    for (const piece of pieces(lines)) session.stdout.write(piece);
    return;
  }
  // Beside it first: a file of that name that is there is lost only to a whole one.
  const partial = `${path}.partial`;
  try {
    const file = createWriteStream(partial);
    const text = Readable.from(pieces(lines));
    await (gzip ? pipeline(text, createGzip(), file) : pipeline(text, file));
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (thrown instanceof OrdealError) throw thrown;
    throw new OrdealError(
      'OUTPUT_IO',
      `${path} could not be written: ${describeError(thrown)}`,
      'check that the directory exists, is yours and has space, or name another file',
      { cause: thrown },
    );
  }
}

function* pieces(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < pieceCharactersMin) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function parseFormat(given: string): HistoryFormat {
  const found = historyFormats.find((format) => format === given);
  if (found === undefined) throw unknownName('--to', given, historyFormats);
  return found;
}

function refused(message: string, next: string): OrdealError {
  return new OrdealError('BAD_ARGUMENT', message, next);
}
