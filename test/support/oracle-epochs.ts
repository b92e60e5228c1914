/** Assignment epochs of a tiny history, straight from the rules of CHECKERS.md ("Sessions"). */
import type { ModelEpoch, ModelOp, ModelSight } from './oracle-model.ts';

/** @param assigned what each assign operation assigned: log to first offset, null where that is unknown. */
export function epochsOf(
  ops: readonly ModelOp[],
  sights: readonly ModelSight[],
  assigned: ReadonlyMap<ModelOp, ReadonlyMap<string, number | null>>,
): readonly ModelEpoch[] {
  const epochs: ModelEpoch[] = [];
  for (const process of new Set(ops.map((op) => op.process))) {
    const mine = ops.filter((op) => op.process === process).toSorted((a, b) => a.inv - b.inv);
    for (const log of new Set(sights.map((sight) => sight.log))) {
      epochs.push(...epochsOfReader(process, log, mine, sights, assigned));
    }
  }
  return epochs;
}

/** Cuts the reader's operations into runs: a new run wherever an epoch closes or opens. */
function epochsOfReader(
  process: number,
  log: string,
  ops: readonly ModelOp[],
  sights: readonly ModelSight[],
  assigned: ReadonlyMap<ModelOp, ReadonlyMap<string, number | null>>,
): readonly ModelEpoch[] {
  const runs: { from: number | null; polls: ModelOp[] }[] = [{ from: null, polls: [] }];
  const cut = (from: number | null): void => {
    runs.push({ from, polls: [] });
  };
  for (const op of ops) {
    if (op.f === 'poll' && op.status === 'ok') runs.at(-1)!.polls.push(op);
    else if (op.f === 'assign' && op.status !== 'fail') cut(assigned.get(op)?.get(log) ?? null);
    else if (op.f === 'close') cut(null);
    if (op.status !== 'ok') {
      // What a poll that is not ok returned belongs to neither side.
      if (op.f === 'poll') {
        cut(null);
        runs.at(-1)!.polls.push(op);
      }
      cut(null);
    }
  }
  return runs.map(({ from, polls }) => ({
    log,
    process,
    from,
    sights: polls.flatMap((op) =>
      sights
        .filter((sight) => sight.op === op && sight.by === 'poll' && sight.log === log)
        .toSorted((a, b) => a.place - b.place),
    ),
  }));
}
