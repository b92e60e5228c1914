/**
 * Reads a history from memory, line by line: the rules of docs/history-format.md, and the errors that name file, line
 * and field. Pure: reading files is load.ts.
 */
import { OrdealError } from '../core/errors.ts';
import { ColumnsBuilder } from './columns-builder.ts';
import type { History } from './columns.ts';
import { markInexact, mayBeInexact } from './exact-numbers.ts';
import type { Header, HistoryEvent } from './event.ts';
import { checkEvent } from './event-shape.ts';
import { checkHeader, sealHeader } from './header.ts';
import { LineSplitter, isJson } from './lines.ts';
import { Problem } from './problem.ts';

/** A history as its events, in order. */
export interface RawHistory {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
  /** What the reader forgave. */
  readonly warnings: readonly string[];
}

/**
 * Loads a whole history into columns.
 * @param sourceName names the source in errors.
 * @throws OrdealError BAD_HISTORY naming source, line and field.
 */
export function loadHistoryText(text: string | Uint8Array, sourceName: string): History {
  return readerOf(text, sourceName, null).finish();
}

/** The events of a history, held to the same rules. @throws OrdealError BAD_HISTORY. */
export function readEvents(text: string | Uint8Array, sourceName: string): RawHistory {
  const events: HistoryEvent[] = [];
  const { header, warnings } = readerOf(text, sourceName, (event) => events.push(event)).finish();
  return { header, events, warnings };
}

function readerOf(
  text: string | Uint8Array,
  sourceName: string,
  onEvent: ((event: HistoryEvent) => void) | null,
): HistoryReader {
  const reader = new HistoryReader(sourceName, onEvent);
  reader.push(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  return reader;
}

/** Takes the bytes of a history in chunks of any size. */
export class HistoryReader {
  readonly #sourceName: string;
  readonly #onEvent: ((event: HistoryEvent) => void) | null;
  readonly #builder = new ColumnsBuilder();
  readonly #lines: LineSplitter;
  readonly #warnings: string[] = [];
  #header: Header | null = null;

  constructor(sourceName: string, onEvent: ((event: HistoryEvent) => void) | null = null) {
    this.#sourceName = sourceName;
    this.#onEvent = onEvent;
    this.#lines = new LineSplitter({
      line: (text, exact) => {
        this.#take(text, exact);
      },
      tail: (text) => {
        if (isJson(text)) this.#take(text, false);
        else if (this.#header !== null) this.#dropTail(text);
      },
    });
  }

  /** @throws OrdealError BAD_HISTORY. */
  push(chunk: Uint8Array): void {
    this.#naming(() => {
      this.#lines.push(chunk);
    });
  }

  /** Adds a warning of whoever feeds this. */
  warn(warning: string): void {
    // No name of the source: the verdict of a history must not depend on where it lies.
    this.#warnings.push(warning);
  }

  /** Call once, after the last push. @throws OrdealError BAD_HISTORY. */
  finish(): History {
    return this.#naming(() => {
      this.#lines.end();
      if (this.#header === null) {
        throw new Problem('ordeal', 'the file holds no whole header; nothing can be read from it');
      }
      return this.#builder.finish(this.#header, this.#warnings);
    });
  }

  #take(text: string, exact: boolean): void {
    const line = parse(text);
    // Rules are applied to a tree in which inexact numbers are no numbers; what is kept is the plain one.
    const marked = !exact && mayBeInexact(text) ? markInexact(text) : null;
    const judged: unknown = marked === null ? line : JSON.parse(marked);
    if (this.#header === null) {
      checkHeader(judged);
      this.#header = sealHeader(line);
      return;
    }
    checkEvent(judged);
    const event = line as HistoryEvent;
    this.#builder.add(event);
    this.#onEvent?.(event);
  }

  #dropTail(text: string): void {
    this.warn(
      `line ${this.#lines.lineNumber}, the last, is torn and was dropped (${text.length} characters)`,
    );
  }

  #naming<T>(read: () => T): T {
    try {
      return read();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      throw new OrdealError(
        'BAD_HISTORY',
        `${this.#sourceName}:${this.#lines.lineNumber}: ${problem.text}`,
        this.#lines.lineNumber <= 1
          ? 'name a history of ordeal (history.jsonl, also .gz) or a run directory; docs/history-format.md has the format'
          : 'correct that line, or record the history again; docs/history-format.md has the rules',
      );
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (text.trim() === '') throw new Problem('', 'the line is blank');
    if (text.startsWith('\ufeff')) throw new Problem('', 'the line starts with a byte order mark');
    throw new Problem('', `the line is not JSON: ${(error as Error).message}`);
  }
}
