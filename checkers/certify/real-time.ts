/**
 * Re-proves real-time-inversion: of two elements of a log (appends at their offsets, ends that were measured), the one
 * with the higher key had finished before the one with the lower key began, so no order of appends explains both.
 */
import type { AuditCompleted } from '../../src/history/event.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { isAnswerContradicted, provedLost, standings } from './records.ts';
import {
  acksAll,
  endPoint,
  precedes,
  recordedPoint,
  startPoint,
  type Operation,
  type Point,
  type Replay,
  type Send,
} from './replay.ts';

interface Element {
  readonly log: string;
  /** Offsets of appends lie half a step above an end of the same number. */
  readonly key: number;
  readonly begun: Point;
  /** Points of time at which it had certainly happened. */
  readonly done: readonly Point[];
}

export function certifyRealTimeInversion({ replay, ops, witness }: Claim): Certificate {
  const elements = [
    ...replay.sends
      .filter((send) => ops.includes(send.op))
      .flatMap((send) => logsOfCopies(replay, send).flatMap((log) => appends(replay, send, log))),
    ...ops.flatMap((op) => endReads(replay, op)),
  ].filter((element) => witness.log === undefined || element.log === witness.log);
  const proof = elements.some((x) =>
    elements.some(
      (y) =>
        x.log === y.log &&
        y.key < x.key &&
        x.done.some((point) => precedes(replay, point, y.begun)),
    ),
  );
  return verdict(proof, 'the named operations can be ordered as their offsets are');
}

/** A send that left the partition to the client may have been written to several. */
function logsOfCopies(replay: Replay, send: Send): readonly string[] {
  const seen = (replay.sightsByValue.get(send.value) ?? []).map(({ log }) => log);
  return [...new Set([...(send.log === null ? [] : [send.log]), ...seen])];
}

function appends(replay: Replay, send: Send, log: string): readonly Element[] {
  const { op } = send;
  if (op.status === 'fail') return [];
  const begun: Point = recordedPoint(send);
  return standings(replay, send, log).flatMap((standing) => {
    const gone =
      provedLost(replay, log, send.value, standing) ||
      (op.status === 'ok' && isAnswerContradicted(replay, send, log, standing.offset));
    if (gone) return [];
    const done = standing.proofs.map((proof) => notBefore(begun, endPoint(proof)));
    return [{ log, key: standing.offset + 0.5, begun, done }];
  });
}

/** A sight before the send began is a future-read, and only that: here it counts as seen when the send began. */
function notBefore(begun: Point, point: Point): Point {
  return point.time < begun.time ? begun : point;
}

function endReads(replay: Replay, op: Operation): readonly Element[] {
  if (op.f !== 'audit' || op.status !== 'ok' || !acksAll(replay)) return [];
  const { linearizable, log, end } = op.complete?.value as AuditCompleted;
  if (linearizable !== true) return [];
  return [{ log, key: end, begun: startPoint(op), done: [endPoint(op)] }];
}
