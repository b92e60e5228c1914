/** Re-proves lost-write, truncated-read and scan-divergence: something proved, and a scan that is without it. */
import { readPast } from './epochs.ts';
import { keysDiffer } from './compaction.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { isProved, logsOfSend, sightsOfSend, standings } from './records.ts';
import {
  endPoint,
  isCompacted,
  isExternal,
  precedes,
  recordedPoint,
  sightsOf,
  writersOf,
  type Operation,
  type Replay,
  type Send,
  type Sight,
} from './replay.ts';
import {
  cutsTail,
  holds,
  holdsAt,
  holdsRecord,
  measuredAfter,
  scannedAfter,
  scansAmong,
  scansOf,
  speaksOf,
  type Scan,
} from './scans.ts';

export function certifyLostWrite({ replay, ops, witness }: Claim): Certificate {
  const lost = replay.sends.filter(
    (send) =>
      ops.includes(send.op) &&
      (witness.value === undefined || send.value === witness.value) &&
      isOwed(replay, send),
  );
  const proof = lost.some(
    (send) =>
      isGoneEverywhere(replay, send, scansAmong(replay, ops)) ||
      isNowhere(replay, send, scansAmong(replay, ops)) ||
      wasReadPast(replay, send, ops),
  );
  return verdict(proof, 'no named scan or reader shows that a named send is gone');
}

/** Proved, in a topic of ours that is not compacted, and plain or of a committed transaction. */
function isOwed(replay: Replay, send: Send): boolean {
  const log = send.log ?? send.topic;
  return (
    !isCompacted(replay, log) &&
    !isExternal(replay, log) &&
    isProved(replay, send) &&
    (send.op.f === 'send' || send.op.status === 'ok')
  );
}

/** From the log that it went to; where nobody told the partition, from every log in which it was seen. */
function isGoneEverywhere(replay: Replay, send: Send, scans: readonly Scan[]): boolean {
  const logs = logsOfSend(replay, send);
  return (
    logs.length > 0 &&
    logs.every((log) => scans.some((scan) => scan.log === log && isAbsent(replay, send, scan)))
  );
}

function isAbsent(replay: Replay, send: Send, scan: Scan): boolean {
  if (holds(scan, send.value)) return false;
  const known = standings(replay, send, scan.log);
  // A raw scan names no values, so it is without none; where the log ends it says like any other.
  const after =
    scan.view !== 'raw' &&
    proofs(replay, send, scan.log).some((op) => scannedAfter(replay, scan, op));
  return (
    (after && known.some(({ offset }) => speaksOf(scan, offset))) ||
    (after && known.length === 0 && scan.complete && scan.fromZero) ||
    tailCut(replay, send, scan)
  );
}

/** Nobody told the partition: it is in none of them, by a named scan of each. */
function isNowhere(replay: Replay, send: Send, scans: readonly Scan[]): boolean {
  const partitions = replay.header.topics?.[send.topic]?.partitions ?? 0;
  if (partitions === 0 || logsOfSend(replay, send).length > 0) return false;
  return Array.from({ length: partitions }, (_, partition) => `${send.topic}/${partition}`).every(
    (log) =>
      scans.some(
        (scan) =>
          scan.log === log &&
          scan.view !== 'raw' &&
          scan.complete &&
          scan.fromZero &&
          scannedAfter(replay, scan, send.op) &&
          !holds(scan, send.value),
      ),
  );
}

/** A chunk that was invoked after the proof measured an end at or below every offset that the send may have. */
function tailCut(replay: Replay, send: Send, scan: Scan): boolean {
  const known = standings(replay, send, scan.log);
  return scan.chunks.some(
    (chunk) =>
      proofs(replay, send, scan.log).some((op) => measuredAfter(replay, chunk, op)) &&
      known.length > 0 &&
      known.every(({ offset }) => cutsTail(replay, chunk, offset)),
  );
}

