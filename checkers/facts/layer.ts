/**
 * Whose fault it is, by the rule of CHECKERS.md. Only the raw log tells the broker's fault from the client's; without a raw scan
 * a layer is unknown, but for a withheld offset.
 */
import {
  opStatus,
  type History,
  type LogColumns,
  type SendRef,
} from '../../src/history/columns.ts';
import type { RawBatch } from '../../src/history/event.ts';
import type { Layer } from '../../src/spi/verdict.ts';
import { recordsOf } from './records.ts';
import { heldAt, rawAt, recordScansOf } from './scans.ts';
import { isExternal } from './topics.ts';

/**
 * Layer of a record that is not where it was proved to be.
 * @param send row of the log's sends, or -1 where the record was not sent to this log.
 * @param offset where it was proved to be, or -1.
 */
export function layerOfAbsence(
  history: History,
  log: LogColumns,
  {
    send,
    value,
    offset,
  }: { readonly send: number; readonly value: number; readonly offset: number },
): Layer {
  if (isExternal(history, log)) return 'processor';
  if (offset < 0) return send >= 0 && isAnswered(history, log, send) ? 'client' : 'unknown';
  const raw = rawAt(history, log.id, offset);
  if (!raw.read) return 'unknown';
  if (raw.batch === null || raw.batch.control !== null) return 'broker';
  const holder = valueHeldAt(history, log, offset);
  // The batch is there, and no view delivered anything from it, or one did and another did not.
  if (holder < 0 || holder === value) return 'client';
  return send >= 0 && isDeduplicated(history, log, { send, holder, batch: raw.batch })
    ? 'client'
    : 'broker';
}

/** Layer of a record that a view delivered although the log should not hold it for that view. */
export function layerOfPresence(history: History, log: LogColumns, offset: number): Layer {
  if (isExternal(history, log)) return 'processor';
  const raw = rawAt(history, log.id, offset);
  if (!raw.read) return 'unknown';
  return raw.batch === null || raw.batch.control !== null ? 'client' : 'broker';
}

/**
 * Layer of an order that offsets of the log show: the broker gave them out, also where the raw log holds nothing at one of
 * them any more, for an acknowledged offset that is empty is the broker's.
 */
export function layerOfLog(history: History, log: LogColumns, offsets: readonly number[]): Layer {
  if (isExternal(history, log)) return 'processor';
  return offsets.every((offset) => rawAt(history, log.id, offset).read) ? 'broker' : 'unknown';
}

/**
 * Layer of a reader's wrong order or gap: the client's where the raw log holds those offsets, so that it is right and the
 * delivered view is wrong; the broker's where it holds one of them no more.
 */
export function layerOfDelivery(
  history: History,
  log: LogColumns,
  offsets: readonly number[],
): Layer {
  if (isExternal(history, log)) return 'processor';
  const raw = offsets.map((offset) => rawAt(history, log.id, offset));
  if (raw.some(({ read }) => !read)) return 'unknown';
  return raw.every((fact) => fact.read && fact.batch !== null) ? 'client' : 'broker';
}

/** Acknowledged: with no offset known, the answer withheld it. */
function isAnswered({ ops }: History, { sends }: LogColumns, send: number): boolean {
  return ops.status[sends.op[send]!] === opStatus.ok;
}

/** What the views hold at an offset, the uncommitted one before the committed; a value id or -1. */
function valueHeldAt(history: History, log: LogColumns, offset: number): number {
  const scans = recordScansOf(history, log.id);
  for (const view of ['uncommitted', 'committed'] as const) {
    for (let i = scans.length - 1; i >= 0; i--) {
      const held = scans[i]!.view === view ? heldAt(log, scans[i]!, offset) : -1;
      if (held >= 0) return held;
    }
  }
  return -1;
}

interface Overlap {
  readonly send: number;
  /** Value id that stands at the acknowledged offset. */
  readonly holder: number;
  readonly batch: RawBatch;
}

/**
 * The broker took the send for one that the same producer had made before (same producer id and epoch, invoked earlier) and
 * answered with that one's offset: the client had used a sequence number twice.
 */
function isDeduplicated(history: History, log: LogColumns, overlap: Overlap): boolean {
  const { send, holder, batch } = overlap;
  const earlier = writerOf(history, log, holder);
  if (earlier === null || batch.producerId < 0) return false;
  const { sends } = history.logs[earlier.log]!;
  if (sends.recordedIndex[earlier.row]! >= log.sends.recordedIndex[send]!) return false;
  const { session } = history.ops;
  const own = producerOf(history, log, send);
  if (own !== null) return own.producerId === batch.producerId && own.epoch === batch.epoch;
  return session[sends.op[earlier.row]!] === session[log.sends.op[send]!];
}

/**
 * The send of a value that stands in this log. One that left the partition to the client may be acknowledged in another log
 * of the topic, or in none: then it is a send of that log.
 */
function writerOf(history: History, log: LogColumns, value: number): SendRef | null {
  const { writerLog, writerRow, value: values } = recordsOf(history)[log.id]!;
  const record = values.indexOf(value);
  if (record < 0 || writerLog[record]! < 0) return null;
  return { log: writerLog[record]!, row: writerRow[record]! };
}

/**
 * Producer id and epoch of a send that the log does not hold: those of the nearest send of the same process (else of the
 * same session) that it does hold, by its raw batch. Null where there is none.
 */
function producerOf(history: History, log: LogColumns, send: number): RawBatch | null {
  const { process, session } = history.ops;
  const { op } = log.sends;
  const records = recordsOf(history)[log.id]!;
  for (const who of [process, session]) {
    const mine = who[op[send]!]!;
    for (let step = 1; step < log.sends.count; step++) {
      for (const row of [send - step, send + step]) {
        if (row < 0 || row >= log.sends.count || who[op[row]!] !== mine) continue;
        if (records.sightOp[row]! < 0) continue;
        const raw = rawAt(history, log.id, records.offset[row]!);
        if (raw.read && raw.batch !== null && raw.batch.producerId >= 0) return raw.batch;
      }
    }
  }
  return null;
}
