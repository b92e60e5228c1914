/**
 * nonmonotonic-send, int-nonmonotonic-send and key-reordered.
 *
 * A producer that awaits, or that is idempotent, has its records appended in the order in which it sent them. So of two
 * sends of one session to one log the later one must not take the lower offset, if the earlier one is *ok* (an uncertain
 * one may take effect at any later time) and the later one is proved. Of copies the least offset counts. Where a
 * scan proves it lost or contradicts it, or the offset that the answer gave, the send is in no order any more: what stands
 * elsewhere may be a retry that was written after the first was cut off. int-nonmonotonic-send is the same within one operation,
 * key-reordered the same among the sends of one key. Permitted by `max.in.flight.requests.per.connection` above 1
 * without idempotence. Smallest history: one process sends a to t/0, acknowledged at offset 5, then b, at offset 4.
 *
 * An obligation is each proved send and the acknowledged one before it, both with known offsets; always decided. It
 * cannot see sends whose partition the client did not tell, or whose offset nobody did, nor an order across sessions (real-time-inversion does). Cost: linear.
 */
import { opStatus, type History, type LogColumns } from '../src/history/columns.ts';
import type { Scalar } from '../src/history/event.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { AnomalyName, Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { lossOf } from './facts/loss.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf } from './facts/precedence.ts';
import { standings, standingsOf } from './facts/proved.ts';
import { eachPlacement, recordsOf, type LogRecords } from './facts/records.ts';
import { isExternal } from './facts/topics.ts';
import { showSend, showValueOf } from './facts/witness-text.ts';

export const sendOrderChecker: Checker = {
  name: 'send-order',
  anomalies: ['nonmonotonic-send', 'int-nonmonotonic-send', 'key-reordered'],
  check: (history, limits) => {
    const inSession = collectFindings(limits);
    const inOperation = collectFindings(limits);
    const inKey = collectFindings(limits);
    const keys = keyIds(history);
    for (const log of history.logs) {
      const ordered = orderedSends(history, log);
      judgeOrder(
        history,
        log,
        ordered,
        ordered.session,
        'nonmonotonic-send',
        inSession,
        inOperation,
      );
      const ofKey = sessionAndKey(history, ordered, keys);
      judgeOrder(history, log, ordered, ofKey, 'key-reordered', inKey, null);
    }
    const permitted = permittedBy(history, 'nonmonotonic-send');
    return {
      'nonmonotonic-send': inSession.result(permitted),
      'int-nonmonotonic-send': inOperation.result(permittedBy(history, 'int-nonmonotonic-send')),
      'key-reordered': inKey.result(permittedBy(history, 'key-reordered')),
    };
  },
};

/** Sends whose place in one log is known, in the order in which they were recorded. */
interface OrderedSends {
  readonly count: number;
  /** Row of `log.sends`. */
  readonly row: Int32Array;
  readonly op: Int32Array;
  readonly session: Int32Array;
  readonly meta: Int32Array;
  /** Where the record stands: of copies the least offset. */
  readonly offset: Float64Array;
}

function orderedSends(history: History, log: LogColumns): OrderedSends {
  const { sends } = log;
  const records = recordsOf(history)[log.id]!;
  const standing = standingsOf(history)[log.id]!;
  const offsets = new Float64Array(sends.count).fill(-1);
  let count = 0;
  for (let row = 0; row < sends.count; row++) {
    const failed = history.ops.status[sends.op[row]!] === opStatus.fail;
    if (log.partition === null || failed || standing[row] === standings.unproved) continue;
    offsets[row] = effectiveOffset(history, records, row);
    if (offsets[row]! >= 0) count++;
  }
  const row = new Int32Array(count);
  for (let from = 0, to = 0; from < sends.count; from++) if (offsets[from]! >= 0) row[to++] = from;
  const op = row.map((each) => sends.op[each]!);
  return {
    count,
    row,
    op,
    session: op.map((each) => history.ops.session[each]!),
    meta: row.map((each) => sends.meta[each]!),
    offset: Float64Array.from(row, (each) => offsets[each]!),
  };
}

