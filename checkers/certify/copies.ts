/** Re-proves duplicate and inconsistent-offsets: one value at two offsets, two values at one. */
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { provedLost } from './records.ts';
import { isExternal, sightsOf, writersOf, type Replay, type Sight } from './replay.ts';
import { scansOf } from './scans.ts';

export function certifyDuplicate({ replay, ops, witness }: Claim): Certificate {
  const seen = replay.sights.filter(
    (sight) =>
      ops.includes(sight.op) &&
      (witness.value === undefined || sight.value === witness.value) &&
      !isExternal(replay, sight.log) &&
      isCommittedData(replay, sight),
  );
  const proof = seen.some((a) => seen.some((b) => isCopy(replay, a, b)));
  return verdict(proof, 'no value was seen at two offsets that both still stand');
}

function isCopy(replay: Replay, a: Sight, b: Sight): boolean {
  if (a.value !== b.value) return false;
  if (a.log === b.log) {
    if (a.offset === b.offset) return false;
    const together = scansOf(replay).some(
      (scan) =>
        scan.log === a.log &&
        scan.tiles.some((chunk) => chunk.op === a.op) &&
        scan.tiles.some((chunk) => chunk.op === b.op),
    );
    return together || (!lost(replay, a) && !lost(replay, b));
  }
  const chosen = replay.sends.some(
    (send) =>
      send.topicOnly &&
      send.value === a.value &&
      a.log.startsWith(`${send.topic}/`) &&
      b.log.startsWith(`${send.topic}/`),
  );
  return chosen && !lost(replay, a) && !lost(replay, b);
}

function lost(replay: Replay, sight: Sight): boolean {
  const proofs = sightsOf(replay, sight.log, sight.value)
    .filter((other) => other.offset === sight.offset)
    .map((other) => other.op);
  return provedLost(replay, sight.log, sight.value, { offset: sight.offset, proofs });
}

/** An uncommitted view shows committed data too where no transaction wrote it. */
function isCommittedData(replay: Replay, sight: Sight): boolean {
  if (sight.by !== 'uncommitted') return true;
  return writersOf(replay, sight.log, sight.value).every((send) => send.op.f === 'send');
}

export function certifyInconsistentOffsets({ replay, ops, witness }: Claim): Certificate {
  const claims = [
    ...replay.sights
      .filter((sight) => ops.includes(sight.op))
      .map(({ log, offset, value }) => ({ log, offset, value })),
    ...replay.sends
      .filter((send) => ops.includes(send.op) && send.op.status !== 'fail')
      .filter(
        (send) =>
          send.op.status === 'ok' ||
          (send.log !== null && sightsOf(replay, send.log, send.value).length > 0),
      )
      .map(({ log, offset, value }) => ({ log, offset, value })),
  ].filter(
    (claim) =>
      claim.log !== null &&
      claim.offset !== null &&
      (witness.log === undefined || claim.log === witness.log) &&
      (witness.offset === undefined || claim.offset === witness.offset),
  );
  const proof = claims.some((a) =>
    claims.some((b) => a.log === b.log && a.offset === b.offset && a.value !== b.value),
  );
  return verdict(proof, 'the named operations do not put two proved values at one offset');
}
