/**
 * compaction-lost-key and compaction-resurrected-key.
 *
 * A compacted log keeps the last record of each key: what it removes is superseded by a later record of the key that it still
 * holds, or was deleted by a tombstone that itself may go once `delete.retention.ms` has passed. So a complete scan holds for
 * each key its last proved record or a later one, and what explains that one record is gone has to explain each that is. Where it does not: compaction-lost-key, if no record of the key is left and
 * no tombstone explains that; compaction-resurrected-key, if a record that was superseded or deleted is the last one, or, in a
 * committed view, one of an aborted transaction. A tombstone explains an absence if it is that record or may follow it, and from
 * its invocation to the scan's return `delete.retention.ms` passed (a day where the header does not say). Nothing permits
 * either. Smallest histories: k=a is acknowledged at offset 0 of a compacted log, and a later complete scan is empty; k=a,
 * then a tombstone of k are acknowledged at 0 and 1, and a later complete scan holds a alone.
 *
 * An obligation of either is each key of a log of which a record is owed (of resurrected-key also each whose last record, in a
 * committed view, is an aborted one). It is decided by a complete scan invoked after the
 * last of them was proved; open while there is none, while that record's offset is unknown, and where a record that the scan
 * could not see (behind its end, or uncertain, its offset unknown) may have superseded what is absent. A scan is not one moment:
 * where the older record and the place of the later one came in different chunks, a cleaner that ran between them may explain
 * both, if the scan left it the time. The count is of keys, per log. It cannot see which record of several a cleaner should
 * have kept longer. Cost: n log n.
 */
import type { History, LogColumns } from '../src/history/columns.ts';
import type { Scalar } from '../src/history/event.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Layer, Witness } from '../src/spi/verdict.ts';
import {
  keyedRecords,
  shownKeys,
  type Held,
  type KeyedRecord,
  type KeyedRecords,
  type ShownKeys,
} from './facts/compacted-keys.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { placeOf, unexplained } from './facts/key-explanation.ts';
import { acksAll, deleteRetentionNs } from './facts/permission.ts';
import { clockErrorNs, indexOf } from './facts/precedence.ts';
import { proofsOf, provedBefore } from './facts/proved.ts';
import { recordsOf } from './facts/records.ts';
import { rawAt, recordScansOf, type Scan } from './facts/scans.ts';
import { isCompacted, isExternal } from './facts/topics.ts';
import { showEnd, showProcess, showSend, showValueOf } from './facts/witness-text.ts';

export const compactionChecker: Checker = {
  name: 'compaction',
  anomalies: ['compaction-lost-key', 'compaction-resurrected-key'],
  check: (history, limits) => {
    const found = { lost: collectFindings(limits), resurrected: collectFindings(limits) };
    for (const log of history.logs) {
      if (isCompacted(history, log) && log.partition !== null) judgeLog(history, log, found);
    }
    return {
      'compaction-lost-key': found.lost.result(null),
      'compaction-resurrected-key': found.resurrected.result(null),
    };
  },
};

interface Found {
  readonly lost: Findings;
  readonly resurrected: Findings;
}

/** What one scan says of one key. */
type Judgement =
  | { readonly says: 'held' }
  | { readonly says: 'deleted' }
  | { readonly says: 'nothing'; readonly why: string }
  | { readonly says: 'lost'; readonly missing: KeyedRecord }
  | { readonly says: 'resurrected'; readonly missing: KeyedRecord | null; readonly held: Held };

function judgeLog(history: History, log: LogColumns, found: Found): void {
  const keys = new Map(
    [...keyedRecords(history, log)].filter(([, { all }]) => all.some(({ owed }) => owed)),
  );
  const open = new Map<Scalar, string>();
  const told = { lost: new Set<Scalar>(), resurrected: new Set<Scalar>() };
  for (const key of keys.keys()) {
    found.lost.arose(1);
    found.resurrected.arose(1);
    open.set(key, 'no complete scan of it was invoked after the last record of the key was proved');
  }
  for (const scan of recordScansOf(history, log.id)) {
    if (!scan.complete) continue;
    const shown = shownKeys(history, log, scan);
    const aborted = abortedOnTop(scan, shown);
    for (const key of new Set([...keys.keys(), ...aborted.keys()])) {
      const records = keys.get(key) ?? { key, all: [] };
      const held = shown.last.get(key) ?? null;
      const judging: Judging = { history, log, scan, records, held, shown: shown.records };
      const onTop = aborted.get(key);
      const judgement: Judgement =
        onTop === undefined
          ? judgeKey(judging)
          : { says: 'resurrected', missing: null, held: onTop };
      if (judgement.says === 'nothing') {
        if (open.has(key)) open.set(key, judgement.why);
        continue;
      }
      if (isDecisive(judging)) open.delete(key);
      if (judgement.says === 'held' || judgement.says === 'deleted') continue;
      if (told[judgement.says].has(key)) continue;
      told[judgement.says].add(key);
      // Nothing of the key is owed, but for that one.
      if (!keys.has(key)) found.resurrected.arose(1);
      found[judgement.says].found(endOf(history, scan), 1, () =>
        judgement.says === 'lost'
          ? lostWitness(judging, judgement.missing)
          : resurrectedWitness(judging, judgement),
      );
    }
  }
  for (const [key, why] of open) {
    const reason = (): string => `key ${JSON.stringify(key)} of ${log.name}: ${why}`;
    found.lost.open(reason);
    found.resurrected.open(reason);
  }
}

