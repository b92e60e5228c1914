/**
 * Which cases the short real suite runs. Everything runs while it fits into the budget; past it, the commit hash draws,
 * so that over many commits every case has its turn, and what was left out is told.
 */
import { randomStream } from '../../src/core/random.ts';

export interface SuiteCase {
  readonly name: string;
  /** Measured seconds on two cores, rounded up. */
  readonly seconds: number;
}

export interface Selection<T extends SuiteCase> {
  readonly chosen: readonly T[];
  readonly leftOut: readonly T[];
}

export function selectCases<T extends SuiteCase>(
  cases: readonly T[],
  budgetSeconds: number,
  commit: string,
): Selection<T> {
  const chosen = new Set<T>();
  let left = budgetSeconds;
  for (const candidate of randomStream(commit, 'real suite').shuffle(cases)) {
    if (candidate.seconds > left) continue;
    left -= candidate.seconds;
    chosen.add(candidate);
  }
  return {
    chosen: cases.filter((candidate) => chosen.has(candidate)),
    leftOut: cases.filter((candidate) => !chosen.has(candidate)),
  };
}
