/**
 * Where in its producer's sequence a lost record stood: among the owed records of one session in one log, in program order,
 * `prefix` (none before it survived), `tail` (none after it), or `middle` (both did): the strongest, since no cut of the
 * log at one point explains it. A session that lost everything lost its tail.
 */
import { Memo } from '../../src/core/memo.ts';
import type { History } from '../../src/history/columns.ts';
import { recordFates, type LogLoss } from './loss.ts';
import type { LogRecords } from './records.ts';

export type LossPosition = 'prefix' | 'middle' | 'tail';

interface Surviving {
  /** By session: first and last row of `log.sends` that was owed and not lost. */
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
}

const known = new Memo<LogLoss, Surviving>();

/** Linear once per log. */
export function lossPositions(
  history: History,
  records: LogRecords,
  loss: LogLoss,
): (record: number) => LossPosition {
  const { first, last } = known.of(loss, () => survivors(history, records, loss));
  return (record) => {
    const session = history.ops.session[records.writerOp[record]!]!;
    const row = records.writerRow[record]!;
    if (!((last.get(session) ?? -1) > row)) return 'tail';
    return (first.get(session) ?? Infinity) < row ? 'middle' : 'prefix';
  };
}

function survivors(history: History, { log }: LogRecords, { fate }: LogLoss): Surviving {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (let row = 0; row < log.sends.count; row++) {
    if (fate[row] !== recordFates.kept && fate[row] !== recordFates.open) continue;
    const session = history.ops.session[log.sends.op[row]!]!;
    if (!first.has(session)) first.set(session, row);
    last.set(session, row);
  }
  return { first, last };
}
