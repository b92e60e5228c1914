/** The loop of one producing worker: ask the script, record the invocation, send, record the outcome. */
import { assert } from '../core/assert.ts';
import type { SendCompleted, SendInvoked } from '../history/event.ts';
import { logName } from '../history/log-name.ts';
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
      const requests = requestsOf(operation);
      const invoked = requests.map(invokedForm);
      const invocation = parts.append(draft(by, 'invoke', invoked));
      // The record has ended: nothing is sent, for every send is recorded before it is sent.
      if (invocation < 0) break;
      const sender = current;
      const outcome = await callClient(parts, () => sender.send(requests));
      complete(parts, by, { requests, invoked, invocation }, outcome);
      if (outcome.type === 'ok') {
        failuresInRow = 0;
        continue;
      }
      if (script.session === null) {
        supply.release(current);
        current = null;
      }
      if (outcome.type === 'info') process += parts.processes;
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
  return operation.records.map(({ topic, partition, value, key, tombstone }) => ({
    topic,
    partition,
    value,
    meta: metaOf(key, tombstone === true),
  }));
}

function metaOf(key: string | undefined, tombstone: boolean): SendRequest['meta'] {
  if (tombstone) return key === undefined ? { tombstone } : { key, tombstone };
  return key === undefined ? {} : { key };
}

interface Sender {
  readonly process: number;
  readonly session: string | null;
}

/** An operation that is open. */
interface OpenSend {
  readonly requests: readonly SendRequest[];
  readonly invoked: readonly SendInvoked[];
  readonly invocation: number;
}

/** Records the outcome. */
function complete(
  parts: WorkerParts,
  by: Sender,
  { requests, invoked, invocation }: OpenSend,
  outcome: Outcome<readonly Sent[]>,
): void {
  if (outcome.type === 'ok') {
    const { value: sent } = outcome;
    assert(sent.length === requests.length, 'a client tells of each record where it went');
    const completed = requests.map((request, i) => completedForm(request, sent[i] as Sent));
    parts.append(draft(by, 'ok', completed));
    for (const [, log] of completed) countSend(parts.tally, log, 'ok', invocation);
    return;
  }
  const { type, error } = outcome;
  parts.append({ ...draft(by, type, invoked), error });
  for (const { topic, partition } of requests) {
    const log = partition === null ? null : logName(topic, partition);
    countSend(parts.tally, log, type, invocation);
  }
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
  const log = partition === null ? topic : logName(topic, partition);
  return isEmpty(meta) ? ['send', log, value] : ['send', log, value, meta];
}

function completedForm(
  { topic, value, meta }: SendRequest,
  { partition, offset }: Sent,
): SendCompleted {
  const log = logName(topic, partition);
  return isEmpty(meta) ? ['send', log, [offset, value]] : ['send', log, [offset, value], meta];
}

function isEmpty(meta: SendRequest['meta']): boolean {
  for (const _field in meta) return false;
  return true;
}
