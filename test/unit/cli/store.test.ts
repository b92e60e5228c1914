import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunDirectory, discardRunDirectory, pointLatest } from '../../../src/cli/store.ts';

const wallMs = Date.UTC(2025, 10, 21, 7, 34, 12, 123);
let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ordeal-store-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('createRunDirectory', () => {
  it('names the test and the time, and holds logs/', async () => {
    const { path } = await createRunDirectory(join(root, 'store'), 'log', wallMs, null);
    expect(path).toBe(join(root, 'store/log/20251121T073412.123Z'));
    expect(existsSync(join(path, 'logs'))).toBe(true);
  });

  it('gives every one of many runs at one instant a directory of its own', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => createRunDirectory(root, 'log', wallMs, null)),
    );
    expect(new Set(made.map(({ path }) => path)).size).toBe(20);
  });

  it('has room for any number of labels at one instant', async () => {
    const labels = Array.from({ length: 150 }, (_, seed) => `seed-${seed}`);
    const made = await Promise.all(
      labels.map((label) => createRunDirectory(root, 'log', wallMs, label)),
    );
    expect(made.map(({ path }) => path)).toEqual(
      labels.map((label) => join(root, `log/20251121T073412.123Z-${label}`)),
    );
  });

  it('fails with STORE_IO where it cannot write', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(createRunDirectory(join(root, 'file'), 'log', wallMs, null)).rejects.toMatchObject(
      {
        code: 'STORE_IO',
        exitCode: 255,
      },
    );
  });
});

describe('a store that cannot be made', () => {
  it('fails with STORE_IO below /proc, where making a parent answers that there is none', async () => {
    writeFileSync(join(root, 'file'), '');
    const impossible = existsSync('/proc/self') ? '/proc' : join(root, 'file');
    const making = createRunDirectory(join(impossible, 'no-store/here'), 'log', wallMs, null);
    await expect(making).rejects.toMatchObject({ code: 'STORE_IO', exitCode: 255 });
  });
});

describe('discardRunDirectory', () => {
  it('takes away what was made for it, and no more', async () => {
    const made = await createRunDirectory(join(root, 'a/store'), 'log', wallMs, null);
    await discardRunDirectory(made);
    expect(await readdir(root)).toEqual([]);
  });

  it('leaves a store that was there, and another run', async () => {
    mkdirSync(join(root, 'store'));
    const first = await createRunDirectory(join(root, 'store'), 'log', wallMs, null);
    const second = await createRunDirectory(join(root, 'store'), 'log', wallMs, null);
    await discardRunDirectory(first);
    expect(await readdir(join(root, 'store/log'))).toEqual(['20251121T073412.123Z-2']);
    await discardRunDirectory(second);
    expect(await readdir(join(root, 'store'))).toEqual(['log']);
  });
});

describe('pointLatest', () => {
  it('is a relative link to the last run, and leaves nothing beside it', async () => {
    const first = await createRunDirectory(root, 'log', wallMs, null);
    const second = await createRunDirectory(root, 'acks-one', wallMs, null);
    await pointLatest(root, first.path);
    await pointLatest(root, second.path);
    expect(readlinkSync(join(root, 'latest'))).toBe('acks-one/20251121T073412.123Z');
    expect((await readdir(root)).sort()).toEqual(['acks-one', 'latest', 'log']);
  });

  it('always points to some run while many replace it', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => createRunDirectory(root, 'log', wallMs, null)),
    );
    for (const { path } of made) writeFileSync(join(path, 'name'), path);
    await pointLatest(root, made[0]!.path);
    const replacing = Promise.all(made.map(({ path }) => pointLatest(root, path)));
    for (let look = 0; look < 50; look++) {
      expect(made.map(({ path }) => path)).toContain(
        readFileSync(join(root, 'latest/name'), 'utf8'),
      );
    }
    await replacing;
    expect((await readdir(root)).sort()).toEqual(['latest', 'log']);
  });
});
