/** STAND-IN of the branch `cli`: the comparison of verdicts with what the model knows comes with the model. */
import type { GroundTruth } from '../clusters/simulated/index.ts';
import type { History } from '../history/columns.ts';
import type { ResultDocument } from '../spi/verdict.ts';

/** Where the verdict says what the model knows to be otherwise, one sentence each. */
export function disagreements(
  _truth: GroundTruth,
  _history: History,
  _document: ResultDocument,
): readonly string[] {
  return [];
}
