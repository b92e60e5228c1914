/**
 * Ends of logs that audits measured as facts of the whole cluster. A record that was proved at or above such an end, before
 * the audit was invoked, is gone: the tail was cut off. With acks other than all the high watermark may lag behind what was
 * acknowledged, so such an end counts only if the log was calm: no send open, and none returned within
 * replica.lag.time.max.ms.
 */
import type { AuditChunk, History, LogColumns, SendColumns } from '../../src/history/columns.ts';
import { orderByKey } from './key-order.ts';
import { acksAll, replicaLagNs } from './permission.ts';
import { clockErrorNs, precedes } from './precedence.ts';

export interface MeasuredEnds {
  /** The lowest end of all; Infinity if there is none. */
  readonly least: number;
  /** The lowest end that was measured by an audit invoked after operation `op` (-1: none) had ended, or null. */
  lowestAfter(op: number): AuditChunk | null;
}

interface Measurements {
  /** In order of invocation. */
  readonly chunks: readonly AuditChunk[];
  /** Position to the position of the lowest end from there on. */
  readonly lowest: Int32Array;
}

/** n log n in audits and sends. */
export function measuredEnds(history: History, log: LogColumns): MeasuredEnds {
  const { ops } = history;
  const chunks = log.audits
    .filter(provingEnds(history, log))
    .toSorted((a, b) => ops.invokeIndex[a.op]! - ops.invokeIndex[b.op]!);
  const all = measurements(chunks);
  const byProcess = new Map<number, Measurements>();
  for (const process of new Set(chunks.map((chunk) => ops.process[chunk.op]!))) {
    byProcess.set(
      process,
      measurements(chunks.filter((chunk) => ops.process[chunk.op] === process)),
    );
  }
  return {
    least: chunks.reduce((least, { end }) => Math.min(least, end), Infinity),
    lowestAfter: (op) => {
      if (op < 0) return null;
      const endNs = ops.endNs[op]! + 2 * clockErrorNs(history);
      const own = byProcess.get(ops.process[op]!);
      const elsewhere = lowestFrom(all, (audit) => endNs < ops.invNs[audit]!);
      const here =
        own === undefined ? null : lowestFrom(own, (audit) => precedes(history, op, audit));
      if (elsewhere === null || here === null) return elsewhere ?? here;
      return here.end < elsewhere.end ? here : elsewhere;
    },
  };
}

/** Which audits measured an end that proves a cut tail. */
export function provingEnds(history: History, log: LogColumns): (chunk: AuditChunk) => boolean {
  const calm = acksAll(history) ? () => true : calmness(history, log);
  return (chunk) => chunk.linearizable && calm(chunk.op);
}

function measurements(chunks: readonly AuditChunk[]): Measurements {
  const lowest = new Int32Array(chunks.length);
  for (let i = chunks.length - 1, best = i; i >= 0; i--) {
    if (chunks[i]!.end <= chunks[best]!.end) best = i;
    lowest[i] = best;
  }
  return { chunks, lowest };
}

/** Those that `follows` accepts are a tail of the list: invocations stand in order. */
function lowestFrom(
  { chunks, lowest }: Measurements,
  follows: (op: number) => boolean,
): AuditChunk | null {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (follows(chunks[middle]!.op)) high = middle;
    else low = middle + 1;
  }
  return low < chunks.length ? chunks[lowest[low]!]! : null;
}

/** Tells of an audit whether every send to the log had returned long before it was invoked. */
function calmness(history: History, log: LogColumns): (audit: number) => boolean {
  const { ops } = history;
  const quietNs = replicaLagNs(history);
  const pseudo = history.logByName.get(log.topic);
  const unplaced = pseudo === undefined ? [] : [history.logs[pseudo]!.sends];
  const lastReturns = [log.sends, ...unplaced].map((sends) => lastReturnOf(history, sends));
  return (audit) => {
    const invNs = ops.invNs[audit]!;
    return lastReturns.every((lastReturn) => lastReturn(invNs) < invNs - quietNs);
  };
}

/** The latest completion (Infinity: none) among operations that sent there and were invoked at or before a time. */
function lastReturnOf({ ops }: History, sends: SendColumns): (ns: number) => number {
  // Operations count in order of invocation; a send may be recorded later, by an attempt.
  const byOp = orderByKey(Float64Array.from(sends.op));
  const latest = new Float64Array(sends.count);
  const invNs = new Float64Array(sends.count);
  let ret = -Infinity;
  byOp.forEach((row, i) => {
    const op = sends.op[row]!;
    ret = Math.max(ret, ops.endNs[op]!);
    latest[i] = ret;
    invNs[i] = ops.invNs[op]!;
  });
  return (ns) => {
    let low = 0;
    let high = sends.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (invNs[middle]! <= ns) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -Infinity : latest[low - 1]!;
  };
}
