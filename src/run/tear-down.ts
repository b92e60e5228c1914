/** Tear-down: every step is tried whatever became of the others, within one bound. */
import { withDeadline } from '../core/bounded.ts';
import { OrdealError } from '../core/errors.ts';
import { formatDurationMs } from '../core/units.ts';
import { untilAborted } from './phase-scope.ts';
import type { RunState } from './run-state.ts';

/** A cluster whose start was cut short gets so long to come to rest before it is removed. */
const startSettleMs = 20_000;
const logsFolder = 'logs';

/** Stops what runs beside the phases, closes clients and history, collects the nodes' logs, removes the cluster. */
export async function tearDown(state: RunState, beside: readonly Promise<void>[]): Promise<void> {
  const { options, parts, record, signals } = state;
  using scope = state.scope({
    limitMs: options.limits.tearDownMs,
    interruptedLimitMs: options.limits.tearDownMs,
    goesOn: 'always',
  });
  const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      const awaited = await untilAborted(scope.signal, work());
      if (awaited.status === 'cut') throw tooLate(what, options.limits.tearDownMs);
    } catch (error) {
      state.fail(error);
    }
  };
  state.stopWorkers.abort();
  state.stopFaults.abort();
  state.stopBackground.abort();
  await step('stopping the watchers', () => Promise.all(beside));
  const { connections } = state;
  if (connections !== null) {
    await step('closing the clients', async () => connections[Symbol.asyncDispose]());
  }
  await step('closing the history', () => record.close());
  if (!signals.hurry.aborted) {
    await step('collecting the logs of the nodes', async () => {
      await parts.cluster.collectLogs(await state.files.folder(logsFolder));
    });
  }
  if (options.leaveRunning) return;
  await step('removing the cluster', () => removeCluster(state));
}

/** A start that is still under way would go on making what is being removed, so it is waited for, and removed again. */
async function removeCluster(state: RunState): Promise<void> {
  const { clock, cluster } = state.parts;
  await cluster.remove();
  const atRest = await withDeadline(clock, 0, state.starting);
  if (atRest.status !== 'late') return;
  await withDeadline(clock, startSettleMs, state.starting);
  await cluster.remove();
}

function tooLate(what: string, limitMs: number): OrdealError {
  return new OrdealError(
    'DOCKER_FAILED',
    `tear-down: ${what} was not finished within ${formatDurationMs(limitMs)}`,
    'run `ordeal clean` to remove what is left',
  );
}
