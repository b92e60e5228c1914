/** STAND-IN of the branch `cli`: the comparison of verdicts with what the model knows comes with the model. */
import type { GroundTruth } from '../clusters/simulated/index.ts';
import type { History } from '../history/columns.ts';
import type { ResultDocument } from '../spi/verdict.ts';

/** Where the verdict says what the model knows to be otherwise, one sentence each. */
export function disagreements(
  truth: GroundTruth,
  _history: History,
  { anomalies }: ResultDocument,
): readonly string[] {
  const missed = truth.lost.length > 0 && anomalies['lost-write'].outcome === 'absent';
  return missed ? [`${truth.lost.length} lost, and lost-write is absent`] : [];
}
