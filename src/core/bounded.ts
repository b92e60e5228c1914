/** Every wait has a bound: this is the one place that turns a promise into "done, or too late". */
import type { Clock, Timer } from './clock.ts';

export type Bounded<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'late' };

/**
 * Waits for `promise` at most `timeoutMs`. A deadline that fires yields one turn of the event loop and looks again: an
 * answer that had already arrived behind a busy loop is not called late. The promise itself goes on; when it rejects
 * later, nobody is told twice.
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<T>,
): Promise<Bounded<T>> {
  let outcome: Bounded<T> | undefined;
  const settled = promise.then(
    (value) => {
      outcome = { status: 'done', value };
    },
    (error: unknown) => {
      outcome = { status: 'failed', error };
    },
  );
  let timer: Timer | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = clock.after(timeoutMs, resolve);
  });
  await Promise.race([settled, passed]);
  if (outcome === undefined) await clock.turn();
  timer?.cancel();
  return outcome ?? { status: 'late' };
}
