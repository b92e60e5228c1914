/** Re-proves compaction-lost-key, compaction-resurrected-key, and scan-divergence where a compacted log's scans differ in a key. */
import type { Meta, Scalar } from '../../src/history/event.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { logsOfSend, standings } from './records.ts';
import {
  acksAll,
  endPoint,
  isCompacted,
  isExternal,
  precedes,
  sightsOf,
  topicOf,
  writersOf,
  type Operation,
  type Replay,
  type Send,
} from './replay.ts';
import { holds, scansAmong, type Chunk, type Scan } from './scans.ts';

/** A record of the key that may stand in the log. */
interface Possible {
  readonly value: Scalar;
  /** Least offset where it is known to stand; null: nobody told. */
  readonly offset: number | null;
  readonly tombstone: boolean;
  /** ns; -Infinity where nobody here sent it. */
  readonly sent: number;
  /** Operations at whose end it is proved and owed; empty: neither. */
  readonly proofs: readonly Operation[];
}

interface Last {
  readonly offset: number;
  readonly value: Scalar;
  readonly chunk: Chunk;
}

export function certifyLostKey(claim: Claim): Certificate {
  const { replay } = claim;
  const proof = namedScans(claim).some(({ scan, key }) => {
    const all = recordsOfKey(replay, scan.log, key);
    return lastShown(replay, scan, key, all) === null && !isLegal(replay, scan, null, all);
  });
  return verdict(proof, 'every named scan holds the key, or something explains that it does not');
}

export function certifyResurrectedKey(claim: Claim): Certificate {
  const { replay, witness } = claim;
  const proof = namedScans(claim).some(({ scan, key }) => {
    const all = recordsOfKey(replay, scan.log, key);
    const shown = lastShown(replay, scan, key, scan.view === 'committed' ? null : all);
    if (shown === null) return false;
    if (witness.offset !== undefined && shown.offset !== witness.offset) return false;
    if (scan.view === 'committed' && isAborted(replay, scan.log, shown.value)) return true;
    return !isLegal(replay, scan, shown, all);
  });
  return verdict(
    proof,
    'every named scan shows the last record of the key, or something explains what it shows',
  );
}

/** Two complete scans of one view: one shows a record as the last of its key, the other holds neither it nor a later one. */
export function keysDiffer(replay: Replay, a: Scan, b: Scan, offset: number | undefined): boolean {
  if (!isCompacted(replay, a.log)) return false;
  const end = Math.min(endOf(a), endOf(b));
  return keysIn(replay, a).some((key) => {
    const all = recordsOfKey(replay, a.log, key);
    const [shown, other] = [lastShown(replay, a, key, all), lastShown(replay, b, key, all)];
    if (shown === null || shown.offset >= end || shown.offset < startOf(b)) return false;
    if (offset !== undefined && shown.offset !== offset) return false;
    if (other !== null && other.offset >= shown.offset) return false;
    const tombstone = all.some((each) => each.value === shown.value && each.tombstone);
    if (other === null && tombstone) return false;
    const sides = [
      { scan: a, last: shown, owed: [] },
      { scan: b, last: other, owed: [] },
    ];
    const seen = all.filter(({ value }) => holds(a, value) || holds(b, value));
    return !canBe(replay, sides, all, seen);
  });
}

interface Side {
  readonly scan: Scan;
  readonly last: Last | null;
  /** It had to read these, though they stand behind the end that it measured. */
  readonly owed: readonly Possible[];
}

/** What is owed to the scan can have been written, and the scan show what it shows. */
function isLegal(replay: Replay, scan: Scan, last: Last | null, all: readonly Possible[]): boolean {
  const owed = owedTo(replay, scan, all);
  return canBe(replay, [{ scan, last, owed }], all, owed);
}

/** There is a choice of what was written, `certain` among it, of which the sides lack only what a cleaner may have removed. */
function canBe(
  replay: Replay,
  sides: readonly Side[],
  all: readonly Possible[],
  certain: readonly Possible[],
): boolean {
  // What cannot be explained though all else was written was not written: and so on, until all that is left can be.
  let written = all;
  for (;;) {
    const left = written.filter((each) =>
      sides.every((side) => mayBeAbsent(replay, side, each, written)),
    );
    if (certain.some((each) => !left.includes(each))) return false;
    if (left.length === written.length) return true;
    written = left;
  }
}

function mayBeAbsent(
  replay: Replay,
  { scan, last, owed }: Side,
  each: Possible,
  written: readonly Possible[],
): boolean {
  const { offset } = each;
  if (offset === null || offset < startOf(scan) || holds(scan, each.value)) return true;
  if (offset >= endOf(scan) && !owed.includes(each)) return true;
  if (last !== null && last.offset > offset) return true;
  const older = last === null || last.offset === offset ? null : last;
  const place = chunkOf(scan, offset);
  if (older !== null && older.chunk === place) return false;
  const until = lastChunk(scan).op.end + 2 * replay.errorNs;
  const superseded = written.some(
    (other) =>
      other !== each && (other.offset === null || other.offset > offset) && other.sent <= until,
  );
  const deleted =
    each.tombstone &&
    until - each.sent >= retentionNs(replay) &&
    (older === null || tookLonger(replay, older.chunk, place));
  return superseded || deleted;
}

function namedScans({ replay, ops, witness }: Claim): readonly { scan: Scan; key: Scalar }[] {
  const key = witness['key'] as Scalar | undefined;
  return scansAmong(replay, ops)
    .filter(
      (scan) =>
        (witness.log === undefined || scan.log === witness.log) &&
        scan.complete &&
        scan.view !== 'raw' &&
        isCompacted(replay, scan.log),
    )
    .flatMap((scan) =>
      (key === undefined ? keysOf(replay, scan) : [key]).map((each) => ({ scan, key: each })),
    );
}

