import { describe, expect, it } from 'vitest';
import { plainSends } from '../../../src/spi/workload.ts';
import type { RunOptions } from '../../../src/run/options.ts';
import {
  shrinkRun,
  shrinkRunLimits,
  type ShrinkRunProgress,
} from '../../../src/run/shrink-schedule.ts';
import type { ScheduledFault } from '../../../src/spi/nemesis.ts';

const fault = (id: string, nemesis: string, atMs: number, partition = 0): ScheduledFault => ({
  id,
  nemesis,
  atMs,
  durationMs: 8_000,
  plan: { target: { role: 'leader', topic: 'orders-3', partition }, variant: 'SIGKILL' },
});

const options: RunOptions = {
  test: 'log',
  cluster: 'docker',
  simulated: null,
  sends: plainSends,
  workload: 'log',
  seed: '7',
  faults: ['kill', 'pause', 'partition'],
  nemesisIntervalMs: 5_000,
  schedule: [
    fault('f1', 'kill', 5_000),
    fault('f2', 'pause', 20_000, 2),
    fault('f3', 'partition', 35_000),
    fault('f4', 'kill', 50_000),
  ],
  limits: {
    setUpMs: 1,
    faultsMs: 90_000,
    healMs: 1,
    recoveryMs: 1,
    drainMs: 1,
    auditMs: 1,
    tearDownMs: 1,
  },
  ratePerSecond: 200,
  concurrency: 6,
  topics: 3,
  partitions: 3,
  producer: {
    acks: 'all',
    idempotent: true,
    requestTimeoutMs: 1_000,
    retriesMax: 5,
    operationTimeoutMs: 5_000,
  },
  topicConfig: {},
  claims: null,
  config: {},
  image: null,
  brokerVersion: '4.1.1',
  leaveRunning: false,
};

const topicsOf = ({ topics, partitions }: RunOptions) =>
  Array.from({ length: topics }, (_, i) => ({
    name: i === 0 ? 'orders' : `orders-${i + 1}`,
    partitions,
  }));

/** It fails while a pause of at least two seconds hurts a log that two clients write to, often enough. */
const failsByPause = (candidate: RunOptions): Promise<boolean> =>
  Promise.resolve(
    candidate.schedule.some(
      ({ nemesis, durationMs }) => nemesis === 'pause' && durationMs >= 2_000,
    ) &&
      candidate.concurrency >= 2 &&
      candidate.ratePerSecond >= 40,
  );

/** What every candidate must be, whatever is asked. */
function expectConsistent(candidate: RunOptions): void {
  const { schedule, limits, faults } = candidate;
  expect(faults).toEqual(options.faults.filter((kind) => schedule.some((f) => f.nemesis === kind)));
  for (const { atMs, durationMs, plan } of schedule) {
    expect(atMs).toBeGreaterThanOrEqual(0);
    expect(atMs + durationMs).toBeLessThanOrEqual(limits.faultsMs);
    const { target } = plan;
    if (target.role !== 'leader') throw new Error('the role of a target changed');
    const topic = topicsOf(candidate).find(({ name }) => name === target.topic);
    expect(target.partition).toBeLessThan(topic?.partitions ?? 0);
  }
}

describe('shrinkRun', () => {
  it('leaves what the failure needs: one fault, short, one log, two clients', async () => {
    const progress: ShrinkRunProgress[] = [];
    const shrunk = await shrinkRun(options, {
      fails: (candidate) => {
        expectConsistent(candidate);
        return failsByPause(candidate);
      },
      topicsOf,
      onProgress: (each) => progress.push(each),
    });
    expect(shrunk.finished).toBe(true);
    expect(shrunk.options).toMatchObject({
      seed: '7',
      faults: ['pause'],
      topics: 1,
      partitions: 1,
      concurrency: 2,
    });
    const [left, ...others] = shrunk.options.schedule;
    expect(others).toEqual([]);
    expect(left).toMatchObject({ id: 'f2', nemesis: 'pause', durationMs: 2_000 });
    expect(left!.plan.target).toEqual({ role: 'leader', topic: 'orders', partition: 0 });
    expect(left!.atMs).toBeLessThan(200);
    expect(shrunk.options.limits.faultsMs).toBe(left!.atMs + 2_000 + 500);
    expect(shrunk.options.ratePerSecond).toBeLessThanOrEqual(50);
    expect(progress).toHaveLength(shrunk.candidates);
    expect(progress.filter(({ accepted }) => accepted).map(({ move }) => move)).toEqual(
      shrunk.moves,
    );
  });

  it('stops when it is interrupted, with the smallest so far', async () => {
    const stop = new AbortController();
    let candidates = 0;
    const shrunk = await shrinkRun(options, {
      fails: (candidate) => {
        candidates += 1;
        if (candidates === 4) stop.abort();
        return failsByPause(candidate);
      },
      topicsOf,
      interrupt: stop.signal,
    });
    expect(shrunk).toMatchObject({ candidates: 4, finished: false });
    expect(await failsByPause(shrunk.options)).toBe(true);
  });

  it('has a candidate that cannot be run as one that does not fail', async () => {
    const shrunk = await shrinkRun(options, {
      fails: (candidate) =>
        candidate.schedule.length === 0
          ? Promise.reject(new Error('no faults'))
          : failsByPause(candidate),
      topicsOf,
    });
    expect(shrunk.finished).toBe(true);
    expect(shrunk.options.schedule).toHaveLength(1);
  });

  it('drops every fault where none is needed', async () => {
    const fails = () => Promise.resolve(true);
    const shrunk = await shrinkRun(options, { fails, topicsOf });
    expect(shrunk.options).toMatchObject({
      schedule: [],
      faults: [],
      topics: 1,
      partitions: 1,
      concurrency: 1,
      ratePerSecond: 1,
    });
    expect(shrunk.options.limits.faultsMs).toBe(shrinkRunLimits.faultsMinMs);
  });

  it('gives the options back where nothing smaller fails', async () => {
    const shrunk = await shrinkRun(options, { fails: () => Promise.resolve(false), topicsOf });
    expect(shrunk).toMatchObject({ options, moves: [], finished: true });
  });

  it('stops at its bound, with a run that fails', async () => {
    const limits = { ...shrinkRunLimits, candidatesMax: 9 };
    const shrunk = await shrinkRun(options, { fails: failsByPause, topicsOf, limits });
    expect(shrunk).toMatchObject({ candidates: 9, finished: false });
    expect(await failsByPause(shrunk.options)).toBe(true);
  });
});
