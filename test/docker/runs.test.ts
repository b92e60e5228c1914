/**
 * Correct settings under all nemeses on real Kafka: valid, with faults that bit and healed. Short: one seed, 20 s of
 * faults. Full (ORDEAL_SUITE=full): seeds 1, 2 and 3, three times each, 120 s.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ordeal, results, Store } from './command.ts';

const full = process.env['ORDEAL_SUITE'] === 'full';
const seeds = full ? ['1', '2', '3'] : ['1'];
const repetitions = full ? 3 : 1;
const timeLimit = full ? '120s' : '20s';
const acknowledgedMin = full ? 5_000 : 300;
const kinds = ['kill', 'pause', 'partition'];

describe(`correct settings, ${timeLimit} of faults`, () => {
  const resolved = { written: 0, absent: 0 };

  for (const seed of seeds) {
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      it(`seed ${seed}, run ${repetition}: valid`, async () => {
        using store = new Store();
        const args = ['--nemesis', kinds.join(','), '--time-limit', timeLimit, '--seed', seed];
        const run = await ordeal(['test', '--cluster', 'docker', ...args, '--store', store.path]);
        expect(run.exitCode, run.all).toBe(0);
        const directory = store.runDirectory() ?? '';
        const { valid, coverage } = results(directory);
        const { sends, faults, leaderChanges } = coverage;
        console.log(
          `seed ${seed}, run ${repetition}:`,
          JSON.stringify({ valid, sends, faults, leaderChanges }),
        );
        expect(valid).toBe(true);
        for (const kind of kinds) {
          expect(faults[kind]?.tookEffect, kind).toBeGreaterThan(0);
          expect(faults[kind]?.healed, kind).toBe(faults[kind]?.injected);
        }
        expect(sends.acknowledged).toBeGreaterThanOrEqual(acknowledgedMin);
        expect(sends.audited).toBe(sends.acknowledged);
        expect(leaderChanges).toBeGreaterThan(0);
        expect(sends.uncertain).toBeLessThanOrEqual(sends.invoked / 10);
        if (full) expect(sends.uncertain).toBeGreaterThan(0);
        resolved.written += sends.resolvedWritten;
        resolved.absent += sends.resolvedAbsent;

        // The same history, judged again with no Docker in reach: the same document, byte for byte.
        const again = await ordeal(['check', directory, '--json'], {
          DOCKER_HOST: 'unix:///nowhere.sock',
        });
        expect(`${again.stdout}\n`).toBe(readFileSync(join(directory, 'results.json'), 'utf8'));
      });
    }
  }

  if (full) {
    it('uncertain sends were resolved both ways', () => {
      expect(resolved.written).toBeGreaterThan(0);
      expect(resolved.absent).toBeGreaterThan(0);
    });
  }
});
