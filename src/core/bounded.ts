/** Every wait has a bound: this is the one place that turns a promise into "done, or too late". */
import type { Clock } from './clock.ts';

export type Bounded<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'late' };

/**
 * Waits for `promise` at most `timeoutMs`. A deadline that fires yields one turn of the event loop and looks again: an
 * answer that had already arrived behind a busy loop is not called late. The promise itself goes on; when it rejects
 * later, nobody is told twice.
 */
export function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<T>,
): Promise<Bounded<T>> {
  return new Promise((resolve) => {
    whenBounded(clock, timeoutMs, promise, resolve);
  });
}

/** The same with a callback, which is called once. */
export function whenBounded<T>(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<T>,
  done: (outcome: Bounded<T>) => void,
): void {
  let over = false;
  const settle = (outcome: Bounded<T>): void => {
    if (over) return;
    over = true;
    timer.cancel();
    done(outcome);
  };
  const timer = clock.after(timeoutMs, () => {
    void clock.turn().then(() => {
      settle({ status: 'late' });
    });
  });
  promise.then(
    (value) => {
      settle({ status: 'done', value });
    },
    (error: unknown) => {
      settle({ status: 'failed', error });
    },
  );
}
