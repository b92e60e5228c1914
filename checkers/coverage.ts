/**
 * Coverage: what a run exercised, measured from the history alone, so that a later check says the same. It decides
 * nothing, but a green verdict means little without it.
 *
 * An uncertain send is resolved as written once a reader or a scan saw it. It is resolved as absent if the final complete
 * scan of its log does not hold it: one that starts at offset 0 of a log that is not compacted, invoked after the
 * operation and every other send had ended, in the audit phase where phases are recorded, with no abandoned
 * call unsettled. An info operation may still take effect later in principle, so this counts what the run could know,
 * and no checker builds on it. Cost: linear.
 */
import { opKinds, opStatus, type History, type LogColumns } from '../src/history/columns.ts';
import type { HistoryEvent } from '../src/history/event.ts';
import type { Coverage, FaultCoverage, SendCoverage } from '../src/spi/verdict.ts';
import { faultsOf } from './facts/faults.ts';
import { indexOf, precedes } from './facts/precedence.ts';
import { recordScansOf, scansOf, type Scan } from './facts/scans.ts';
import { isCompacted } from './facts/topics.ts';

export function measureCoverage(history: History): Coverage {
  return {
    operations: history.ops.count,
    events: history.eventCount,
    durationMs: Math.round(history.lastTimeNs / 1_000) / 1_000,
    sends: coverSends(history),
    polls: coverPolls(history),
    audits: coverAudits(history),
    transactions: coverTransactions(history),
    rebalances: history.observations.filter(({ f }) => f === 'rebalance').length,
    leaderChanges: countLeaderChanges(history),
    faults: coverFaults(history),
    eventLoopDelayMs: worstDelay(history),
    abandonedCalls: abandonedCalls(history),
    warnings: [...history.warnings, ...interruptions(history)],
  };
}

type Counts = { -readonly [K in keyof SendCoverage]: SendCoverage[K] };

function coverSends(history: History): SendCoverage {
  const counts: Counts = {
    invoked: 0,
    acknowledged: 0,
    failed: 0,
    uncertain: 0,
    resolvedWritten: 0,
    resolvedAbsent: 0,
    unresolved: 0,
    audited: 0,
  };
  const seenIn = new Int32Array(history.values.length).fill(-1);
  const drained = drainedAt(history);
  const seenOfTopic = valuesSeenOfUnplaced(history);
  for (const log of history.logs) {
    const seenHere = seenOfTopic.get(log.id);
    if (seenHere === undefined) markSeen(log, seenIn);
    const latest = latestComplete(history, log);
    const final = drained === null ? null : finalScans(history, log, drained);
    const { sends } = log;
    for (let row = 0; row < sends.count; row++) {
      const op = sends.op[row]!;
      const value = sends.value[row]!;
      const status = history.ops.status[op]!;
      counts.invoked++;
      if (status === opStatus.ok) {
        counts.acknowledged++;
        if (latest !== null && covers(history, latest, op, sends.offset[row]!)) counts.audited++;
      } else if (status === opStatus.fail) {
        counts.failed++;
      } else {
        counts.uncertain++;
        const seen = seenHere === undefined ? seenIn[value] === log.id : seenHere.has(value);
        if (seen) counts.resolvedWritten++;
        else if (final !== null && provesAbsent(history, final, op)) counts.resolvedAbsent++;
        else counts.unresolved++;
      }
    }
  }
  return counts;
}

function markSeen(log: LogColumns, seenIn: Int32Array): void {
  const { reads, audited } = log;
  for (const value of reads.value) seenIn[value] = log.id;
  for (const value of audited.value) seenIn[value] = log.id;
}

