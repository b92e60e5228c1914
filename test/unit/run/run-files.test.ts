import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OrdealError } from '../../../src/core/errors.ts';
import { createRunFiles, createSynchronousRunFiles } from '../../../src/run/run-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ordeal-files-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe.each([
  ['synced', createRunFiles],
  ['synchronous', createSynchronousRunFiles],
] as const)('run files, %s', (_name, create) => {
  it('write, append and make folders', async () => {
    const files = create(directory);
    await files.write('seed.txt', '1\n');
    await files.appendLine('undo.jsonl', 'a');
    await files.appendLine('undo.jsonl', 'b');
    const folder = await files.folder('logs');
    writeFileSync(join(folder, 'node-1.log'), '');
    expect(await files.folder('logs')).toBe(folder);
    expect(readFileSync(join(directory, 'seed.txt'), 'utf8')).toBe('1\n');
    expect(readFileSync(join(directory, 'undo.jsonl'), 'utf8')).toBe('a\nb\n');
  });

  it('name the file that cannot be written', async () => {
    const files = create(join(directory, 'gone'));
    const failing = [() => files.write('seed.txt', '1'), () => files.appendLine('undo.jsonl', 'a')];
    for (const write of failing) {
      const error = await write().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OrdealError);
      expect(error).toMatchObject({ code: 'STORE_IO' });
    }
  });
});

describe('synchronous run files', () => {
  it('are done when a call returns', () => {
    void createSynchronousRunFiles(directory).write('seed.txt', '1\n');
    expect(readFileSync(join(directory, 'seed.txt'), 'utf8')).toBe('1\n');
  });
});
