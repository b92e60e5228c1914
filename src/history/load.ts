/**
 * Reads a history from a file, a run directory, a Jepsen store directory or standard input, JSONL or EDN, plain or gzipped,
 * in bounded pieces.
 */
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { OrdealError } from '../core/errors.ts';
import type { History } from './columns.ts';
import { EdnHistoryReader, type EdnReading } from './edn/import.ts';
import { describeTest } from './edn/store.ts';
import type { HistoryEvent } from './event.ts';
import { HistoryReader, type RawHistory } from './load-text.ts';

const chunkBytes = 1 << 18;
/** What a run directory may hold, the plain file first, and then what a Jepsen store directory may. */
const namesInDirectory = ['history.jsonl', 'history.jsonl.gz', 'history.edn', 'history.edn.gz'];
/** Jepsen's binary formats, and older ones. */
const binaryNames = ['test.jepsen', 'jepsen.history', 'test.fressian', 'history.fressian'];
/** What describes a test is not worth more. */
const describingBytesMax = 1 << 26;

type OnEvent = (event: HistoryEvent) => void;

/** JSONL or EDN. */
type Reader = HistoryReader | EdnHistoryReader;

/**
 * Loads a history into columns.
 * @param path a file (EDN is told by `.edn` or `.edn.gz`, gzip by its first bytes, whatever the name), a run directory, a
 * Jepsen store directory, or `-` for standard input, whose first characters tell EDN.
 * @throws OrdealError NO_SUCH_FILE, or BAD_HISTORY naming file, line and field.
 */
export function loadHistory(path: string): Promise<History> {
  return load(path, null);
}

/** The same as its events, in order. */
export async function loadRawHistory(path: string): Promise<RawHistory> {
  const events: HistoryEvent[] = [];
  const { header, warnings } = await load(path, (event) => events.push(event));
  return { header, events, warnings };
}

/** Whether what a path names is EDN: the format of a run directory is that of the file which would be read. */
export async function isEdnHistory(path: string): Promise<boolean> {
  return path !== '-' && isEdnName((await locate(path)).file);
}

async function load(path: string, onEvent: OnEvent | null): Promise<History> {
  if (path === '-') {
    const name = 'standard input';
    return read(name, process.stdin, (start) =>
      looksLikeEdn(start) ? ednReader(name, {}, onEvent) : new HistoryReader(name, onEvent),
    );
  }
  const { file, directory } = await locate(path);
  const reading = directory !== null && isEdnName(file) ? await readingOf(directory) : {};
  const handle = await open(file).catch((error: unknown) => {
    throw unopened(file, error);
  });
  try {
    return await read(
      file,
      handle.createReadStream({ highWaterMark: chunkBytes, autoClose: false }),
      () =>
        isEdnName(file) ? ednReader(file, reading, onEvent) : new HistoryReader(file, onEvent),
    );
  } finally {
    await handle.close();
  }
}

function ednReader(name: string, reading: EdnReading, onEvent: OnEvent | null): EdnHistoryReader {
  return new EdnHistoryReader(name, onEvent === null ? reading : { ...reading, onEvent });
}

function isEdnName(file: string): boolean {
  return /\.edn(\.gz)?$/.test(file);
}