/** For the pseudo-log of a topic (partition never learned): which of its values were seen in any log of the topic. */
function valuesSeenOfUnplaced(history: History): ReadonlyMap<number, ReadonlySet<number>> {
  const unplaced = new Map<string, { readonly id: number; readonly values: ReadonlySet<number> }>();
  for (const { id, topic, partition, sends } of history.logs) {
    if (partition === null) unplaced.set(topic, { id, values: new Set(sends.value) });
  }
  const seen = new Map([...unplaced.values()].map(({ id }) => [id, new Set<number>()]));
  for (const { topic, reads, audited } of history.logs) {
    const wanted = unplaced.get(topic);
    if (wanted === undefined) continue;
    for (const { value: values } of [reads, audited]) {
      for (const value of values) if (wanted.values.has(value)) seen.get(wanted.id)!.add(value);
    }
  }
  return seen;
}

/** The complete scan that was invoked last: whatever an earlier one covers, it covers too. */
function latestComplete(history: History, log: LogColumns): Scan | null {
  let latest: Scan | null = null;
  for (const scan of recordScansOf(history, log.id)) {
    if (scan.complete && (latest === null || scan.firstOp > latest.firstOp)) latest = scan;
  }
  return latest;
}

function covers(history: History, scan: Scan, op: number, offset: number): boolean {
  return precedes(history, op, scan.firstOp) && (offset < 0 || offset >= scan.start);
}

interface FinalScans {
  readonly committed: Scan | null;
  readonly uncommitted: Scan | null;
}

function finalScans(history: History, log: LogColumns, drainedIndex: number): FinalScans | null {
  // A send whose partition nobody learned has no log whose scan would decide it.
  if (log.partition === null || isCompacted(history, log)) return null;
  const final: { committed: Scan | null; uncommitted: Scan | null } = {
    committed: null,
    uncommitted: null,
  };
  for (const scan of recordScansOf(history, log.id)) {
    const begun = history.ops.invokeIndex[scan.firstOp]!;
    if (!scan.complete || scan.start > 0 || begun < drainedIndex) continue;
    if (scan.view === 'committed') final.committed = scan;
    else final.uncommitted = scan;
  }
  return final;
}

function provesAbsent(history: History, final: FinalScans, op: number): boolean {
  // A committed view is silent about aborted and undecided transactions.
  const transactional = history.ops.kind[op] === opKinds.txn;
  return [final.uncommitted, transactional ? null : final.committed].some(
    (scan) => scan !== null && precedes(history, op, scan.firstOp),
  );
}

/** Index of the event from which on no send can be under way, or null if that never came. */
function drainedAt(history: History): number | null {
  if ((abandonedCalls(history)?.unsettled ?? 0) > 0) return null;
  const { ops } = history;
  let drained = 0;
  ops.kind.forEach((kind, op) => {
    if (kind !== opKinds.send && kind !== opKinds.txn) return;
    drained = Math.max(drained, indexOf(history, op));
  });
  const phases = history.observations.filter(({ f }) => f === 'phase');
  if (phases.length === 0) return drained;
  const audit = phases.find((event) => fieldOf(event, 'phase') === 'audit');
  return audit === undefined ? null : Math.max(drained, audit.index);
}

function coverPolls(history: History): Coverage['polls'] {
  const [ok, failed, uncertain] = countByStatus(history, opKinds.poll);
  const records = history.logs.reduce((sum, { reads }) => sum + reads.count, 0);
  return { ok, failed, uncertain, records };
}

function coverAudits(history: History): Coverage['audits'] {
  const counts = { chunks: 0, scans: 0, completeScans: 0, records: 0 };
  for (const log of history.logs) {
    const scans = scansOf(history, log.id);
    counts.chunks += log.audits.length;
    counts.scans += scans.length;
    counts.completeScans += scans.filter(({ complete }) => complete).length;
    counts.records += log.audited.count;
  }
  return counts;
}

