/** Re-proves key-reordered and key-moved: records of one key keep their order, and their partition. */
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { against, inOrder } from './program-order.ts';
import { isProved, logsOfSend } from './records.ts';
import { endPoint, type Replay, type Send } from './replay.ts';

export function certifyKeyReordered(claim: Claim): Certificate {
  const sends = keyedSends(claim);
  const proof = sends.some((earlier) =>
    sends.some(
      (later) =>
        earlier.meta.key === later.meta.key &&
        earlier.op.session === later.op.session &&
        inOrder(earlier, later) &&
        against(claim.replay, earlier, later),
    ),
  );
  return verdict(proof, 'the named sends of one session and key stand in its order');
}

export function certifyKeyMoved(claim: Claim): Certificate {
  const { replay } = claim;
  const sends = keyedSends(claim).filter((send) => send.topicOnly);
  const proof = sends.some((a) =>
    sends.some(
      (b) =>
        a.topic === b.topic &&
        a.meta.key === b.meta.key &&
        differ(logsOfSend(replay, a), logsOfSend(replay, b)) &&
        isPartitioningKept(replay, a, b),
    ),
  );
  return verdict(proof, 'the named sends of one key stand in one partition');
}

function keyedSends({ replay, ops }: Claim): readonly Send[] {
  return replay.sends.filter(
    (send) => ops.includes(send.op) && send.meta.key !== undefined && isProved(replay, send),
  );
}

function differ(a: readonly string[], b: readonly string[]): boolean {
  return a.some((log) => b.some((other) => other !== log));
}

/** No event told another number of partitions while either of them may have been under way, nor between them. */
function isPartitioningKept(replay: Replay, a: Send, b: Send): boolean {
  const from = Math.min(a.op.invoke.index, b.op.invoke.index);
  const ends = [a, b].map(({ op }) => (op.status === 'info' ? Infinity : endPoint(op).index));
  return !replay.events.some(
    (event) =>
      event.f === 'partitions' &&
      (event.value as { readonly topic?: string }).topic === a.topic &&
      event.index > from &&
      event.index < Math.max(...ends),
  );
}
