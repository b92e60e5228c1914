/**
 * Bytes to lines. Chunks are cut at their last newline and decoded in one go; what follows it waits for the next chunk.
 * A line may be longer than any number of chunks: its pieces are joined once.
 */
import { mayHoldInexact } from './exact-numbers.ts';
import { Problem } from './problem.ts';

/** A line is held as one string; V8's limit lies at 2^29 - 24 characters. */
const lineBytesMax = 2 ** 28;

const newline = 10;

export interface LineSink {
  /** One line without its newline. @param exact every number in it is certainly exact. */
  line(text: string, exact: boolean): void;
  /** The last line, where it has no newline. It may be cut anywhere. */
  tail(text: string): void;
}

export class LineSplitter {
  /** 1-based number of the line at hand: the one that an error thrown by this concerns. */
  lineNumber = 1;
  readonly #sink: LineSink;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes; they may be reused after the call returns. @throws Problem on invalid UTF-8. */
  push(chunk: Uint8Array): void {
    const last = chunk.lastIndexOf(newline);
    if (last === -1) {
      this.#hold(chunk);
      return;
    }
    const first = this.#pieceBytes === 0 ? 0 : chunk.indexOf(newline) + 1;
    if (first > 0) {
      this.#hold(chunk.subarray(0, first));
      const joined = this.#takeHeld();
      this.#emit(joined);
    }
    if (last + 1 > first) this.#emit(chunk.subarray(first, last + 1));
    this.#hold(chunk.subarray(last + 1));
  }

  /** Call once, after the last push. */
  end(): void {
    if (this.#pieceBytes === 0) return;
    const bytes = this.#takeHeld();
    this.#sink.tail(this.#decodeTail(bytes));
  }

  /** `bytes` ends in a newline. */
  #emit(bytes: Uint8Array): void {
    const text = this.#decode(bytes);
    if (text === null) {
      this.#emitOneByOne(bytes);
      return;
    }
    const exact = !mayHoldInexact(bytes);
    let from = 0;
    while (from < text.length) {
      const to = text.indexOf('\n', from);
      this.#sink.line(text.slice(from, to), exact);
      this.lineNumber++;
      from = to + 1;
    }
  }

  /** Some line is not UTF-8: the lines before it are still good, and it must be named. */
  #emitOneByOne(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const to = bytes.indexOf(newline, from);
      const text = this.#decode(bytes.subarray(from, to));
      if (text === null) throw new Problem('', 'the line is not valid UTF-8');
      this.#sink.line(text, false);
      this.lineNumber++;
      from = to + 1;
    }
  }

  /** A whole line must be UTF-8; a torn one may end within a character. */
  #decodeTail(bytes: Uint8Array): string {
    const text = this.#decode(bytes);
    if (text !== null) return text;
    const forgiven = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    if (isJson(forgiven)) throw new Problem('', 'the line is not valid UTF-8');
    return forgiven;
  }

  #decode(bytes: Uint8Array): string | null {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return null;
    }
  }

  #hold(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece.slice());
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes > lineBytesMax) {
      throw new Problem('', `the line is longer than ${lineBytesMax} bytes`);
    }
  }

  #takeHeld(): Uint8Array {
    const joined = new Uint8Array(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    return joined;
  }
}

/** Whether a text is one whole JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
