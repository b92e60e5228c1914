import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/flags.ts';
import { registries } from '../../../src/cli/registries.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';
import { readSavedOptions } from '../../../src/cli/saved-options.ts';
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

/** Saves options with one change that the types would not allow. */
function saveWith(change: Readonly<Record<string, unknown>>): void {
  const options = resolved({});
  save(options);
  writeFileSync(join(directory, 'options.json'), JSON.stringify({ ...options, ...change }));
}

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

  it('takes the faults of schedule.json', async () => {
    const options = resolved({});
    save(options);
    const schedule = options.schedule.slice(0, 1);
    writeFileSync(join(directory, 'schedule.json'), JSON.stringify(schedule));
    expect(await readSavedOptions(directory)).toEqual({ ...options, schedule });
  });

  it.each([
    [{ sedd: '1' }, /options.json: unknown key "sedd"; did you mean "seed"\?/],
    [{ partitions: '3' }, /options.json: partitions: .*number/],
    [{ cluster: 'dokcer' }, /options.json: cluster: /],
    [{ limits: { faultsMs: 1 } }, /options.json: limits.setUpMs: /],
    [{ sends: undefined }, /options.json: sends: /],
    [{ workload: 'lgo' }, /no workload is called "lgo"/],
    [{ test: '../../elsewhere' }, /test: expected letters/],
    [{ simulated: null }, /simulated: given for the simulated cluster/],
  ])('refuses %j, naming file and field', async (change, message) => {
    saveWith(change);
    const error = await refused();
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(254);
    expect(error.next).not.toBe('');
  });

  it('refuses a schedule that names no nemesis', async () => {
    const options = resolved({});
    save(options);
    const [fault] = options.schedule;
    writeFileSync(join(directory, 'schedule.json'), JSON.stringify([{ ...fault, nemesis: 'kil' }]));
    expect((await refused()).message).toMatch(/no nemesis is called "kil"/);
  });

  it('refuses a defect that there is none', async () => {
    const { simulated } = resolved({});
    saveWith({ simulated: { ...simulated, defects: ['x'] } });
    expect((await refused()).message).toMatch(/there is no "x"/);
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
