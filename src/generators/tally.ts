/** What the workers of a run have done so far: counted while recording, read by progress and by the recovery gate. */
import type { LogName } from '../history/event.ts';

export interface Tally {
  /** Records sent, by outcome. */
  acknowledged: number;
  failed: number;
  uncertain: number;
  recordsPolled: number;
  /** Clients created after the first of their worker. */
  clientsReplaced: number;
  /** Retired clients whose disposal has not finished, and those whose disposal threw. */
  retiring: number;
  disposalErrors: number;
  /** Calls of a client adapter that threw: trouble of the harness, recorded as info. */
  clientErrors: number;
  /** Per log: the greatest index of an invocation whose send was acknowledged. */
  readonly acknowledgedInvocation: Map<LogName, number>;
}

export function createTally(): Tally {
  return {
    acknowledged: 0,
    failed: 0,
    uncertain: 0,
    recordsPolled: 0,
    clientsReplaced: 0,
    retiring: 0,
    disposalErrors: 0,
    clientErrors: 0,
    acknowledgedInvocation: new Map(),
  };
}

/**
 * Counts one record of a send.
 * @param log null where the partition was left to the client and nobody knows it.
 * @param invocation index of the send's invocation.
 */
export function countSend(
  tally: Tally,
  log: LogName | null,
  outcome: 'ok' | 'fail' | 'info',
  invocation: number,
): void {
  if (outcome === 'fail') tally.failed += 1;
  else if (outcome === 'info') tally.uncertain += 1;
  else {
    tally.acknowledged += 1;
    if (log === null) return;
    const before = tally.acknowledgedInvocation.get(log) ?? -1;
    tally.acknowledgedInvocation.set(log, Math.max(before, invocation));
  }
}
