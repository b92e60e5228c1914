/** The interface of a checker: pure, from columns to findings. */
import type { History } from '../history/columns.ts';
import type { AnomalyName, AnomalyResult } from './verdict.ts';

export interface CheckLimits {
  /** Witnesses kept per anomaly; counts stay exact. */
  readonly witnessesMax: number;
}

export interface Checker {
  /** Unique; the file's name. */
  readonly name: string;
  /** The anomalies that it decides, each decided by one checker only. */
  readonly anomalies: readonly AnomalyName[];
  /** Judges them all in one go; throws only on a defect of its own. */
  check(history: History, limits: CheckLimits): Partial<Record<AnomalyName, AnomalyResult>>;
}
