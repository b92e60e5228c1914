/** Where a value is known to stand in a log: acknowledged offsets and offsets seen, with the operation that proves each. */
import {
  isCompacted,
  sightsOf,
  topicOf,
  type Operation,
  type Replay,
  type Send,
  type Sight,
} from './replay.ts';
import { disproves, holdsAt, holdsRecord, scansOf, speaksOf, type Scan } from './scans.ts';

export interface Standing {
  readonly offset: number;
  /** The operations that prove it, each at its end. */
  readonly proofs: readonly Operation[];
}

/** Sights of what `send` wrote. */
export function sightsOfSend(replay: Replay, send: Send): readonly Sight[] {
  return send.log === null
    ? (replay.sightsByValue.get(send.value) ?? []).filter(
        (sight) => topicOf(sight.log) === send.topic,
      )
    : sightsOf(replay, send.log, send.value);
}

/** Where it went: as its answer said, else wherever it was seen. */
export function logsOfSend(replay: Replay, send: Send): readonly string[] {
  if (send.log !== null) return [send.log];
  return [...new Set(sightsOfSend(replay, send).map((sight) => sight.log))];
}

/** The send took effect in every completion: acknowledged, or seen though not certainly failed. */
export function isProved(replay: Replay, send: Send): boolean {
  return (
    send.op.status === 'ok' || (send.op.status === 'info' && sightsOfSend(replay, send).length > 0)
  );
}

/** Offsets of `send` in `log`, by acknowledgement, by the answer of a proved uncertain send, and by sight. */
export function standings(replay: Replay, send: Send, log: string): readonly Standing[] {
  const proofs = new Map<number, Operation[]>();
  const add = (offset: number, op: Operation): void => {
    const list = proofs.get(offset);
    if (list === undefined) proofs.set(offset, [op]);
    else list.push(op);
  };
  if (send.topicOnly ? send.topic !== topicOf(log) : send.log !== log) return [];
  const sights = sightsOf(replay, log, send.value);
  if (send.log === log && send.offset !== null) {
    if (send.op.status === 'ok') add(send.offset, send.op);
    if (send.op.status === 'info') for (const sight of sights) add(send.offset, sight.op);
  }
  for (const sight of sights) add(sight.offset, sight.op);
  // Acknowledged without an offset and seen at one place only: there it stood when it was acknowledged.
  const [place, ...others] = proofs.keys();
  if (send.op.status === 'ok' && send.offset === null && place !== undefined) {
    const logs = logsOfSend(replay, send);
    if (others.length === 0 && logs.length === 1 && logs[0] === log) add(place, send.op);
  }
  return [...proofs].map(([offset, list]) => ({ offset, proofs: list }));
}

/** A scan after one of the proofs shows that the record is not at that offset. Never by absence on compacted logs. */
export function provedLost(
  replay: Replay,
  log: string,
  value: Send['value'],
  standing: Standing,
  which: (scan: Scan) => boolean = () => true,
): boolean {
  return scansOf(replay).some(
    (scan) =>
      scan.log === log &&
      which(scan) &&
      (!isCompacted(replay, log) || holdsAt(scan, standing.offset).length > 0) &&
      standing.proofs.some((op) => disproves(replay, scan, op, standing.offset, value)),
  );
}

/** The answer to the send, acknowledged or not, gave this offset, and a scan holds something else there, or nothing. */
export function isAnswerContradicted(
  replay: Replay,
  send: Send,
  log: string,
  offset: number,
): boolean {
  return (
    send.log === log && send.offset === offset && contradicted(replay, log, send.value, offset)
  );
}

/** Some scan, whenever it was, read that offset and did not find the value there. */
function contradicted(replay: Replay, log: string, value: Send['value'], offset: number): boolean {
  return scansOf(replay).some(
    (scan) =>
      scan.log === log &&
      scan.view !== 'raw' &&
      speaksOf(scan, offset) &&
      !holdsRecord(scan, offset, value) &&
      (!isCompacted(replay, log) || holdsAt(scan, offset).length > 0),
  );
}