/** Operations at whose end the send had certainly taken effect in that log. */
function proofs(replay: Replay, send: Send, log: string): readonly Operation[] {
  const acknowledged = send.op.status === 'ok' ? [send.op] : [];
  return [...acknowledged, ...sightsOf(replay, log, send.value).map((sight) => sight.op)];
}

/** Without a scan: a named reader began at or below the offset and went past it, and nobody ever saw the value. */
function wasReadPast(replay: Replay, send: Send, ops: readonly Operation[]): boolean {
  const { log, offset, op } = send;
  if (log === null || offset === null || op.status !== 'ok') return false;
  return (
    sightsOfSend(replay, send).length === 0 &&
    !scansOf(replay).some((scan) => scan.log === log && decides(replay, scan, send, offset)) &&
    readPast(replay, log, offset).some(
      (reader) => ops.includes(reader) && !precedes(replay, endPoint(reader), recordedPoint(send)),
    )
  );
}

/** A complete scan after the acknowledgement reached beyond the offset, so that readers need not tell. */
function decides(replay: Replay, scan: Scan, send: Send, offset: number): boolean {
  const end = scan.chunks[0]?.value.end ?? 0;
  return (
    scan.view !== 'raw' && scan.complete && offset < end && scannedAfter(replay, scan, send.op)
  );
}

export function certifyTruncatedRead({ replay, ops, witness }: Claim): Certificate {
  const scans = scansAmong(replay, ops).filter((scan) => scan.complete && scan.view !== 'raw');
  const proof = replay.sights.some(
    (sight) =>
      ops.includes(sight.op) &&
      sight.by === 'poll' &&
      (witness.offset === undefined || sight.offset === witness.offset) &&
      (witness.value === undefined || sight.value === witness.value) &&
      !isCompacted(replay, sight.log) &&
      writersOf(replay, sight.log, sight.value).every(
        (send) => send.op.f === 'send' || send.op.status === 'ok',
      ) &&
      scans.some((scan) => isGone(replay, sight, scan)),
  );
  return verdict(proof, 'every named scan still holds what the named readers saw');
}

function isGone(replay: Replay, sight: Sight, scan: Scan): boolean {
  return (
    scan.log === sight.log &&
    scannedAfter(replay, scan, sight.op) &&
    !holdsRecord(scan, sight.offset, sight.value) &&
    (speaksOf(scan, sight.offset) ||
      scan.chunks.some((chunk) => cutsTail(replay, chunk, sight.offset)))
  );
}

export function certifyScanDivergence({ replay, ops, witness }: Claim): Certificate {
  const scans = scansAmong(replay, ops).filter((scan) => scan.complete && scan.view !== 'raw');
  const proof = scans.some((a) =>
    scans.some(
      (b) =>
        a !== b &&
        a.log === b.log &&
        a.view === b.view &&
        (witness.log === undefined || a.log === witness.log) &&
        (offsetsOf(a, b)
          .filter((offset) => witness.offset === undefined || offset === witness.offset)
          .some((offset) => disagree(replay, a, b, offset)) ||
          keysDiffer(replay, a, b, witness.offset)),
    ),
  );
  return verdict(proof, 'no two named scans of one view disagree where both can speak');
}

function offsetsOf(a: Scan, b: Scan): readonly number[] {
  return [a, b].flatMap((scan) =>
    scan.chunks.flatMap((chunk) => (chunk.value.records ?? []).map((record) => record[0])),
  );
}

function disagree(replay: Replay, a: Scan, b: Scan, offset: number): boolean {
  if (!speaksOf(a, offset) || !speaksOf(b, offset)) return false;
  const inA = holdsAt(a, offset);
  const inB = holdsAt(b, offset);
  if (isCompacted(replay, a.log) && (inA.length === 0 || inB.length === 0)) return false;
  return inA.some((value) => !inB.includes(value)) || inB.some((value) => !inA.includes(value));
}
