import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunFiles } from '../../../src/run/run-files.ts';
import { createUndoJournal, undoJournalName } from '../../../src/run/undo-journal.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordeal-undo-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const plan = { target: { role: 'all' }, variant: 'SIGKILL' } as const;
const entry = { fault: 'f1', nemesis: 'kill', targets: [1, 2], plan };

describe('the undo journal', () => {
  it('is on disk when a call resolves, in the order of the calls', async () => {
    const journal = createUndoJournal(createRunFiles(directory));
    const both = [journal.plan(entry), journal.done('f1')];
    await Promise.all(both);
    const text = await readFile(join(directory, undoJournalName), 'utf8');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { undo: 'plan', ...entry },
      { undo: 'done', fault: 'f1' },
    ]);
  });

  it('tells the caller whose line failed, and only that one', async () => {
    const files = createRunFiles(directory);
    let failures = 1;
    const journal = createUndoJournal({
      ...files,
      appendLine: (name, line) => {
        failures -= 1;
        return failures === 0 ? Promise.reject(new Error('full')) : files.appendLine(name, line);
      },
    });
    const first = journal.plan(entry);
    const second = journal.done('f1');
    await expect(first).rejects.toThrow('full');
    await expect(second).resolves.toBeUndefined();
  });
});

describe('run files', () => {
  it('writes whole files and makes folders', async () => {
    const files = createRunFiles(directory);
    await files.write('seed.txt', '7\n');
    expect(await readFile(join(directory, 'seed.txt'), 'utf8')).toBe('7\n');
    expect(await files.folder('logs')).toBe(join(directory, 'logs'));
    expect(await files.folder('logs')).toBe(join(directory, 'logs'));
  });

  it('names the file that cannot be written', async () => {
    const files = createRunFiles(join(directory, 'missing'));
    const path = join(directory, 'missing', 'seed.txt');
    await expect(files.write('seed.txt', '')).rejects.toMatchObject({
      code: 'STORE_IO',
      message: `${path} cannot be written`,
    });
  });
});
