/** The loop of one producing worker: ask the script, record the invocation, send, record the outcome. */
import { assert } from '../core/assert.ts';
import type { Meta, SendCompleted, SendInvoked } from '../history/event.ts';
import type { Outcome, ProducerClient, SendRequest } from '../spi/client.ts';
import type { NextOperation, WorkerScript } from '../spi/workload.ts';
import type { ClientSupply } from './client-supply.ts';
import { countSend, logOf } from './tally.ts';
import { callClient, elapsedMs, isStopped, retire, waitUntil, type WorkerParts } from './worker.ts';

/** After failures in a row a worker waits before it sends on: a dead cluster is not hammered with new connections. */
const failurePauseMsMin = 100;
const failurePauseMsMax = 2_000;

/**
 * Runs until the workers stop. After info the worker goes on under a new process number; after anything but ok it goes
 * on with a new client, and the old one is disposed in the background.
 * @param process the worker's first process number.
 * @param client its first client, already connected.
 */
export async function runProducer(
  parts: WorkerParts,
  script: WorkerScript,
  process: number,
  client: ProducerClient,
  supply: ClientSupply<ProducerClient>,
  startNs: number,
): Promise<void> {
  let current: ProducerClient | null = client;
  let failuresInRow = 0;
  try {
    while (!parts.stop.aborted) {
      current ??= await supply.next();
      // Connecting takes long: the workers may have been stopped meanwhile.
      if (current === null || isStopped(parts)) break;
      const operation = script.next(elapsedMs(parts.clock, startNs));
      if (operation.do === 'wait') {
        await waitUntil(parts, startNs, operation.untilMs);
        continue;
      }
      const outcome = await sendOne(parts, process, current, requestOf(operation));
      if (outcome === null) break;
      if (outcome === 'ok') {
        failuresInRow = 0;
        continue;
      }
      retire(parts, current);
      current = null;
      if (outcome === 'info') process += parts.processes;
      failuresInRow += 1;
      await parts.clock.sleep(failurePauseMs(failuresInRow), parts.stop);
    }
  } finally {
    if (current !== null) retire(parts, current);
  }
}

function failurePauseMs(failuresInRow: number): number {
  return Math.min(failurePauseMsMin * 2 ** (failuresInRow - 1), failurePauseMsMax);
}

function requestOf(operation: NextOperation): SendRequest {
  assert(operation.do === 'send', `a producer's script asked to ${operation.do}`);
  const meta: Meta = operation.key === undefined ? {} : { key: operation.key };
  return {
    topic: operation.topic,
    partition: operation.partition,
    value: operation.value,
    meta,
  };
}

/** @returns null if the record has ended: then nothing was sent, for every send is recorded before it is sent. */
async function sendOne(
  parts: WorkerParts,
  process: number,
  client: ProducerClient,
  request: SendRequest,
): Promise<Outcome<unknown>['type'] | null> {
  const log = logOf(request);
  const hasMeta = Object.keys(request.meta).length > 0;
  const invoked: SendInvoked = hasMeta
    ? ['send', log, request.value, request.meta]
    : ['send', log, request.value];
  const invocation = parts.append({ process, type: 'invoke', f: 'send', value: [invoked] });
  if (invocation < 0) return null;
  const outcome = await callClient(parts, () => client.send(request));
  if (outcome.type === 'ok') {
    const appended = [outcome.value.offset, request.value] as const;
    const completed: SendCompleted = hasMeta
      ? ['send', log, appended, request.meta]
      : ['send', log, appended];
    parts.append({ process, type: 'ok', f: 'send', value: [completed] });
  } else {
    const { type, error } = outcome;
    parts.append({ process, type, f: 'send', value: [invoked], error });
  }
  countSend(parts.tally, log, outcome.type, invocation);
  return outcome.type;
}
