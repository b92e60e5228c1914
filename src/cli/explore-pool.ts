/**
 * Spreads the runs of an exploration over threads. A thread takes the next index that nobody took; what a run comes to
 * depends on its seed alone, so the number of threads changes nothing but the time.
 */
import { Worker } from 'node:worker_threads';
import { exploreOne, type ExploreRequest, type RunSummary } from './exploration.ts';

/** Two numbers that all threads share: the next index, and the index at which to end. */
const nextCell = 0;
const endCell = 1;

export interface PoolOptions {
  readonly request: ExploreRequest;
  readonly runs: number;
  readonly threads: number;
  /** No run after the first with a violation counts, and few are made. */
  readonly stopFirst: boolean;
  /** Ends it early: what is under way is given up. */
  readonly interrupt: AbortSignal;
  readonly onSummary: (summary: RunSummary) => void;
}

/** What a thread is given. */
export interface ThreadTask {
  readonly request: ExploreRequest;
  readonly stopFirst: boolean;
  readonly cells: Int32Array;
}

/** All of them, in the order of their seeds; fewer than `runs` if it ended early. @throws whatever a run threw. */
export async function explorePool(options: PoolOptions): Promise<readonly RunSummary[]> {
  const summaries: RunSummary[] = [];
  await exploreInOrder(options, (summary) => {
    summaries.push(summary);
  });
  return summaries;
}

/**
 * Gives the runs to `take` in the order of their seeds, each as soon as those before it were given, and holds no others:
 * there may be millions.
 * @throws whatever a run threw.
 */
export async function exploreInOrder(
  options: PoolOptions,
  take: (summary: RunSummary) => void,
): Promise<void> {
  const { request, runs, stopFirst, interrupt } = options;
  const cells = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  cells[endCell] = runs;
  const task: ThreadTask = { request, stopFirst, cells };
  const order = createOrder(stopFirst, take);
  const came = (summary: RunSummary): void => {
    order.came(summary);
    options.onSummary(summary);
  };
  const end = (): void => {
    Atomics.store(cells, endCell, 0);
  };
  if (interrupt.aborted) end();
  interrupt.addEventListener('abort', end, { once: true });
  const threads = Math.min(options.threads, runs);
  try {
    if (threads === 1) await exploreUntilEnd(task, came);
    else {
      await Promise.all(Array.from({ length: threads }, () => inThread(task, interrupt, came)));
    }
  } finally {
    interrupt.removeEventListener('abort', end);
  }
  order.close();
}

/** Holds back what came before its turn. */
function createOrder(
  stopFirst: boolean,
  take: (summary: RunSummary) => void,
): { readonly came: (summary: RunSummary) => void; readonly close: () => void } {
  const early = new Map<number, RunSummary>();
  let next = 0;
  let stopped = false;
  const give = (summary: RunSummary): void => {
    if (stopped) return;
    stopped = stopFirst && summary.violations.length > 0;
    take(summary);
  };
  return {
    came: (summary) => {
      early.set(summary.index, summary);
      for (let one = early.get(next); one !== undefined; one = early.get(next)) {
        early.delete(next);
        next += 1;
        give(one);
      }
    },
    // After an interrupt some never come.
    close: () => {
      for (const summary of [...early.values()].sort((a, b) => a.index - b.index)) give(summary);
    },
  };
}

/** One thread's work: runs until there is nothing left to take. */
export async function exploreUntilEnd(
  { request, stopFirst, cells }: ThreadTask,
  take: (summary: RunSummary) => void,
): Promise<void> {
  for (;;) {
    const index = Atomics.add(cells, nextCell, 1);
    if (index >= Atomics.load(cells, endCell)) return;
    const summary = await exploreOne(request, index);
    // Runs before this one still count; they are being made, or were.
    if (stopFirst && summary.violations.length > 0) lowerEnd(cells, index + 1);
    take(summary);
  }
}

function lowerEnd(cells: Int32Array, end: number): void {
  for (;;) {
    const known = Atomics.load(cells, endCell);
    if (known <= end || Atomics.compareExchange(cells, endCell, known, end) === known) return;
  }
}

/** A message is a summary, or why the thread failed. */
export type ThreadMessage = { readonly summary: RunSummary } | { readonly failure: Error };

function inThread(
  task: ThreadTask,
  interrupt: AbortSignal,
  take: (summary: RunSummary) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./explore-worker.js', import.meta.url), {
      workerData: task,
    });
    const stop = (): void => {
      void worker.terminate();
    };
    interrupt.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: ThreadMessage) => {
      if ('summary' in message) take(message.summary);
      else reject(message.failure);
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      interrupt.removeEventListener('abort', stop);
      resolve();
    });
  });
}
