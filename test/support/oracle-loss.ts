/** Oracles of durability: lost-write, truncated-read, scan-divergence. */
import { isAmbiguous, keysDiverge } from './oracle-compaction.ts';
import {
  before,
  counted,
  topicName,
  type Model,
  type ModelOp,
  type ModelScan,
  type ModelSend,
  type ModelSight,
  type OracleAnswer,
} from './oracle-model.ts';
import {
  cutAt,
  goneFrom,
  heldAt,
  inScan,
  isCompactedLog,
  isComplete,
  offsetMax,
  scanBegan,
  spokenOf,
} from './oracle-scans.ts';

function sightsOfSend(model: Model, send: ModelSend): readonly ModelSight[] {
  return model.sights.filter(
    (sight) =>
      sight.value === send.value &&
      (send.log === null ? topicName(sight.log) === send.topic : sight.log === send.log),
  );
}

/** What proves the send, each at its end: its acknowledgement, and every sight of it. */
function owedFrom(model: Model, send: ModelSend): readonly ModelOp[] {
  if (send.op.status === 'fail') return [];
  const sights = sightsOfSend(model, send).map((sight) => sight.op);
  return send.op.status === 'ok' ? [send.op, ...sights] : sights;
}

/** Sights of what the send wrote, or of a copy of it, in one log. */
function sightsIn(model: Model, send: ModelSend, log: string): readonly ModelSight[] {
  return model.sights.filter(
    (sight) =>
      sight.log === log &&
      sight.value === send.value &&
      (send.topicOnly ? send.topic === topicName(log) : send.log === log),
  );
}

/** Every offset that the acknowledgement, or somebody's sight, gave the send in that log. */
export function placesOf(model: Model, send: ModelSend, log: string): readonly number[] {
  const seen = sightsIn(model, send, log);
  const answered =
    send.log === log &&
    send.offset !== null &&
    (send.op.status === 'ok' || (send.op.status !== 'fail' && seen.length > 0));
  return [...new Set([...(answered ? [send.offset] : []), ...seen.map((s) => s.offset)])];
}

/** The operations at whose end the send certainly stood at that offset of that log. */
export function proofsAt(
  model: Model,
  send: ModelSend,
  log: string,
  offset: number,
): readonly ModelOp[] {
  const seen = sightsIn(model, send, log);
  const there = seen.filter((sight) => sight.offset === offset);
  const places = new Set(sightsOfSend(model, send).map((s) => `${s.log} ${s.offset}`));
  const answered = send.log === log && send.offset === offset;
  const told = send.log === null || send.log === log;
  const nowhereElse = told && send.offset === null && there.length > 0 && places.size === 1;
  return [
    ...(send.op.status === 'ok' && (answered || nowhereElse) ? [send.op] : []),
    ...(send.op.status !== 'ok' && answered ? seen : there).map(({ op }) => op),
  ];
}

export function lostWriteOracle(model: Model): OracleAnswer {
  const lost = model.sends.filter((send) => {
    const seen = sightsOfSend(model, send).map(({ log }) => log);
    // Where nobody told the partition, it is lost once it is gone from everywhere it was seen.
    const logs = send.log === null ? [...new Set(seen)] : [send.log];
    return logs.length > 0 && logs.every((log) => isLost(model, send, log));
  });
  return counted(lost.length);
}

function isLost(model: Model, send: ModelSend, log: string): boolean {
  const owed = owedFrom(model, send).filter(
    (op) => op === send.op || model.sights.some((s) => s.op === op && s.log === log),
  );
  if (owed.length === 0) return false;
  if (isCompactedLog(model, log) || model.external.has(topicName(log))) return false;
  const scans = model.scans.filter((scan) => scan.log === log);
  if (scans.some((scan) => lacks(model, send, scan, owed))) return true;
  return !scans.some((scan) => decides(model, send, scan)) && isReadPast(model, send, log);
}

function lacks(model: Model, send: ModelSend, scan: ModelScan, owed: readonly ModelOp[]): boolean {
  if (inScan(scan, null, send.value)) return false;
  const places = placesOf(model, send, scan.log);
  if (owed.some((op) => scanBegan(model, scan, op))) {
    const spoken = spokenOf(scan);
    if (places.some((offset) => spoken.includes(offset))) return true;
    const fromZero = scan.chunks.every(({ start }) => start === 0);
    if (places.length === 0 && isComplete(scan) && fromZero) return true;
  }
  return (
    places.length > 0 &&
    scan.chunks.some(
      (chunk) =>
        owed.some((op) => before(model, op, chunk.op)) &&
        places.every((offset) => cutAt(model, scan, chunk, offset)),
    )
  );
}

/** A complete scan after the acknowledgement reaches beyond the offset: there is an audit of it. */
function decides(model: Model, send: ModelSend, scan: ModelScan): boolean {
  const end = scan.chunks[0]!.end;
  return isComplete(scan) && scanBegan(model, scan, send.op) && (send.offset ?? end) < end;
}

/** A reader that began at or below the offset went past it, and nobody ever saw the value. */
function isReadPast(model: Model, send: ModelSend, log: string): boolean {
  const { offset } = send;
  if (offset === null || send.op.status !== 'ok' || sightsOfSend(model, send).length > 0) {
    return false;
  }
  return model.epochs
    .filter((epoch) => epoch.log === log)
    .some(({ from, sights }) =>
      sights.some(
        (past, i) =>
          past.offset > offset &&
          ((from !== null && from <= offset) ||
            sights.slice(0, i).some((sight) => sight.offset < offset)) &&
          !before(model, past.op, send.op, send.inv) &&
          notBelowStart(model, log, offset, past.op),
      ),
    );
}

/** The log start was certainly at or below the offset when `op` had ended. */
export function notBelowStart(model: Model, log: string, offset: number, op: ModelOp): boolean {
  const chunks = model.scans.filter((scan) => scan.log === log).flatMap(({ chunks }) => chunks);
  if (chunks.some((chunk) => chunk.start <= offset && before(model, op, chunk.op))) return true;
  return !model.retention && chunks.every((chunk) => chunk.start <= offset);
}

export function truncatedReadOracle(model: Model): OracleAnswer {
  const found = model.sights.some(
    (sight) =>
      sight.by === 'poll' &&
      !isCompactedLog(model, sight.log) &&
      goneFrom(
        model,
        sight.log,
        sight.offset,
        sight.value,
        sight.op,
        (scan) => isComplete(scan) && scanBegan(model, scan, sight.op),
      ),
  );
  return { found, count: null };
}

export function scanDivergenceOracle(model: Model): OracleAnswer {
  const scans = model.scans.filter(isComplete);
  const found = scans.some((a) =>
    scans.some((b) => a.log === b.log && a.view === b.view && disagree(model, a, b)),
  );
  if (!found && isAmbiguous(model)) return { found: null, count: null };
  return { found: found || keysDiverge(model), count: null };
}

function disagree(model: Model, a: ModelScan, b: ModelScan): boolean {
  const end = Math.min(a.chunks[0]!.end, b.chunks[0]!.end);
  const start = Math.max(...[a, b].flatMap(({ chunks }) => chunks.map((chunk) => chunk.start)));
  for (let offset = start; offset < Math.min(end, offsetMax); offset++) {
    const [inA, inB] = [heldAt(a, offset), heldAt(b, offset)];
    if (isCompactedLog(model, a.log) && (inA.length === 0 || inB.length === 0)) continue;
    if (inA.some((value) => !inB.includes(value)) || inB.some((value) => !inA.includes(value))) {
      return true;
    }
  }
  return false;
}
