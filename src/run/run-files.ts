/**
 * The run directory as a run uses it. On a real cluster it is written and synced; on the simulated one, whose time stands
 * still while anything real is awaited, it is written synchronously, or kept in memory.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
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

/**
 * Every member is done when it returns. Nothing is synced: a simulated fault leaves nothing on the machine to be undone.
 * @throws OrdealError STORE_IO naming the file, from every member.
 */
export function createSynchronousRunFiles(directory: string): RunFiles {
  const settled = <T>(name: string, work: (path: string) => T): Promise<T> =>
    inDirectory(
      directory,
      name,
      (path) =>
        new Promise<T>((resolve) => {
          resolve(work(path));
        }),
    );
  return {
    write: (name, text) =>
      settled(name, (path) => {
        writeFileSync(path, text);
      }),
    appendLine: (name, line) =>
      settled(name, (path) => {
        appendFileSync(path, `${line}\n`);
      }),
    folder: (name) =>
      settled(name, (path) => {
        mkdirSync(path, { recursive: true });
        return path;
      }),
  };
}

/** For runs of which nothing is kept but their events: what would be written is dropped. */
export const noRunFiles: RunFiles = {
  write: () => Promise.resolve(),
  appendLine: () => Promise.resolve(),
  folder: (name) => Promise.resolve(name),
};

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
