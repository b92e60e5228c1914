/**
 * Re-proves nonmonotonic-poll and poll-skip with their int- forms: within an assignment epoch of one reader and log,
 * offsets rise, and nothing visible lies between two records that follow each other.
 */
import { Memo } from '../../src/core/memo.ts';
import type { AssignValue, AuditCompleted, HistoryEvent } from '../../src/history/event.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { provedLost, standings, type Standing } from './records.ts';
import {
  endPoint,
  groupBy,
  isCompacted,
  isExternal,
  precedes,
  recordedPoint,
  sightsOf,
  startPoint,
  writersOf,
  type Operation,
  type Replay,
  type Send,
  type Sight,
} from './replay.ts';

interface Epoch {
  readonly log: string;
  /** The epoch counts as having read everything below this offset; null: where it began is unknown. */
  readonly from: number | null;
  readonly records: Sight[];
}

const known = new Memo<Replay, readonly Epoch[]>();

/** Two records of an epoch that follow each other; `before` is null at the start of an epoch that is known. */
interface Step {
  readonly log: string;
  readonly before: Sight | null;
  readonly low: number;
  readonly after: Sight;
}

export function certifyNonmonotonicPoll(claim: Claim): Certificate {
  const { replay, ops, witness } = claim;
  const proof = epochsOf(replay).some(
    ({ log, records }) =>
      (witness.log === undefined || witness.log === log) &&
      records.some((earlier, i) =>
        records
          .slice(i + 1)
          .some(
            (later) =>
              later.offset <= earlier.offset && ops.includes(later.op) && ops.includes(earlier.op),
          ),
      ),
  );
  return verdict(proof, 'offsets rise in every epoch of the named polls');
}

export function certifyIntNonmonotonicPoll({ replay, ops, witness }: Claim): Certificate {
  const seen = replay.sights.filter(
    (sight) =>
      sight.by === 'poll' &&
      ops.includes(sight.op) &&
      !(sight.op.f === 'txn' && isChangedDuring(replay.events, sight.op)) &&
      (witness.log === undefined || sight.log === witness.log),
  );
  const proof = seen.some((earlier) =>
    seen.some(
      (later) =>
        later.op === earlier.op &&
        later.log === earlier.log &&
        later.place > earlier.place &&
        later.offset <= earlier.offset,
    ),
  );
  return verdict(proof, 'offsets rise within each named poll');
}

export function certifyPollSkip(claim: Claim): Certificate {
  return certifySkip(claim, () => true);
}

export function certifyIntPollSkip(claim: Claim): Certificate {
  return certifySkip(claim, (step) => step.before?.op === step.after.op);
}

function certifySkip({ replay, ops, witness }: Claim, which: (step: Step) => boolean): Certificate {
  const proof = epochsOf(replay)
    .flatMap(stepsOf)
    .filter(
      (step) =>
        which(step) &&
        (witness.log === undefined || step.log === witness.log) &&
        ops.includes(step.after.op) &&
        (step.before === null || ops.includes(step.before.op)),
    )
    .some((step) =>
      visible(replay, step).some(
        (offset) =>
          witness.offset === undefined ||
          witness.offset === offset ||
          witness.offset === step.after.offset ||
          witness.offset === step.before?.offset,
      ),
    );
  return verdict(proof, 'nothing that had to be visible lies between the named records');
}

/** Polls at whose end a reader that began at or below `offset` had gone past it. */
export function readPast(replay: Replay, log: string, offset: number): readonly Operation[] {
  return epochsOf(replay)
    .filter((epoch) => epoch.log === log)
    .flatMap((epoch) => {
      const beganBelow = (i: number): boolean =>
        (epoch.from !== null && epoch.from <= offset) ||
        epoch.records.slice(0, i).some((record) => record.offset < offset);
      return epoch.records
        .filter((record, i) => record.offset > offset && beganBelow(i))
        .filter((record) => notBelowStart(replay, log, offset, record.op))
        .map((record) => record.op);
    });
}

