/**
 * Carries out a schedule of faults: journals the undo, injects, waits, heals, and records each step with its evidence.
 * Faults of different nemeses may overlap, where the plan says so; those of one nemesis follow each other, for a nemesis is one
 * process. A fault that was to come after the end of another waits until that one is healed: on a slow machine a broker's restart
 * takes longer than planned, and a second node that is hurt meanwhile, or the same one, is another experiment.
 */
import { withDeadline } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import type { Evidence, FaultValue, LogName } from '../history/event.ts';
import type { AdminPort, Cluster, NodeId } from '../spi/cluster.ts';
import type { FaultContext, Nemesis, ScheduledFault, UndoJournal } from '../spi/nemesis.ts';
import { untilAborted } from './phase-scope.ts';
import { mergeViews } from './picture.ts';
import { electPreferred } from './preferred-leaders.ts';
import { resolveRole, type Resolution } from './roles.ts';
import type { RunRecord } from './run-record.ts';

/** Longer than the brokers' session of 3 s: only then do healthy nodes miss a killed one. */
const evidenceTimeoutMs = 4_000;
const viewTimeoutMs = 1_000;
/** A role may have nobody for a while (a log between two leaders): so long it is asked for again. */
const resolveTimeoutMs = 5_000;
const resolveIntervalMs = 250;
/** A nemesis that has not returned by then is given up on; its undoing is tried all the same. */
const injectTimeoutMs = 60_000;
const healTimeoutMs = 90_000;
const healAttemptsMax = 3;
const healPauseMs = 1_000;

export interface FaultRunnerParts {
  readonly clock: Clock;
  readonly record: RunRecord;
  readonly cluster: Cluster;
  readonly admin: AdminPort;
  readonly journal: UndoJournal;
  readonly nemeses: ReadonlyMap<string, Nemesis>;
  readonly schedule: readonly ScheduledFault[];
  /** Logs of the workload: leadership of these is given back to the preferred replicas between faults. */
  readonly logs: ReadonlySet<LogName>;
  readonly line: (text: string) => void;
  readonly fail: (error: unknown) => void;
}

export interface FaultRunner {
  /**
   * Runs the schedule from now. When `stop` aborts no further fault begins and standing ones are healed at once;
   * resolves when every nemesis has come to rest. If the history or the undo journal cannot be written, `fail` is told.
   */
  run(stop: AbortSignal): Promise<void>;
  /** What stands now, for people: "f3 partition isolate node-2". */
  standing(): readonly string[];
  injectedCount(): number;
  /** Faults whose time has come, and which wait for the end of one before or are being injected. */
  postponedCount(): number;
  /** Index of the newest heal's completion, or -1. */
  lastHealIndex(): number;
}

interface StandingFault {
  readonly text: string;
  readonly targets: readonly NodeId[];
}

interface End {
  readonly reached: Promise<void>;
  reach(): void;
}

interface RunnerState {
  readonly parts: FaultRunnerParts;
  readonly standing: Map<string, StandingFault>;
  /** By id: of each fault of the schedule, its end, healed or given up. */
  readonly ends: ReadonlyMap<string, End>;
  injected: number;
  postponed: number;
  lastHeal: number;
}

export function createFaultRunner(parts: FaultRunnerParts): FaultRunner {
  const state: RunnerState = {
    parts,
    standing: new Map(),
    ends: new Map(parts.schedule.map(({ id }) => [id, createEnd()])),
    injected: 0,
    postponed: 0,
    lastHeal: -1,
  };
  return {
    run: async (stop) => {
      const startNs = parts.clock.nowNs();
      const kinds = [...new Set(parts.schedule.map((fault) => fault.nemesis))];
      const groups = kinds.map((kind) =>
        parts.schedule.filter((fault) => fault.nemesis === kind).sort((a, b) => a.atMs - b.atMs),
      );
      await Promise.all(
        groups.map((group) => runGroup(state, group, startNs, stop).catch(parts.fail)),
      );
    },
    standing: () => [...state.standing.values()].map((fault) => fault.text),
    injectedCount: () => state.injected,
    postponedCount: () => state.postponed,
    lastHealIndex: () => state.lastHeal,
  };
}

