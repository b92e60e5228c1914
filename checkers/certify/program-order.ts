/** Re-proves nonmonotonic-send and int-nonmonotonic-send: a session's sends took offsets against its own order. */
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { isAnswerContradicted, isProved, provedLost, standings } from './records.ts';
import type { Replay, Send } from './replay.ts';

export function certifyNonmonotonicSend({ replay, ops, witness }: Claim): Certificate {
  const sends = candidates({ replay, ops, witness });
  const proof = sends.some((earlier) =>
    sends.some(
      (later) =>
        earlier.op.session === later.op.session &&
        inOrder(earlier, later) &&
        against(replay, earlier, later),
    ),
  );
  return verdict(proof, 'the named sends of one session stand in its order');
}

export function certifyIntNonmonotonicSend({ replay, ops, witness }: Claim): Certificate {
  const sends = candidates({ replay, ops, witness });
  const proof = sends.some((earlier) =>
    sends.some(
      (later) =>
        earlier.op === later.op && inOrder(earlier, later) && against(replay, earlier, later),
    ),
  );
  return verdict(proof, 'the sends of the named operation stand in its order');
}

function candidates({ replay, ops, witness }: Claim): readonly Send[] {
  return replay.sends.filter(
    (send) =>
      ops.includes(send.op) &&
      (witness.log === undefined || send.log === witness.log) &&
      isProved(replay, send),
  );
}

/** Program order is the order of recording: an attempt counts from when it was made. */
export function inOrder(earlier: Send, later: Send): boolean {
  if (earlier.recorded !== later.recorded) return earlier.recorded < later.recorded;
  return earlier.op === later.op && earlier.place < later.place;
}

/** The earlier one was acknowledged, so the later one had to come behind it. */
export function against(replay: Replay, earlier: Send, later: Send): boolean {
  if (earlier.op.status !== 'ok') return false;
  const { log } = earlier;
  if (log === null || log !== later.log) return false;
  const first = leastOffset(replay, earlier, log);
  const second = leastOffset(replay, later, log);
  return first !== null && second !== null && second < first;
}

/** Of copies the least offset counts, unless it, or the one that the answer gave, is lost or contradicted by a scan. */
function leastOffset(replay: Replay, send: Send, log: string): number | null {
  const places = standings(replay, send, log).toSorted((a, b) => a.offset - b.offset);
  const telling = places.filter((place, i) => i === 0 || place.offset === send.offset);
  const refuted = telling.some(
    (place) =>
      provedLost(replay, log, send.value, place) ||
      isAnswerContradicted(replay, send, log, place.offset),
  );
  return refuted ? null : (places[0]?.offset ?? null);
}
