/** Re-proves phantom, future-read, corrupt-record and aborted-read: one record seen, against who sent it. */
import type { Witness } from '../../src/spi/verdict.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import {
  endPoint,
  isExternal,
  precedes,
  recordedPoint,
  sameValue,
  writersOf,
  type Operation,
  type Replay,
  type Send,
  type Sight,
} from './replay.ts';

/** Records that a named operation saw and that the witness means. */
function meant(replay: Replay, ops: readonly Operation[], witness: Witness): readonly Sight[] {
  return replay.sights.filter(
    (sight) =>
      ops.includes(sight.op) &&
      (witness.log === undefined || sight.log === witness.log) &&
      (witness.offset === undefined || sight.offset === witness.offset) &&
      (witness.value === undefined || sameValue(sight.value, witness.value)),
  );
}

export function certifyPhantom({ replay, ops, witness }: Claim): Certificate {
  const proof = meant(replay, ops, witness).find(
    (sight) =>
      !isExternal(replay, sight.log) && writersOf(replay, sight.log, sight.value).length === 0,
  );
  return verdict(proof !== undefined, 'no named operation saw a value that nobody sent there');
}

export function certifyFutureRead({ replay, ops, witness }: Claim): Certificate {
  const proof = meant(replay, ops, witness).find((sight) => {
    const writers = writersOf(replay, sight.log, sight.value);
    return (
      writers.length > 0 &&
      writers.every((send) => precedes(replay, endPoint(sight.op), recordedPoint(send)))
    );
  });
  return verdict(proof !== undefined, 'no named read ended before what it saw was sent');
}

export function certifyCorruptRecord({ replay, ops, witness }: Claim): Certificate {
  const proof = meant(replay, ops, witness).find((sight) => {
    const writers = writersOf(replay, sight.log, sight.value);
    return writers.length > 0 && writers.every((send) => differs(send, sight));
  });
  return verdict(proof !== undefined, 'key and hash of every named record are as sent');
}

export function certifyAbortedRead({ replay, ops, witness }: Claim): Certificate {
  const proof = meant(replay, ops, witness).find((sight) => {
    if (sight.by === 'uncommitted') return false;
    const writers = writersOf(replay, sight.log, sight.value);
    // A transaction may read what it wrote itself, whatever becomes of it.
    const own = writers.some((send) => send.op === sight.op);
    return !own && writers.length > 0 && writers.every((send) => send.op.status === 'fail');
  });
  return verdict(proof !== undefined, 'no named reader saw a record of a failed operation');
}

function differs(send: Send, sight: Sight): boolean {
  const other = (sent: unknown, seen: unknown): boolean =>
    sent !== undefined && seen !== undefined && sent !== seen;
  return other(send.meta.hash, sight.meta.hash) || other(send.meta.key, sight.meta.key);
}
