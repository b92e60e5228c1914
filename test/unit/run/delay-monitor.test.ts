import { describe, expect, it } from 'vitest';
import { createDelayMonitor } from '../../../src/run/delay-monitor.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

function monitor(lateMs: (tick: number) => number) {
  const clock = createVirtualClock();
  let ticks = 0;
  // The loop is late: a timer fires some milliseconds after it should.
  const late = {
    ...clock,
    sleep: (durationMs: number, signal?: AbortSignal) => {
      ticks += 1;
      return clock.sleep(durationMs + lateMs(ticks), signal);
    },
  };
  const values: unknown[] = [];
  const created = createDelayMonitor(late, {
    append: () => -1,
    observe: (_f, value) => values.push(value),
    close: () => Promise.resolve(),
  });
  return { clock, values, created };
}

describe('the delay monitor', () => {
  it('records a window at a flush, with its greatest delay and its 99th percentile', async () => {
    const { clock, values, created } = monitor((tick) => (tick === 7 ? 40 : 1));
    const stop = new AbortController();
    const running = created.run(stop.signal);
    await clock.driveUntil(500);
    created.flush();
    stop.abort();
    await clock.drive(running);
    expect(values).toEqual([{ maxMs: 40, p99Ms: 40, windowMs: 500 }]);
    created.flush();
    expect(values).toHaveLength(1);
  });

  it('records a notable delay within about a second, and one like it not again', async () => {
    const { clock, values, created } = monitor((tick) => (tick % 100 === 5 ? 200 : 0));
    const stop = new AbortController();
    const running = created.run(stop.signal);
    await clock.driveUntil(1_300);
    expect(values).toMatchObject([{ maxMs: 200, p99Ms: 200 }]);
    await clock.driveUntil(20_000);
    expect(values).toHaveLength(1);
    stop.abort();
    await clock.drive(running);
  });
});
