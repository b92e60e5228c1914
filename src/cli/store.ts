/** The store of runs: one directory per run, its files, and `latest`. Two runs at once never share or fight. */
import { mkdir, rename, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { OrdealError, describeError } from '../core/errors.ts';

/** What a run directory holds beside options, schedule and seed; `ordeal check DIRECTORY` reads the first. */
export const runFiles = {
  history: 'history.jsonl',
  results: 'results.json',
  report: 'report.txt',
  logs: 'logs',
} as const;

/** More runs of one test and label do not begin in one millisecond. */
const directoriesPerInstantMax = 100;

export interface RunDirectory {
  /** Absolute. */
  readonly path: string;
  /** The highest directory that had to be made for it: itself, or store/<test>, or the store or above. */
  readonly highestMade: string;
}

/**
 * Makes store/<test>/<timestamp>/ with its logs/ directory. The name is claimed by creating it, so it is unique.
 * @param label follows the timestamp, where many runs are kept at one instant; or null.
 * @throws OrdealError STORE_IO.
 */
export async function createRunDirectory(
  store: string,
  test: string,
  wallMs: number,
  label: string | null,
): Promise<RunDirectory> {
  const parent = resolve(store, test);
  const time = new Date(wallMs).toISOString().replace(/[-:]/g, '');
  const instant = label === null ? time : `${time}-${label}`;
  return storeIo(`the store ${store} cannot be written`, async () => {
    const made = await makeDirectories(parent);
    for (let attempt = 1; attempt <= directoriesPerInstantMax; attempt++) {
      const path = join(parent, attempt === 1 ? instant : `${instant}-${attempt}`);
      if (!(await claim(path))) continue;
      await mkdir(join(path, runFiles.logs));
      return { path, highestMade: made ?? path };
    }
    throw new Error(`${directoriesPerInstantMax} runs of ${test} began at ${instant}`);
  });
}

/**
 * Node's own recursive mkdir tries for ever where a directory that exists answers ENOENT, as /proc does. This one looks
 * upwards for what exists, at most to the root, and then makes what is missing, each directory once.
 * @returns the highest that it made, or null.
 */
async function makeDirectories(path: string): Promise<string | null> {
  const missing: string[] = [];
  for (let at = path; !(await exists(at)); at = dirname(at)) missing.unshift(at);
  let highestMade: string | null = null;
  for (const directory of missing) {
    if (await claim(directory)) highestMade ??= directory;
  }
  return highestMade;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return dirname(path) === path;
    throw thrown;
  }
}

/** @returns false if it is there already. */
async function claim(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST')) return false;
    throw thrown;
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

/** The whole file or none. @throws OrdealError STORE_IO. */
export async function writeRunFile(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, name);
  await storeIo(`${path} cannot be written`, async () => {
    try {
      await writeFile(path, text);
    } catch (thrown) {
      // Half a document would be taken for one. What cannot be removed was no file of ours.
      await rm(path, { force: true }).catch(() => undefined);
      throw thrown;
    }
  });
}

/**
 * Points store/latest at a run. A link made beside it takes its place by rename, so a reader sees the old one or the
 * new one and never none; of two runs at once the later rename wins.
 */
export async function pointLatest(store: string, directory: string): Promise<void> {
  const root = resolve(store);
  const target = relative(root, directory);
  const beside = join(root, `.latest-${target.replace(/[/\\]/g, '-')}`);
  await storeIo(`${join(root, 'latest')} cannot be written`, async () => {
    await rm(beside, { force: true });
    await symlink(target, beside);
    await rename(beside, join(root, 'latest'));
  });
}

/** Removes the directory of a run that never began, and those above it that were made for it and hold nothing else. */
export async function discardRunDirectory({ path, highestMade }: RunDirectory): Promise<void> {
  await rm(path, { recursive: true, force: true });
  for (let above = path; above !== highestMade;) {
    above = dirname(above);
    try {
      await rmdir(above);
    } catch {
      // Another run has begun in it meanwhile.
      return;
    }
  }
}

async function storeIo<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw new OrdealError(
      'STORE_IO',
      `${message}: ${describeError(thrown)}`,
      'check that the directory exists, is yours and has space, or choose another with --store',
      { cause: thrown },
    );
  }
}
