/** The run directory as a run uses it; in memory for tests, so that their time stands still while nothing happens. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OrdealError } from '../core/errors.ts';

export interface RunFiles {
  /** Writes a whole file and syncs it. */
  write(name: string, text: string): Promise<void>;
  /** Appends one line; resolves when it is on disk. */
  appendLine(name: string, line: string): Promise<void>;
  /** Makes a folder if it is not there, and returns its path. */
  folder(name: string): Promise<string>;
}

/** @throws OrdealError STORE_IO naming the file, from every member. */
export function createRunFiles(directory: string): RunFiles {
  return {
    write: (name, text) =>
      inDirectory(directory, name, (path) => writeFile(path, text, { flush: true })),
    appendLine: (name, line) =>
      inDirectory(directory, name, async (path) => {
        const file = await open(path, 'a');
        try {
          await file.write(`${line}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
      }),
    folder: (name) =>
      inDirectory(directory, name, async (path) => {
        await mkdir(path, { recursive: true });
        return path;
      }),
  };
}

async function inDirectory<T>(
  directory: string,
  name: string,
  write: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(directory, name);
  try {
    return await write(path);
  } catch (cause) {
    throw new OrdealError(
      'STORE_IO',
      `${path} cannot be written`,
      'check that the store directory exists, is writable and has room, or give another with --store',
      { cause },
    );
  }
}