/**
 * The first record that the process of a rebalance returned of a log under that assignment; of its first poll the one at the
 * lowest offset. Null where none came, or where it is not certain which one it was.
 * @param first false: the first that is certainly of the assignment, whatever came in a poll during which it changed.
 */
export function firstOfAssignment(
  replay: Replay,
  event: HistoryEvent,
  log: string,
  first = true,
): Sight | null {
  const assigned = (event.value as { readonly assigned?: readonly string[] }).assigned ?? [];
  if (!assigned.includes(log)) return null;
  const own = replay.operations.filter(({ process }) => process === event.process);
  const changes = replay.events.filter(
    ({ f, process, index }) =>
      f === 'rebalance' && process === event.process && index > event.index,
  );
  for (const op of own) {
    const ended = op.complete?.index ?? Infinity;
    if (ended < event.index) continue;
    const seen = (replay.sightsByOperation.get(op) ?? []).filter(
      (sight) => sight.by === 'poll' && sight.log === log,
    );
    const during = [event, ...changes].some(
      ({ index }) => index > op.invoke.index && index < ended,
    );
    const touched = changes.some(
      ({ index, value }) => index < op.invoke.index && mentions(value, log),
    );
    if (
      touched ||
      (op.invoke.index > event.index && ['assign', 'subscribe', 'close'].includes(op.f))
    ) {
      return null;
    }
    if (op.invoke.index < event.index && seen.length === 0) continue;
    if (op.status !== 'ok') return null;
    if (during && seen.length > 0) {
      if (first) return null;
      continue;
    }
    const [lowest] = seen.toSorted((a, b) => a.offset - b.offset);
    if (lowest !== undefined) return lowest;
  }
  return null;
}

function mentions(value: unknown, log: string): boolean {
  const lists = value as Record<string, readonly string[] | undefined>;
  return ['assigned', 'revoked', 'lost'].some((word) => lists[word]?.includes(log) === true);
}

/** Offsets above `low` and below the record that its reader had to be given. */
export function skippedBefore(
  replay: Replay,
  log: string,
  low: number,
  first: Sight,
): readonly number[] {
  return visible(replay, { log, before: null, low, after: first });
}

function stepsOf(epoch: Epoch): readonly Step[] {
  return epoch.records.flatMap((after, i): Step[] => {
    const before = epoch.records[i - 1];
    if (before !== undefined) return [{ log: epoch.log, before, low: before.offset, after }];
    return epoch.from === null
      ? []
      : [{ log: epoch.log, before: null, low: epoch.from - 1, after }];
  });
}

/** Offsets strictly inside the step that this reader had to be given. */
function visible(replay: Replay, step: Step): readonly number[] {
  const { log, low, after } = step;
  if (isCompacted(replay, log)) return [];
  const inside = (offset: number): boolean =>
    offset > low && offset < after.offset && notBelowStart(replay, log, offset, after.op);
  const sentLater = (send: Send): boolean =>
    precedes(replay, endPoint(after.op), recordedPoint(send));
  const sent = replay.sends
    .filter(
      (send) => send.op.status === 'ok' || (send.op.f === 'send' && send.op.status === 'info'),
    )
    // What was sent only after the reader had gone by stands in the wrong place: an inversion, no skip.
    .filter((send) => !sentLater(send))
    .flatMap((send) => standings(replay, send, log).map((at) => ({ at, value: send.value })));
  const seen = replay.sights
    .filter(
      (sight) =>
        sight.log === log &&
        writersOf(replay, log, sight.value).length === 0 &&
        !(sight.by === 'uncommitted' && isExternal(replay, log)),
    )
    .map((sight) => ({ at: sightStanding(replay, sight), value: sight.value }));
  return [...sent, ...seen]
    .filter(({ at }) => inside(at.offset))
    .filter(({ at, value }) => !provedLost(replay, log, value, at, (scan) => scan.complete))
    .map(({ at }) => at.offset);
}

