/** Every oracle under the name of its anomaly. */
import type { AnomalyName } from '../../src/spi/verdict.ts';
import type { Model, OracleAnswer } from './oracle-model.ts';
import { lostKeyOracle, resurrectedKeyOracle } from './oracle-compaction.ts';
import {
  abortedReadOracle,
  corruptRecordOracle,
  duplicateOracle,
  futureReadOracle,
  inconsistentOffsetsOracle,
  phantomOracle,
} from './oracle-integrity.ts';
import { lostWriteOracle, scanDivergenceOracle, truncatedReadOracle } from './oracle-loss.ts';
import {
  intNonmonotonicSendOracle,
  nonmonotonicSendOracle,
  realTimeOracle,
} from './oracle-order.ts';
import {
  intNonmonotonicPollOracle,
  intPollSkipOracle,
  nonmonotonicPollOracle,
  pollSkipOracle,
} from './oracle-sessions.ts';

export const oracles: readonly (readonly [AnomalyName, (model: Model) => OracleAnswer])[] = [
  ['lost-write', lostWriteOracle],
  ['truncated-read', truncatedReadOracle],
  ['scan-divergence', scanDivergenceOracle],
  ['inconsistent-offsets', inconsistentOffsetsOracle],
  ['phantom', phantomOracle],
  ['future-read', futureReadOracle],
  ['corrupt-record', corruptRecordOracle],
  ['duplicate', duplicateOracle],
  ['real-time-inversion', realTimeOracle],
  ['nonmonotonic-send', nonmonotonicSendOracle],
  ['int-nonmonotonic-send', intNonmonotonicSendOracle],
  ['nonmonotonic-poll', nonmonotonicPollOracle],
  ['int-nonmonotonic-poll', intNonmonotonicPollOracle],
  ['poll-skip', pollSkipOracle],
  ['int-poll-skip', intPollSkipOracle],
  ['aborted-read', abortedReadOracle],
  ['compaction-lost-key', lostKeyOracle],
  ['compaction-resurrected-key', resurrectedKeyOracle],
];
