/** The bound of a phase: its limit, and what may cut it short (an interrupt, a second one, a failure of the harness). */
import { onAbort } from '../core/abortion.ts';
import type { Clock } from '../core/clock.ts';
import { nsPerMs } from '../core/units.ts';

/** What can end phases early, for the whole run. */
export interface RunSignals {
  readonly clock: Clock;
  /** The first SIGINT or SIGTERM. */
  readonly interrupt: AbortSignal;
  /** The second: nothing but healing matters any more. */
  readonly hurry: AbortSignal;
  /** The harness failed: a defect, or the history cannot be written. */
  readonly failure: AbortSignal;
}

export interface PhaseBounds {
  readonly limitMs: number;
  /** What is left of the phase from the moment of an interrupt; 0 ends it at once. */
  readonly interruptedLimitMs: number;
  /** What does not end it before its limit: a failure of the harness, or nothing at all. */
  readonly goesOn?: 'after-failure' | 'always';
}

/** Aborted at the end of the phase; disposing it frees the timers. */
export interface PhaseScope extends Disposable {
  readonly signal: AbortSignal;
  /** What is left of it, ms; 0 once it has ended. */
  remainingMs(): number;
}

export function openScope(signals: RunSignals, bounds: PhaseBounds): PhaseScope {
  const ended = new AbortController();
  const cleanups: (() => void)[] = [];
  let deadlineNs = Infinity;
  const endAfter = (delayMs: number): void => {
    deadlineNs = Math.min(deadlineNs, signals.clock.nowNs() + delayMs * nsPerMs);
    const timer = signals.clock.after(delayMs, () => {
      ended.abort();
    });
    cleanups.push(() => {
      timer.cancel();
    });
  };
  const on = (signal: AbortSignal, callback: () => void): void => {
    if (signal.aborted) {
      callback();
      return;
    }
    cleanups.push(onAbort(signal, callback));
  };
  const end = (): void => {
    ended.abort();
  };
  endAfter(bounds.limitMs);
  on(signals.interrupt, () => {
    if (bounds.interruptedLimitMs === 0) end();
    else endAfter(bounds.interruptedLimitMs);
  });
  if (bounds.goesOn !== 'always') on(signals.hurry, end);
  if (bounds.goesOn === undefined) on(signals.failure, end);
  return {
    signal: ended.signal,
    remainingMs: () =>
      ended.signal.aborted ? 0 : Math.max(0, (deadlineNs - signals.clock.nowNs()) / nsPerMs),
    [Symbol.dispose]: () => {
      for (const cleanup of cleanups) cleanup();
    },
  };
}

export type Awaited<T> =
  { readonly status: 'done'; readonly value: T } | { readonly status: 'cut' };

/** Waits for `promise` until `signal` aborts; a promise that rejects first rejects here. A late rejection is dropped. */
export async function untilAborted<T>(
  signal: AbortSignal,
  promise: Promise<T>,
): Promise<Awaited<T>> {
  const settled = promise.then((value): Awaited<T> => ({ status: 'done', value }));
  settled.catch(() => undefined);
  if (signal.aborted) return { status: 'cut' };
  let unlisten = (): void => undefined;
  const cut = new Promise<Awaited<T>>((resolve) => {
    unlisten = onAbort(signal, () => {
      resolve({ status: 'cut' });
    });
  });
  try {
    return await Promise.race([settled, cut]);
  } finally {
    unlisten();
  }
}
