/**
 * truncated-read.
 *
 * What a consumer was shown stays in the log: readers see only what is replicated. Found if a record that a poll returned is
 * gone from a complete scan invoked after that poll returned, at its offset, or if the scan measured that the log ends at or
 * below it. Smallest history: a poll returns 17 at offset 0 of t/0; a complete audit of t/0 invoked afterwards holds nothing
 * at 0.
 *
 * An obligation is each record that a reader saw, unless it belongs to an aborted transaction (owed to nobody). A complete
 * scan of the log invoked after it was read decides it; for records of unresolved transactions, one of an uncommitted view.
 * Exempt: what retention may have removed, and compacted topics, where absence is judged by compaction alone.
 *
 * Permitted by acks other than all, unclean.leader.election.enable, min.insync.replicas 1. What only audits saw is
 * scan-divergence. Cost: linear in records times scans.
 */
import type { AuditChunk, History } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfAbsence } from './facts/layer.ts';
import { provingEnds } from './facts/measured-ends.ts';
import { ownSights } from './facts/own-sights.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf, precedes } from './facts/precedence.ts';
import { standings, standingsOf } from './facts/proved.ts';
import { firstReadOp, recordsOf, type LogRecords } from './facts/records.ts';
import { chunkAt, recordScansOf, type Scan } from './facts/scans.ts';
import { isCompacted } from './facts/topics.ts';
import { showEnd, showProcess, showRecord } from './facts/witness-text.ts';

export const truncatedReadChecker: Checker = {
  name: 'truncated-read',
  anomalies: ['truncated-read'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const records of recordsOf(history)) judge(history, records, findings);
    return { 'truncated-read': findings.result(permittedBy(history, 'truncated-read')) };
  },
};

/** By record: what the scans say. */
const states = { open: 0, kept: 1, gone: 2 } as const;

function judge(history: History, records: LogRecords, findings: Findings): void {
  const { log } = records;
  const standing = standingsOf(history)[log.id]!;
  const state = new Uint8Array(records.count);
  const goneBy = new Int32Array(records.count);
  const goneAt = new Int32Array(records.count);
  const readBy = new Int32Array(records.count);
  const scans = recordScansOf(history, log.id).filter(({ complete }) => complete);
  const proves = provingEnds(history, log);
  scans.forEach((scan, i) => {
    compare(history, records, { scan, proves }, (placement, gone, read) => {
      const record = records.recordOf[placement]!;
      const owed =
        standing[record] === standings.owed ||
        (standing[record] === standings.uncommitted && scan.view === 'uncommitted');
      if (!owed || state[record] === states.gone) return;
      state[record] = gone ? states.gone : states.kept;
      goneBy[record] = i;
      goneAt[record] = placement;
      readBy[record] = read;
    });
  });
  for (let record = 0; record < records.count; record++) {
    const read = firstReadOp(history, records, record);
    if (read < 0 || standing[record] === standings.aborted) continue;
    findings.arose(1);
    if (state[record] === states.open) {
      findings.open(() => whyOpen(history, records, record, read));
    }
    if (state[record] !== states.gone) continue;
    const gone = { placement: goneAt[record]!, read: readBy[record]! };
    findings.found(indexOf(history, gone.read), 1, () =>
      witnessOf(history, records, gone, scans[goneBy[record]!]!),
    );
  }
}

/** Tells of every placement that a poll saw before the scan was invoked whether the scan is without it, and which poll. */
function compare(
  history: History,
  records: LogRecords,
  { scan, proves }: { readonly scan: Scan; readonly proves: (chunk: AuditChunk) => boolean },
  tell: (placement: number, gone: boolean, read: number) => void,
): void {
  const { log } = records;
  const compacted = isCompacted(history, log);
  const held = new Uint8Array(records.placements);
  for (const chunk of scan.chunks) {
    for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
      held[records.auditPlacement[row]!] = 1;
    }
  }
  const own = ownSights(history, records, 'polls');
  own.mark(scan.firstOp);
  const cut = compacted ? [] : scan.chunks.filter(proves);
  for (let placement = 0; placement < records.placements; placement++) {
    const first = records.readOp[placement]!;
    if (first < 0) continue;
    const read = precedes(history, first, scan.firstOp) ? first : own.ofPlacement(placement);
    if (read < 0) continue;
    const offset = records.offset[placement]!;
    const covered = offset >= scan.start && offset < scan.auditedEnd;
    if (held[placement] === 1) tell(placement, false, read);
    else if (covered || offset < scan.start) tell(placement, covered && !compacted, read);
    else if (cut.some(({ end }) => end <= offset)) tell(placement, true, read);
  }
}

function whyOpen(history: History, records: LogRecords, record: number, read: number): string {
  const what = showRecord(history, records.log, records.offset[record]!, records.value[record]!);
  return (
    `${showProcess(history, read)} read ${what} ${showEnd(history, read)}: ` +
    `only a complete audit of ${records.log.name} begun after that shows whether it is still there`
  );
}

function witnessOf(
  history: History,
  records: LogRecords,
  { placement, read }: { readonly placement: number; readonly read: number },
  scan: Scan,
): Witness {
  const { log } = records;
  const record = records.recordOf[placement]!;
  const value = records.value[record]!;
  const offset = records.offset[placement]!;
  const chunk = chunkAt(scan, offset) ?? scan.chunks.find(({ end }) => end <= offset)!;
  const where =
    offset < scan.auditedEnd
      ? `read offsets ${scan.start} to ${scan.auditedEnd - 1} and does not hold it there`
      : `measured that the log ends at ${chunk.end}`;
  const send = records.writerLog[record] === log.id ? records.writerRow[record]! : -1;
  return {
    operations: [indexOf(history, read), indexOf(history, chunk.op)],
    log: log.name,
    offset,
    value: history.values[value]!,
    layer: layerOfAbsence(history, log, { send, value, offset }),
    explanation:
      `${showProcess(history, read)} read ${showRecord(history, log, offset, value)} ` +
      `${showEnd(history, read)}. The ${scan.view} scan ${scan.id}, begun after that and complete, ${where}. ` +
      `It was read, so it had been written whatever its send was told.` +
      permissionText(history, 'truncated-read'),
  };
}
