/**
 * Re-proves not-recovered: all faults are proved healed, the history goes on for recoveryMs, and either nothing that was
 * tried on a log was acknowledged, or something acknowledged was never returned though readers went on trying.
 */
import type { AssignValue, AuditCompleted, Evidence } from '../../src/history/event.ts';
import { verdict, type Certificate, type Claim } from './certificate.ts';
import { sightsOfSend } from './records.ts';
import { isExternal, type Operation, type Replay } from './replay.ts';

const nsPerMs = 1_000_000;

export function certifyNotRecovered({ replay, ops, witness }: Claim): Certificate {
  const healed = lastHealNs(replay);
  if (healed === null) return verdict(false, 'some fault is not proved healed');
  const { recoveryMs } = replay.header;
  if (recoveryMs === undefined) return verdict(false, 'the header gives no recoveryMs');
  const boundNs = recoveryMs * nsPerMs;
  const lastNs = replay.events.at(-1)?.time ?? 0;
  if (lastNs < healed + boundNs) return verdict(false, 'the history ends before recoveryMs');
  const subjects = new Set(ops.flatMap((op) => subjectsOf(replay, op)));
  const logs = new Set(ops.flatMap((op) => logsOf(replay, op)));
  const proof =
    [...subjects].some((subject) => isSilent(replay, subject, healed, boundNs)) ||
    [...logs]
      .filter((log) => witness.log === undefined || witness.log === log)
      .some((log) => isUnread(replay, ops, log, healed, boundNs));
  return verdict(proof, 'whatever the witness names was acknowledged and read after the last heal');
}

/** When the last heal had ended, or null while one fault has no heal that is proved. */
function lastHealNs(replay: Replay): number | null {
  const nemeses = replay.operations.filter(
    (op) => typeof op.process === 'string' && op.process.startsWith('nemesis:'),
  );
  const heals = nemeses.filter((op) => op.f === 'heal');
  const proved = new Set(
    heals
      .filter((op) => op.status === 'ok' && evidenceOf(op)?.tookEffect === true)
      .map((op) => (op.complete?.value as { readonly fault?: string }).fault),
  );
  const faults = nemeses.filter((op) => op.f !== 'heal');
  const open = faults.some(
    (op) => !proved.has((op.invoke.value as { readonly fault?: string }).fault),
  );
  return open || heals.length === 0 ? null : Math.max(...heals.map((op) => op.end));
}

function evidenceOf(op: Operation): Evidence | undefined {
  return (op.complete?.value as { readonly evidence?: Evidence } | undefined)?.evidence;
}

/** Logs that an operation was about, as far as anybody knows. */
function logsOf(replay: Replay, op: Operation): readonly string[] {
  const value = (op.complete ?? op.invoke).value;
  if (op.f === 'audit') return [(value as AuditCompleted).log];
  if (op.f === 'assign') return (value as AssignValue).logs;
  const sent = sentTo(replay, op);
  const read = (replay.sightsByOperation.get(op) ?? []).map((sight) => sight.log);
  return op.f === 'poll' && read.length === 0 ? assignedTo(replay, op) : [...sent, ...read];
}

/** What the process of an empty poll was reading. */
function assignedTo(replay: Replay, poll: Operation): readonly string[] {
  const assign = replay.operations.findLast(
    (op) =>
      op.f === 'assign' &&
      op.process === poll.process &&
      op.status !== 'fail' &&
      op.invoke.index < poll.invoke.index,
  );
  return assign === undefined ? [] : (assign.invoke.value as AssignValue).logs;
}

/** What an operation tried to get acknowledged: logs that it sent to, its group, its transactional id. */
function subjectsOf(replay: Replay, op: Operation): readonly string[] {
  const value = op.invoke.value as { readonly group?: string; readonly id?: string } | null;
  switch (op.f) {
    case 'send':
      return sentTo(replay, op).map((log) => `log ${log}`);
    case 'commit':
    case 'committed':
    case 'subscribe':
      return [`group ${value?.group ?? ''}`];
    case 'init':
      return [`id ${value?.id ?? ''}`];
    case 'txn':
      return [
        `id ${op.invoke.txn?.id ?? op.complete?.txn?.id ?? ''}`,
        ...sentTo(replay, op).map((log) => `log ${log}`),
      ];
    default:
      return [];
  }
}

function sentTo(replay: Replay, op: Operation): readonly string[] {
  const sends = replay.sendsByOperation.get(op) ?? [];
  return sends.map((send) => send.log).filter((log) => log !== null);
}

/** It was tried in the time that recovery is given, and nothing tried in that time was acknowledged. */
function isSilent(replay: Replay, subject: string, healed: number, boundNs: number): boolean {
  const tried = replay.operations
    .filter((op) => op.inv > healed && op.inv <= healed + boundNs)
    .filter((op) => subjectsOf(replay, op).includes(subject));
  return tried.length > 0 && tried.every((op) => op.status !== 'ok');
}

/** An acknowledgement after the last heal that no committed reader returned, though they tried for recoveryMs. */
function isUnread(
  replay: Replay,
  ops: readonly Operation[],
  log: string,
  healed: number,
  boundNs: number,
): boolean {
  if (isExternal(replay, log)) return false;
  const attempts = replay.operations.filter(
    (op) => (op.f === 'poll' || op.f === 'audit') && logsOf(replay, op).includes(log),
  );
  return replay.sends.some(
    (send) =>
      ops.includes(send.op) &&
      send.log === log &&
      send.op.status === 'ok' &&
      send.op.end > healed &&
      sightsOfSend(replay, send).every((sight) => sight.by === 'uncommitted') &&
      attempts.some((op) => op.inv >= send.op.end + boundNs),
  );
}
