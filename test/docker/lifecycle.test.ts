/** What happens to the host and to the history when a run does not end by itself. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsSoFar, leftovers, ordeal, results, runId, standingFault, Store } from './command.ts';

const partitions = [
  'test',
  '--cluster',
  'docker',
  '--nemesis',
  'partition',
  '--nemesis-interval',
  '3s',
  '--time-limit',
  '60s',
  '--seed',
  '5',
];

describe('a run that is cut short', () => {
  it('kill -9 in the middle of a partition: the history is checkable, clean leaves nothing', async () => {
    using store = new Store();
    const run = ordeal([...partitions, '--store', store.path]);
    const directory = await standingFault(store, 'partition');
    run.kill('SIGKILL');
    await run;
    const id = runId(directory);
    expect(await leftovers(id)).not.toEqual([]);

    const check = await ordeal(['check', join(directory, 'history.jsonl'), '--json']);
    expect(check.exitCode, check.all).toBe(2);
    const document = JSON.parse(check.stdout) as { valid: unknown; reasons: string[] };
    expect(document.valid).toBe('unknown');
    expect(document.reasons.length).toBeGreaterThan(0);

    const clean = await ordeal(['clean']);
    expect(clean.exitCode, clean.all).toBe(0);
    expect(await leftovers(id)).toEqual([]);
  });

  it('Ctrl-C in the middle of a fault: healed, exit 130, a verdict on what was recorded', async () => {
    using store = new Store();
    const run = ordeal([...partitions, '--store', store.path]);
    const directory = await standingFault(store, 'partition');
    run.kill('SIGINT');
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    const events = eventsSoFar(directory);
    const injected = events.filter((event) => event.f === 'partition' && event.type === 'ok');
    const healed = events.filter((event) => event.f === 'heal' && event.type === 'ok');
    expect(healed).toHaveLength(injected.length);
    expect(['unknown', true, false]).toContain(results(directory).valid);
    expect(await leftovers(runId(directory))).toEqual([]);
  });

  it('two runs at once do not disturb each other', async () => {
    using first = new Store();
    using second = new Store();
    const args = [
      'test',
      '--cluster',
      'docker',
      '--nemesis',
      'all',
      '--time-limit',
      '20s',
      '--rate',
      '50',
      '--concurrency',
      '4',
    ];
    const runs = await Promise.all([
      ordeal([...args, '--seed', '1', '--store', first.path]),
      ordeal([...args, '--seed', '2', '--store', second.path]),
    ]);
    for (const run of runs) expect(run.exitCode, run.all).toBe(0);
    for (const store of [first, second]) {
      expect(await leftovers(runId(store.runDirectory() ?? ''))).toEqual([]);
    }
  });
});
