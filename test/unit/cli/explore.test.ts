/** Explorations in this process, one thread; threads are of the built command, in test/cli. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { exploreInOrder, explorePool } from '../../../src/cli/explore-pool.ts';
import { exploreText } from '../../../src/cli/explore-report.ts';
import { ExploreTotals, type ExploreDocument } from '../../../src/cli/explore-totals.ts';
import {
  optionsOf,
  replayCommand,
  type ExploreRequest,
  type RunSummary,
} from '../../../src/cli/exploration.ts';
import { linesOf } from '../../../src/cli/kept-run.ts';
import { runSimulated } from '../../../src/cli/simulated-stage.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { loadHistoryEvents } from '../../../src/history/load-events.ts';
import { plainPaint } from '../../../src/report/text.ts';

const request: ExploreRequest = {
  seed: '1',
  swarm: 'promising',
  defects: [],
  hash: true,
  keep: null,
  wallMs: 0,
};
const buggy: ExploreRequest = { ...request, defects: ['ack-before-replication'] };
const never = new AbortController().signal;

function explore(
  given: ExploreRequest,
  runs: number,
  stopFirst = true,
  interrupt = never,
): Promise<readonly RunSummary[]> {
  return explorePool({
    request: given,
    runs,
    threads: 1,
    stopFirst,
    interrupt,
    onSummary: () => undefined,
  });
}

function documentOf(
  given: ExploreRequest,
  asked: number,
  runs: readonly RunSummary[],
): ExploreDocument {
  const totals = new ExploreTotals(given, asked);
  for (const run of runs) totals.add(run);
  return totals.document();
}

describe('a simulated run in memory', () => {
  it('is the same twice, byte for byte, and judged as its file would be', async () => {
    const options = optionsOf(request, '7');
    const [first, second] = [await runSimulated(options), await runSimulated(options)];
    const text = [...linesOf(first)].join('');
    expect([...linesOf(second)].join('')).toBe(text);
    expect(checkHistory(loadHistoryEvents(first.header, first.events))).toEqual(
      checkHistory(loadHistoryText(text, 'run')),
    );
  });

  it('names its run after test and seed, begins at the epoch, and measures no delay of ours', async () => {
    const { header, events, outcome } = await runSimulated(optionsOf(request, '7'));
    expect(header).toMatchObject({ run: 'swarm-promising-7', started: '1970-01-01T00:00:00.000Z' });
    expect(events.some(({ f }) => f === 'delay')).toBe(false);
    expect(outcome.failure).toBeNull();
  });
});

describe('explorePool', () => {
  it('gives one summary per seed, with a hash of its own, the same every time', async () => {
    const runs = await explore(request, 3);
    expect(runs.map(({ seed }) => seed)).toEqual(['1', '2', '3']);
    expect(new Set(runs.map(({ sha256 }) => sha256)).size).toBe(3);
    expect(await explore(request, 3)).toEqual(runs);
    for (const { coverage, violations } of runs) {
      expect(violations).toEqual([]);
      const faults = Object.values(coverage?.faults ?? {});
      expect(faults.reduce((sum, { injected }) => sum + injected, 0)).toBeGreaterThan(1);
      expect(faults.some(({ tookEffect }) => tookEffect > 0)).toBe(true);
    }
  });

  it('stops at the first violation, or counts all of them', async () => {
    const all = await explore(buggy, 6, false);
    expect(all).toHaveLength(6);
    const first = all.findIndex(({ violations }) => violations.length > 0);
    expect(first).toBeGreaterThanOrEqual(0);
    const stopped = await explore(buggy, 6);
    expect(stopped).toEqual(all.slice(0, first + 1));
    expect(stopped.at(-1)?.violations.map(({ anomaly }) => anomaly)).toContain('lost-write');
  });

  it('gives each run as soon as it is its turn, and holds none to the end', async () => {
    const told: string[] = [];
    await exploreInOrder(
      {
        ...{ request, runs: 2, threads: 1, stopFirst: true, interrupt: never },
        onSummary: ({ seed }) => told.push(`came ${seed}`),
      },
      ({ seed }) => told.push(`given ${seed}`),
    );
    expect(told).toEqual(['given 1', 'came 1', 'given 2', 'came 2']);
  });

  it('counts nothing after an interrupt', async () => {
    expect(await explore(request, 3, true, AbortSignal.abort())).toEqual([]);
  });
});

describe('a run that cannot be kept', () => {
  it('keeps its verdict and its anomaly', async () => {
    const [lost] = await explore({ ...buggy, keep: '/dev/null' }, 1);
    const [found] = await explore(buggy, 1);
    expect(lost).toMatchObject({ valid: false, anomalies: found?.anomalies, directory: null });
    expect(lost?.violations).toEqual([
      ...(found?.violations ?? []),
      {
        kind: 'failure',
        anomaly: null,
        text: expect.stringMatching(/could not be kept: the store/) as string,
      },
    ]);
  });
});

describe('the report', () => {
  it('adds up its runs, and says how to run a violation again', async () => {
    const runs = await explore(buggy, 4, false);
    const document = documentOf(buggy, 5, runs);
    expect(document).toMatchObject({ seed: '1', asked: 5, runs: 4 });
    expect(document.valid + document.invalid + document.unknown).toBe(4);
    expect(document.operations).toBe(
      runs.reduce((sum, { coverage }) => sum + (coverage?.operations ?? 0), 0),
    );
    expect(document.histories).toHaveLength(4);
    const [violation] = document.violations;
    expect(violation?.command).toBe(
      `ordeal test --swarm promising --defect ack-before-replication --seed ${violation?.seed ?? ''}`,
    );
    const text = exploreText(document, plainPaint);
    expect(text).toContain(`again: ${violation?.command ?? ''}`);
    expect(text).toMatch(/\nVIOLATIONS in \d; 4 of 5 runs: /);
  });

  it('has a run that failed as a violation, and no number of it', () => {
    const failed: RunSummary = {
      index: 0,
      seed: '9',
      valid: 'unknown',
      reasons: ['it broke'],
      violations: [{ kind: 'failure', anomaly: null, text: 'it broke' }],
      coverage: null,
      anomalies: {},
      truth: null,
      sha256: null,
      directory: null,
    };
    const document = documentOf({ ...request, hash: false }, 1, [failed]);
    expect(document).toMatchObject({ unknown: 1, operations: 0 });
    expect(document).not.toHaveProperty('histories');
    expect(exploreText(document, plainPaint)).toContain('failure: it broke');
  });
});

describe('why runs are unknown', () => {
  const doubtful = (seed: string, ...reasons: readonly string[]): RunSummary => ({
    ...{ index: Number(seed) - 1, seed, valid: 'unknown', reasons, violations: [] },
    ...{ coverage: null, anomalies: {}, truth: null, sha256: null, directory: null },
  });

  it('is summed up by reason, whatever numbers stand in it, the most frequent first', () => {
    const none = (count: number): string => `none of the ${count} kill faults took effect`;
    const document = documentOf({ ...request, hash: false }, 3, [
      doubtful('1', 'recovery is unknown', none(1)),
      doubtful('2', none(12), none(3)),
      { ...doubtful('3', none(7)), valid: true },
    ]);
    expect(document.doubts).toEqual([
      { runs: 2, seed: '1', reason: none(1) },
      { runs: 1, seed: '1', reason: 'recovery is unknown' },
    ]);
    expect(exploreText(document, plainPaint)).toContain(
      `why 2 runs are unknown:\n  2, first seed 1: ${none(1)}\n  1, first seed 1: recovery is unknown\n`,
    );
  });

  it('is not told where none is', () => {
    const document = documentOf({ ...request, hash: false }, 1, [
      { ...doubtful('1'), valid: true },
    ]);
    expect(exploreText(document, plainPaint)).not.toContain('unknown:');
  });
});

describe('replayCommand', () => {
  it('is what ordeal test takes', () => {
    expect(replayCommand(request, '5')).toBe('ordeal test --swarm promising --seed 5');
  });
});