async function runGroup(
  state: RunnerState,
  faults: readonly ScheduledFault[],
  startNs: number,
  stop: AbortSignal,
): Promise<void> {
  const { clock, nemeses } = state.parts;
  for (const fault of faults) {
    const waitMs = fault.atMs - (clock.nowNs() - startNs) / nsPerMs;
    if (waitMs > 0) await clock.sleep(waitMs, stop);
    if (stop.aborted) return;
    const nemesis = nemeses.get(fault.nemesis);
    if (nemesis === undefined) throw new Error(`no nemesis is called "${fault.nemesis}"`);
    state.postponed += 1;
    let waits = true;
    const begun = (): void => {
      if (waits) state.postponed -= 1;
      waits = false;
    };
    try {
      const { status } = await untilAborted(stop, allEnded(state, fault));
      if (status === 'cut') return;
      await runFault(state, nemesis, fault, stop, begun);
    } finally {
      begun();
      state.ends.get(fault.id)?.reach();
    }
  }
}

function createEnd(): End {
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return {
    reached,
    reach: () => {
      reach();
    },
  };
}

/** Resolves when those faults are over that the plan had end before this one begins. */
async function allEnded({ parts, ends }: RunnerState, { atMs, id }: ScheduledFault): Promise<void> {
  for (const other of parts.schedule) {
    if (other.id !== id && other.atMs + other.durationMs <= atMs) await ends.get(other.id)?.reached;
  }
}

async function runFault(
  state: RunnerState,
  nemesis: Nemesis,
  fault: ScheduledFault,
  stop: AbortSignal,
  begun: () => void,
): Promise<void> {
  const { parts } = state;
  if (state.standing.size === 0) await electPreferred(parts.admin, parts.record, parts.logs);
  const resolution = await resolveTargets(state, fault, stop);
  if (stop.aborted) return;
  const process = `nemesis:${nemesis.name}`;
  const targets = resolution.targets ?? [];
  const names = targets.map((node) => `node-${node}`);
  const value: FaultValue = { fault: fault.id, targets: names, plan: fault.plan };
  const text = `${fault.id} ${nemesis.name} ${fault.plan.variant} ${names.join(' ')}`;
  parts.record.append({ process, type: 'invoke', f: nemesis.name, value });
  if (resolution.targets === null) {
    const evidence: Evidence = { tookEffect: false, reason: resolution.reason };
    const done = { process, f: nemesis.name, value: { ...value, evidence } };
    parts.record.append({ ...done, type: 'info' });
    parts.line(`${text}: no target, ${resolution.reason}`);
    return;
  }
  const { id, plan } = fault;
  await parts.journal.plan({ fault: id, nemesis: nemesis.name, targets, plan });
  state.standing.set(id, { text, targets });
  state.injected += 1;
  const { clock, cluster } = parts;
  const context: FaultContext = { fault: id, cluster, clock, plan, targets, evidenceTimeoutMs };
  const startNs = clock.nowNs();
  const injected = await inject(parts, nemesis, context, value, text);
  begun();
  const leftMs = fault.durationMs - (clock.nowNs() - startNs) / nsPerMs;
  if (leftMs > 0) await clock.sleep(leftMs, stop);
  await heal(state, nemesis, context, injected, text);
}

