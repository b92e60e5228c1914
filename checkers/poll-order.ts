/**
 * nonmonotonic-poll and int-nonmonotonic-poll.
 *
 * A log hands its records out in offset order, so within one assignment epoch of one reader the offsets rise strictly.
 * A pair of neighbours that does not rise is found: under nonmonotonic-poll wherever it stands in the epoch, under
 * int-nonmonotonic-poll if one operation returned both. Nothing permits it. Smallest history: one poll returns offset 5
 * of t/0, the next poll of the same assignment offset 5 or 4.
 *
 * An obligation is each pair of neighbours, always decided. It cannot see reordering across a rebalance or after an
 * operation that was not ok: the reader may have gone back there with good reason. Cost: linear in records read.
 */
import type { History, LogColumns } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { assignmentEpochs } from './facts/epochs.ts';
import { collectFindings } from './facts/findings.ts';
import { layerOfDelivery } from './facts/layer.ts';
import { indexOf } from './facts/precedence.ts';
import { showProcess, showRecord } from './facts/witness-text.ts';

export const pollOrderChecker: Checker = {
  name: 'poll-order',
  anomalies: ['nonmonotonic-poll', 'int-nonmonotonic-poll'],
  check: (history, limits) => {
    const inEpoch = collectFindings(limits);
    const inOperation = collectFindings(limits);
    const epochs = assignmentEpochs(history);
    for (const log of history.logs) {
      const { op, offset } = log.reads;
      const { previous } = epochs[log.id]!;
      for (let row = 0; row < log.reads.count; row++) {
        const before = previous[row]!;
        if (before < 0) continue;
        const sameOperation = op[before] === op[row];
        inEpoch.arose(1);
        if (sameOperation) inOperation.arose(1);
        if (offset[row]! > offset[before]!) continue;
        const at = indexOf(history, op[row]!);
        const build = (): Witness => witnessOf(history, log, before, row);
        inEpoch.found(at, 1, build);
        if (sameOperation) inOperation.found(at, 1, build);
      }
    }
    return {
      'nonmonotonic-poll': inEpoch.result(null),
      'int-nonmonotonic-poll': inOperation.result(null),
    };
  },
};

function witnessOf(history: History, log: LogColumns, before: number, row: number): Witness {
  const { op, offset, value } = log.reads;
  const sameOperation = op[before] === op[row];
  const process = showProcess(history, op[row]!);
  const first = showRecord(history, log, offset[before]!, value[before]!);
  const second = showRecord(history, log, offset[row]!, value[row]!);
  const verb = offset[row] === offset[before] ? 'again' : 'then, going back,';
  return {
    operations: sameOperation
      ? [indexOf(history, op[row]!)]
      : [indexOf(history, op[before]!), indexOf(history, op[row]!)],
    log: log.name,
    offset: offset[row]!,
    value: history.values[value[row]!]!,
    layer: layerOfDelivery(history, log, [offset[before]!, offset[row]!]),
    previousOffset: offset[before]!,
    explanation:
      `${process} read ${first} and ${verb} ${second}, ` +
      `${sameOperation ? 'in one operation' : 'in its next read of that log'} and under the same assignment. ` +
      'A log is read in the order of its offsets, and nothing between the two reads let the reader go back.',
  };
}
