import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/flags.ts';
import { registries } from '../../../src/cli/registries.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';
import { isSimulatedRun, readSavedOptions } from '../../../src/cli/saved-options.ts';
import { OrdealError } from '../../../src/core/errors.ts';
import { decisionFiles } from '../../../src/run/decisions.ts';
import type { RunOptions } from '../../../src/run/options.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ordeal-options-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function resolved(given: Readonly<Record<string, unknown>>): RunOptions {
  return resolveRun(parseFlags(given), Object.keys(given), '3', registries);
}

function save(options: RunOptions): void {
  for (const { name, text } of decisionFiles(options)) writeFileSync(join(directory, name), text);
}

/** Saves options with one change that the types would not allow; what is an object is changed in part. */
function saveWith(
  change: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>> = {},
): void {
  const options = resolved(given);
  save(options);
  writeFileSync(join(directory, 'options.json'), JSON.stringify(changed(options, change)));
}

function changed(value: object, change: Readonly<Record<string, unknown>>): object {
  const parts = Object.entries(change).map(([key, part]) => {
    const before = (value as Readonly<Record<string, unknown>>)[key];
    return [key, isRecord(part) && isRecord(before) ? changed(before, part) : part];
  });
  return { ...value, ...(Object.fromEntries(parts) as object) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function saveSchedule(schedule: readonly unknown[]): void {
  writeFileSync(join(directory, 'schedule.json'), JSON.stringify(schedule));
}

const fault = {
  id: 'f1',
  nemesis: 'kill',
  atMs: 1_000,
  durationMs: 2_000,
  plan: { target: { role: 'node', node: 2 }, variant: 'SIGKILL' },
};

async function refused(): Promise<OrdealError> {
  try {
    await readSavedOptions(directory);
  } catch (thrown) {
    if (thrown instanceof OrdealError) return thrown;
    throw thrown;
  }
  throw new Error('the options were accepted');
}

describe('readSavedOptions', () => {
  it.each([
    [{}],
    [{ cluster: 'docker', claims: 'durability' }],
    [{ scenario: 'unclean-election' }],
    [{ swarm: 'any', defect: [...registries.defects.keys()].join(',') }],
  ])('reads back what %j was resolved to', async (given) => {
    const options = resolved(given);
    save(options);
    expect(await readSavedOptions(directory)).toEqual(options);
  });

  it('takes the faults of schedule.json, with their kinds', async () => {
    const options = resolved({});
    save(options);
    const schedule = [fault, { ...fault, id: 'f2' }];
    saveSchedule(schedule);
    expect(await readSavedOptions(directory)).toEqual({ ...options, schedule, faults: ['kill'] });
    saveSchedule([]);
    expect(await readSavedOptions(directory)).toMatchObject({ schedule: [], faults: [] });
  });

  it('reads what version 0.1.0 wrote', async () => {
    const options = resolved({ cluster: 'docker' });
    saveWith({ sends: undefined, simulated: undefined }, { cluster: 'docker' });
    expect(await readSavedOptions(directory)).toEqual(options);
  });

  it.each([
    [{ sedd: '1' }, /options.json: unknown key "sedd"; did you mean "seed"\?/],
    [{ partitions: '3' }, /options.json: partitions: .*number/],
    [{ cluster: 'dokcer' }, /options.json: cluster: /],
    [{ limits: { setUpMs: undefined } }, /options.json: limits.setUpMs: /],
    [{ workload: 'lgo' }, /no workload is called "lgo"/],
    [{ test: '../../elsewhere' }, /test: expected letters/],
    [{ test: '..' }, /test: expected letters/],
    [{ test: 'latest' }, /test: "latest" is the link/],
    [{ simulated: null }, /simulated: given for the simulated cluster/],
    [{ topics: 101 }, /topics: .*100/],
    [{ partitions: 101 }, /partitions: .*100/],
    [{ concurrency: 1_001 }, /concurrency: .*1000/],
    [{ ratePerSecond: 100_001 }, /ratePerSecond: .*100000/],
    [{ limits: { faultsMs: 7 * 24 * 3_600_000 + 1 } }, /limits.faultsMs: .*604800000/],
    [{ nemesisIntervalMs: 0 }, /nemesisIntervalMs: /],
    [{ seed: 'abc' }, /seed: expected a whole number/],
    [{ seed: '007' }, /seed: expected a whole number/],
    [{ claims: ['durabilty'] }, /claims.0: .*durability/],
    [{ faults: ['kil'] }, /options.json: faults: no nemesis is called "kil"/],
    [{ schedule: [{ ...fault, nemesis: 'kil' }] }, /options.json: fault f1: no nemesis/],
    [{ config: { acks: ['all'] } }, /config.acks: /],
    [{ config: { acks: '1' } }, /config.acks is "1", and producer.* make it "all"/],
    [{ topicConfig: { 'min.insync.replicas': 'two' } }, /min.insync.replicas: expected/],
    [{ brokerVersion: 'four' }, /brokerVersion: expected three numbers/],
    [{ simulated: { defects: ['x'] } }, /simulated.defects: no defect is called "x"/],
    [{ simulated: { profile: { latencyUs: [2, 1] } } }, /latencyUs: expected the lower/],
    [{ simulated: { profile: { startMs: [1, 1e12] } } }, /startMs.1: /],
    [{ simulated: { profile: { driftPpmMax: 1_000_000 } } }, /driftPpmMax: /],
  ])('refuses %j, naming file and field', async (change, message) => {
    saveWith(change);
    const error = await refused();
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(254);
    expect(error.next).not.toBe('');
  });

  it.each([
    [{ nemesis: 'kil' }, /schedule.json: fault f1: no nemesis is called "kil"/],
    [{ plan: { ...fault.plan, target: { role: 'node', node: 4 } } }, /there is no node 4/],
    [{ plan: { ...fault.plan, target: { role: 'boss' } } }, /schedule.json: 0.plan.target/],
    [
      { plan: { ...fault.plan, target: { role: 'leader', topic: 'orders', partition: 3 } } },
      /schedule.json: fault f1: there is no log orders\/3/,
    ],
    [{ durationMs: 1e12 }, /schedule.json: 0.durationMs: /],
  ])('refuses a schedule with %j', async (change, message) => {
    save(resolved({}));
    saveSchedule([{ ...fault, ...change }]);
    const error = await refused();
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(254);
  });

  it('refuses a schedule with the same id twice', async () => {
    save(resolved({}));
    saveSchedule([fault, fault]);
    expect((await refused()).message).toMatch(/schedule.json: two faults have the same id/);
  });

  it('refuses what the cluster cannot carry out', async () => {
    save(resolved({ cluster: 'docker' }));
    saveSchedule([{ ...fault, nemesis: 'power-loss' }]);
    const error = await refused();
    expect(error).toMatchObject({ code: 'UNSUPPORTED', exitCode: 254 });
    expect(error.message).toMatch(/the docker cluster cannot carry out power-loss/);
  });

  it('names the file that is missing or broken', async () => {
    expect(await refused()).toMatchObject({ code: 'NO_SUCH_FILE' });
    writeFileSync(join(directory, 'options.json'), '{');
    expect((await refused()).message).toMatch(/options.json: not JSON/);
    saveWith({});
    rmSync(join(directory, 'schedule.json'));
    expect((await refused()).message).toMatch(/schedule.json: cannot be opened/);
  });
});

describe('isSimulatedRun', () => {
  it('knows the directory of a simulated run', async () => {
    expect(await isSimulatedRun(directory)).toBe(false);
    save(resolved({}));
    expect(await isSimulatedRun(directory)).toBe(true);
    save(resolved({ cluster: 'docker' }));
    expect(await isSimulatedRun(directory)).toBe(false);
    writeFileSync(join(directory, 'options.json'), '{');
    expect(await isSimulatedRun(directory)).toBe(false);
  });
});