function recordsOfKey(replay: Replay, log: string, key: Scalar): readonly Possible[] {
  const sent = replay.sends
    .filter(
      (send) =>
        send.meta.key === key &&
        !hadNoEffect(replay, send, log) &&
        (send.topicOnly ? send.topic === topicOf(log) : send.log === log),
    )
    .map((send): Possible & { readonly elsewhere: boolean } => {
      const places = standings(replay, send, log);
      const logs = logsOfSend(replay, send);
      // What is uncertain and seen here is proved here, though an answer may name another partition.
      const owed = send.op.status === 'ok' || (send.op.status === 'info' && send.op.f === 'send');
      return {
        value: send.value,
        offset: places.length === 0 ? null : Math.min(...places.map(({ offset }) => offset)),
        tombstone: send.meta.tombstone === true,
        sent: send.inv,
        proofs: owed ? provers(replay, send.value, log, send.op) : [],
        elsewhere: places.length === 0 && logs.length > 0 && !logs.includes(log),
      };
    })
    .filter(({ elsewhere }) => !elsewhere);
  const seen = replay.sights.filter(
    (sight) =>
      sight.log === log &&
      sight.meta.key === key &&
      writersOf(replay, log, sight.value).length === 0,
  );
  const strangers = [...new Set(seen.map(({ value }) => value))].map((value): Possible => {
    const own = seen.filter((sight) => sight.value === value);
    return {
      value,
      offset: Math.min(...own.map(({ offset }) => offset)),
      tombstone: own.some(({ meta }) => meta.tombstone === true),
      sent: -Infinity,
      proofs: isExternal(replay, log) ? own.map(({ op }) => op) : [],
    };
  });
  return [...sent, ...strangers];
}

/** It failed, and was not seen all the same: an aborted transaction supersedes nothing, seen or not. */
function hadNoEffect(replay: Replay, send: Send, log: string): boolean {
  if (send.op.status !== 'fail') return false;
  return send.op.f === 'txn' || sightsOf(replay, log, send.value).length === 0;
}

function provers(replay: Replay, value: Scalar, log: string, op: Operation): readonly Operation[] {
  const sights = (replay.sightsByValue.get(value) ?? []).filter((sight) => sight.log === log);
  return [...(op.status === 'ok' ? [op] : []), ...sights.map((sight) => sight.op)];
}

/** What was proved before the scan, and lay where it had to read. */
function owedTo(replay: Replay, scan: Scan, all: readonly Possible[]): readonly Possible[] {
  const { linearizable, end } = scan.chunks[0]!.value;
  const upTo = linearizable === true && acksAll(replay) ? Infinity : end;
  const begun = scan.chunks[0]!.op;
  return all.filter(
    ({ offset, proofs }) =>
      offset !== null &&
      offset >= startOf(scan) &&
      offset < upTo &&
      proofs.some((op) =>
        precedes(replay, endPoint(op), {
          time: begun.inv,
          process: begun.process,
          index: begun.invoke.index,
        }),
      ),
  );
}

/** The last record of the key that the scan shows; aborted ones are passed over unless `all` is null. */
function lastShown(
  replay: Replay,
  scan: Scan,
  key: Scalar,
  all: readonly Possible[] | null,
): Last | null {
  const shown = scan.chunks.flatMap((chunk) =>
    (chunk.value.records ?? []).flatMap(([offset, value, meta]): Last[] =>
      keyOf(replay, scan.log, value, meta) === key ? [{ offset, value, chunk }] : [],
    ),
  );
  return (
    shown
      .filter(({ value }) => all === null || !isAborted(replay, scan.log, value))
      .toSorted((a, b) => b.offset - a.offset)[0] ?? null
  );
}

/** Keys that somebody sent, or saw in the log. */
function keysOf(replay: Replay, { log }: Scan): readonly Scalar[] {
  const sent = replay.sends.flatMap(({ meta }) => meta.key ?? []);
  const seen = replay.sights.filter((sight) => sight.log === log);
  return [...new Set([...sent, ...seen.flatMap(({ meta }) => meta.key ?? [])])];
}

function keysIn(replay: Replay, scan: Scan): readonly Scalar[] {
  const keys = scan.chunks.flatMap((chunk) =>
    (chunk.value.records ?? []).flatMap(
      ([, value, meta]) => keyOf(replay, scan.log, value, meta) ?? [],
    ),
  );
  return [...new Set(keys)];
}

function keyOf(
  replay: Replay,
  log: string,
  value: Scalar,
  meta: Meta | undefined,
): Scalar | undefined {
  const [writer] = writersOf(replay, log, value);
  return writer === undefined ? meta?.key : writer.meta.key;
}

function isAborted(replay: Replay, log: string, value: Scalar): boolean {
  const writers = writersOf(replay, log, value);
  return writers.some(({ op }) => op.f === 'txn' && op.status === 'fail');
}

function tookLonger(replay: Replay, from: Chunk, to: Chunk): boolean {
  return to.op.end - from.op.inv + 2 * replay.errorNs >= retentionNs(replay);
}

function retentionNs(replay: Replay): number {
  return Number(replay.header.config?.['delete.retention.ms'] ?? 86_400_000) * 1_000_000;
}

function chunkOf(scan: Scan, offset: number): Chunk {
  return scan.tiles.find(({ value }) => offset < value.next) ?? lastChunk(scan);
}

function lastChunk(scan: Scan): Chunk {
  return scan.tiles.at(-1)!;
}

function endOf(scan: Scan): number {
  return scan.chunks[0]!.value.end;
}

function startOf(scan: Scan): number {
  return Math.max(...scan.tiles.map(({ value }) => value.start));
}
