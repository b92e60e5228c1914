/**
 * Which proved records a complete scan of their log decides: one that holds the record, or that was invoked after the record
 * was proved and reached its offset (or measured, as a fact of the whole cluster, that the log ends before it). The
 * obligations of inconsistent-offsets and duplicate.
 */
import { Memo } from '../../src/core/memo.ts';
import type { History } from '../../src/history/columns.ts';
import type { Findings } from './findings.ts';
import { lossOf, recordFates } from './loss.ts';
import { proofsOf, provedBefore, standings, standingsOf, type Proofs } from './proved.ts';
import { recordsOf, type LogRecords } from './records.ts';
import { recordScansOf, type Scan } from './scans.ts';
import { showValueOf } from './witness-text.ts';

const known = new Memo<History, readonly Uint8Array[]>();

/** By log id and record: 1 where a scan decides it. Linear in records times scans; computed once per history. */
function decidedRecords(history: History): readonly Uint8Array[] {
  return known.of(history, () => recordsOf(history).map((records) => decidedOf(history, records)));
}

/** One obligation for each proved record of a log, open where no scan decides it; `lacking` ends the reason. */
export function noteObligations(
  history: History,
  records: LogRecords,
  findings: Findings,
  lacking: string,
): void {
  const standing = standingsOf(history)[records.log.id]!;
  const decided = decidedRecords(history)[records.log.id]!;
  for (let record = 0; record < records.count; record++) {
    if (!isProvedHere(standing, records, record)) continue;
    findings.arose(1);
    if (decided[record] === 1) continue;
    findings.open(() => {
      const value = showValueOf(history, records.value[record]!);
      const what = `${value} of ${records.log.name} was proved`;
      return `${what}, and no complete audit of the log after that covers it: ${lacking}`;
    });
  }
}

/** What is proved and stands in this log: everything but sends of a pseudo-log that were seen in a partition. */
function isProvedHere(standing: Uint8Array, records: LogRecords, record: number): boolean {
  if (standing[record] === standings.unproved) return false;
  return records.log.partition !== null || records.located[record] === 0;
}

function decidedOf(history: History, records: LogRecords): Uint8Array {
  const { log } = records;
  const standing = standingsOf(history)[log.id]!;
  const { fate } = lossOf(history)[log.id]!;
  const proofs = proofsOf(history, log.id);
  const decided = new Uint8Array(records.count);
  fate.forEach((each, record) => {
    if (each === recordFates.kept || each === recordFates.lost) decided[record] = 1;
  });
  for (const scan of recordScansOf(history, log.id)) {
    if (!scan.complete) continue;
    for (const { recordsFrom, recordsTo } of scan.chunks) {
      for (let row = recordsFrom; row < recordsTo; row++) {
        decided[records.recordOf[records.auditPlacement[row]!]!] = 1;
      }
    }
    standing.forEach((each, record) => {
      if (each === standings.unproved || decided[record] === 1) return;
      if (covers(history, records, { scan, proofs }, record)) decided[record] = 1;
    });
  }
  return decided;
}

function covers(
  history: History,
  records: LogRecords,
  { scan, proofs }: { readonly scan: Scan; readonly proofs: Proofs },
  record: number,
): boolean {
  const reached = scan.linearizable || records.offset[record]! < scan.auditedEnd;
  return reached && provedBefore(history, proofs, record, scan.firstOp);
}
