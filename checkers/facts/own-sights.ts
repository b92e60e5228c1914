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
  /** The operation by which it had seen the record, or -1. */
  ofRecord(record: number): number;
  /** The same, at this placement. */
  ofPlacement(placement: number): number;
}

const nothing: OwnSights = {
  mark: () => undefined,
  ofRecord: () => -1,
  ofPlacement: () => -1,
};

/** @param which sights count. Each marking is linear in the sights of the log. */
export function ownSights(
  history: History,
  records: LogRecords,
  which: 'all' | 'polls' = 'all',
): OwnSights {
  if (clockErrorNs(history) === 0) return nothing;
  const { ops } = history;
  const byPlacement = new Int32Array(records.placements);
  const byRecord = new Int32Array(records.count);
  return {
    mark: (op) => {
      byPlacement.fill(-1);
      byRecord.fill(-1);
      const process = ops.process[op]!;
      const invoked = ops.invokeIndex[op]!;
      const note = (placement: number, by: number) => {
        const completed = ops.completeIndex[by]!;
        if (completed < 0 || completed >= invoked || ops.process[by] !== process) return;
        byPlacement[placement] = by;
        byRecord[records.recordOf[placement]!] = by;
      };
      records.readPlacement.forEach((placement, row) => {
        note(placement, records.log.reads.op[row]!);
      });
      if (which === 'polls') return;
      records.auditPlacement.forEach((placement, row) => {
        note(placement, records.auditOp[row]!);
      });
    },
    ofRecord: (record) => byRecord[record]!,
    ofPlacement: (placement) => byPlacement[placement]!,
  };
}
