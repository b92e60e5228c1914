/**
 * scan-divergence.
 *
 * Replicas of a log are copies of each other, and what lies below the high watermark never changes. Found if two complete
 * scans of one view, of different replicas or at different times, disagree at an offset at or above both starts and below
 * the lower of their ends: one value against another, or a record against none. On compacted logs absence by itself is no
 * disagreement; there two scans disagree at an offset if it is the last of its key in one, and the other holds neither it nor a
 * later one of the key (key-divergence.ts has what may excuse that). Smallest history: the leader's committed scan of t/0 holds 17 at offset 0, a follower's holds nothing there.
 *
 * An obligation is each complete scan of a log and view that has another complete one to agree with, the first one not
 * counted; incomplete scans owe nothing. Always decided. Permitted by acks other than all,
 * unclean.leader.election.enable, min.insync.replicas 1. The count is of offsets in disagreement, per log. It cannot see a
 * divergence that no second scan read. Cost: linear where all agree (each scan against the next), n log n where they do not.
 */
import type { History, LogColumns } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Layer, Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { keyDisagreements, type KeyDisagreement } from './facts/key-divergence.ts';
import { permissionText, permittedBy } from './facts/permission.ts';
import { indexOf } from './facts/precedence.ts';
import { recordsOf } from './facts/records.ts';
import { disagreements, type Disagreement } from './facts/scan-comparison.ts';
import { chunkAt, rawAt, recordScansOf, type Scan } from './facts/scans.ts';
import { isCompacted, isExternal } from './facts/topics.ts';
import { showProcess, showValueOf } from './facts/witness-text.ts';

export const scanDivergenceChecker: Checker = {
  name: 'scan-divergence',
  anomalies: ['scan-divergence'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    for (const log of history.logs) judge(history, log, findings);
    return { 'scan-divergence': findings.result(permittedBy(history, 'scan-divergence')) };
  },
};

function judge(history: History, log: LogColumns, findings: Findings): void {
  const found = new Set<number>();
  for (const view of ['committed', 'uncommitted'] as const) {
    const scans = recordScansOf(history, log.id).filter(
      (scan) => scan.view === view && scan.complete,
    );
    if (scans.length < 2) continue;
    findings.arose(scans.length - 1);
    for (const each of disagreements(log, scans, isCompacted(history, log))) {
      // Both views may show the same divergence: an offset counts once.
      if (found.has(each.offset)) continue;
      found.add(each.offset);
      const at = Math.max(indexOf(history, opOf(each, 0)), indexOf(history, opOf(each, 1)));
      findings.found(at, 1, () => witnessOf(history, log, each));
    }
    if (!isCompacted(history, log)) continue;
    for (const each of keyDisagreements(history, log, scans)) {
      const { offset } = each.held;
      if (found.has(offset)) continue;
      found.add(offset);
      const at = Math.max(...keyOperations(history, each));
      findings.found(at, 1, () => keyWitness(history, log, each));
    }
  }
}

/** The chunks that hold the record, that lack it, and that show what the other scan has last instead. */
function keyOperations(history: History, each: KeyDisagreement): readonly number[] {
  const { held, lacking, older } = each;
  const ops = [held.chunk.op, chunkAt(lacking, held.offset)!.op, lacking.chunks.at(-1)!.op];
  if (older !== null) ops.push(older.chunk.op);
  return [...new Set(ops.map((op) => indexOf(history, op)))].toSorted((a, b) => a - b);
}

function keyWitness(history: History, log: LogColumns, each: KeyDisagreement): Witness {
  const { key, holder, held, lacking, older } = each;
  const values = recordsOf(history)[log.id]!.value;
  const value = values[held.record]!;
  const instead =
    older === null
      ? 'no record of it'
      : `${showValueOf(history, values[older.record]!)} at offset ${older.offset}`;
  return {
    operations: keyOperations(history, each),
    log: log.name,
    offset: held.offset,
    value: history.values[value]!,
    key,
    layer: layerOf(history, log, held.offset),
    explanation:
      `${sideText(history, holder, value)} at offset ${held.offset} of ${log.name} as the last record of key ` +
      `${JSON.stringify(key)}; ${nameOf(history, lacking)}, which read that offset too, shows ${instead}. No later record of the ` +
      'key that may have been written, and no tombstone that may have gone by then, explains what both show.' +
      permissionText(history, 'scan-divergence'),
  };
}

function opOf({ scans, offset }: Disagreement, side: 0 | 1): number {
  return chunkAt(scans[side], offset)!.op;
}

function witnessOf(history: History, log: LogColumns, disagreement: Disagreement): Witness {
  const { scans, offset, values } = disagreement;
  const [first, second] = [opOf(disagreement, 0), opOf(disagreement, 1)];
  return {
    operations: [indexOf(history, first), indexOf(history, second)].toSorted((a, b) => a - b),
    log: log.name,
    offset,
    values: values.map((value) => (value < 0 ? null : history.values[value]!)),
    layer: layerOf(history, log, offset),
    explanation:
      `${sideText(history, scans[0], values[0])}; ${sideText(history, scans[1], values[1])}, at offset ` +
      `${offset} of ${log.name}, which both read and which lies below both their ends. Nothing that is below ` +
      `the high watermark may change, whatever came of uncertain sends.` +
      permissionText(history, 'scan-divergence'),
  };
}

function sideText(history: History, scan: Scan, value: number): string {
  const what = value < 0 ? 'nothing' : showValueOf(history, value);
  return `${nameOf(history, scan)} holds ${what}`;
}

function nameOf(history: History, scan: Scan): string {
  const where = scan.replica === null ? 'the leader' : `replica ${scan.replica}`;
  return `the ${scan.view} scan ${scan.id} of ${where} by ${showProcess(history, scan.firstOp)}`;
}

/** Delivered views that differ over one raw log are the client's fault; raw logs that differ, the broker's. */
function layerOf(history: History, log: LogColumns, offset: number): Layer {
  if (isExternal(history, log)) return 'processor';
  return rawAt(history, log.id, offset).read ? 'broker' : 'unknown';
}
