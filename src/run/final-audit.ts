/** Reads every log for proof, after the drain: the leader's committed and raw views, then each replica's own. */
import { withDeadline } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import type { AuditInvoked, AuditView, LogName } from '../history/event.ts';
import type { AuditClient, AuditRequest, Outcome } from '../spi/client.ts';
import type { NodeId } from '../spi/cluster.ts';
import { untilAborted } from './phase-scope.ts';
import type { RunRecord } from './run-record.ts';

/** A chunk that has not come by then is given up as info. */
const chunkTimeoutMs = 20_000;
/** A scan that makes no progress for so long is given up, so that one log does not cost all others their audit. */
const stallTimeoutMs = 20_000;
const retryMsMin = 100;
const retryMsMax = 1_000;

export interface AuditedLog {
  readonly log: LogName;
  readonly replicas: readonly NodeId[];
  readonly compacted: boolean;
}

export interface AuditParts {
  readonly clock: Clock;
  readonly record: RunRecord;
  readonly auditor: AuditClient;
  readonly logs: readonly AuditedLog[];
  readonly groups: readonly string[];
  /** Process number of the auditor, and how far it rises after an info chunk. */
  readonly process: number;
  readonly processes: number;
}

interface Scan {
  readonly log: LogName;
  readonly view: AuditView;
  readonly replica?: NodeId;
  readonly id: string;
}

/** Ids of the scans that did not reach the end that their first chunk measured. */
export async function runFinalAudit(
  parts: AuditParts,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const incomplete: string[] = [];
  let process = parts.process;
  for (const scan of planScans(parts.logs)) {
    const ended = await runScan(parts, scan, process, signal);
    process = ended.process;
    if (!ended.complete) incomplete.push(scan.id);
  }
  for (const group of parts.groups) {
    const read = await readGroupOffsets(parts, group, process, signal);
    process = read.process;
    if (!read.complete) incomplete.push(`offsets of group ${group}`);
  }
  return incomplete;
}

/** Committed views first: if time runs out, they decide most. */
function planScans(logs: AuditParts['logs']): readonly Scan[] {
  const ofLeader = (view: AuditView): readonly Scan[] =>
    logs.map(({ log }) => ({ log, view, id: `final/${log}/${view}` }));
  const ofReplicas = logs.flatMap(({ log, replicas }) =>
    replicas.map((replica): Scan => {
      const id = `final/${log}/uncommitted/${replica}`;
      return { log, view: 'uncommitted', replica, id };
    }),
  );
  // Each replica compacts alone: what it really holds is told by its own raw log.
  const rawOfReplicas = logs.flatMap(({ log, replicas, compacted }) =>
    (compacted ? replicas : []).map((replica): Scan => {
      return { log, view: 'raw', replica, id: `final/${log}/raw/${replica}` };
    }),
  );
  return [...ofLeader('committed'), ...ofLeader('raw'), ...ofReplicas, ...rawOfReplicas];
}

interface ScanState {
  process: number;
  from: number;
  /** The end that the first chunk measured. */
  end: number | null;
}

/** Chunks until the end that the first one measured; refusals (not ready) and chunks without progress are retried. */
async function runScan(
  parts: AuditParts,
  scan: Scan,
  process: number,
  signal: AbortSignal,
): Promise<{ readonly complete: boolean; readonly process: number }> {
  const { clock } = parts;
  const state: ScanState = { process, from: 0, end: null };
  let progressNs = clock.nowNs();
  let retryMs = retryMsMin;
  while (!signal.aborted) {
    const advanced = await readChunk(parts, scan, state, signal);
    if (state.end !== null && state.from >= state.end) {
      return { complete: true, process: state.process };
    }
    if (advanced) {
      progressNs = clock.nowNs();
      retryMs = retryMsMin;
      continue;
    }
    if (clock.nowNs() - progressNs >= stallTimeoutMs * nsPerMs) break;
    await clock.sleep(retryMs, signal);
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
  return { complete: false, process: state.process };
}

/** One recorded chunk; true if the scan got further. A chunk that the signal cuts stays without completion. */
async function readChunk(
  parts: AuditParts,
  scan: Scan,
  state: ScanState,
  signal: AbortSignal,
): Promise<boolean> {
  const { record } = parts;
  const { process, from } = state;
  const replica = scan.replica === undefined ? {} : { replica: scan.replica };
  const request: AuditRequest = { log: scan.log, view: scan.view, from, ...replica };
  const invoked: AuditInvoked = { ...request, scan: scan.id };
  record.append({ process, type: 'invoke', f: 'audit', value: invoked });
  const awaited = await untilAborted(
    signal,
    boundedCall(parts.clock, parts.auditor.chunk(request)),
  );
  if (awaited.status === 'cut') {
    state.process += parts.processes;
    return false;
  }
  const outcome = awaited.value;
  if (outcome.type === 'ok') {
    const value = { ...outcome.value, scan: scan.id };
    record.append({ process, type: 'ok', f: 'audit', value });
    state.end ??= outcome.value.end;
    state.from = Math.max(from, outcome.value.next);
    return state.from > from;
  }
  const { type, error } = outcome;
  record.append({ process, type, f: 'audit', value: invoked, error });
  if (type === 'info') state.process += parts.processes;
  return false;
}

/** Until the coordinator answers, or a scan would be given up too. */
async function readGroupOffsets(
  parts: AuditParts,
  group: string,
  first: number,
  signal: AbortSignal,
): Promise<{ readonly complete: boolean; readonly process: number }> {
  const { clock, record } = parts;
  const logs = parts.logs.map(({ log }) => log);
  const begunNs = clock.nowNs();
  let process = first;
  while (!signal.aborted && clock.nowNs() - begunNs < stallTimeoutMs * nsPerMs) {
    const invoked = { group, logs };
    record.append({ process, type: 'invoke', f: 'committed', value: invoked });
    const asked = boundedCall(parts.clock, parts.auditor.committed(group, logs));
    const awaited = await untilAborted(signal, asked);
    if (awaited.status === 'cut') return { complete: false, process: process + parts.processes };
    const outcome = awaited.value;
    if (outcome.type === 'ok') {
      const value = { group, offsets: outcome.value };
      record.append({ process, type: 'ok', f: 'committed', value });
      return { complete: true, process };
    }
    const { type, error } = outcome;
    record.append({ process, type, f: 'committed', value: invoked, error });
    if (type === 'info') process += parts.processes;
    await clock.sleep(retryMsMax, signal);
  }
  return { complete: false, process };
}

/** A call of the auditor that has not returned by then, or that threw, may still be under way: info. */
async function boundedCall<T>(clock: Clock, call: Promise<Outcome<T>>): Promise<Outcome<T>> {
  const bounded = await withDeadline(clock, chunkTimeoutMs, call);
  if (bounded.status === 'done') return bounded.value;
  return {
    type: 'info',
    error:
      bounded.status === 'failed'
        ? { code: 'CLIENT_THREW', message: describeError(bounded.error) }
        : { code: 'DEADLINE', message: `no answer within ${chunkTimeoutMs} ms` },
  };
}