/** By key, where its last record is one of an aborted transaction: a committed view has no business with it. */
function abortedOnTop(scan: Scan, { last, aborted }: ShownKeys): ReadonlyMap<Scalar, Held> {
  if (scan.view !== 'committed') return new Map();
  return new Map(
    [...aborted].filter(([key, { offset }]) => offset > (last.get(key)?.offset ?? -1)),
  );
}

interface Judging {
  readonly history: History;
  readonly log: LogColumns;
  readonly scan: Scan;
  readonly records: KeyedRecords;
  /** The last record of the key that the scan shows. */
  readonly held: Held | null;
  /** All that it shows. */
  readonly shown: ReadonlySet<number>;
}

function judgeKey(judging: Judging): Judgement {
  const { history, scan, records, held, shown } = judging;
  const owed = owedRecords(judging);
  if (owed.length === 0)
    return { says: 'nothing', why: 'no record of it was proved before a complete scan' };
  const last = owed.find(({ record }) => !shown.has(record));
  if (last === undefined || (held !== null && held.offset > last.offset)) return { says: 'held' };
  const certain = new Set(owed);
  const view = { scan, held, shown, owed: certain };
  const missing = unexplained(history, records.all, [view], (record) => certain.has(record));
  if (missing !== null)
    return held === null ? { says: 'lost', missing } : { says: 'resurrected', missing, held };
  const older = held !== null && held.offset < last.offset;
  if (!older && explainedByTombstone(judging, last)) return { says: 'deleted' };
  return { says: 'nothing', why: unseen(judging) };
}

/** The records of the key that were proved before the scan, and that it had to read, highest offset first. */
function owedRecords({ history, log, scan, records }: Judging): readonly KeyedRecord[] {
  const proofs = proofsOf(history, log.id);
  const end = provenEnd(history, scan);
  return records.all.filter(
    ({ record, offset, owed }) =>
      owed &&
      offset >= scan.start &&
      offset < end &&
      provedBefore(history, proofs, record, scan.firstOp),
  );
}

/** An end that is a fact of the whole cluster was above all that was acknowledged before. */
function provenEnd(history: History, { linearizable, end }: Scan): number {
  return linearizable && acksAll(history) ? Infinity : end;
}

/** Nothing of the key that is owed was proved too late for the scan, or stands where nobody knows. */
function isDecisive(judging: Judging): boolean {
  const { history, log, scan, records } = judging;
  const proofs = proofsOf(history, log.id);
  return records.all.every(
    ({ record, offset, owed }) =>
      !owed ||
      (offset >= 0 &&
        offset < provenEnd(history, scan) &&
        provedBefore(history, proofs, record, scan.firstOp)),
  );
}

/** A tombstone that is the missing record, or may follow it, was old enough to be removed before the scan returned. */
function explainedByTombstone(judging: Judging, missing: KeyedRecord): boolean {
  const { history, scan, records } = judging;
  const returnedNs = history.ops.endNs[scan.chunks.at(-1)!.op]! + 2 * clockErrorNs(history);
  return records.all.some(
    (other) =>
      other.tombstone &&
      (other === missing || other.offset < 0 || other.offset > missing.offset) &&
      returnedNs - other.sentNs >= deleteRetentionNs(history),
  );
}

function unseen({ scan }: Judging): string {
  return (
    `a record that the scan ${scan.id} could not see may have superseded what it lacks; ` +
    'another complete scan, after everything has settled, would decide it'
  );
}

function endOf(history: History, scan: Scan): number {
  return indexOf(history, scan.chunks.at(-1)!.op);
}

