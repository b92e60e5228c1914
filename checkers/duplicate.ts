/**
 * duplicate.
 *
 * A send writes one record. Found if its value stands at two offsets of one scan, or was seen at two offsets of which
 * neither is proved lost, in committed data of one log; across the partitions of a topic where the send left the partition
 * to the client. An acknowledged offset alone is no copy: an answer is not a sight. Smallest history: 17 is sent once to
 * t/0; an audit holds it at offsets 3 and 4, because the client retried a send that had been written.
 *
 * An obligation is each proved record; a complete scan of its log invoked after it was proved decides it. Permitted by
 * enable.idempotence false: then a client that retries promises at least once. Not judged in topics with external writers,
 * nor on records of unresolved or aborted transactions. The count is of surplus copies. It cannot see a copy that was cut
 * off again before anybody saw it. Cost: linear; n log n in copies.
 */
import { Memo } from '../src/core/memo.ts';
import type { History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Layer, Witness } from '../src/spi/verdict.ts';
import { noteObligations } from './facts/coverage-of-records.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { goneSince, lossOf } from './facts/loss.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf } from './facts/precedence.ts';
import { standings, standingsOf } from './facts/proved.ts';
import { eachPlacement, recordsOf, type LogRecords } from './facts/records.ts';
import { rawAt, recordScansOf } from './facts/scans.ts';
import { isExternal } from './facts/topics.ts';
import { showEnd, showProcess, showSend, showValueOf } from './facts/witness-text.ts';

export const duplicateChecker: Checker = {
  name: 'duplicate',
  anomalies: ['duplicate'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const own = recordsOf(history).filter(({ log }) => !isExternal(history, log));
    for (const records of own) {
      noteObligations(
        history,
        records,
        findings,
        'whether it stands there once only such an audit can tell',
      );
      for (const record of records.extras.keys()) {
        const copies = copiesIn(history, records, record);
        if (copies.length > 1) report(history, copies, findings);
      }
    }
    for (const copies of copiesAcross(history, own)) report(history, copies, findings);
    return { duplicate: findings.result(permittedBy(history, 'duplicate')) };
  },
};

/** One place at which a record was seen, by the operation that shows it. */
interface Copy {
  readonly records: LogRecords;
  readonly record: number;
  readonly offset: number;
  readonly op: number;
}

function report(history: History, copies: readonly Copy[], findings: Findings): void {
  const [first, second] = copies as [Copy, Copy];
  const at = Math.max(indexOf(history, first.op), indexOf(history, second.op));
  findings.found(at, copies.length - 1, () => witnessOf(history, first, second));
}

/** The places at which a record of this log stands together: in one scan, or seen and not proved lost. */
function copiesIn(history: History, records: LogRecords, record: number): readonly Copy[] {
  const { log } = records;
  if (standingsOf(history)[log.id]![record] !== standings.owed) return [];
  const standing = standingCopies(history, records, record);
  const together = copiesOfOneScan(history, records, record);
  return together.length > standing.length ? together : standing;
}

function standingCopies(history: History, records: LogRecords, record: number): readonly Copy[] {
  const { gone } = lossOf(history)[records.log.id]!;
  const copies: Copy[] = [];
  eachPlacement(records, record, (placement) => {
    const op = records.sightOp[placement]!;
    if (op < 0 || (gone[placement]! & goneSince.seen) !== 0) return;
    copies.push({ records, record, offset: records.offset[placement]!, op });
  });
  return copies.toSorted((a, b) => a.offset - b.offset);
}

/** Copies in the scan that holds most of them. */
function copiesOfOneScan(history: History, records: LogRecords, record: number): readonly Copy[] {
  let most: readonly Copy[] = [];
  for (const copies of copiesByScan
    .of(records, () => collectCopies(history, records))
    .get(record) ?? []) {
    if (copies.length > most.length) most = copies;
  }
  return most;
}

/** Records that one scan holds at several offsets, with those places, scan by scan. */
type CopiesByScan = ReadonlyMap<number, readonly (readonly Copy[])[]>;

