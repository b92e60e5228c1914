/** What defects make of the records of a batch. Pure. */
import { Draft } from './batches.ts';

/** The first two neighbours whose keys differ have them exchanged. */
export function exchangeKeys(drafts: readonly Draft[]): readonly Draft[] {
  const at = drafts.findIndex((draft, index) => {
    const next = drafts[index + 1];
    return next !== undefined && draft.keyScalar !== next.keyScalar;
  });
  const first = drafts[at];
  const second = drafts[at + 1];
  if (first === undefined || second === undefined) return drafts;
  const swapped = [...drafts];
  swapped[at] = new Draft(second.meta, first.valueScalar);
  swapped[at + 1] = new Draft(first.meta, second.valueScalar);
  return swapped;
}

/** The first record gives way to one of another batch. */
export function withForeignRecord(
  drafts: readonly Draft[],
  foreign: readonly Draft[],
): readonly Draft[] {
  return [...foreign.slice(0, 1), ...drafts.slice(1)];
}