/** Least offset of the record's copies; -1 where a scan speaks against it or against what the answer said. */
function effectiveOffset(history: History, records: LogRecords, record: number): number {
  const { gone, contradicted } = lossOf(history)[records.log.id]!;
  let least = Infinity;
  let leastRefuted = Infinity;
  let refutedAnswers = 0;
  eachPlacement(records, record, (placement) => {
    const offset = records.offset[placement]!;
    least = Math.min(least, offset);
    if (gone[placement] === 0 && contradicted[placement] === 0) return;
    leastRefuted = Math.min(leastRefuted, offset);
    refutedAnswers += records.answered[placement]!;
  });
  return refutedAnswers > 0 || leastRefuted === least ? -1 : least;
}

/**
 * One pass in program order. @param groups sends of one group are ordered; -1: in no group.
 * @param inOperation where inversions within one operation are noted too, or null.
 */
function judgeOrder(
  history: History,
  log: LogColumns,
  sends: OrderedSends,
  groups: ArrayLike<number>,
  anomaly: AnomalyName,
  inGroup: Findings,
  inOperation: Findings | null,
): void {
  const { op, offset } = sends;
  /** By group: the acknowledged send before. */
  const lastOk = new Map<number, number>();
  /** By operation: the same. Others of its session may have been recorded between the sends of one operation. */
  const lastOfOperation = new Map<number, number>();
  const judge = (findings: Findings, before: number | undefined, i: number): void => {
    if (before === undefined) return;
    findings.arose(1);
    // Equal offsets are no order at all but inconsistent-offsets.
    if (offset[i]! >= offset[before]!) return;
    const at = Math.max(indexOf(history, op[before]!), indexOf(history, op[i]!));
    findings.found(at, 1, () => witnessOf(history, log, sends, before, i, anomaly));
  };
  for (let i = 0; i < sends.count; i++) {
    const group = groups[i]!;
    if (group < 0) continue;
    judge(inGroup, lastOk.get(group), i);
    if (inOperation !== null) judge(inOperation, lastOfOperation.get(op[i]!), i);
    if (history.ops.status[op[i]!] !== opStatus.ok) continue;
    lastOk.set(group, i);
    if (inOperation !== null) lastOfOperation.set(op[i]!, i);
  }
}

/** A number for the session and the key of each send; -1 where it has no key. */
function sessionAndKey(history: History, sends: OrderedSends, keys: Int32Array): Float64Array {
  const sessions = history.sessions.length;
  return Float64Array.from(sends.meta, (meta, i) =>
    keys[meta]! < 0 ? -1 : keys[meta]! * sessions + sends.session[i]!,
  );
}

/** By meta id: a number for its key, -1 where it has none. */
function keyIds(history: History): Int32Array {
  const ids = new Map<Scalar, number>();
  return Int32Array.from(history.metas, ({ key }) => {
    if (key === undefined) return -1;
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    return id;
  });
}

function witnessOf(
  history: History,
  log: LogColumns,
  { row, op, meta, offset }: OrderedSends,
  before: number,
  after: number,
  anomaly: AnomalyName,
): Witness {
  const operations = [indexOf(history, op[before]!), indexOf(history, op[after]!)];
  const key = history.metas[meta[after]!]?.key;
  const ofKey =
    anomaly === 'key-reordered' && key !== undefined ? ` of key ${JSON.stringify(key)}` : '';
  const valueOf = (i: number): number => log.sends.value[row[i]!]!;
  return {
    operations: [...new Set(operations)].sort((a, b) => a - b),
    log: log.name,
    offset: offset[after]!,
    value: history.values[valueOf(after)]!,
    layer: isExternal(history, log) ? 'processor' : 'unknown',
    explanation:
      `One session sent two records${ofKey} in this order: ` +
      `${showSend(history, log, row[before]!)}; then ` +
      `${showSend(history, log, row[after]!)}. Yet ${showValueOf(history, valueOf(after))} stands at ` +
      `offset ${offset[after]!}, before ${showValueOf(history, valueOf(before))} at offset ${offset[before]!}. ` +
      'The first was acknowledged, so it cannot have taken effect later.' +
      permissionText(history, anomaly),
  };
}
