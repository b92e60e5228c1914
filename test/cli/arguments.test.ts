import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Folder, ordeal } from './command.ts';

const commands = [
  ...[
    'test',
    'explore',
    'replay',
    'shrink',
    'slice',
    'check',
    'convert',
    'clean',
    'doctor',
    'list',
  ],
];

describe('the command line', () => {
  it('prints its version', async () => {
    const manifest = readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8');
    const run = await ordeal(['--version']);
    expect(run.stdout.trim()).toBe((JSON.parse(manifest) as { readonly version: string }).version);
    expect(run.exitCode).toBe(0);
  });

  it('names its commands in --help', async () => {
    const run = await ordeal(['--help']);
    for (const command of commands) expect(run.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(run.stdout).toMatch(/^Examples:$/m);
    expect(run.exitCode).toBe(0);
  });

  it.each(commands)('shows examples in %s --help', async (command) => {
    const run = await ordeal([command, '--help']);
    expect(run.stdout).toMatch(new RegExp(`^  (.+ \\| )?ordeal ${command}`, 'm'));
    expect(run.stderr).toBe('');
    expect(run.exitCode).toBe(0);
  });

  it.each([
    [[], /no command was named/, /ordeal --help/],
    [['chekc'], /unknown command 'chekc'/, /Did you mean check/],
    [['test', '--sed', '1'], /unknown option '--sed'/, /Did you mean --seed/],
    [['list', '--frobnicate'], /unknown option '--frobnicate'/, /--help/],
    [['test', 'extra'], /too many arguments/, /--help/],
    [['test', '--workload', 'lgo'], /--workload: there is no "lgo"/, /did you mean "log"/],
    [['test', '--nemesis', 'kil'], /--nemesis: there is no "kil"/, /did you mean "kill"/],
    [['test', '--nemesis', 'all,kill'], /"all" stands beside/, /give all alone/],
    [['test', '--scenario', 'ack-one'], /no "ack-one"/, /did you mean "acks-one"/],
    [['test', '--control'], /--control is the twin/, /acks-one/],
    [['test', '--time-limit', '60'], /--time-limit: "60"/, /unit/],
    [['test', '--cluster', 'external'], /external is not built yet/, /--cluster docker/],
    [['test', '--image', 'kafka'], /--image is for --cluster docker/, /add --cluster docker/],
    [['test', '--defect', 'ack-before'], /--defect: there is no "ack-before"/, /known are/],
    [['explore', '--runs', '0'], /--runs: "0"/, /whole number/],
    [['explore', '--stop-first', '--count-all'], /contradict each other/, /one of them/],
    [['explore', '--defect', 'x'], /--defect: there is no "x"/, /known are/],
    [['replay', 'nowhere'], /nowhere: cannot be opened/, /directory of a run/],
    [['shrink', 'nowhere'], /nowhere: cannot be opened/, /history file/],
    [['shrink', 'x', '--anomaly', 'lost-wrote'], /no "lost-wrote"/, /did you mean "lost-write"/],
    [['slice', 'x'], /nothing says around what/, /--around-operation/],
    [['slice', 'x', '--around-operation', 'a'], /"a" is not the index of an event/, /417/],
    [['slice', 'x', '--around-offset', 'orders@1'], /"orders@1" is no place/, /orders\/0@412/],
    [['slice', 'x', '--from-time', '12'], /--from-time: "12" is not a time/, /unit/],
    [['slice', 'x', '--from-time', '2s', '--to-time', '1s'], /later than --to-time/, /exchange/],
    [['slice', 'x', '--window', '1s'], /--window is the width/, /add --around-time/],
    [['slice', 'x', '--around-time', '1s', '--to-time', '2s'], /cannot be given with/, /either/],
    [['slice', 'x', '--around-time', '1s', '-o', 'y.txt'], /"y.txt" ends neither/, /name/],
    [['slice', 'nowhere', '--around-time', '1s'], /nowhere: cannot be opened/, /history file/],
    [['convert', 'x', 'y.txt'], /"y.txt" ends neither in \.jsonl nor in \.edn/, /name/],
    [['convert', 'x', '-'], /standard output has no name/, /--to jsonl or --to edn/],
    [['convert', 'x', '-', '--to', 'ednn'], /--to: there is no "ednn"/, /did you mean "edn"/],
    [['convert', 'x', 'y.edn', '--to', 'jsonl'], /contradicts the name "y.edn"/, /rename/],
    [['convert', 'nowhere', 'y.edn'], /nowhere: cannot be opened/, /history file/],
    [['list', 'scenario'], /no "scenario"/, /did you mean "scenarios"/],
  ])('refuses %j with the next step', async (args, what, next) => {
    using folder = new Folder();
    const run = await ordeal(args, { cwd: folder.path });
    const [first = '', second = ''] = run.stderr.split('\n');
    expect(first).toMatch(what);
    expect(second).toMatch(next);
    expect(run.stdout).toBe('');
    expect(run.exitCode).toBe(254);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('refuses a flag that the scenario fixes', async () => {
    const run = await ordeal(['test', '--scenario', 'acks-one', '--time-limit', '5s']);
    expect(run.stderr).toMatch(/--time-limit cannot be given with --scenario/);
    expect(run.exitCode).toBe(254);
  });

  it('prints errors as JSON with --json, on stdout', async () => {
    const run = await ordeal(['test', '--json', '--rate', 'fast']);
    expect(JSON.parse(run.stdout)).toMatchObject({
      error: { code: 'BAD_ARGUMENT', message: expect.stringContaining('--rate') as string },
    });
    expect(run.exitCode).toBe(254);
  });
});

describe('ordeal list', () => {
  it('names what other commands take', async () => {
    const run = await ordeal(['list']);
    const names = ['log', 'kill', 'pause', 'partition', 'acks-one', 'unclean-election', 'docker'];
    names.push('simulated', 'ack-before-replication');
    for (const name of names) expect(run.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(run.exitCode).toBe(0);
  });

  it('prints one subject, and JSON', async () => {
    const run = await ordeal(['list', 'claims', '--json']);
    const parsed = JSON.parse(run.stdout) as Record<string, readonly { readonly name: string }[]>;
    expect(Object.keys(parsed)).toEqual(['claims']);
    expect(parsed['claims']?.map(({ name }) => name)).toContain('durability');
    expect(run.exitCode).toBe(0);
  });
});

describe('without Docker', () => {
  it('a test ends soon with 255 and the next step, and leaves nothing', async () => {
    using folder = new Folder();
    const run = await ordeal(['test', '--cluster', 'docker', '--seed', '5'], { cwd: folder.path });
    expect(run.stderr).toMatch(/^test log, seed 5$/m);
    expect(run.stderr).toMatch(/^reproduce with: ordeal test --cluster docker --seed 5$/m);
    expect(run.stderr).toMatch(
      /no Docker engine answers on unix:\/\/\/nowhere.*DOCKER_UNREACHABLE/,
    );
    expect(run.stderr).toMatch(/^next: /m);
    expect(run.stdout).toBe('');
    expect(run.exitCode).toBe(255);
    expect(run.durationMs).toBeLessThan(10_000);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('a test leaves a store that was there as it was', async () => {
    using folder = new Folder();
    folder.write('mine.txt', 'x');
    const run = await ordeal(['test', '--cluster', 'docker', '--store', folder.path, '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'DOCKER_UNREACHABLE' } });
    expect(readdirSync(folder.path)).toEqual(['mine.txt']);
  });

  it('a store that cannot be made is an error of its own', async () => {
    using folder = new Folder();
    const file = folder.write('file', 'x');
    const run = await ordeal(['test', '--store', join(file, 'store')]);
    expect(run.stderr).toMatch(/STORE_IO/);
    expect(run.exitCode).toBe(255);
  });

  it('clean says what is missing', async () => {
    const run = await ordeal(['clean']);
    expect(run.stderr).toMatch(/DOCKER_UNREACHABLE/);
    expect(run.exitCode).toBe(255);
  });

  it.each([
    ['simulated', [], 0],
    ['docker', ['--cluster', 'docker'], 255],
  ] as const)('doctor says what is there and what a %s run lacks', async (_name, more, code) => {
    using folder = new Folder();
    const run = await ordeal(['doctor', '--json', ...more], { cwd: folder.path });
    const rows = JSON.parse(run.stdout) as readonly {
      readonly check: string;
      readonly ok: boolean;
      readonly next: string;
      readonly needed: boolean;
    }[];
    const row = (name: string) => rows.find(({ check }) => check === name);
    expect(row('node')).toMatchObject({ ok: true, needed: true });
    expect(row('store')).toMatchObject({ ok: true, needed: true });
    expect(row('engine')).toMatchObject({ ok: false, needed: code === 255 });
    expect(row('engine')?.next).not.toBe('');
    expect(run.exitCode).toBe(code);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('doctor counts what every run needs, and knows the clusters', async () => {
    using folder = new Folder();
    const store = join(folder.write('file', ''), 'store');
    const unwritable = await ordeal(['doctor', '--store', store]);
    expect(unwritable.exitCode).toBe(255);
    expect(unwritable.stdout).toMatch(/^missing {2}store: /m);
    expect(unwritable.stdout).toMatch(/^absent {3}engine: .* \(needed for --cluster docker\)$/m);
    const strange = await ordeal(['doctor', '--cluster', 'dokcer']);
    expect(strange.exitCode).toBe(254);
  });
});

describe('what is printed', () => {
  it('has no escape sequences where no terminal is', async () => {
    const run = await ordeal(['list']);
    expect(run.stdout).not.toContain('\u001b');
  });

  it('ends in peace when the reader goes away', async () => {
    const { execa } = await import('execa');
    const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js');
    const piped = await execa({
      shell: true,
      reject: false,
    })`${process.execPath} ${main} list | head -n 1`;
    expect(piped.stdout).toBe('workloads');
    expect(piped.stderr).toBe('');
  });

  it('is never lost in silence', async () => {
    const { execa } = await import('execa');
    const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js');
    const full = await execa({
      shell: true,
      reject: false,
    })`${process.execPath} ${main} list > /dev/full`;
    expect(full.exitCode).toBe(255);
    expect(full.stderr).toMatch(
      /^ordeal: standard output could not be written: ENOSPC.* \[OUTPUT_IO\]\nnext: free space/,
    );
  });
});
