/** What a worker's loop works with, and what loops of producers and readers share. */
import { type Bounded, whenBounded } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import type { EventDraft } from '../history/recording.ts';
import type { OperationError } from '../history/event.ts';
import type { Outcome } from '../spi/client.ts';
import type { Tally } from './tally.ts';

/** Appends one event and returns its index, -1 once the record has ended; throws when it cannot be written any more. */
type Append = (draft: EventDraft) => number;

export interface WorkerParts {
  readonly clock: Clock;
  readonly append: Append;
  readonly tally: Tally;
  /** Aborted when workers are to stop; an operation that is open then is still awaited. */
  readonly stop: AbortSignal;
  /** How far a worker's process number rises after an info operation: the number of all client processes of the run. */
  readonly processes: number;
  /** Beyond the client's own bound: a call that has not returned by then is given up as info, and its client retired. */
  readonly operationGuardMs: number;
  /** Bound of creating one client, ms. */
  readonly createTimeoutMs: number;
}

/** Asked anew after each wait: a condition read before it says nothing. */
export function isStopped({ stop }: WorkerParts): boolean {
  return stop.aborted;
}

/** Milliseconds of `clock` since `startNs`. */
export function elapsedMs(clock: Clock, startNs: number): number {
  return (clock.nowNs() - startNs) / nsPerMs;
}

/** Waits until `untilMs` on the workload's clock, or until the workers stop. */
export function waitUntil(parts: WorkerParts, startNs: number, untilMs: number): Promise<unknown> {
  const leftMs = untilMs - elapsedMs(parts.clock, startNs);
  return leftMs > 0 ? parts.clock.sleep(Math.ceil(leftMs), parts.stop) : Promise.resolve();
}

/**
 * Calls a client within the guard. A client that throws or never returns is trouble of the harness, but its operation
 * may have taken effect: the outcome is info either way.
 */
export function callClient<T>(
  parts: WorkerParts,
  call: () => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const guardMs = parts.operationGuardMs;
    whenBounded(parts.clock, guardMs, invoke(call), (bounded) => {
      resolve(bounded.status === 'done' ? bounded.value : givenUp(parts, bounded));
    });
  });
}

function givenUp(
  parts: WorkerParts,
  bounded: Exclude<Bounded<unknown>, { status: 'done' }>,
): Outcome<never> {
  parts.tally.clientErrors += 1;
  const error: OperationError =
    bounded.status === 'failed'
      ? { code: 'CLIENT_THREW', message: describeError(bounded.error) }
      : { code: 'DEADLINE', message: `no outcome within ${parts.operationGuardMs} ms` };
  return { type: 'info', error };
}

/** An adapter that throws before its first await rejects like one that throws after it. */
function invoke<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (thrown) {
    return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

/** Disposes a retired client in the background: it may take long, and nobody waits for it but the drain. */
export function retire(parts: WorkerParts, client: AsyncDisposable): void {
  parts.tally.retiring += 1;
  const disposed = (): void => {
    parts.tally.retiring -= 1;
  };
  void invoke(async () => client[Symbol.asyncDispose]()).then(disposed, () => {
    parts.tally.disposalErrors += 1;
    disposed();
  });
}
