/**
 * real-time-inversion.
 *
 * A log is linearizable: what began after something had ended comes behind it. Elements, by key: each append at offset o (key
 * o + 1/2), from its invocation to its acknowledgement or, if that is earlier or there is none, to the first return of an
 * operation that saw it; each linearizable read of the end offset t (key t; with acks other than all none is). P(x) is the
 * largest invocation time among elements with a smaller key. The log has a linearization iff P(x) <= ret(x) for every x;
 * with clock error e a violation is P(x) > ret(x) + 2e, or, within one process, an element of a smaller key that the process
 * invoked after it knew x. Smallest history: 17 is acknowledged at offset 5; then another process sends 18, acknowledged
 * at offset 4.
 *
 * Left out, soundly: uncertain sends that nobody saw (gaps are legal), failed ones, appends proved lost, acknowledged
 * offsets that a scan contradicts. A surplus copy is an element of its own that ends when it is first seen. The other half,
 * inv(x) <= ret(x), is future-read and reported only as that.
 *
 * An obligation is each acknowledged send, open if its offset never became known. Permitted by acks other than all,
 * unclean.leader.election.enable, min.insync.replicas 1. Polls are no linearizable reads: freshness is never checked.
 * It cannot see an inversion within one process where the clock errs and the process saw the value of an uncertain send at
 * another offset than the answer told: such a sight is not taken as knowledge of that offset.
 * The count is of elements x that are inverted; a witness is the pair of x and the y that gives P(x). Cost: n log n.
 */
import { opStatus, type History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfLog } from './facts/layer.ts';
import { elementsOf, type Elements } from './facts/log-elements.ts';
import { lossOf, recordFates } from './facts/loss.ts';
import { orderByKey } from './facts/key-order.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { clockErrorNs, indexOf } from './facts/precedence.ts';
import { fates, transactionsOf } from './facts/transactions.ts';
import { recordsOf, type LogRecords } from './facts/records.ts';
import { showEnd, showProcess, showRecord, showSend, showTime } from './facts/witness-text.ts';

export const realTimeInversionChecker: Checker = {
  name: 'real-time-inversion',
  anomalies: ['real-time-inversion'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) {
      countObligations(history, records, findings);
      findInversions(history, records, findings);
    }
    const permitted = permittedBy(history, 'real-time-inversion');
    return { 'real-time-inversion': findings.result(permitted) };
  },
};

function countObligations(history: History, records: LogRecords, findings: Findings): void {
  const { log } = records;
  const { fate } = lossOf(history)[log.id]!;
  const transactions = transactionsOf(history).fate;
  for (let row = 0; row < log.sends.count; row++) {
    const op = log.sends.op[row]!;
    const acknowledged = history.ops.status[op] === opStatus.ok;
    if (!acknowledged && transactions[op] !== fates.committed) continue;
    findings.arose(1);
    if (records.offset[row]! >= 0 || records.located[row] !== 0) continue;
    if (fate[row] === recordFates.lost) continue;
    findings.open(
      () =>
        `${showSend(history, log, row)}: its offset never became known; an audit or a reader that sees it would tell`,
    );
  }
}

function findInversions(history: History, records: LogRecords, findings: Findings): void {
  const elements = elementsOf(history, records);
  const { count, key, invNs, retNs, begunIndex, doneIndex, process } = elements;
  const order = orderByKey(key);
  const errorNs = 2 * clockErrorNs(history);
  // By process: the element invoked last among those of smaller key, or -1.
  const lastOfProcess = new Int32Array(history.processes.length).fill(-1);
  let last = -1;
  for (let from = 0, to = 0; from < count; from = to) {
    while (to < count && key[order[to]!] === key[order[from]!]) to++;
    for (let i = from; i < to; i++) {
      const x = order[i]!;
      let y = last >= 0 && invNs[last]! > retNs[x]! + errorNs ? last : -1;
      if (y < 0) {
        const own = lastOfProcess[process[x]!]!;
        if (own >= 0 && doneIndex[x]! >= 0 && begunIndex[own]! > doneIndex[x]!) y = own;
      }
      if (y < 0) y = inOneProcess(history, elements, x, lastOfProcess);
      if (y < 0) continue;
      const inverted = { elements, x, y };
      const at = Math.max(indexOf(history, elements.op[x]!), indexOf(history, elements.op[y]!));
      findings.found(at, 1, () => witnessOf(history, records, inverted));
    }
    for (let i = from; i < to; i++) {
      const x = order[i]!;
      if (last < 0 || invNs[x]! > invNs[last]!) last = x;
      const own = lastOfProcess[process[x]!]!;
      if (own < 0 || begunIndex[x]! > begunIndex[own]!) lastOfProcess[process[x]!] = x;
    }
  }
}

/** A process that saw x and afterwards invoked what has a smaller key: ordered whatever the clock's error is. */
function inOneProcess(
  history: History,
  elements: Elements,
  x: number,
  lastOfProcess: Int32Array,
): number {
  let found = -1;
  elements.eachSight(x, (op) => {
    const later = lastOfProcess[history.ops.process[op]!]!;
    const ended = history.ops.completeIndex[op]!;
    if (later >= 0 && elements.begunIndex[later]! > ended) found = later;
  });
  return found;
}

interface Inverted {
  readonly elements: Elements;
  readonly x: number;
  readonly y: number;
}

function witnessOf(history: History, records: LogRecords, { elements, x, y }: Inverted): Witness {
  const { log } = records;
  const { op, offset, placement, invNs, retNs } = elements;
  const operations = [op[x]!, op[y]!].map((each) => indexOf(history, each));
  const places = [x, y].filter((each) => placement[each]! >= 0).map((each) => offset[each]!);
  const seenBy = placement[x]! < 0 ? -1 : records.sightOp[placement[x]!]!;
  const bySight = seenBy >= 0 && history.ops.endNs[seenBy]! === retNs[x]! && seenBy !== op[x];
  const how = bySight
    ? `was seen by ${showProcess(history, seenBy)} ${showEnd(history, seenBy)}`
    : `had happened when ${showProcess(history, op[x]!)} returned ${showEnd(history, op[x]!)}`;
  return {
    operations: [...new Set(operations)],
    log: log.name,
    offset: offset[x]!,
    otherOffset: offset[y]!,
    ...(bySight ? { seenBy: indexOf(history, seenBy) } : {}),
    layer: layerOfLog(history, log, places),
    explanation:
      `${elementText(history, records, elements, x)} ${how}. Only later, at ${showTime(invNs[y]!)} ` +
      `(event ${elements.begunIndex[y]!}), ${elementText(history, records, elements, y)} was begun, and yet ` +
      `it stands lower in ${log.name}. Both places are proved, and no order of the log's appends explains both.` +
      permissionText(history, 'real-time-inversion'),
  };
}

function elementText(
  history: History,
  records: LogRecords,
  { op, offset, placement }: Elements,
  element: number,
): string {
  const who = showProcess(history, op[element]!);
  if (placement[element]! < 0) return `the end ${offset[element]!} measured by ${who}`;
  const value = records.value[records.recordOf[placement[element]!]!]!;
  return `${showRecord(history, records.log, offset[element]!, value)}, sent by ${who},`;
}