function lostWitness(judging: Judging, missing: KeyedRecord): Witness {
  const { history, log, scan, records } = judging;
  return {
    operations: operationsOf(judging, missing, null),
    log: log.name,
    offset: missing.offset,
    value: valueOf(judging, missing.record),
    key: records.key,
    layer: layerOf(history, log, missing.offset, 'absent'),
    explanation:
      `${storyOf(judging, missing)} The complete ${scanText(judging)} holds no record of key ` +
      `${JSON.stringify(records.key)}, ${showEnd(history, scan.chunks.at(-1)!.op)}, and no tombstone that may have been ` +
      'sent by then was old enough to be removed. No uncertain record of the key can have superseded it.',
  };
}

function resurrectedWitness(
  judging: Judging,
  { missing, held }: { readonly missing: KeyedRecord | null; readonly held: Held },
): Witness {
  const { history, log, records } = judging;
  const shown = `${showValueOf(history, recordsOf(history)[log.id]!.value[held.record]!)} at offset ${held.offset}`;
  const why =
    missing === null
      ? `The complete ${scanText(judging)} shows ${shown} as the last record of key ${JSON.stringify(records.key)}, and its ` +
        'transaction was aborted.'
      : `${storyOf(judging, missing)} Yet the complete ${scanText(judging)} holds nothing of key ` +
        `${JSON.stringify(records.key)} above offset ${missing.offset}, not that record, and ${shown} as its last record, ` +
        `${showEnd(history, held.chunk.op)}: what ${missing.tombstone ? 'was deleted' : 'was superseded'} is back. Whatever ` +
        'removed the later record had to remove the older one before.';
  return {
    operations: operationsOf(judging, missing, held),
    log: log.name,
    offset: held.offset,
    value: valueOf(judging, held.record),
    key: records.key,
    ...(missing === null ? {} : { missing: missing.offset }),
    layer: layerOf(history, log, held.offset, 'present'),
    explanation: why,
  };
}

/** The write (else whoever saw it), the chunk that holds the older record, and those that lack the later one. */
function operationsOf(
  { history, log, scan }: Judging,
  missing: KeyedRecord | null,
  held: Held | null,
): readonly number[] {
  const ops = held === null ? [] : [held.chunk.op];
  if (missing !== null) {
    const records = recordsOf(history)[log.id]!;
    const writer = records.writerOp[missing.record]!;
    const { answer, sight } = proofsOf(history, log.id);
    const proof = answer[missing.record]! >= 0 ? answer[missing.record]! : sight[missing.record]!;
    ops.push(proof, ...(writer >= 0 ? [writer] : []));
    ops.push(placeOf(scan, missing.offset).op, scan.chunks.at(-1)!.op);
  } else {
    ops.push(recordsOf(history)[log.id]!.writerOp[held!.record]!);
  }
  return [...new Set(ops.map((op) => indexOf(history, op)))].sort((a, b) => a - b);
}

function storyOf(judging: Judging, missing: KeyedRecord): string {
  const { history, log, records } = judging;
  const { record, offset, tombstone } = missing;
  const all = recordsOf(history)[log.id]!;
  const which = owedRecords(judging)[0] === missing ? 'The last' : 'A';
  const what = tombstone ? 'a tombstone' : 'a record';
  const writer = all.writerLog[record]!;
  const place = `${which} proved record of key ${JSON.stringify(records.key)}, at offset ${offset} of ${log.name}, is ${what}`;
  if (writer < 0)
    return `${place}, ${showValueOf(history, all.value[record]!)}, which nobody here sent and somebody saw.`;
  return `${place}: ${showSend(history, history.logs[writer]!, all.writerRow[record]!)}.`;
}

function scanText({ history, scan }: Judging): string {
  const where = scan.replica === null ? 'the leader' : `replica ${scan.replica}`;
  return `${scan.view} scan ${scan.id} of ${where} by ${showProcess(history, scan.firstOp)}`;
}

function valueOf({ history, log }: Judging, record: number): Scalar {
  return history.values[recordsOf(history)[log.id]!.value[record]!]!;
}

/** Cleaning is the broker's: a raw log that agrees with what was delivered proves it, one that does not blames the client. */
function layerOf(
  history: History,
  log: LogColumns,
  offset: number,
  delivered: 'present' | 'absent',
): Layer {
  if (isExternal(history, log)) return 'processor';
  const raw = rawAt(history, log.id, offset);
  if (!raw.read) return 'unknown';
  return delivered === 'present' && raw.batch === null ? 'client' : 'broker';
}
