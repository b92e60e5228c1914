import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ResultDocument } from '../../src/spi/verdict.ts';
import { Folder, badHistory, ordeal } from './command.ts';

/** A subscriber that passes over an acknowledged record without a rebalance. */
const jepsenHistory = [
  ...[1, 2, 3].flatMap((value, offset) => [
    `{:index ${offset * 2}, :time ${offset * 20}, :process 0, :type :invoke, :f :send, :value [[:send 0 ${value}]]}`,
    `{:index ${offset * 2 + 1}, :time ${offset * 20 + 10}, :process 0, :type :ok, :f :send, :value [[:send 0 [${offset} ${value}]]]}`,
  ]),
  '{:index 6, :time 60, :process :nemesis, :type :info, :f :kill, :value nil}',
  '{:index 7, :time 70, :process 1, :type :invoke, :f :poll, :value [[:poll]]}',
  '{:index 8, :time 80, :process 1, :type :ok, :f :poll, :value [[:poll {0 [[0 1] [1 2] [2 3]]}]]}',
  '{:index 9, :time 90, :process 2, :type :invoke, :f :poll, :value [[:poll]]}',
  '{:index 10, :time 99, :process 2, :type :ok, :f :poll, :value [[:poll {0 [[0 1] [2 3]]}]]}',
].join('\n');

describe('ordeal check of EDN', () => {
  it('says the same of a file, a store directory and standard input', async () => {
    using folder = new Folder();
    const file = folder.write('saved.edn', jepsenHistory);
    mkdirSync(join(folder.path, 'store'));
    folder.write('store/history.edn', jepsenHistory);
    const runs = await Promise.all([
      ordeal(['check', '--json', file]),
      ordeal(['check', '--json', join(folder.path, 'store')]),
      ordeal(['check', '--json', '-'], { input: `[${jepsenHistory}]` }),
    ]);
    const [first] = runs;
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
    const { anomalies, valid } = JSON.parse(first.stdout) as ResultDocument;
    expect(anomalies['poll-skip'].outcome).toBe('found');
    expect(valid).toBe(false);
    expect(first.exitCode).toBe(1);
  });

  it('takes name, seed and settings of a test from its store directory, and proves witnesses again', async () => {
    using folder = new Folder();
    folder.write('history.edn', jepsenHistory);
    folder.write(
      'test.edn',
      '{:name "queue", :start-time #inst "2026-01-01T00:00:00Z", :seed 7, :acks "1"}',
    );
    folder.write('results.edn', '{:valid? ');
    const run = await ordeal(['check', '--certify', folder.path]);
    expect(run.stdout).toMatch(/seed 7, run queue 2026-01-01T00:00:00Z/);
    expect(run.stdout).toMatch(/results\.edn is no EDN and was left out/);
    expect(run.stderr).toMatch(/witnesses proved again/);
    expect(run.exitCode).toBe(1);
  });

  it('says what to do with a store directory of binary files', async () => {
    using folder = new Folder();
    folder.write('test.jepsen', 'JEPSEN');
    const run = await ordeal(['check', folder.path]);
    expect(run.stderr).toMatch(
      /only test\.jepsen, a binary format.* \[UNSUPPORTED\]\nnext: let Jepsen print/,
    );
    expect(run.exitCode).toBe(254);
  });

  it('names file, line and field of what is wrong, also as JSON', async () => {
    using folder = new Folder();
    const file = folder.write(
      'h.edn',
      `${jepsenHistory}\n{:process 5, :type :ok, :f :poll, :value 3}`,
    );
    const run = await ordeal(['check', '--json', file]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      error: {
        code: 'BAD_HISTORY',
        message: `${file}:12: value: expected a vector of micro-operations, got 3`,
      },
    });
    expect(run.exitCode).toBe(254);
  });
});

describe('ordeal convert', () => {
  it('gives the same history back, also gzipped and through standard output', async () => {
    using folder = new Folder();
    const from = folder.write('a.jsonl', badHistory);
    const [edn, back] = ['b.edn.gz', 'c.jsonl'].map((name) => join(folder.path, name)) as [
      string,
      string,
    ];
    const there = await ordeal(['convert', from, edn]);
    expect(there.stderr).toBe(`4 events written to ${edn}\n`);
    expect(there.stdout).toBe('');
    expect(gunzipSync(readFileSync(edn)).toString()).toContain(':value [[:send 0 17]]');
    expect((await ordeal(['convert', edn, back])).exitCode).toBe(0);
    expect(readFileSync(back, 'utf8')).toBe(badHistory);
    const piped = await ordeal(['convert', '-', '-', '--to', 'edn'], { input: badHistory });
    expect(piped.stdout).toBe(gunzipSync(readFileSync(edn)).toString());
    const home = await ordeal(['convert', '-', '-', '--to', 'jsonl'], { input: piped.stdout });
    expect(home.stdout).toBe(badHistory);
    expect(readdirSync(folder.path).sort()).toEqual(['a.jsonl', 'b.edn.gz', 'c.jsonl']);
  });

  it('says what it forgave', async () => {
    using folder = new Folder();
    const torn = folder.write('torn.jsonl', badHistory.slice(0, -30));
    const run = await ordeal(['convert', torn, join(folder.path, 'x.edn')]);
    expect(run.stderr).toMatch(/^warning: line 5, the last, is torn/);
    expect(run.exitCode).toBe(0);
  });

  it('leaves nothing where it cannot write, or has no history', async () => {
    using folder = new Folder();
    const from = folder.write('a.jsonl', badHistory);
    const nowhere = await ordeal(['convert', from, join(folder.path, 'no', 'b.edn')]);
    expect(nowhere.stderr).toMatch(/b\.edn could not be written: ENOENT.* \[OUTPUT_IO\]/);
    expect(nowhere.exitCode).toBe(255);
    const bad = folder.write('bad.edn', '{:a');
    const run = await ordeal(['convert', bad, join(folder.path, 'b.jsonl')]);
    expect(run.stderr).toMatch(/bad\.edn:1: the file holds no whole operation/);
    expect(run.exitCode).toBe(254);
    expect(readdirSync(folder.path).sort()).toEqual(['a.jsonl', 'bad.edn']);
  });
});