function coverTransactions(history: History): Coverage['transactions'] {
  const { ops } = history;
  const [committed, aborted, uncertain] = countByStatus(history, opKinds.txn);
  let fenced = 0;
  for (let op = 0; op < ops.count; op++) {
    if (ops.kind[op] !== opKinds.txn && ops.kind[op] !== opKinds.init) continue;
    const code = ops.error[op]! < 0 ? '' : history.errors[ops.error[op]!]!.code;
    if (code.includes('FENCED') || code === 'INVALID_PRODUCER_EPOCH') fenced++;
  }
  return { committed, aborted, uncertain, fenced };
}

function countByStatus(history: History, kind: number): readonly [number, number, number] {
  const { ops } = history;
  let [ok, fail, uncertain] = [0, 0, 0];
  for (let op = 0; op < ops.count; op++) {
    if (ops.kind[op] !== kind) continue;
    if (ops.status[op] === opStatus.ok) ok++;
    else if (ops.status[op] === opStatus.fail) fail++;
    else uncertain++;
  }
  return [ok, fail, uncertain];
}

/** The first event of a log is where its leader stood at the start. */
function countLeaderChanges(history: History): number {
  const last = new Map<unknown, string>();
  let changes = 0;
  for (const event of history.observations) {
    if (event.f !== 'leader') continue;
    const log = fieldOf(event, 'log');
    const leader = JSON.stringify([fieldOf(event, 'leader'), fieldOf(event, 'leaderEpoch')]);
    if (last.has(log) && last.get(log) !== leader) changes++;
    last.set(log, leader);
  }
  return changes;
}

function coverFaults(history: History): Readonly<Record<string, FaultCoverage>> {
  const kinds = new Map<string, { injected: number; tookEffect: number; healed: number }>();
  for (const kind of history.header.faults ?? []) {
    kinds.set(kind, { injected: 0, tookEffect: 0, healed: 0 });
  }
  for (const { kind, tookEffect, healed } of faultsOf(history)) {
    const counts = kinds.get(kind) ?? { injected: 0, tookEffect: 0, healed: 0 };
    counts.injected++;
    if (tookEffect) counts.tookEffect++;
    if (healed !== null) counts.healed++;
    kinds.set(kind, counts);
  }
  return Object.fromEntries([...kinds.keys()].sort().map((kind) => [kind, kinds.get(kind)!]));
}

/** How much of the evidence of a fault that did not bite is quoted. */
const quotedCharsMax = 400;

/** What was measured of the last fault of a kind, for whoever asks why none of them counts. */
export function doubtOf(history: History, kind: string): string | null {
  const last = faultsOf(history).findLast((fault) => fault.kind === kind);
  if (last?.evidence == null) return null;
  const text = JSON.stringify(last.evidence);
  const quoted = text.length <= quotedCharsMax ? text : `${text.slice(0, quotedCharsMax)}…`;
  return `the evidence of ${last.id} (event ${last.index}) is ${quoted}`;
}

function worstDelay(history: History): Coverage['eventLoopDelayMs'] {
  const delays = history.observations.filter(({ f }) => f === 'delay');
  if (delays.length === 0) return null;
  const worst = (field: string): number =>
    delays.reduce((most, event) => Math.max(most, numberOf(event, field)), 0);
  return { max: worst('maxMs'), p99: worst('p99Ms') };
}

function abandonedCalls(history: History): Coverage['abandonedCalls'] {
  const event = history.observations.findLast(({ f }) => f === 'abandoned');
  if (event === undefined) return null;
  return { total: numberOf(event, 'total'), unsettled: numberOf(event, 'unsettled') };
}

function interruptions(history: History): readonly string[] {
  return history.observations
    .filter(({ f }) => f === 'interrupted')
    .map((event) => {
      const signal = fieldOf(event, 'signal');
      return `the run was interrupted${typeof signal === 'string' ? ` by ${signal}` : ''}`;
    });
}

function fieldOf({ value }: HistoryEvent, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[field];
}

function numberOf(event: HistoryEvent, field: string): number {
  const value = fieldOf(event, field);
  return typeof value === 'number' ? value : 0;
}
