import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { resultSchema } from '../../src/report/schema.ts';
import type { ResultDocument } from '../../src/spi/verdict.ts';
import { Folder, badHistory, goodHistory, openHistory, ordeal } from './command.ts';

describe('ordeal check', () => {
  it.each([
    ['valid', goodHistory, 0, /^VALID: the demanded claim is proved \(durability\)$/m],
    ['invalid', badHistory, 1, /^INVALID: durability is refuted: lost-write found once/m],
    ['unknown', openHistory, 2, /^UNKNOWN: durability is unknown$/m],
  ])(
    'of a history that is %s ends with its exit code',
    async (_name, history, code, conclusion) => {
      using folder = new Folder();
      const run = await ordeal(['check', folder.write('history.jsonl', history)]);
      expect(run.stdout).toMatch(conclusion);
      expect(run.stderr).toBe('');
      expect(run.exitCode).toBe(code);
    },
  );

  it('explains a finding and proves it again with --certify', async () => {
    using folder = new Folder();
    const path = folder.write('history.jsonl', badHistory);
    const run = await ordeal(['check', path, '--certify']);
    expect(run.stdout).toMatch(/lost-write: 1 found/);
    expect(run.stdout).toMatch(/1\. orders\/0, offset 0, layer \w+, events 1, 3/);
    expect(run.stderr).toBe(`${path}: 1 witnesses proved again\n`);
    expect(run.exitCode).toBe(1);
  });

  it('prints a document that its schema accepts, and nothing else, with --json', async () => {
    using folder = new Folder();
    const run = await ordeal(['check', folder.write('h.jsonl', badHistory), '--json']);
    const parsed = resultSchema.parse(JSON.parse(run.stdout));
    expect(parsed.valid).toBe(false);
    expect(parsed.anomalies['lost-write'].count).toBe(1);
    expect(run.exitCode).toBe(1);
  });

  it('says the same of a file, a gzipped file, a directory and standard input', async () => {
    using folder = new Folder();
    const plain = folder.write('plain.jsonl', badHistory);
    const zipped = folder.write('zipped.jsonl.gz', gzipSync(badHistory));
    mkdirSync(join(folder.path, 'run'));
    folder.write('run/history.jsonl', badHistory);
    const runs = await Promise.all([
      ordeal(['check', '--json', plain]),
      ordeal(['check', '--json', zipped]),
      ordeal(['check', '--json', join(folder.path, 'run')]),
      ordeal(['check', '--json', '-'], { input: badHistory }),
      ordeal(['check', '--json', '-'], { input: gzipSync(badHistory) }),
    ]);
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 1, 1]);
  });

  it('judges a torn history, says so, and names no path in the document', async () => {
    using folder = new Folder();
    const torn = badHistory.slice(0, -30);
    const run = await ordeal(['check', '--json', folder.write('torn.jsonl', torn)]);
    const { coverage } = JSON.parse(run.stdout) as ResultDocument;
    expect(coverage.warnings.join('\n')).toMatch(/torn/);
    expect(run.stdout).not.toContain(folder.path);
    expect(run.exitCode).toBe(2);
  });

  it("demands what --claims names in place of the header's claims", async () => {
    using folder = new Folder();
    const path = folder.write('h.jsonl', badHistory);
    const run = await ordeal(['check', path, '--claims', 'no-duplicates', '--json']);
    const { claims } = JSON.parse(run.stdout) as ResultDocument;
    expect(claims.durability).toMatchObject({ outcome: 'refuted', demanded: false });
    expect(claims['no-duplicates']).toMatchObject({ outcome: 'proved', demanded: true });
    expect(run.exitCode).toBe(0);
  });

  it('judges every file of several; the worst decides', async () => {
    using folder = new Folder();
    const good = folder.write('good.jsonl', goodHistory);
    const bad = folder.write('bad.jsonl', badHistory);
    const open = folder.write('open.jsonl', openHistory);
    const run = await ordeal(['check', good, open, bad]);
    expect(run.stdout.match(/^(VALID|INVALID|UNKNOWN)/gm)).toEqual(['VALID', 'UNKNOWN', 'INVALID']);
    expect(run.exitCode).toBe(1);
    expect((await ordeal(['check', good, open])).exitCode).toBe(2);
    expect((await ordeal(['check', good, good])).exitCode).toBe(0);
  });

  it('prints an array for several files, with the error of one that cannot be read', async () => {
    using folder = new Folder();
    const good = folder.write('good.jsonl', goodHistory);
    const missing = join(folder.path, 'missing.jsonl');
    const run = await ordeal(['check', good, missing, '--json']);
    const entries = JSON.parse(run.stdout) as readonly Record<string, unknown>[];
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({ file: good, result: { valid: true } });
    expect(entries[1]).toMatchObject({ file: missing, error: { code: 'NO_SUCH_FILE' } });
    expect(run.exitCode).toBe(254);
  });
});

describe('ordeal check, what it refuses', () => {
  it('names file, line and field of a broken history', async () => {
    using folder = new Folder();
    const broken = goodHistory.replace('"time":2000', '"time":"2000"');
    const path = folder.write('broken.jsonl', broken);
    const run = await ordeal(['check', path]);
    expect(run.stderr).toContain(`${path}:3: time: `);
    expect(run.stderr).toMatch(/^next: /m);
    expect(run.stdout).toBe('');
    expect(run.exitCode).toBe(254);
  });

  it('prints the error as JSON with --json', async () => {
    using folder = new Folder();
    const run = await ordeal(['check', folder.write('empty.jsonl', ''), '--json']);
    const { error } = JSON.parse(run.stdout) as { readonly error: Record<string, string> };
    expect(error).toMatchObject({ code: 'BAD_HISTORY' });
    expect(error['next']).toBeTruthy();
    expect(run.exitCode).toBe(254);
  });

  it('has no file that is not there', async () => {
    using folder = new Folder();
    const path = join(folder.path, 'missing.jsonl');
    const run = await ordeal(['check', path]);
    expect(run.stderr).toContain(path);
    expect(run.stderr).toContain('[NO_SUCH_FILE]');
    expect(run.exitCode).toBe(254);
  });

  it('suggests the claim that was meant', async () => {
    const run = await ordeal(['check', '-', '--claims', 'durabilty'], { input: goodHistory });
    expect(run.stderr).toMatch(/did you mean "durability"/);
    expect(run.exitCode).toBe(254);
  });

  it('reads standard input once only', async () => {
    const twice = await ordeal(['check', '-', '-'], { input: goodHistory });
    expect(twice.stderr).toMatch(/standard input/);
    expect(twice.exitCode).toBe(254);
    const certified = await ordeal(['check', '-', '--certify'], { input: goodHistory });
    expect(certified.exitCode).toBe(254);
  });

  it('takes no command line without a file', async () => {
    const run = await ordeal(['check']);
    expect(run.stderr).toMatch(/missing required argument 'file'/);
    expect(run.exitCode).toBe(254);
  });
});
