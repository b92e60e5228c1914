/** Reads a history from a file, a run directory or standard input, plain or gzipped, in bounded pieces. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { OrdealError } from '../core/errors.ts';
import type { History } from './columns.ts';
import { HistoryReader } from './load-text.ts';

const chunkBytes = 1 << 18;
/** What a run directory may hold, the plain file first. */
const namesInDirectory = ['history.jsonl', 'history.jsonl.gz'];

/**
 * Loads a history into columns.
 * @param path a file (gzip is told by its first bytes, whatever the name), a run directory, or `-` for standard input.
 * @throws OrdealError NO_SUCH_FILE, or BAD_HISTORY naming file, line and field.
 */
export async function loadHistory(path: string): Promise<History> {
  if (path === '-') return read('standard input', process.stdin);
  const file = await locate(path);
  const handle = await open(file).catch((error: unknown) => {
    throw unopened(file, error);
  });
  try {
    return await read(
      file,
      handle.createReadStream({ highWaterMark: chunkBytes, autoClose: false }),
    );
  } finally {
    await handle.close();
  }
}

async function locate(path: string): Promise<string> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw unopened(path, error);
    },
  );
  if (!isDirectory) return path;
  for (const name of namesInDirectory) {
    const file = join(path, name);
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) return file;
  }
  throw new OrdealError(
    'NO_SUCH_FILE',
    `${path}: the directory holds no ${namesInDirectory.join(' and no ')}`,
    'name a history file, or the directory of a run: store/<test>/<time>',
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

async function read(name: string, bytes: AsyncIterable<Uint8Array>): Promise<History> {
  const reader = new HistoryReader(name);
  const whole = await expand(bytes, name, (chunk) => {
    reader.push(chunk);
  });
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
