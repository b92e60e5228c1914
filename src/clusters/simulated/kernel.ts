/**
 * Virtual time: one clock and one queue of events, in the order of their times and, at one time, of their scheduling.
 *
 * Events of the model run one after the other. An event that wakes the harness (a timer of its clock, an answer to one of
 * its clients) ends the turn: the next event runs only when every promise that could go on has gone on, which is when
 * the next `setImmediate` callback runs. The model itself uses no promises.
 */
import { sleepOn, type Clock, type Timer } from '../../core/clock.ts';
import { nsPerMs } from '../../core/units.ts';

/** A pending event. It is a timer of the harness's clock as well: one object less for each. */
export class Scheduled implements Timer {
  readonly atNs: number;
  readonly order: number;
  readonly wakes: boolean;
  /** Null once it ran or was cancelled. */
  run: (() => void) | null;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, atNs: number, order: number, wakes: boolean, run: () => void) {
    this.#kernel = kernel;
    this.atNs = atNs;
    this.order = order;
    this.wakes = wakes;
    this.run = run;
  }

  cancel(): void {
    this.#kernel.cancel(this);
  }
}

/** Turns that one pass through Node's event loop runs; between two passes signals and real I/O are served. */
const turnsPerPass = 64;
/** Fewer cancelled events than this are left where they are. */
const cancelledMin = 256;

export class Kernel {
  #nowNs = 0;
  #order = 0;
  #heap: Scheduled[] = [];
  #cancelled = 0;

  get nowNs(): number {
    return this.#nowNs;
  }

  /** Schedules an event of the model. */
  after(delayNs: number, run: () => void): Scheduled {
    return this.#push(delayNs, run, false);
  }

  /** Schedules an event that wakes the harness: promises may be resolved in it. */
  wakeAfter(delayNs: number, run: () => void): Scheduled {
    return this.#push(delayNs, run, true);
  }

  /** Most timers are bounds that never come: when half of the queue is such, it is sifted. */
  cancel(event: Scheduled): void {
    if (event.run === null) return;
    event.run = null;
    this.#cancelled += 1;
    if (this.#cancelled < cancelledMin || 2 * this.#cancelled < this.#heap.length) return;
    this.#heap = this.#heap.filter(({ run }) => run !== null);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) {
      this.#sink(this.#heap[at] as Scheduled, at);
    }
    this.#cancelled = 0;
  }

  /** Runs events until one that wakes the harness has run. False if the queue is empty. */
  turn(): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      const { run } = event;
      if (run === null) {
        this.#cancelled -= 1;
        continue;
      }
      this.#nowNs = event.atNs;
      event.run = null;
      run();
      if (event.wakes) return true;
    }
  }

  /**
   * Runs turns until `promise` settles.
   * @throws Error if nothing is left that could settle it: a wait without bound, a defect of whoever waits.
   */
  drive<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false;
      promise.then(
        (value) => {
          over = true;
          resolve(value);
        },
        (error: unknown) => {
          over = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
      const fail = (error: unknown): void => {
        over = true;
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const step = (): void => {
        if (over) return;
        try {
          if (!this.turn()) {
            fail(new Error('the simulated run waits for something that no event brings'));
          }
        } catch (thrown) {
          // A defect of the model ends its own run and no other.
          fail(thrown);
        }
      };
      const pass = (): void => {
        if (over) return;
        for (let turn = 0; turn < turnsPerPass; turn++) setImmediate(step);
        setImmediate(pass);
      };
      setImmediate(pass);
    });
  }

  #push(delayNs: number, run: () => void, wakes: boolean): Scheduled {
    const event = new Scheduled(this, this.#nowNs + delayNs, this.#order++, wakes, run);
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Scheduled;
      if (!before(event, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
    return event;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    this.#sink(last, 0);
    return first;
  }

  /** Puts an event where `at` is free, or below. */
  #sink(event: Scheduled, from: number): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= length) break;
      let child = heap[childAt] as Scheduled;
      const right = heap[childAt + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childAt += 1;
      }
      if (!before(child, event)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = event;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
}

/** The kernel's time as the harness sees it. Its origin is the epoch. */
export function createVirtualClock(kernel: Kernel): Clock {
  const after = (delayMs: number, callback: () => void): Timer =>
    kernel.wakeAfter(Math.max(0, Math.ceil(delayMs * nsPerMs)), callback);
  return {
    nowNs: () => kernel.nowNs,
    wallMs: () => Math.floor(kernel.nowNs / nsPerMs),
    after,
    sleep: (durationMs, signal) => sleepOn(after, durationMs, signal),
    turn: () =>
      new Promise((resolve) => {
        kernel.wakeAfter(0, resolve);
      }),
  };
}
