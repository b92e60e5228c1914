/**
 * The keys of a compacted log: who wrote records of each, and which record a complete scan shows as its last. Order and
 * offsets never change under compaction, so a scan holds for each key its last proved record or a later one, unless a
 * tombstone took the key away and was itself old enough to go.
 */
import {
  opStatus,
  type AuditChunk,
  type History,
  type LogColumns,
} from '../../src/history/columns.ts';
import type { Meta, Scalar } from '../../src/history/event.ts';
import { standings, standingsOf } from './proved.ts';
import { eachPlacement, firstSightOp, recordsOf, type LogRecords } from './records.ts';
import type { Scan } from './scans.ts';
import { isExternal } from './topics.ts';
import { fates, transactionsOf } from './transactions.ts';

/** One record of a key, of a log or (its partition never learned) of the log's topic. */
export interface KeyedRecord {
  /** Position in `LogRecords` of the log; -1 for one whose partition nobody told. */
  readonly record: number;
  /** Where it stands: of copies the least offset; -1: nobody told. */
  readonly offset: number;
  readonly tombstone: boolean;
  /** Proved, and owed to every view. */
  readonly owed: boolean;
  /** When it was recorded as sent, ns; -Infinity where nobody here sent it. */
  readonly sentNs: number;
}

export interface KeyedRecords {
  readonly key: Scalar;
  /** All that may stand in the log, highest offset first, unknown offsets last. */
  readonly all: readonly KeyedRecord[];
}

/** The record that a scan holds of a key at the highest offset. */
export interface Held {
  readonly record: number;
  readonly offset: number;
  readonly chunk: AuditChunk;
}

/** By key: whatever did not certainly fail and may stand in the log. Linear, but for sorting the records of each key. */
export function keyedRecords(history: History, log: LogColumns): ReadonlyMap<Scalar, KeyedRecords> {
  const keys = new Map<Scalar, KeyedRecord[]>();
  const add = (key: Scalar | undefined, record: KeyedRecord): void => {
    if (key === undefined) return;
    const list = keys.get(key);
    if (list === undefined) keys.set(key, [record]);
    else list.push(record);
  };
  const records = recordsOf(history)[log.id]!;
  const standing = standingsOf(history)[log.id]!;
  const external = isExternal(history, log);
  const metas = recordMetas(history, log);
  for (let record = 0; record < records.count; record++) {
    const writer = records.writerOp[record]!;
    if (isWithoutEffect(history, writer)) {
      // What failed and is seen all the same (aborted-read) may have superseded others; what was aborted may not.
      const seen = firstSightOp(history, records, record) >= 0;
      if (!seen || isAborted(history, writer)) continue;
    }
    const { key, tombstone } = metas[record]!;
    add(key, {
      record,
      offset: leastOffset(records, record),
      tombstone: tombstone === true,
      // A phantom may have superseded others, but nobody is owed one.
      owed:
        (writer < 0 ? external : !isWithoutEffect(history, writer)) &&
        standing[record] === standings.owed,
      sentNs: sentNsOf(history, records, record),
    });
  }
  for (const { key, ...record } of unplacedSends(history, log)) add(key, record);
  return new Map(
    [...keys].map(([key, all]) => [key, { key, all: all.sort((a, b) => b.offset - a.offset) }]),
  );
}

/** What a scan shows of the keys. */
export interface ShownKeys {
  /** By key: its last record; aborted ones, which an uncommitted view may show, do not count. */
  readonly last: ReadonlyMap<Scalar, Held>;
  /** The same of aborted ones alone. */
  readonly aborted: ReadonlyMap<Scalar, Held>;
  /** All records of keys that it holds, wherever they stand. */
  readonly records: ReadonlySet<number>;
}

/** Linear in the scan's records. */
export function shownKeys(history: History, log: LogColumns, scan: Scan): ShownKeys {
  const records = recordsOf(history)[log.id]!;
  const metas = recordMetas(history, log);
  const last = new Map<Scalar, Held>();
  const aborted = new Map<Scalar, Held>();
  const shown = new Set<number>();
  for (const chunk of scan.chunks) {
    for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
      const record = records.recordOf[records.auditPlacement[row]!]!;
      const { key } = metas[record]!;
      const offset = log.audited.offset[row]!;
      if (key === undefined) continue;
      shown.add(record);
      const writer = records.writerOp[record]!;
      const into = isAborted(history, writer) ? aborted : last;
      if (offset > (into.get(key)?.offset ?? -1)) into.set(key, { record, offset, chunk });
    }
  }
  return { last, aborted, records: shown };
}

/** What is known of each record: as its writer said it; where nobody here sent it, as it was seen. */
export function recordMetas(history: History, log: LogColumns): readonly Meta[] {
  const records = recordsOf(history)[log.id]!;
  const metas = new Array<Meta>(records.count).fill({});
  const { reads, audited } = log;
  for (let row = 0; row < reads.count; row++) {
    metas[records.recordOf[records.readPlacement[row]!]!] = history.metas[reads.meta[row]!]!;
  }
  for (let row = 0; row < audited.count; row++) {
    metas[records.recordOf[records.auditPlacement[row]!]!] = history.metas[audited.meta[row]!]!;
  }
  for (let record = 0; record < records.count; record++) {
    const writer = records.writerLog[record]!;
    if (writer < 0) continue;
    const sent = history.metas[history.logs[writer]!.sends.meta[records.writerRow[record]!]!]!;
    metas[record] = sent;
  }
  return metas;
}

function leastOffset(records: LogRecords, record: number): number {
  let least = Infinity;
  eachPlacement(records, record, (placement) => {
    least = Math.min(least, records.offset[placement]!);
  });
  return least === Infinity ? -1 : least;
}

function sentNsOf(history: History, records: LogRecords, record: number): number {
  const writer = records.writerLog[record]!;
  return writer < 0 ? -Infinity : history.logs[writer]!.sends.invNs[records.writerRow[record]!]!;
}

/** Sends to the topic whose partition nobody told and that nobody saw: each may stand in any of its logs. */
function unplacedSends(
  history: History,
  { topic }: LogColumns,
): readonly (KeyedRecord & { readonly key: Scalar | undefined })[] {
  const pseudo = history.logByName.get(topic);
  if (pseudo === undefined) return [];
  const { sends } = history.logs[pseudo]!;
  const { located } = recordsOf(history)[pseudo]!;
  return Array.from(sends.op, (op, row) => ({ op, row }))
    .filter(({ op, row }) => located[row] === 0 && !isWithoutEffect(history, op))
    .map(({ row }) => {
      const meta = history.metas[sends.meta[row]!]!;
      return {
        key: meta.key,
        record: -1,
        offset: -1,
        tombstone: meta.tombstone === true,
        owed: false,
        sentNs: sends.invNs[row]!,
      };
    });
}

/** @param op -1, where nobody here wrote: then it is not. */
function isWithoutEffect(history: History, op: number): boolean {
  return history.ops.status[op] === opStatus.fail || isAborted(history, op);
}

/** @param op as above. */
function isAborted(history: History, op: number): boolean {
  return transactionsOf(history).fate[op] === fates.aborted;
}
