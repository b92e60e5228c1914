/**
 * Time as a parameter. Everything outside src/core and the adapters of real systems takes a Clock, so that the same
 * code runs on real time and, on the simulated cluster, on virtual time.
 */

import { onAbort } from './abortion.ts';

/** A pending callback; cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Nanoseconds since this clock's origin: monotonic, integer, below 2^53. */
  nowNs(): number;
  /** Milliseconds since the Unix epoch: for names and headers, never for order or durations. */
  wallMs(): number;
  /** Calls `callback` once, no earlier than `delayMs` milliseconds from now. */
  after(delayMs: number, callback: () => void): Timer;
  /**
   * Resolves after `durationMs` milliseconds, or at once when `signal` aborts; it never rejects.
   * @returns true if the whole duration passed, false if the signal cut it short.
   */
  sleep(durationMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Resolves after one full turn of the event loop, when already-arrived I/O has been delivered. */
  turn(): Promise<void>;
}

/** The machine's clock. Its origin is the moment of this call. */
export function createRealClock(): Clock {
  const origin = process.hrtime.bigint();
  const after = (delayMs: number, callback: () => void): Timer => {
    const handle = setTimeout(callback, delayMs);
    return {
      cancel: () => {
        clearTimeout(handle);
      },
    };
  };
  return {
    nowNs: () => Number(process.hrtime.bigint() - origin),
    wallMs: () => Date.now(),
    after,
    sleep: (durationMs, signal) => sleepOn(after, durationMs, signal),
    // Two immediates: the first may run in the current iteration, before the poll phase has delivered what arrived.
    turn: () =>
      new Promise((resolve) => {
        setImmediate(() => {
          setImmediate(resolve);
        });
      }),
  };
}

/** Sleep in terms of `after`; shared by every Clock implementation. */
export function sleepOn(
  after: Clock['after'],
  durationMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(false);
      return;
    }
    const timer = after(durationMs, () => {
      unlisten?.();
      resolve(true);
    });
    const unlisten =
      signal &&
      onAbort(signal, () => {
        timer.cancel();
        resolve(false);
      });
  });
}
