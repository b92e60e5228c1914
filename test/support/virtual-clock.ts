/** A clock that a test drives: time jumps to the next timer whenever nothing else is left to do. */
import { sleepOn, type Clock, type Timer } from '../../src/core/clock.ts';
import { nsPerMs } from '../../src/core/units.ts';

interface Entry {
  readonly atNs: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface VirtualClock extends Clock {
  /** Runs until `promise` settles; throws if it waits for something that no timer brings. */
  drive<T>(promise: Promise<T>): Promise<T>;
  /** Runs until that time has come. */
  driveUntil(ms: number): Promise<void>;
}

export function createVirtualClock(): VirtualClock {
  let nowNs = 0;
  let order = 0;
  const entries = new Set<Entry>();
  const after = (delayMs: number, callback: () => void): Timer => {
    order += 1;
    const atNs = nowNs + Math.max(0, Math.ceil(delayMs * nsPerMs));
    const entry: Entry = { atNs, order, callback };
    entries.add(entry);
    return { cancel: () => void entries.delete(entry) };
  };
  const step = (limitNs: number): boolean => {
    let next: Entry | null = null;
    for (const entry of entries) {
      if (
        next === null ||
        entry.atNs < next.atNs ||
        (entry.atNs === next.atNs && entry.order < next.order)
      ) {
        next = entry;
      }
    }
    if (next === null || next.atNs > limitNs) return false;
    entries.delete(next);
    nowNs = Math.max(nowNs, next.atNs);
    next.callback();
    return true;
  };
  return {
    nowNs: () => nowNs,
    wallMs: () => Math.floor(nowNs / nsPerMs),
    after,
    sleep: (durationMs, signal) => sleepOn(after, durationMs, signal),
    turn: () =>
      new Promise((resolve) => {
        after(0, resolve);
      }),
    drive: async (promise) => {
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      promise.then(settle, settle);
      const isSettled = (): boolean => settled;
      for (;;) {
        await macrotask();
        if (isSettled()) return promise;
        if (!step(Infinity)) throw new Error('the test waits for something that no timer brings');
      }
    },
    driveUntil: async (ms) => {
      do await macrotask();
      while (step(ms * nsPerMs));
      nowNs = Math.max(nowNs, ms * nsPerMs);
    },
  };
}

/** When it resolves, every microtask that was ready has run. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
