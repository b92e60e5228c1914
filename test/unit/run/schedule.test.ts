import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawSchedule, type ScheduleRequest } from '../../../src/run/schedule.ts';
import { kill } from '../../../nemeses/kill.ts';
import { partition } from '../../../nemeses/partition.ts';
import { pause } from '../../../nemeses/pause.ts';

const request: ScheduleRequest = {
  seed: '1',
  nemeses: [kill, pause, partition],
  faultsMs: 120_000,
  intervalMs: 5_000,
  context: { topics: [{ name: 'orders', partitions: 3 }], nodes: [1, 2, 3] },
};
const seeds = fc.string({ minLength: 1, maxLength: 12 });

describe('drawSchedule', () => {
  it('gives the same faults for the same seed, whatever the order of the kinds', () => {
    const again = { ...request, nemeses: [partition, kill, pause] };
    expect(drawSchedule(again)).toEqual(drawSchedule(request));
    expect(drawSchedule({ ...request, seed: '2' })).not.toEqual(drawSchedule(request));
  });

  it('draws the plans of a kind from its own stream', () => {
    const plansOfKill = (nemeses: ScheduleRequest['nemeses']) =>
      drawSchedule({ ...request, nemeses })
        .filter((fault) => fault.nemesis === 'kill')
        .map(({ plan, durationMs }) => ({ plan, durationMs }));
    const alone = plansOfKill([kill]);
    const among = plansOfKill([kill, pause]);
    expect(among.length).toBeGreaterThan(1);
    expect(alone.slice(0, among.length)).toEqual(among);
  });

  it('fits every kind into 20 s, without overlap, healed before the phase ends', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 20_000, max: 200_000 }), (seed, faultsMs) => {
        const schedule = drawSchedule({ ...request, seed, faultsMs });
        expect(new Set(schedule.map((fault) => fault.nemesis)).size).toBe(3);
        let endMs = 0;
        for (const [position, fault] of schedule.entries()) {
          expect(fault.id).toBe(`f${position + 1}`);
          expect(fault.atMs).toBeGreaterThanOrEqual(endMs);
          expect(fault.durationMs).toBeGreaterThanOrEqual(1_000);
          endMs = fault.atMs + fault.durationMs;
        }
        expect(endMs).toBeLessThan(faultsMs);
      }),
    );
  });

  it('fills two minutes with several rounds', () => {
    const schedule = drawSchedule(request);
    expect(schedule.length).toBeGreaterThanOrEqual(6);
    const first = schedule.slice(0, 3).map((fault) => fault.nemesis);
    expect(first.sort()).toEqual(['kill', 'partition', 'pause']);
  });

  it('pauses below and above the session timeout of 3 s', () => {
    const pauses = Array.from({ length: 20 }, (_, seed) =>
      drawSchedule({ ...request, seed: String(seed), nemeses: [pause] }),
    ).flat();
    expect(pauses.some((fault) => fault.durationMs < 2_700)).toBe(true);
    expect(pauses.some((fault) => fault.durationMs > 5_000)).toBe(true);
  });

  it('is empty without kinds or without time', () => {
    expect(drawSchedule({ ...request, nemeses: [] })).toEqual([]);
    expect(drawSchedule({ ...request, faultsMs: 400 })).toEqual([]);
  });
});