const copiesByScan = new Memo<LogRecords, CopiesByScan>();

function collectCopies(history: History, records: LogRecords): CopiesByScan {
  const found = new Map<number, (readonly Copy[])[]>();
  for (const scan of recordScansOf(history, records.log.id)) {
    const places = new Map<number, Map<number, Copy>>();
    for (const { recordsFrom, recordsTo, op } of scan.chunks) {
      for (let row = recordsFrom; row < recordsTo; row++) {
        const record = records.recordOf[records.auditPlacement[row]!]!;
        if (!records.extras.has(record)) continue;
        const offset = records.log.audited.offset[row]!;
        const here = places.get(record) ?? new Map<number, Copy>();
        places.set(record, here.set(offset, { records, record, offset, op }));
      }
    }
    for (const [record, here] of places) {
      if (here.size < 2) continue;
      const scans = found.get(record) ?? [];
      found.set(record, scans);
      scans.push([...here.values()].toSorted((a, b) => a.offset - b.offset));
    }
  }
  return found;
}

/** One copy per partition, of values whose send left the partition to the client and that stand in several. */
function copiesAcross(history: History, own: readonly LogRecords[]): readonly (readonly Copy[])[] {
  const bySend = new Map<string, Copy[]>();
  const chosen = new Set<string>();
  for (const records of own) {
    const { log } = records;
    if (log.partition === null) continue;
    const standing = standingsOf(history)[log.id]!;
    for (let record = 0; record < records.count; record++) {
      const writer = records.writerLog[record]!;
      if (writer < 0) continue;
      const row = records.writerRow[record]!;
      if (history.logs[writer]!.sends.clientChose[row] !== 1) continue;
      if (standing[record] !== standings.owed) continue;
      const copy = standingCopies(history, records, record)[0];
      if (copy === undefined) continue;
      const key = `${writer} ${row}`;
      const copies = bySend.get(key);
      if (copies === undefined) bySend.set(key, [copy]);
      else {
        copies.push(copy);
        chosen.add(key);
      }
    }
  }
  return [...chosen].map((key) => bySend.get(key)!);
}

function witnessOf(history: History, first: Copy, second: Copy): Witness {
  const { records, record } = first;
  const log = history.logs[records.writerLog[record]!];
  const sent =
    log === undefined
      ? `${showValueOf(history, records.value[record]!)} was sent by nobody`
      : showSend(history, log, records.writerRow[record]!);
  const operations = [...new Set([first, second].map(({ op }) => indexOf(history, op)))];
  return {
    operations: operations.toSorted((a, b) => a - b),
    log: records.log.name,
    offset: first.offset,
    value: history.values[records.value[record]!]!,
    otherLog: second.records.log.name,
    otherOffset: second.offset,
    layer: layerOf(history, first, second),
    explanation:
      `${sent}. It was sent once. ${sightText(history, first)}, and ${sightText(history, second)}. ` +
      `No scan shows that either copy is gone, and one send, whatever came of it, writes one record.` +
      permissionText(history, 'duplicate'),
  };
}

function sightText(history: History, { records, offset, op }: Copy): string {
  return `${showProcess(history, op)} saw it at offset ${offset} of ${records.log.name} ${showEnd(history, op)}`;
}

/**
 * By the raw log: a copy that it does not hold was made up on the way (client), and so was one that a client sent again
 * under another sequence number, partition or none; two batches of one producer, epoch and sequence are the broker's.
 */
function layerOf(history: History, first: Copy, second: Copy): Layer {
  const a = rawAt(history, first.records.log.id, first.offset);
  const b = rawAt(history, second.records.log.id, second.offset);
  if (!a.read || !b.read) return 'unknown';
  if (a.batch === null || b.batch === null) return 'client';
  const repeated =
    first.records === second.records &&
    a.batch.producerId >= 0 &&
    a.batch.producerId === b.batch.producerId &&
    a.batch.epoch === b.batch.epoch &&
    a.batch.sequence + first.offset - a.batch.base ===
      b.batch.sequence + second.offset - b.batch.base;
  return repeated ? 'broker' : 'client';
}
