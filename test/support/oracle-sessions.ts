/** Oracles of readers: nonmonotonic-poll, poll-skip and their int- forms, pair by pair. */
import {
  before,
  counted,
  sendersOf,
  type Model,
  type ModelEpoch,
  type ModelSight,
  type OracleAnswer,
} from './oracle-model.ts';
import { notBelowStart, placesOf, proofsAt } from './oracle-loss.ts';
import { goneFrom, isCompactedLog, isComplete } from './oracle-scans.ts';

interface Step {
  readonly log: string;
  /** Null: the epoch began here. */
  readonly previous: ModelSight | null;
  readonly low: number;
  readonly next: ModelSight;
}

export function nonmonotonicPollOracle(model: Model): OracleAnswer {
  const found = steps(model).some(({ previous, low, next }) => previous && next.offset <= low);
  return { found, count: null };
}

export function intNonmonotonicPollOracle(model: Model): OracleAnswer {
  const found = steps(model).some(
    ({ previous, low, next }) => previous?.op === next.op && next.offset <= low,
  );
  return { found, count: null };
}

export function pollSkipOracle(model: Model): OracleAnswer {
  return counted(steps(model).reduce((sum, step) => sum + skipped(model, step), 0));
}

export function intPollSkipOracle(model: Model): OracleAnswer {
  return counted(
    steps(model)
      .filter((step) => step.previous?.op === step.next.op)
      .reduce((sum, step) => sum + skipped(model, step), 0),
  );
}

function steps(model: Model): readonly Step[] {
  return model.epochs.flatMap(stepsOf);
}

function stepsOf({ log, from, sights }: ModelEpoch): readonly Step[] {
  return sights.flatMap((next, i): Step[] => {
    const previous = sights[i - 1];
    if (previous !== undefined) return [{ log, previous, low: previous.offset, next }];
    return from === null ? [] : [{ log, previous: null, low: from - 1, next }];
  });
}

/** Number of visible offsets inside the step. */
function skipped(model: Model, { log, low, next }: Step): number {
  let count = 0;
  for (let offset = low + 1; offset < next.offset; offset++) {
    if (isVisible(model, log, offset, next)) count++;
  }
  return count;
}

/** Proved, not compacted, not of a failed send, not below the log start, not proved lost. */
function isVisible(model: Model, log: string, offset: number, next: ModelSight): boolean {
  if (isCompactedLog(model, log) || !notBelowStart(model, log, offset, next.op)) return false;
  const bySend = model.sends.some(
    (send) =>
      send.op.status !== 'fail' &&
      placesOf(model, send, log).includes(offset) &&
      !before(model, next.op, send.op, send.inv) &&
      !proofsAt(model, send, log, offset).some((proof) =>
        goneFrom(model, log, offset, send.value, proof, isComplete),
      ),
  );
  const unsent = model.sights.some(
    (sight) =>
      sight.log === log &&
      sight.offset === offset &&
      sendersOf(model, log, sight.value).length === 0 &&
      !(sight.by === 'uncommitted' && model.external.size > 0) &&
      !model.sights
        .filter((s) => s.log === log && s.offset === offset && s.value === sight.value)
        .some(({ op }) => goneFrom(model, log, offset, sight.value, op, isComplete)),
  );
  return bySend || unsent;
}
