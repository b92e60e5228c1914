/**
 * The operations of an EDN file, form by form, from bytes that come in chunks: one map per line, or all in one vector. A file
 * that ends within an operation was cut; the operations before it are good.
 */
import { Problem } from '../problem.ts';
import { EdnReader, countLines, endOfText } from './reader.ts';
import type { Edn, Keyword } from './values.ts';

/** A form is held as one string; V8's limit lies at 2^29 - 24 characters. */
const formCharactersMax = 2 ** 28;

export interface FormSink {
  /** @param line where the form begins, from 1. */
  form(form: Edn, line: number): void;
  /** The text ended within a form, or within the vector around them all. */
  cut(line: number): void;
}

export class FormSplitter {
  /** The line at hand: the one that an error thrown by this concerns. */
  lineNumber = 1;
  readonly #sink: FormSink;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #keywords = new Map<string, Keyword>();
  #rest = '';
  /** Not to be tried again before so many characters are there: a long form would be read from its start each time. */
  #retryAt = 0;
  #isFirst = true;
  /** What closes the vector or list around all operations, or null. */
  #closing: ']' | ')' | null = null;
  #closed = false;

  constructor(sink: FormSink) {
    this.#sink = sink;
  }

  /** @throws Problem. */
  push(chunk: Uint8Array): void {
    this.#rest += this.#decode(chunk, true);
    if (this.#rest.length < this.#retryAt) return;
    this.#take(false);
    if (this.#rest.length > formCharactersMax) {
      throw new Problem('', `an operation is longer than ${formCharactersMax} characters`);
    }
  }

  /** Call once, after the last push. @throws Problem. */
  end(): void {
    this.#rest += this.#decode(new Uint8Array(0), false);
    this.#take(true);
  }

  #decode(chunk: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(chunk, { stream });
    } catch {
      this.lineNumber += countLines(this.#rest, 0, this.#rest.length);
      throw new Problem('', 'the file is not valid UTF-8, from this line on');
    }
  }

  #take(complete: boolean): void {
    const text = this.#rest;
    const reader = new EdnReader(text, 0, complete, this.#keywords);
    // Everything before this is done with, and its lines are counted.
    let done = 0;
    let formLine: number | null = null;
    const settle = (): void => {
      this.lineNumber += countLines(text, done, reader.position);
      done = reader.position;
    };
    try {
      while (reader.skip()) {
        settle();
        if (this.#isBracket(reader)) {
          settle();
          continue;
        }
        formLine = this.lineNumber;
        const form = reader.read();
        settle();
        this.#sink.form(form, formLine);
        formLine = null;
      }
      settle();
      if (complete && this.#closing !== null && !this.#closed) this.#sink.cut(this.lineNumber);
    } catch (thrown) {
      if (thrown !== endOfText) {
        settle();
        throw thrown;
      }
      if (complete)
        this.#sink.cut(formLine ?? this.lineNumber + countLines(text, done, reader.position));
    }
    this.#rest = text.slice(done);
    this.#retryAt = this.#rest.length * 2;
  }

  /** Opens or closes the vector around all operations. */
  #isBracket(reader: EdnReader): boolean {
    const next = reader.peek();
    if (this.#closed) throw new Problem('', `"${next}" after the end of the history`);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (isFirst && (next === '[' || next === '(')) this.#closing = next === '[' ? ']' : ')';
    else if (next === this.#closing) this.#closed = true;
    else return false;
    reader.position++;
    return true;
  }
}
