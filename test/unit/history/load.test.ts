/** Files, run directories, standard input and gzip, with real files and processes. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, constants } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadHistory } from '../../../src/history/load.ts';
import { history } from '../../support/history-builder.ts';
import { transpile } from '../../support/transpiled.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordeal-load-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function sample(sends: number): string {
  const built = history();
  for (let i = 0; i < sends; i++) built.send(0, 't/0', `value ${(i * 7919) % sends}`, { ok: i });
  return built.text();
}

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe('what is read', () => {
  test('a plain file, larger than one chunk', async () => {
    const text = sample(4_000);
    expect(text.length).toBeGreaterThan(2 * 2 ** 18);
    const loaded = await loadHistory(await put('plain.jsonl', text));
    expect(loaded.eventCount).toBe(8_000);
    expect(loaded.warnings).toEqual([]);
  });

  test('a gzipped file, told by its first bytes and not by its name', async () => {
    const text = sample(4_000);
    for (const name of ['packed.jsonl.gz', 'packed.jsonl']) {
      const loaded = await loadHistory(await put(name, gzipSync(text)));
      expect(loaded.eventCount).toBe(8_000);
    }
    expect((await loadHistory(await put('plain.gz', sample(1)))).eventCount).toBe(2);
  });

  test('gzip in several members', async () => {
    const text = sample(10);
    const middle = text.length >> 1;
    const members = [text.slice(0, middle), text.slice(middle)].map((part) => gzipSync(part));
    const loaded = await loadHistory(await put('members.gz', Buffer.concat(members)));
    expect(loaded.eventCount).toBe(20);
    expect(loaded.warnings).toEqual([]);
  });

  test('a run directory, whose plain history comes first', async () => {
    const run = join(directory, 'run');
    await mkdir(run);
    await put('run/history.jsonl.gz', gzipSync(sample(1)));
    expect((await loadHistory(run)).eventCount).toBe(2);
    await put('run/history.jsonl', sample(2));
    expect((await loadHistory(run)).eventCount).toBe(4);
  });

  test('standard input, plain and gzipped', async () => {
    const code = await transpile(['src/core', 'src/history']);
    try {
      const script =
        `const { loadHistory } = await import(${JSON.stringify(join(code, 'src/history/load.js'))});` +
        `console.log((await loadHistory('-')).eventCount);`;
      for (const input of [sample(3), gzipSync(sample(3))]) {
        const answer = await new Promise<string>((resolve, reject) => {
          const child = execFile(
            process.execPath,
            ['--input-type=module', '-e', script],
            (error, stdout) => {
              if (error === null) resolve(stdout);
              else reject(new Error(error.message));
            },
          );
          child.stdin?.end(input);
        });
        expect(answer).toBe('6\n');
      }
    } finally {
      await rm(code, { recursive: true });
    }
  });
});

describe('what is refused', () => {
  test('a file that does not exist', async () => {
    const path = join(directory, 'absent.jsonl');
    await expect(loadHistory(path)).rejects.toMatchObject({
      code: 'NO_SUCH_FILE',
      message: expect.stringContaining(path) as string,
    });
  });

  test('a directory without a history', async () => {
    await mkdir(join(directory, 'bare'));
    await expect(loadHistory(join(directory, 'bare'))).rejects.toMatchObject({
      code: 'NO_SUCH_FILE',
    });
  });

  test('an empty file', async () => {
    const path = await put('empty.jsonl', '');
    await expect(loadHistory(path)).rejects.toMatchObject({ code: 'BAD_HISTORY' });
  });

  test('a bad line, named also in a packed file', async () => {
    const path = await put('bad.jsonl.gz', gzipSync(`${sample(100)}{}\n${sample(9_000)}`));
    await expect(loadHistory(path)).rejects.toMatchObject({
      code: 'BAD_HISTORY',
      message: `${path}:202: index: expected an integer in [0, 2^53), got nothing`,
    });
  });

  test('gzip that is damaged rather than cut', async () => {
    const packed = gzipSync(sample(1_000));
    packed[packed.length - 8]! ^= 0xff;
    await expect(loadHistory(await put('damaged.gz', packed))).rejects.toMatchObject({
      code: 'BAD_HISTORY',
      message: expect.stringContaining('damaged') as string,
    });
  });
});

describe('a cut gzip', () => {
  test('gives every whole line that can still be unpacked, wherever it is cut', async () => {
    const packed = gzipSync(sample(300), { level: 1 });
    for (let end = 20; end < packed.length; end += 97) {
      const cut = packed.subarray(0, end);
      const unpacked = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
      const lines = unpacked.split('\n').length - 1;
      const path = await put('cut.gz', cut);
      if (lines === 0) {
        await expect(loadHistory(path)).rejects.toMatchObject({ code: 'BAD_HISTORY' });
        continue;
      }
      const loaded = await loadHistory(path);
      expect(loaded.eventCount).toBe(lines - 1);
      expect(loaded.warnings[0]).toContain('the gzip stream is cut off');
    }
  });

  test('loses nothing of a large one but its end', async () => {
    const packed = gzipSync(sample(20_000), { level: 1 });
    const cut = packed.subarray(0, packed.length - 9);
    const loaded = await loadHistory(await put('large.gz', cut));
    expect(loaded.eventCount).toBe(40_000);
    expect(loaded.warnings).toHaveLength(1);
  });
});
