/**
 * Operations of one process are ordered whatever the clock's error is. Between processes the earliest sight of a record
 * decides what came after it; within one process a later sight may be ordered before a scan where the earliest is not. That
 * matters only where clocks err, so without an error this marks nothing.
 */
import type { History } from '../../src/history/columns.ts';
import { clockErrorNs } from './precedence.ts';
import type { LogRecords } from './records.ts';

export interface OwnSights {
  /** Marks what the process of operation `op` had seen when it invoked it; forgets what was marked before. */
  mark(op: number): void;
  sawRecord(record: number): boolean;
  sawPlacement(placement: number): boolean;
}

const nothing: OwnSights = {
  mark: () => undefined,
  sawRecord: () => false,
  sawPlacement: () => false,
};

/** @param which sights count. Each marking is linear in the sights of the log. */
export function ownSights(
  history: History,
  records: LogRecords,
  which: 'all' | 'polls' = 'all',
): OwnSights {
  if (clockErrorNs(history) === 0) return nothing;
  const { ops } = history;
  const placements = new Int32Array(records.placements);
  const seen = new Int32Array(records.count);
  let stamp = 0;
  return {
    mark: (op) => {
      stamp++;
      const process = ops.process[op]!;
      const invoked = ops.invokeIndex[op]!;
      const note = (placement: number, by: number) => {
        const completed = by < 0 ? -1 : ops.completeIndex[by]!;
        if (completed < 0 || completed >= invoked || ops.process[by] !== process) return;
        placements[placement] = stamp;
        seen[records.recordOf[placement]!] = stamp;
      };
      records.readPlacement.forEach((placement, row) => {
        note(placement, records.log.reads.op[row]!);
      });
      if (which === 'polls') return;
      records.auditPlacement.forEach((placement, row) => {
        note(placement, records.auditOp[row]!);
      });
    },
    sawRecord: (record) => seen[record] === stamp && stamp > 0,
    sawPlacement: (placement) => placements[placement] === stamp && stamp > 0,
  };
}