/** A line of JSONL begins with a brace and a string; an operation of Jepsen's with a keyword, or in a vector or record. */
function looksLikeEdn(start: Uint8Array): boolean {
  const text = Buffer.from(start.subarray(0, 4096)).toString('latin1');
  return /^[\s,]*(?:\{[\s,]*:|\[[\s,]*[{#]|[(;#])/.test(text);
}

interface Located {
  readonly file: string;
  /** Null where the file itself was named. */
  readonly directory: string | null;
}

/** What else stands in a Jepsen store directory. */
async function readingOf(directory: string): Promise<EdnReading> {
  const [test, results] = await Promise.all(
    ['test.edn', 'results.edn'].map((name) => readDescription(join(directory, name))),
  );
  return { test: describeTest(test ?? null, results ?? null) };
}

async function readDescription(file: string): Promise<string | null> {
  try {
    if ((await stat(file)).size > describingBytesMax) return null;
    return await readFile(file, 'utf8');
  } catch {
    // Both files are optional.
    return null;
  }
}

async function locate(path: string): Promise<Located> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw unopened(path, error);
    },
  );
  if (!isDirectory) return { file: path, directory: null };
  for (const name of namesInDirectory) {
    const file = join(path, name);
    if (await isFile(file)) return { file, directory: path };
  }
  for (const name of binaryNames) {
    if (await isFile(join(path, name))) throw onlyBinary(path, name);
  }
  throw new OrdealError(
    'NO_SUCH_FILE',
    `${path}: the directory holds no ${namesInDirectory.join(' and no ')}`,
    'name a history file, or the directory of a run: store/<test>/<time>',
  );
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function onlyBinary(path: string, name: string): OrdealError {
  return new OrdealError(
    'UNSUPPORTED',
    `${path}: of this Jepsen test there is only ${name}, a binary format that only Jepsen reads`,
    'let Jepsen print the operations, one per line, as history.edn in that directory: (run! prn (:history (jepsen.store/load NAME TIME))) in the REPL of the test',
  );
}

function unopened(path: string, error: unknown): OrdealError {
  return new OrdealError(
    'NO_SUCH_FILE',
    `${path}: cannot be opened: ${(error as Error).message}`,
    'name a history file that exists and may be read, a run directory, or - for standard input',
    { cause: error },
  );
}

/** Enough to tell EDN from JSONL; a pipe may bring it byte by byte. */
const startBytes = 64;

/** Holds the first bytes back until the reader can be chosen. */
class Start {
  readonly #readerFor: (start: Uint8Array) => Reader;
  #held = new Uint8Array(0);
  #reader: Reader | null = null;

  constructor(readerFor: (start: Uint8Array) => Reader) {
    this.#readerFor = readerFor;
  }

  push(chunk: Uint8Array): void {
    if (this.#reader !== null) {
      this.#reader.push(chunk);
      return;
    }
    this.#held = Buffer.concat([this.#held, chunk]);
    if (this.#held.length >= startBytes) this.reader();
  }

  /** The reader with all that came so far. */
  reader(): Reader {
    if (this.#reader === null) {
      this.#reader = this.#readerFor(this.#held);
      this.#reader.push(this.#held);
    }
    return this.#reader;
  }
}

/** @param readerFor makes the reader, once the first bytes are there (none, of an empty file). */
async function read(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  readerFor: (start: Uint8Array) => Reader,
): Promise<History> {
  const start = new Start(readerFor);
  const whole = await expand(bytes, name, (chunk) => {
    start.push(chunk);
  });
  const reader = start.reader();
  if (!whole) reader.warn('the gzip stream is cut off; what came before was read');
  return reader.finish();
}

/** Feeds `sink`, unpacked if need be. Returns false if a gzip stream ended before its end. */
async function expand(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  sink: (chunk: Uint8Array) => void,
): Promise<boolean> {
  let unpacker: Unpacker | null = null;
  let start: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of bytes) {
    let next = chunk;
    if (start !== null) {
      next = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
      start = next.length < 2 ? next : null;
      if (start !== null) continue;
      if (next[0] === 0x1f && next[1] === 0x8b) unpacker = new Unpacker(name, sink);
    }
    if (unpacker === null) sink(next);
    else await unpacker.push(next);
  }
  if (start !== null) sink(start);
  return unpacker === null ? true : unpacker.end();
}

/**
 * Unpacks gzip. It listens for data rather than iterate: when a stream turns out to be cut, an iterator drops what it
 * had unpacked and not yet handed out, and those lines are good.
 */
class Unpacker {
  readonly #gunzip = createGunzip({ chunkSize: chunkBytes });
  readonly #ended: Promise<boolean>;

  constructor(name: string, sink: (chunk: Uint8Array) => void) {
    this.#ended = new Promise((resolve, reject) => {
      this.#gunzip.on('data', (chunk: Uint8Array) => {
        try {
          sink(chunk);
        } catch (error) {
          this.#gunzip.destroy(error as Error);
        }
      });
      this.#gunzip.on('end', () => {
        resolve(true);
      });
      this.#gunzip.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'Z_BUF_ERROR') resolve(false);
        else reject(error.code?.startsWith('Z_') === true ? damaged(name, error) : error);
      });
    });
    // Whoever pushes or ends awaits it; this only keeps an early failure from counting as unhandled.
    this.#ended.catch(() => undefined);
  }

  async push(chunk: Uint8Array): Promise<void> {
    const failed = this.#ended.then(() => undefined);
    const written = new Promise<void>((resolve) => {
      this.#gunzip.write(chunk, () => {
        resolve();
      });
    });
    await Promise.race([written, failed]);
  }

  end(): Promise<boolean> {
    this.#gunzip.end();
    return this.#ended;
  }
}

function damaged(name: string, error: Error): OrdealError {
  return new OrdealError(
    'BAD_HISTORY',
    `${name}: the gzip stream is damaged: ${error.message}`,
    'unpack what can be saved with gzip -dc, and check the result',
    { cause: error },
  );
}
