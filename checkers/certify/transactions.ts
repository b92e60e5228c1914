/** Re-proves what transactions promise: zombie-commit, precommitted-read. */
import { verdict, type Certificate, type Claim } from './certificate.ts';
import {
  endPoint,
  precedes,
  startPoint,
  writersOf,
  type Operation,
  type Replay,
} from './replay.ts';

export function certifyZombieCommit({ replay, ops }: Claim): Certificate {
  const inits = replay.operations.filter(({ f, status }) => f === 'init' && status === 'ok');
  const proof = ops.some((transaction) => {
    if (transaction.f !== 'txn' || transaction.status !== 'ok' || isEmpty(transaction))
      return false;
    const { txn } = transaction.invoke;
    const id = txn?.id ?? transaction.complete?.txn?.id;
    const own = inits.findLast(
      (init) =>
        idOf(init) === id &&
        init.process === transaction.process &&
        init.invoke.index < transaction.invoke.index,
    );
    if (own === undefined || !ops.includes(own)) return false;
    return ops.some(
      (other) =>
        inits.includes(other) &&
        other.process !== own.process &&
        idOf(other) === id &&
        isNewer(replay, other, own) &&
        acts(transaction).some((point) => precedes(replay, endPoint(other), point)),
    );
  });
  return verdict(proof, 'no named transaction acted after a named init of a newer instance');
}

function isEmpty(transaction: Operation): boolean {
  const done = transaction.complete!.value as readonly (readonly unknown[])[];
  return !done.some(([word]) => word === 'send' || word === 'offsets');
}

/** Its invocation, and what it attempted of sends and commit. */
function acts(transaction: Operation) {
  const attempts = transaction.attempts.filter(({ value }) =>
    (value as readonly (readonly unknown[])[]).some(
      ([word]) => word === 'send' || word === 'commit',
    ),
  );
  const points = attempts.map(({ time, process, index }) => ({ time, process, index }));
  return [startPoint(transaction), ...points];
}

function idOf(init: Operation): string {
  return (init.invoke.value as { readonly id: string }).id;
}

function isNewer(replay: Replay, other: Operation, own: Operation): boolean {
  const given = ({ complete }: Operation) =>
    complete!.value as { readonly producerId: number; readonly epoch: number };
  const [its, mine] = [given(other), given(own)];
  return its.producerId === mine.producerId && its.epoch !== mine.epoch
    ? its.epoch > mine.epoch
    : precedes(replay, endPoint(own), startPoint(other));
}

export function certifyPrecommittedRead({ replay, ops, witness }: Claim): Certificate {
  const proof = replay.sights.some(
    (sight) =>
      ops.includes(sight.op) &&
      // Only a transaction both sends and polls.
      (witness.log === undefined || sight.log === witness.log) &&
      (witness.offset === undefined || sight.offset === witness.offset) &&
      writersOf(replay, sight.log, sight.value).some(({ op }) => op === sight.op) &&
      isolationOf(replay, sight.op) === 'read_committed',
  );
  return verdict(proof, 'no named transaction was given what it had sent, under read_committed');
}

/** As its process last asked for it, else as the header says. */
function isolationOf(replay: Replay, op: Operation): string {
  const asked = replay.operations
    .filter(
      ({ f, status, process, invoke }) =>
        ['assign', 'subscribe'].includes(f) &&
        status !== 'fail' &&
        process === op.process &&
        invoke.index < op.invoke.index,
    )
    .flatMap(({ invoke, complete }) => {
      const value = (complete ?? invoke).value as { readonly isolation?: string };
      return value.isolation ?? [];
    });
  const inHeader = replay.header.config?.['isolation.level'];
  return asked.at(-1) ?? (inHeader === 'read_uncommitted' ? inHeader : 'read_committed');
}
