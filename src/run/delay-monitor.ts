/**
 * Measures how late the harness's own event loop is: a ticker compares the time it asked for with the time it got. A
 * busy harness answers late, and the history should show it before somebody blames the system.
 */
import type { Clock } from '../core/clock.ts';
import { nsPerMs } from '../core/units.ts';
import type { RunRecord } from './run-record.ts';

const tickMs = 20;
/** How often a window is looked at, and after how long it is recorded even if nothing was notable. */
const checkMs = 1_000;
const windowMsMax = 30_000;
/** A delay is notable from here on, and only if it is twice the one recorded last. */
const notableMs = 50;

export interface DelayMonitor {
  run(stop: AbortSignal): Promise<void>;
  /** Records the window since the last record: at the end of a phase. */
  flush(): void;
}

/** For virtual time, which waits for the harness. */
export const noDelay: DelayMonitor = { run: () => Promise.resolve(), flush: () => undefined };

export function createDelayMonitor(clock: Clock, record: RunRecord): DelayMonitor {
  let samples: number[] = [];
  let windowStartNs = clock.nowNs();
  let recordedMaxMs = 0;

  const flush = (): void => {
    if (samples.length === 0) return;
    const sorted = samples.sort((a, b) => a - b);
    const maxMs = rounded(sorted.at(-1) ?? 0);
    const p99Ms = rounded(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0);
    const nowNs = clock.nowNs();
    const windowMs = Math.round((nowNs - windowStartNs) / nsPerMs);
    samples = [];
    windowStartNs = nowNs;
    recordedMaxMs = maxMs;
    record.observe('delay', { maxMs, p99Ms, windowMs });
  };

  const check = (): void => {
    const maxMs = samples.reduce((max, sample) => Math.max(max, sample), 0);
    const notable = maxMs >= notableMs && maxMs >= 2 * recordedMaxMs;
    if (notable || clock.nowNs() - windowStartNs >= windowMsMax * nsPerMs) flush();
  };

  return {
    flush,
    run: async (stop) => {
      let checkedNs = clock.nowNs();
      while (!stop.aborted) {
        const askedNs = clock.nowNs();
        if (!(await clock.sleep(tickMs, stop))) break;
        const nowNs = clock.nowNs();
        samples.push(Math.max(0, (nowNs - askedNs) / nsPerMs - tickMs));
        if (nowNs - checkedNs < checkMs * nsPerMs) continue;
        checkedNs = nowNs;
        check();
      }
    },
  };
}

/** To a microsecond: the history has no use for more. */
function rounded(valueMs: number): number {
  return Math.round(valueMs * 1_000) / 1_000;
}