function sightStanding(replay: Replay, sight: Sight): Standing {
  const proofs = sightsOf(replay, sight.log, sight.value)
    .filter((other) => other.offset === sight.offset)
    .map((other) => other.op);
  return { offset: sight.offset, proofs };
}

/** Retention had not yet removed `offset` when `op` read past it. */
function notBelowStart(replay: Replay, log: string, offset: number, op: Operation): boolean {
  const chunks = replay.operations.filter(
    (audit) =>
      audit.f === 'audit' &&
      audit.status === 'ok' &&
      (audit.complete?.value as AuditCompleted).log === log,
  );
  const startsOf = (list: readonly Operation[]): readonly number[] =>
    list.map((audit) => (audit.complete?.value as AuditCompleted).start);
  const later = chunks.filter((audit) => precedes(replay, endPoint(op), startPoint(audit)));
  if (startsOf(later).some((start) => start <= offset)) return true;
  const config = replay.header.config ?? {};
  const retention = config['retention.ms'] !== undefined || config['retention.bytes'] !== undefined;
  return !retention && startsOf(chunks).every((start) => start <= offset);
}

/** Epochs of all readers. What a poll returned that is not ok, or without an open epoch, joins none of known start. */
function epochsOf(replay: Replay): readonly Epoch[] {
  return known.of(replay, readEpochs);
}

function readEpochs(replay: Replay): readonly Epoch[] {
  const epochs: Epoch[] = [];
  for (const [process, operations] of groupBy(replay.operations, (op) => op.process)) {
    if (typeof process === 'number') epochs.push(...epochsOfProcess(replay, process, operations));
  }
  return epochs;
}

function epochsOfProcess(
  replay: Replay,
  process: number,
  operations: readonly Operation[],
): readonly Epoch[] {
  const epochs: Epoch[] = [];
  let open = new Map<string, Epoch>();
  const start = (log: string, from: number | null): Epoch => {
    const epoch: Epoch = { log, from, records: [] };
    epochs.push(epoch);
    open.set(log, epoch);
    return epoch;
  };
  const rebalances = replay.events.filter(
    (event) => event.process === process && event.f === 'rebalance',
  );
  let told = 0;
  for (const op of operations) {
    for (; told < rebalances.length && rebalances[told]!.index < op.invoke.index; told++) {
      const { value } = rebalances[told]!;
      for (const log of [...open.keys()]) if (mentions(value, log)) open.delete(log);
    }
    const changed = isChangedDuring(rebalances, op);
    if (op.status !== 'ok' || changed || ['close', 'assign', 'subscribe'].includes(op.f)) {
      open = new Map();
    }
    if (op.f === 'assign' && op.status !== 'fail') {
      const { logs, from } = op.invoke.value as AssignValue;
      for (const log of logs) start(log, firstOffset(from, log));
    }
    const seen = replay.sightsByOperation.get(op) ?? [];
    for (const record of seen.filter((sight) => sight.by === 'poll')) {
      // Between the polls of one transaction nobody knows when it was that the assignment changed.
      if (changed && op.f === 'txn') open.delete(record.log);
      (open.get(record.log) ?? start(record.log, null)).records.push(record);
    }
    if (op.status !== 'ok' || changed) open = new Map();
  }
  return epochs;
}

/** The group took or gave logs while the operation was open. */
function isChangedDuring(events: readonly HistoryEvent[], op: Operation): boolean {
  return events.some(
    ({ f, process, index }) =>
      f === 'rebalance' &&
      process === op.process &&
      index > op.invoke.index &&
      index < (op.complete?.index ?? Infinity),
  );
}

function firstOffset(from: AssignValue['from'], log: string): number | null {
  if (from === 'beginning') return 0;
  if (from === 'end') return null;
  return from[log] ?? null;
}