/** Records the completion whatever happened: a nemesis that threw may have done half of it. */
async function inject(
  parts: FaultRunnerParts,
  nemesis: Nemesis,
  context: FaultContext,
  value: FaultValue,
  text: string,
): Promise<Evidence> {
  const bounded = await withDeadline(parts.clock, injectTimeoutMs, nemesis.inject(context));
  const done = { process: `nemesis:${nemesis.name}`, f: nemesis.name };
  if (bounded.status === 'done') {
    const evidence = bounded.value;
    parts.record.append({ ...done, type: 'ok', value: { ...value, evidence } });
    parts.line(`${text}: ${effectWord(evidence, 'took effect', 'did not bite')}`);
    return evidence;
  }
  const reason = reasonOf(bounded, injectTimeoutMs);
  const evidence: Evidence = { tookEffect: 'unknown', reason };
  parts.record.append({ ...done, type: 'info', value: { ...value, evidence } });
  parts.line(`${text}: ${reason}`);
  return evidence;
}

async function heal(
  state: RunnerState,
  nemesis: Nemesis,
  context: FaultContext,
  injected: Evidence,
  text: string,
): Promise<void> {
  const { parts } = state;
  const { fault } = context;
  const operation = { process: `nemesis:${nemesis.name}`, f: 'heal' };
  parts.record.append({ ...operation, type: 'invoke', value: { fault } });
  const { evidence, returned } = await tryHeal(parts, nemesis, context, injected);
  state.lastHeal = parts.record.append({
    ...operation,
    type: returned ? 'ok' : 'info',
    value: { fault, evidence },
  });
  parts.line(`${text}: ${effectWord(evidence, 'healed', 'not healed')}`);
  // What may still stand stays in the list and in the journal: the heal of everything at the end is for that.
  if (evidence.tookEffect === false || !returned) return;
  state.standing.delete(fault);
  await parts.journal.done(fault);
}

async function tryHeal(
  parts: FaultRunnerParts,
  nemesis: Nemesis,
  context: FaultContext,
  injected: Evidence,
): Promise<{ readonly evidence: Evidence; readonly returned: boolean }> {
  for (let attempt = 1; ; attempt += 1) {
    const bounded = await withDeadline(parts.clock, healTimeoutMs, nemesis.heal(context, injected));
    if (bounded.status === 'done') return { evidence: bounded.value, returned: true };
    if (bounded.status === 'late' || attempt === healAttemptsMax) {
      const reason = reasonOf(bounded, healTimeoutMs);
      return { evidence: { tookEffect: 'unknown', reason, attempts: attempt }, returned: false };
    }
    await parts.clock.sleep(healPauseMs);
  }
}

/** Asks the nodes on which no fault stands: a hurt one goes on showing an old picture. */
async function resolveTargets(
  state: RunnerState,
  fault: ScheduledFault,
  stop: AbortSignal,
): Promise<Resolution> {
  const { clock, admin, cluster } = state.parts;
  const nodes = cluster.nodes.map((node) => node.id);
  const deadlineNs = clock.nowNs() + resolveTimeoutMs * nsPerMs;
  for (;;) {
    const hurt = new Set([...state.standing.values()].flatMap((standing) => standing.targets));
    const resolution = await resolveNow(admin, fault, nodes, hurt);
    const late = clock.nowNs() >= deadlineNs;
    if (resolution.targets !== null || late || stop.aborted) return resolution;
    await clock.sleep(resolveIntervalMs, stop);
  }
}

async function resolveNow(
  admin: AdminPort,
  fault: ScheduledFault,
  nodes: readonly NodeId[],
  hurt: ReadonlySet<NodeId>,
): Promise<Resolution> {
  try {
    const views = await admin.views(viewTimeoutMs);
    return resolveRole(fault.plan.target, mergeViews(views, hurt), nodes);
  } catch (thrown) {
    return { targets: null, reason: `no node could be asked: ${describeError(thrown)}` };
  }
}

function effectWord(evidence: Evidence, yes: string, no: string): string {
  if (evidence.tookEffect === 'unknown') return `${yes}? unknown`;
  return evidence.tookEffect ? yes : no;
}

function reasonOf(
  bounded: { readonly status: 'failed'; readonly error: unknown } | { readonly status: 'late' },
  timeoutMs: number,
): string {
  return bounded.status === 'late'
    ? `did not return within ${timeoutMs} ms`
    : describeError(bounded.error);
}
