/**
 * The loop of one reader that is told its logs. Every poll that was not ok is followed by a new assign at the reader's
 * own positions: the history then opens an epoch whose start is known, and nothing that was passed over goes unseen.
 */
import { assert } from '../core/assert.ts';
import type { AssignValue, LogName } from '../history/event.ts';
import type { Outcome, PollResult, ReaderClient } from '../spi/client.ts';
import type { WorkerScript } from '../spi/workload.ts';
import type { ClientSupply } from './client-supply.ts';
import { callClient, elapsedMs, isStopped, retire, waitUntil, type WorkerParts } from './worker.ts';

/** After a poll or assign that was not ok: the next attempt would most likely meet the same trouble at once. */
const failurePauseMs = 500;

interface Reading {
  process: number;
  client: ReaderClient | null;
  /** False until an assign was ok since the newest trouble. */
  assigned: boolean;
  /** The next offset per log, or null: begin at the beginning. */
  positions: Map<LogName, number> | null;
}

/** Runs until the workers stop; parameters as those of runProducer. */
export async function runReader(
  parts: WorkerParts,
  script: WorkerScript,
  process: number,
  client: ReaderClient,
  supply: ClientSupply<ReaderClient>,
  startNs: number,
): Promise<void> {
  const reading: Reading = { process, client, assigned: false, positions: null };
  try {
    while (!parts.stop.aborted) {
      reading.client ??= await supply.next();
      // Connecting takes long: the workers may have been stopped meanwhile.
      if (reading.client === null || isStopped(parts)) break;
      if (!reading.assigned) {
        if (!(await assign(parts, script.logs, reading, reading.client))) {
          await parts.clock.sleep(failurePauseMs, parts.stop);
        }
        continue;
      }
      const operation = script.next(elapsedMs(parts.clock, startNs));
      if (operation.do === 'wait') {
        await waitUntil(parts, startNs, operation.untilMs);
        continue;
      }
      assert(operation.do === 'poll', `a reader's script asked to ${operation.do}`);
      if (!(await poll(parts, reading, reading.client))) {
        await parts.clock.sleep(failurePauseMs, parts.stop);
      }
    }
  } finally {
    if (reading.client !== null) retire(parts, reading.client);
  }
}

/**
 * One recorded assign: at the positions if there are any, else at the beginning. Once the record has ended nothing is
 * asked any more, here and in `poll`.
 */
async function assign(
  parts: WorkerParts,
  logs: readonly LogName[],
  reading: Reading,
  client: ReaderClient,
): Promise<boolean> {
  const from = startOf(logs, reading.positions);
  const { process } = reading;
  const value: AssignValue = { logs, from, isolation: 'read_committed' };
  if (parts.append({ process, type: 'invoke', f: 'assign', value }) < 0) return false;
  const outcome = await callClient(parts, () => client.assign(logs, from));
  complete(parts, reading, 'assign', outcome, value);
  reading.assigned = outcome.type === 'ok';
  return reading.assigned;
}

function startOf(
  logs: readonly LogName[],
  positions: ReadonlyMap<LogName, number> | null,
): AssignValue['from'] {
  if (positions === null || positions.size === 0) return 'beginning';
  // A log that gave nothing yet is read from offset 0, which is where "beginning" had put it.
  return Object.fromEntries(logs.map((log) => [log, positions.get(log) ?? 0]));
}

async function poll(parts: WorkerParts, reading: Reading, client: ReaderClient): Promise<boolean> {
  const { process } = reading;
  if (parts.append({ process, type: 'invoke', f: 'poll', value: [['poll']] }) < 0) return false;
  const outcome = await callClient(parts, () => client.poll());
  const value = outcome.type === 'ok' ? [['poll', outcome.value]] : [['poll']];
  complete(parts, reading, 'poll', outcome, value);
  if (outcome.type === 'ok') {
    advance(parts, reading, outcome.value);
    return true;
  }
  reading.assigned = false;
  // The position is not in the log any more: truncated away, or deleted. Only the log can say where it begins now.
  if (outcome.error.code === 'OFFSET_OUT_OF_RANGE') reading.positions = null;
  return false;
}

function advance(parts: WorkerParts, reading: Reading, result: PollResult): void {
  reading.positions ??= new Map();
  for (const [log, records] of Object.entries(result)) {
    parts.tally.recordsPolled += records.length;
    const last = records.at(-1);
    if (last !== undefined) reading.positions.set(log, last[0] + 1);
  }
}

/** Records the completion; after info the process ends and its client is replaced. */
function complete(
  parts: WorkerParts,
  reading: Reading,
  f: 'assign' | 'poll',
  outcome: Outcome<unknown>,
  value: unknown,
): void {
  const { process } = reading;
  const { type } = outcome;
  if (type === 'ok') parts.append({ process, type, f, value });
  else parts.append({ process, type, f, value, error: outcome.error });
  if (type !== 'info') return;
  if (reading.client !== null) retire(parts, reading.client);
  reading.client = null;
  reading.process += parts.processes;
}
