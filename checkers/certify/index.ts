/**
 * The certifier: re-proves a witness from the raw events. It shares no code with the checkers and may be quadratic, so
 * that a witness which both agree on is worth believing.
 */
import type { Header, HistoryEvent } from '../../src/history/event.ts';
import type { AnomalyName, Witness } from '../../src/spi/verdict.ts';
import type { Certificate, Claim } from './certificate.ts';
import { certifyLostKey, certifyResurrectedKey } from './compaction.ts';
import { certifyDuplicate, certifyInconsistentOffsets } from './copies.ts';
import {
  certifyIntNonmonotonicPoll,
  certifyIntPollSkip,
  certifyNonmonotonicPoll,
  certifyPollSkip,
} from './epochs.ts';
import {
  certifyCommitRegression,
  certifyDoubleOwnership,
  certifyGroupSkip,
  certifyKeyProcessedOutOfOrder,
  certifyStaleCommit,
} from './groups.ts';
import {
  certifyAbortedRead,
  certifyCorruptRecord,
  certifyFutureRead,
  certifyPhantom,
} from './integrity.ts';
import { certifyKeyMoved, certifyKeyReordered } from './keys.ts';
import { certifyLostWrite, certifyScanDivergence, certifyTruncatedRead } from './loss.ts';
import { certifyIntNonmonotonicSend, certifyNonmonotonicSend } from './program-order.ts';
import { certifyRealTimeInversion } from './real-time.ts';
import { certifyNotRecovered } from './recovery.ts';
import { namedOperations, replayOf } from './replay.ts';
import { certifyPrecommittedRead, certifyZombieCommit } from './transactions.ts';

export type { Certificate } from './certificate.ts';

const certifiers: Partial<Record<AnomalyName, (claim: Claim) => Certificate>> = {
  'lost-write': certifyLostWrite,
  'truncated-read': certifyTruncatedRead,
  'scan-divergence': certifyScanDivergence,
  'inconsistent-offsets': certifyInconsistentOffsets,
  phantom: certifyPhantom,
  'future-read': certifyFutureRead,
  'corrupt-record': certifyCorruptRecord,
  duplicate: certifyDuplicate,
  'real-time-inversion': certifyRealTimeInversion,
  'nonmonotonic-send': certifyNonmonotonicSend,
  'int-nonmonotonic-send': certifyIntNonmonotonicSend,
  'nonmonotonic-poll': certifyNonmonotonicPoll,
  'int-nonmonotonic-poll': certifyIntNonmonotonicPoll,
  'poll-skip': certifyPollSkip,
  'int-poll-skip': certifyIntPollSkip,
  'key-moved': certifyKeyMoved,
  'key-reordered': certifyKeyReordered,
  'aborted-read': certifyAbortedRead,
  'commit-regression': certifyCommitRegression,
  'group-skip': certifyGroupSkip,
  'stale-commit': certifyStaleCommit,
  'double-ownership': certifyDoubleOwnership,
  'key-processed-out-of-order': certifyKeyProcessedOutOfOrder,
  'compaction-lost-key': certifyLostKey,
  'compaction-resurrected-key': certifyResurrectedKey,
  'precommitted-read': certifyPrecommittedRead,
  'zombie-commit': certifyZombieCommit,
  'not-recovered': certifyNotRecovered,
};

/** Anomalies whose witnesses can be certified. */
export const certifiable = Object.keys(certifiers) as AnomalyName[];

/**
 * Re-proves `witness` of `anomaly` from the events of its history.
 * @param events all of them, in order, as parsed from the file; indexes in the witness are their `index`.
 * @returns holds: the definition in CHECKERS.md is met in every completion of the uncertain operations.
 */
export function certifyWitness(
  header: Header,
  events: readonly HistoryEvent[],
  anomaly: AnomalyName,
  witness: Witness,
): Certificate {
  const certify = certifiers[anomaly];
  if (certify === undefined) return { holds: false, reason: `${anomaly} has no certifier` };
  const replay = replayOf(header, events);
  const ops = namedOperations(replay, witness.operations);
  if (ops === null || ops.length === 0) {
    return { holds: false, reason: 'an index in the witness is not the end of an operation' };
  }
  return certify({ replay, ops, witness });
}
