/** The phases of a run in their order, each bounded, and what happens to the rest when one is cut short. */
import { groupKey } from '../generators/member-worker.ts';
import { createFaultRunner, type FaultRunner } from './fault-runner.ts';
import { runFinalAudit } from './final-audit.ts';
import { untilAborted } from './phase-scope.ts';
import type { RunOptions } from './options.ts';
import type { PhaseName } from './progress.ts';
import { logsOf, type RunState } from './run-state.ts';
import { setUp, type Session } from './set-up.ts';
import { tearDown } from './tear-down.ts';
import { createUndoJournal } from './undo-journal.ts';

/** What is left of a phase from the moment of an interrupt. */
const interruptedDrainMs = 8_000;
/** Long enough for a broker that was just healed to be in sync again: before that an audit proves nothing. */
const interruptedAuditMs = 40_000;
const gateIntervalMs = 250;
/** How much longer than asked for the phase of faults may take where a heal took longer than planned. */
const overrunMs = 30_000;
const snapshotIntervalMs = 500;

/** Never rejects: what goes wrong is the state's failure. */
export async function runPhases(state: RunState): Promise<void> {
  const { stopBackground, delay } = state;
  const beside = [state.background(delay.run(stopBackground.signal))];
  try {
    const session = await phase(state, 'set-up', () => setUp(state));
    if (session !== null && !state.signals.failure.aborted) {
      await runWithSession(state, session, beside);
    }
  } catch (error) {
    state.fail(error);
  } finally {
    await phase(state, 'tear-down', () => tearDown(state, beside));
  }
}

async function runWithSession(
  state: RunState,
  session: Session,
  beside: Promise<void>[],
): Promise<void> {
  const { parts, stopBackground, stopFaults } = state;
  const { clock, cluster, nemeses } = parts;
  const faults = createFaultRunner({
    clock,
    cluster,
    nemeses,
    record: state.record,
    admin: state.admin,
    journal: createUndoJournal(state.files),
    schedule: state.options.schedule,
    logs: new Set(logsOf(state.topics).map(({ log }) => log)),
    line: (text) => {
      state.progress.line(text);
    },
    fail: (error) => {
      state.fail(error);
    },
  });
  beside.push(state.background(state.watch.run(stopBackground.signal)));
  beside.push(state.background(tellSnapshots(state, faults)));
  let workersDone = Promise.resolve();
  let faultsDone = Promise.resolve();
  await phase(state, 'faults', async () => {
    workersDone = state.background(session.interpreter.run());
    faultsDone = state.background(faults.run(stopFaults.signal));
    using scope = state.scope({ limitMs: state.options.limits.faultsMs, interruptedLimitMs: 0 });
    await clock.sleep(state.options.limits.faultsMs, scope.signal);
    await untilNoneIsPostponed(state, faults);
  });
  const healedIndex = await phase(state, 'heal', () => healEverything(state, faultsDone));
  if (isGoingOn(state)) {
    await phase(state, 'recovery', () =>
      recover(state, Math.max(faults.lastHealIndex(), healedIndex ?? -1)),
    );
  }
  await phase(state, 'drain', () => drain(state, session, workersDone));
  if (state.signals.failure.aborted || state.signals.hurry.aborted) return;
  await phase(state, 'audit', () => audit(state, session));
}

/** A fault that had to wait for the end of another one still bites, as short as it may be. */
async function untilNoneIsPostponed(state: RunState, faults: FaultRunner): Promise<void> {
  using scope = state.scope({ limitMs: overrunMs, interruptedLimitMs: 0 });
  while (faults.postponedCount() > 0 && !scope.signal.aborted) {
    await state.parts.clock.sleep(gateIntervalMs, scope.signal);
  }
}

function isGoingOn(state: RunState): boolean {
  const { interrupt, hurry, failure } = state.signals;
  return !interrupt.aborted && !hurry.aborted && !failure.aborted;
}

/**
 * Tells and records the start of a phase, then does it, also if its start cannot be recorded any more.
 * @returns null if it failed.
 */
async function phase<T>(
  state: RunState,
  name: PhaseName,
  work: () => Promise<T>,
): Promise<T | null> {
  state.phase = name;
  try {
    state.progress.line(name);
    state.delay.flush();
    state.record.observe('phase', { phase: name });
  } catch (error) {
    state.fail(error);
  }
  try {
    return await work();
  } catch (error) {
    state.fail(error);
    return null;
  }
}

/** Heals what stands, fault by fault and with evidence, then whatever else the cluster itself finds. */
async function healEverything(state: RunState, faultsDone: Promise<void>): Promise<number> {
  const { options, parts, progress, record, stopFaults } = state;
  const limitMs = options.limits.healMs;
  stopFaults.abort();
  {
    // A second interrupt gives up the evidence of each heal, never the healing.
    using scope = state.scope({ limitMs, interruptedLimitMs: limitMs, goesOn: 'after-failure' });
    const healed = await untilAborted(scope.signal, faultsDone);
    if (healed.status === 'cut') progress.line('some faults were not healed in time: healing all');
  }
  using scope = state.scope({ limitMs, interruptedLimitMs: limitMs, goesOn: 'always' });
  const all = await untilAborted(scope.signal, parts.cluster.healAll());
  const evidence = all.status === 'done' ? all.value : { tookEffect: 'unknown' as const };
  return record.observe('heal-all', { evidence });
}

