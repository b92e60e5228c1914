/**
 * The registry of checkers and the check of a whole history: every checker on the same columns, and one verdict. The
 * result depends on the history alone (no time, path or order of flags), so the run that recorded a history and a later
 * `ordeal check` say the same, byte for byte.
 */
import { describeError } from '../src/core/errors.ts';
import type { History } from '../src/history/columns.ts';
import type { Checker, CheckLimits } from '../src/spi/checker.ts';
import {
  anomalyNames,
  type AnomalyName,
  type AnomalyResult,
  type ResultDocument,
} from '../src/spi/verdict.ts';
import { abortedReadChecker } from './aborted-read.ts';
import { compactionChecker } from './compaction.ts';
import { corruptRecordChecker } from './corrupt-record.ts';
import { doubtOf, measureCoverage } from './coverage.ts';
import { doubleOwnershipChecker } from './double-ownership.ts';
import { duplicateChecker } from './duplicate.ts';
import { permittedBy } from './facts/permission.ts';
import { surroundingsOf } from './facts/surroundings.ts';
import { futureReadChecker } from './future-read.ts';
import { groupStartChecker } from './group-start.ts';
import { inconsistentOffsetsChecker } from './inconsistent-offsets.ts';
import { keyMovedChecker } from './key-moved.ts';
import { keyProcessingChecker } from './key-processing.ts';
import { lostWriteChecker } from './lost-write.ts';
import { notBuiltChecker } from './not-built.ts';
import { phantomChecker } from './phantom.ts';
import { pollOrderChecker } from './poll-order.ts';
import { pollSkipChecker } from './poll-skip.ts';
import { precommittedReadChecker } from './precommitted-read.ts';
import { realTimeInversionChecker } from './real-time-inversion.ts';
import { recoveryChecker } from './recovery.ts';
import { scanDivergenceChecker } from './scan-divergence.ts';
import { sendOrderChecker } from './send-order.ts';
import { staleCommitChecker } from './stale-commit.ts';
import { truncatedReadChecker } from './truncated-read.ts';
import { claimsByName, judge, type AnomalyResults } from './verdict.ts';
import { zombieCommitChecker } from './zombie-commit.ts';

/** Every anomaly of CHECKERS.md is decided by exactly one of these. */
export const checkers: readonly Checker[] = [
  lostWriteChecker,
  truncatedReadChecker,
  scanDivergenceChecker,
  inconsistentOffsetsChecker,
  phantomChecker,
  futureReadChecker,
  corruptRecordChecker,
  duplicateChecker,
  realTimeInversionChecker,
  sendOrderChecker,
  pollOrderChecker,
  pollSkipChecker,
  keyMovedChecker,
  abortedReadChecker,
  precommittedReadChecker,
  groupStartChecker,
  staleCommitChecker,
  doubleOwnershipChecker,
  keyProcessingChecker,
  compactionChecker,
  zombieCommitChecker,
  recoveryChecker,
  notBuiltChecker,
];

export const defaultLimits: CheckLimits = { witnessesMax: 10 };

export interface CheckOptions {
  /** Claims that the user demands (`--claims`); they replace those of the header. */
  readonly claims?: readonly string[];
  readonly limits?: CheckLimits;
  /** The registry, unless a test brings checkers of its own. */
  readonly checkers?: readonly Checker[];
}

/**
 * Judges a history. A checker that throws leaves its own anomalies unknown, and no others.
 * @throws OrdealError BAD_ARGUMENT for an unknown name in `options.claims`, BAD_HISTORY for one in the header's.
 */
export function checkHistory(history: History, options: CheckOptions = {}): ResultDocument {
  const demanded = demandedClaims(history, options.claims);
  const limits = options.limits ?? defaultLimits;
  const anomalies = runCheckers(history, options.checkers ?? checkers, limits);
  const coverage = measureCoverage(history);
  const { valid, reasons, claims } = judge({
    anomalies,
    demanded,
    permits: (anomaly) => permittedBy(history, anomaly),
    faultsAsked: history.header.faults ?? [],
    faults: coverage.faults,
    doubt: (kind) => doubtOf(history, kind),
  });
  return { format: 1, valid, reasons, claims, anomalies, coverage };
}

function demandedClaims(history: History, given: readonly string[] | undefined) {
  if (given !== undefined) return claimsByName(given, 'BAD_ARGUMENT', '--claims');
  const inHeader = history.header.claims;
  return inHeader === undefined
    ? null
    : claimsByName(inHeader, 'BAD_HISTORY', 'line 1, header.claims');
}

function runCheckers(
  history: History,
  chosen: readonly Checker[],
  limits: CheckLimits,
): AnomalyResults {
  const results = new Map<AnomalyName, AnomalyResult>();
  for (const checker of chosen) {
    for (const [anomaly, result] of outcomesOf(checker, history, limits)) {
      results.set(anomaly, result);
    }
  }
  return Object.fromEntries(
    anomalyNames.map((anomaly) => [
      anomaly,
      results.get(anomaly) ?? undecided(`no checker decides ${anomaly}`),
    ]),
  ) as Record<AnomalyName, AnomalyResult>;
}

function outcomesOf(
  checker: Checker,
  history: History,
  limits: CheckLimits,
): readonly (readonly [AnomalyName, AnomalyResult])[] {
  try {
    const given = checker.check(history, limits);
    return checker.anomalies.map((anomaly) => [
      anomaly,
      withSurroundings(
        history,
        given[anomaly] ?? undecided(`the checker ${checker.name} gave no outcome`),
      ),
    ]);
  } catch (error) {
    const reason = `checker crashed: ${checker.name}: ${describeError(error)}`;
    return checker.anomalies.map((anomaly) => [anomaly, undecided(reason)]);
  }
}

/** Beside each witness, what stands around it. */
function withSurroundings(history: History, result: AnomalyResult): AnomalyResult {
  if (result.witnesses.length === 0) return result;
  const witnesses = result.witnesses.map((witness) => {
    const surroundings = surroundingsOf(history, witness);
    return surroundings === null ? witness : { ...witness, surroundings };
  });
  return { ...result, witnesses };
}

function undecided(reason: string): AnomalyResult {
  return {
    outcome: 'unknown',
    count: 0,
    checked: 0,
    reason,
    permittedBy: null,
    witnesses: [],
  };
}
