/** A run is a function of its seed: every byte of its history, whatever process and how many threads made it. */
import { expect, it } from 'vitest';
import { explorePool } from '../../src/cli/explore-pool.ts';
import type { ExploreDocument } from '../../src/cli/explore-totals.ts';
import { ordeal } from '../cli/command.ts';

const runs = 100;
/** A dozen seconds of two cores, which may be busy. */
const timeout = 300_000;

it(
  '100 histories are the same from here, on one thread, and from the built command, on two',
  { timeout },
  async () => {
    const building = ordeal(
      [
        ...['explore', '--swarm', 'any', '--seed', '1', '--runs', String(runs)],
        ...['--count-all', '--hash', '--threads', '2', '--json'],
      ],
      {},
    );
    const here = await explorePool({
      request: { seed: '1', swarm: 'any', defects: [], hash: true, keep: null, wallMs: 0 },
      runs,
      threads: 1,
      stopFirst: false,
      interrupt: new AbortController().signal,
      onSummary: () => undefined,
    });
    const { stdout, exitCode } = await building;
    expect(exitCode).toBe(0);
    const { histories } = JSON.parse(stdout) as ExploreDocument;
    expect(histories).toEqual(here.map(({ seed, sha256 }) => ({ seed, sha256 })));
    expect(new Set(here.map(({ sha256 }) => sha256)).size).toBe(runs);
  },
);