/** Until the cluster is whole and each log and group has acknowledged something that was invoked after the last heal. */
async function recover(state: RunState, lastHealIndex: number): Promise<void> {
  const { options, parts, progress, tally, watch } = state;
  const { recoveryMs } = options.limits;
  using scope = state.scope({ limitMs: recoveryMs, interruptedLimitMs: 0 });
  const logs = logsOf(state.topics).map(({ log }) => log);
  const subjects = [...logs, ...parts.workload.groups.map(groupKey)];
  const silent = (): readonly string[] =>
    subjects.filter((each) => (tally.acknowledgedInvocation.get(each) ?? -1) <= lastHealIndex);
  while (!scope.signal.aborted) {
    if (silent().length === 0 && (await watch.health()).healthy) return;
    await parts.clock.sleep(gateIntervalMs, scope.signal);
  }
  if (!isGoingOn(state)) return;
  const { healthy, missing } = await watch.health();
  const doubts = [...silent().map((each) => `${each} acknowledged nothing`), ...missing];
  // It became whole while the last look was under way.
  if (healthy && doubts.length === 0) return;
  const why = doubts.length === 0 ? 'no node tells how it is' : doubts.join('; ');
  progress.line(`not recovered within ${recoveryMs} ms: ${why}`);
}

/** Stops the workers, waits for their open operations, then for calls of retired producers that may still write. */
async function drain(state: RunState, session: Session, workersDone: Promise<void>): Promise<void> {
  const { options, parts, progress, record, tally, stopWorkers } = state;
  using scope = state.scope({
    limitMs: options.limits.drainMs,
    interruptedLimitMs: interruptedDrainMs,
  });
  stopWorkers.abort();
  const stopped = await untilAborted(scope.signal, workersDone);
  if (stopped.status === 'cut') progress.line('some operations were still open after the drain');
  const { producers } = session.connections;
  const settled = await untilAborted(scope.signal, producers.settle(scope.remainingMs()));
  const abandoned = settled.status === 'done' ? settled.value : producers.abandoned();
  record.observe('abandoned', {
    total: abandoned.total,
    unsettled: abandoned.open,
    retiring: tally.retiring,
    clientErrors: tally.clientErrors,
  });
  await parts.clock.sleep(quietMs(options), scope.signal);
}

/**
 * With acks other than all an acknowledged record may still lie above the high watermark, and followers have this long to
 * fetch it before they count as lagging: only after such a silence does a log's end prove that its tail was cut off.
 */
function quietMs({ producer, config }: RunOptions): number {
  const lagMs = config['replica.lag.time.max.ms'];
  return producer.acks === 'all' || typeof lagMs !== 'number' ? 0 : lagMs;
}

/**
 * Gated on full health first: right after a failover an acknowledged record may be invisible until a second replica is
 * in sync (KAFKA.md A4), and an audit then would prove a loss that never was.
 */
async function audit(state: RunState, session: Session): Promise<void> {
  const { options, parts, progress, record, watch } = state;
  const { clock } = parts;
  using scope = state.scope({
    limitMs: options.limits.auditMs,
    interruptedLimitMs: interruptedAuditMs,
  });
  let health = await watch.health();
  while (!health.healthy && !scope.signal.aborted) {
    await clock.sleep(gateIntervalMs, scope.signal);
    health = await watch.health();
  }
  if (!health.healthy) {
    progress.line(`no audit, the cluster is not whole: ${health.missing.join('; ')}`);
    record.observe('audit-skipped', { missing: health.missing });
    return;
  }
  await watch.look();
  const incomplete = await runFinalAudit(
    {
      clock,
      record,
      auditor: session.connections.auditor,
      logs: logsOf(state.topics),
      groups: parts.workload.groups,
      process: session.auditProcess,
      processes: session.processes,
    },
    scope.signal,
  );
  if (incomplete.length > 0) progress.line(`incomplete audit: ${incomplete.join(', ')}`);
}

async function tellSnapshots(state: RunState, faults: FaultRunner): Promise<void> {
  const { parts, progress, stopBackground, tally } = state;
  do {
    progress.snapshot({
      phase: state.phase,
      elapsedMs: state.elapsedMs(),
      acknowledged: tally.acknowledged,
      failed: tally.failed,
      uncertain: tally.uncertain,
      recordsPolled: tally.recordsPolled,
      faultsInjected: faults.injectedCount(),
      standing: faults.standing(),
    });
  } while (await parts.clock.sleep(snapshotIntervalMs, stopBackground.signal));
}
