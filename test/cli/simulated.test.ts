/** The simulated cluster by the built command, as a user has it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { ExploreDocument } from '../../src/cli/explore-totals.ts';
import { readEvents } from '../../src/history/load-text.ts';
import type { ResultDocument } from '../../src/spi/verdict.ts';
import { Folder, badHistory, main, ordeal } from './command.ts';

const short = ['--nemesis', 'pause,partition', '--time-limit', '20s', '--rate', '20'];

function latest(folder: Folder, store = 'store'): string {
  return realpathSync(join(folder.path, store, 'latest'));
}

function historyOf(directory: string): ReturnType<typeof readEvents> {
  const path = join(directory, 'history.jsonl');
  return readEvents(readFileSync(path), path);
}

/** Fails to load Docker's or kafkajs's library, wherever it is asked for. */
const withoutLibraries = [
  'export async function resolve(name, context, next) {',
  '  if (/^(dockerode|kafkajs)/.test(name)) throw new Error("loaded " + name);',
  '  return next(name, context);',
  '}',
].join('\n');
const refuseLibraries = `import{register}from"node:module";register(${JSON.stringify(
  `data:text/javascript,${encodeURIComponent(withoutLibraries)}`,
)})`;

describe('ordeal test', () => {
  it('runs on the simulated cluster by default, and loads no library of another', async () => {
    using folder = new Folder();
    const run = await ordeal(['test', '--seed', '5', ...short], {
      cwd: folder.path,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(refuseLibraries)}` },
    });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/^ {2}cluster: simulated$/m);
    expect(run.stderr).not.toMatch(/brokerVersion/);
    const directory = latest(folder);
    const { header } = historyOf(directory);
    expect(header).toMatchObject({
      run: 'log-5',
      started: '1970-01-01T00:00:00.000Z',
      system: { name: 'simulated' },
    });
    const files = ['history.jsonl', 'options.json', 'report.txt', 'results.json', 'undo.jsonl'];
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(files));
    const { valid, coverage } = JSON.parse(
      readFileSync(join(directory, 'results.json'), 'utf8'),
    ) as ResultDocument;
    expect(valid).toBe(true);
    expect(coverage.eventLoopDelayMs).toBeNull();
    const again = await ordeal(['check', directory, '--json']);
    expect(again.stdout).toBe(readFileSync(join(directory, 'results.json'), 'utf8'));
  });

  it('finds what a defect does, and says how to run it again', async () => {
    using folder = new Folder();
    const args = ['test', '--swarm', 'promising', '--defect', 'ack-before-replication'];
    const run = await ordeal([...args, '--seed', '1', '--json'], { cwd: folder.path });
    expect(run.exitCode, run.stderr).toBe(1);
    const { anomalies } = JSON.parse(run.stdout) as ResultDocument;
    expect(anomalies['lost-write']).toMatchObject({ outcome: 'found', permittedBy: null });
    expect(run.stderr).toMatch(
      /^reproduce with: ordeal test --swarm promising --defect ack-before-replication --seed 1$/m,
    );
  });

  it('finds what a scenario shows, and nothing in its control', async () => {
    using folder = new Folder();
    const args = ['test', '--scenario', 'acks-one', '--seed', '1'];
    const broken = await ordeal(args, { cwd: folder.path });
    expect(broken.exitCode, broken.stdout).toBe(1);
    const control = await ordeal([...args, '--control'], { cwd: folder.path });
    expect(control.exitCode, control.stdout).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('heals and concludes after %s', async (signal, exitCode) => {
    using folder = new Folder();
    const child = startLong(folder);
    await untilFaultsBegan(child);
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(exitCode);
    const { events } = historyOf(latest(folder));
    const names = events.map(({ f, value }) =>
      f === 'phase' ? (value as { phase: string }).phase : f,
    );
    expect(names).toContain('interrupted');
    expect(names.slice(names.indexOf('interrupted'))).toEqual(
      expect.arrayContaining(['heal', 'heal-all', 'drain', 'audit', 'tear-down']),
    );
    expect(existsSync(join(latest(folder), 'results.json'))).toBe(true);
  });

  it('tells its verdict on a full disk, and first of all that the history was not written', async () => {
    using folder = new Folder();
    const args = [main, 'test', '--seed', '5', ...short].map((word) => `'${word}'`).join(' ');
    // No file grows beyond 8 KiB: neither the history nor results.json.
    const limited = `ulimit -f 8; exec '${process.execPath}' ${args}`;
    const { exitCode, stdout, stderr } = await execa('bash', ['-c', limited], {
      cwd: folder.path,
      reject: false,
    });
    expect(exitCode, stderr).toBe(255);
    const codes = [...stderr.matchAll(/^ordeal: .*\[(\w+)\]$/gm)].map(([, code]) => code);
    expect(codes).toEqual(['RECORDER_IO', 'STORE_IO']);
    expect(stdout).toMatch(/^UNKNOWN/m);
    expect(existsSync(join(latest(folder), 'results.json'))).toBe(false);
  });

  it('leaves a history that can be judged when it is killed', async () => {
    using folder = new Folder();
    const child = startLong(folder);
    await untilFaultsBegan(child);
    child.kill('SIGKILL');
    await once(child, 'close');
    const directory = latest(folder);
    expect(existsSync(join(directory, 'results.json'))).toBe(false);
    const check = await ordeal(['check', directory]);
    expect(check.exitCode, check.stderr).toBe(2);
  });
});

/** An hour of faults: far longer than a test waits. */
function startLong(folder: Folder): ReturnType<typeof spawn> {
  return spawn(process.execPath, [main, 'test', '--seed', '2', '--time-limit', '1h'], {
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function untilFaultsBegan(child: ReturnType<typeof spawn>): Promise<void> {
  let told = '';
  for await (const chunk of child.stderr!.iterator({ destroyOnReturn: false })) {
    told += String(chunk);
    if (told.includes('healed')) break;
  }
  // Nobody reads on, and the command must not wait for that.
  child.stderr!.resume();
}

describe('ordeal replay', () => {
  it('makes the same history again, and says when it is another', async () => {
    using folder = new Folder();
    await ordeal(['test', '--seed', '6', ...short], { cwd: folder.path });
    const directory = latest(folder);
    const same = await ordeal(['replay', directory, '--store', 'again', '--json'], {
      cwd: folder.path,
    });
    expect(same.exitCode, same.stderr).toBe(0);
    expect(JSON.parse(same.stdout)).toMatchObject({
      replayOf: directory,
      run: latest(folder, 'again'),
      identical: true,
      result: { valid: true },
    });
    writeFileSync(join(directory, 'schedule.json'), '[]');
    const other = await ordeal(['replay', directory, '--store', 'other'], { cwd: folder.path });
    expect(other.stdout).toMatch(/the history is not the same as that of/);
  });

  it('says nothing of a difference when it is interrupted', async () => {
    using folder = new Folder();
    const long = startLong(folder);
    await untilFaultsBegan(long);
    long.kill('SIGKILL');
    await once(long, 'close');
    const replay = spawn(process.execPath, [main, 'replay', latest(folder), '--store', 'again'], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    replay.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    await untilFaultsBegan(replay);
    replay.kill('SIGINT');
    expect(await once(replay, 'close')).toEqual([130, null]);
    expect(stdout).toContain('claim, anomaly');
    expect(stdout).not.toContain('the history is');
  });

  it('compares with the run that was the latest, not with itself', async () => {
    using folder = new Folder();
    await ordeal(['test', '--seed', '6', ...short], { cwd: folder.path });
    const directory = latest(folder);
    writeFileSync(join(directory, 'schedule.json'), '[]');
    const run = await ordeal(['replay', 'store/latest', '--json'], { cwd: folder.path });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/^test log, seed 6\nreplay of /);
    expect(JSON.parse(run.stdout)).toMatchObject({
      replayOf: directory,
      run: latest(folder),
      identical: false,
    });
    expect(latest(folder)).not.toBe(directory);
  });

  it('refuses what it cannot do before anything is in the store', async () => {
    using folder = new Folder();
    await ordeal(['test', '--seed', '6', ...short], { cwd: folder.path });
    const directory = latest(folder);
    const options = join(directory, 'options.json');
    const saved = JSON.parse(readFileSync(options, 'utf8')) as object;
    writeFileSync(options, JSON.stringify({ ...saved, test: '..' }));
    const run = await ordeal(['replay', directory, '--store', 'a/b'], { cwd: folder.path });
    expect(run.exitCode).toBe(254);
    expect(readdirSync(folder.path)).toEqual(['store']);
  });
});

describe('ordeal explore', () => {
  it('gives the same on any number of threads, and the hashes of the histories that test writes', async () => {
    using folder = new Folder();
    const args = ['explore', '--seed', '20', '--runs', '4', '--swarm', 'any', '--hash', '--json'];
    const one = await ordeal([...args, '--threads', '1'], { cwd: folder.path });
    const three = await ordeal([...args, '--threads', '3'], { cwd: folder.path });
    expect(one.exitCode, one.stderr).toBe(0);
    expect(three.stdout).toBe(one.stdout);
    expect(one.stderr).toMatch(/4 of 4 runs, 0 with violations; .* operations\/s/);
    expect(readdirSync(folder.path)).toEqual([]);
    const { histories } = JSON.parse(one.stdout) as ExploreDocument;
    await ordeal(['test', '--swarm', 'any', '--seed', '21'], { cwd: folder.path });
    const bytes = readFileSync(join(latest(folder), 'history.jsonl'));
    expect(histories?.[1]).toEqual({
      seed: '21',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('finds out before its first run that the store cannot be written', async () => {
    using folder = new Folder();
    folder.write('taken', '');
    const args = ['explore', '--runs', '3', '--seed', '1', '--keep'];
    const refused = await ordeal([...args, 'taken'], { cwd: folder.path });
    expect(refused.exitCode).toBe(255);
    expect(refused.stderr).toMatch(/^ordeal: the store taken cannot be written: /);
    // A trial leaves nothing behind.
    const valid = await ordeal([...args, 'kept'], { cwd: folder.path });
    expect(valid.exitCode, valid.stderr).toBe(0);
    expect(existsSync(join(folder.path, 'kept'))).toBe(false);
  });

  it('keeps a run with a violation, which shrinks and replays', async () => {
    using folder = new Folder();
    const at = { cwd: folder.path };
    const args = ['--defect', 'ack-before-replication', '--seed', '1', '--keep', 'kept'];
    const explored = await ordeal(['explore', ...args, '--json'], at);
    expect(explored.exitCode, explored.stderr).toBe(1);
    const { violations } = JSON.parse(explored.stdout) as ExploreDocument;
    const kept = violations[0]?.run ?? '';
    expect(kept).toMatch(/Z-seed-1$/);
    const shrunk = await ordeal(['shrink', kept, '--anomaly', 'lost-write', '--json'], at);
    expect(shrunk.exitCode, shrunk.stderr).toBe(0);
    const { run, before, after } = JSON.parse(shrunk.stdout) as {
      run: string;
      before: Sizes;
      after: Sizes;
    };
    expect(after.operations).toBeLessThan(before.operations);
    expect(after.faults).toBeLessThanOrEqual(before.faults);
    expect(run).toMatch(/store\/swarm-promising-shrunk\//);
    const again = await ordeal(['replay', run], at);
    expect(again.exitCode).toBe(1);
    expect(again.stdout).toMatch(/the history is identical to that of/);
  });

  it('tells what it counted when it is interrupted', async () => {
    const child = spawn(process.execPath, [main, 'explore', '--runs', '100000', '--seed', '1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let told = '';
    child.stdout.on('data', (chunk) => (told += String(chunk)));
    child.stderr.once('data', () => child.kill('SIGINT'));
    child.stderr.resume();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(told).toMatch(/\nNO VIOLATION; \d+ of 100,000 runs: /);
  });
});

interface Sizes {
  readonly operations: number;
  readonly faults: number;
}

describe('ordeal shrink', () => {
  it('cuts the smallest slice out of a history', async () => {
    using folder = new Folder();
    const at = { cwd: folder.path };
    await ordeal(['test', '--scenario', 'acks-one', '--seed', '1'], at);
    const history = folder.write('mine.jsonl', readFileSync(join(latest(folder), 'history.jsonl')));
    const shrunk = await ordeal(['shrink', history, '--anomaly', 'lost-write', '--json'], at);
    expect(shrunk.exitCode, shrunk.stderr).toBe(0);
    const { run, after } = JSON.parse(shrunk.stdout) as { run: string; after: Sizes };
    expect(run).toMatch(/store\/mine-shrunk\//);
    expect(after.operations).toBeLessThan(10);
    const check = await ordeal(['check', run, '--certify', '--json'], at);
    const { anomalies } = JSON.parse(check.stdout) as ResultDocument;
    expect(anomalies['lost-write'].count).toBe(1);
  });

  it('cuts a slice out of the directory of a real run, whatever its options are', async () => {
    using folder = new Folder();
    folder.write('history.jsonl', badHistory);
    folder.write('options.json', '{"cluster":"docker"}');
    const run = await ordeal(['shrink', folder.path, '--json'], { cwd: folder.path });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ anomaly: 'lost-write' });
  });

  it.each([
    ['a run', 'run'],
    ['a history', 'history.jsonl'],
  ])('keeps the smallest so far when it is interrupted: %s', async (_name, what) => {
    using folder = new Folder();
    await ordeal(['test', '--scenario', 'acks-one', '--seed', '1'], { cwd: folder.path });
    const path = what === 'run' ? latest(folder) : join(latest(folder), what);
    const child = spawn(process.execPath, [main, 'shrink', path], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let told = '';
    child.stdout.on('data', (chunk) => (told += String(chunk)));
    child.stderr.once('data', () => child.kill('SIGINT'));
    child.stderr.resume();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(told).toMatch(/it might become smaller yet/);
    const kept = /^kept: (.*)$/m.exec(told)?.[1] ?? '';
    expect((await ordeal(['check', kept])).exitCode).toBe(1);
  });

  it('refuses what shows nothing', async () => {
    using folder = new Folder();
    await ordeal(['test', '--seed', '6', ...short], { cwd: folder.path });
    const run = await ordeal(['shrink', latest(folder)], { cwd: folder.path });
    expect(run.stderr).toMatch(/no anomaly is found in it/);
    expect(run.exitCode).toBe(254);
  });
});
