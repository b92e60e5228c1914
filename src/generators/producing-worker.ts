/** The loop of one producing worker: ask the script, record the invocation, send, record the outcome. */
import { assert } from '../core/assert.ts';
import type { SendCompleted, SendInvoked } from '../history/event.ts';
import type { EventDraft } from '../history/recording.ts';
import type { Outcome, ProducerClient, SendRequest, Sent } from '../spi/client.ts';
import type { NextOperation, WorkerScript } from '../spi/workload.ts';
import type { ClientSupply } from './client-supply.ts';
import { countSend } from './tally.ts';
import { callClient, elapsedMs, isStopped, waitUntil, type WorkerParts } from './worker.ts';

/** After failures in a row a worker waits before it sends on: a dead cluster is not hammered with new connections. */
const failurePauseMsMin = 100;
const failurePauseMsMax = 2_000;

/**
 * Runs until the workers stop. After info the worker goes on under a new process number. After anything but ok it goes on
 * with a new client, and the old one is disposed in the background; in a session it goes on with the same client.
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
      const by = { process, session: script.session };
      const outcome = await send(parts, by, current, requestsOf(operation));
      if (outcome === null) break;
      if (outcome === 'ok') {
        failuresInRow = 0;
        continue;
      }
      if (script.session === null) {
        supply.release(current);
        current = null;
      }
      if (outcome === 'info') process += parts.processes;
      failuresInRow += 1;
      await parts.clock.sleep(failurePauseMs(failuresInRow), parts.stop);
    }
  } finally {
    if (current !== null) supply.release(current);
  }
}

function failurePauseMs(failuresInRow: number): number {
  return Math.min(failurePauseMsMin * 2 ** (failuresInRow - 1), failurePauseMsMax);
}

function requestsOf(operation: NextOperation): readonly SendRequest[] {
  assert(operation.do === 'send', "a producer's script sends and waits, nothing else");
  assert(operation.records.length > 0, "a producer's script asked to send nothing");
  return operation.records.map(({ topic, partition, value, key }) => ({
    topic,
    partition,
    value,
    meta: key === undefined ? {} : { key },
  }));
}

interface Sender {
  readonly process: number;
  readonly session: string | null;
}

/** @returns null if the record has ended: then nothing was sent, for every send is recorded before it is sent. */
async function send(
  parts: WorkerParts,
  by: Sender,
  client: ProducerClient,
  requests: readonly SendRequest[],
): Promise<Outcome<unknown>['type'] | null> {
  const invoked = requests.map(invokedForm);
  const invocation = parts.append(draft(by, 'invoke', invoked));
  if (invocation < 0) return null;
  const outcome = await callClient(parts, () => client.send(requests));
  if (outcome.type === 'ok') {
    const { value: sent } = outcome;
    assert(sent.length === requests.length, 'a client tells of each record where it went');
    const completed = requests.map((request, i) => completedForm(request, sent[i] as Sent));
    parts.append(draft(by, 'ok', completed));
    for (const [, log] of completed) countSend(parts.tally, log, 'ok', invocation);
  } else {
    const { type, error } = outcome;
    parts.append({ ...draft(by, type, invoked), error });
    for (const { topic, partition } of requests) {
      const log = partition === null ? null : `${topic}/${partition}`;
      countSend(parts.tally, log, type, invocation);
    }
  }
  return outcome.type;
}

function draft(
  { process, session }: Sender,
  type: EventDraft['type'],
  value: readonly (SendInvoked | SendCompleted)[],
): EventDraft {
  const f = 'send';
  return session === null ? { process, type, f, value } : { process, type, f, value, session };
}

/** The topic alone where the client chooses the partition. */
function invokedForm({ topic, partition, value, meta }: SendRequest): SendInvoked {
  const log = partition === null ? topic : `${topic}/${partition}`;
  return isEmpty(meta) ? ['send', log, value] : ['send', log, value, meta];
}

function completedForm(
  { topic, value, meta }: SendRequest,
  { partition, offset }: Sent,
): SendCompleted {
  const log = `${topic}/${partition}`;
  return isEmpty(meta) ? ['send', log, [offset, value]] : ['send', log, [offset, value], meta];
}

function isEmpty(meta: SendRequest['meta']): boolean {
  for (const _field in meta) return false;
  return true;
}
