/** A thread of `ordeal explore`: takes runs until there are none left, and tells what each came to. */
import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../core/errors.ts';
import { exploreUntilEnd, type ThreadMessage, type ThreadTask } from './explore-pool.ts';

const tell = (message: ThreadMessage): void => {
  parentPort?.postMessage(message);
};

try {
  await exploreUntilEnd(workerData as ThreadTask, (summary) => {
    tell({ summary });
  });
} catch (thrown) {
  tell({ failure: thrown instanceof Error ? thrown : new Error(describeError(thrown)) });
}
