/** Gets a worker its client while brokers may be down: bounded attempts with a growing pause, until the workers stop. */
import { withDeadline } from '../core/bounded.ts';
import { describeError } from '../core/errors.ts';
import { isStopped, retire, type WorkerParts } from './worker.ts';

const pauseMsMin = 200;
const pauseMsMax = 2_000;

export interface ClientSupply<C> {
  /**
   * A connected client, or null once the workers stop. Creating one is no operation: it is not recorded, and a failed
   * attempt says nothing about any record.
   */
  next(): Promise<C | null>;
  /** The worker is done with this client. */
  release(client: C): void;
  /** Why the newest attempt failed, if it did. */
  readonly lastError: string | null;
}

/** @param create is given a name that no other attempt of this run has. */
export function createClientSupply<C extends AsyncDisposable>(
  parts: WorkerParts,
  namePrefix: string,
  create: (name: string) => Promise<C>,
): ClientSupply<C> {
  let attempts = 0;
  let created = 0;
  let lastError: string | null = null;

  const attempt = async (): Promise<C | null> => {
    attempts += 1;
    const creating = create(`${namePrefix}-${attempts}`);
    const bounded = await withDeadline(parts.clock, parts.createTimeoutMs, creating);
    if (bounded.status === 'done') return bounded.value;
    if (bounded.status === 'late') {
      lastError = `not connected within ${parts.createTimeoutMs} ms`;
      disposeWhenItArrives(parts, creating);
    } else lastError = describeError(bounded.error);
    return null;
  };

  return {
    get lastError() {
      return lastError;
    },
    release: (client) => {
      retire(parts, client);
    },
    next: async () => {
      for (
        let pauseMs = pauseMsMin;
        !parts.stop.aborted;
        pauseMs = Math.min(pauseMs * 2, pauseMsMax)
      ) {
        const client = await attempt();
        if (client !== null && isStopped(parts)) {
          retire(parts, client);
          return null;
        }
        if (client !== null) {
          lastError = null;
          if (created > 0) parts.tally.clientsReplaced += 1;
          created += 1;
          return client;
        }
        await parts.clock.sleep(pauseMs, parts.stop);
      }
      return null;
    },
  };
}

/**
 * One client for `holders` workers, created once: who asks meanwhile waits with the first. It is retired when the last of
 * them has released it.
 */
export function shareClient<C extends AsyncDisposable>(
  supply: ClientSupply<C>,
  holders: number,
): ClientSupply<C> {
  let client: Promise<C | null> | null = null;
  let held = holders;
  return {
    get lastError() {
      return supply.lastError;
    },
    next: () => (client ??= supply.next()),
    release: (shared) => {
      held -= 1;
      if (held === 0) supply.release(shared);
    },
  };
}

function disposeWhenItArrives(parts: WorkerParts, creating: Promise<AsyncDisposable>): void {
  creating.then(
    (client) => {
      retire(parts, client);
    },
    () => {
      // The attempt was already counted as failed.
    },
  );
}
