/** Reads every log for proof, after the drain: the leader's committed and raw views, then each replica's own. */
import { withDeadline } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import type { AuditCompleted, AuditInvoked, AuditView, LogName } from '../history/event.ts';
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

export interface AuditParts {
  readonly clock: Clock;
  readonly record: RunRecord;
  readonly auditor: AuditClient;
  readonly logs: readonly { readonly log: LogName; readonly replicas: readonly NodeId[] }[];
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
  return [...ofLeader('committed'), ...ofLeader('raw'), ...ofReplicas];
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
  const awaited = await untilAborted(signal, callAuditor(parts, request));
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

async function callAuditor(
  parts: AuditParts,
  request: AuditRequest,
): Promise<Outcome<Omit<AuditCompleted, 'scan'>>> {
  const bounded = await withDeadline(parts.clock, chunkTimeoutMs, parts.auditor.chunk(request));
  if (bounded.status === 'done') return bounded.value;
  return {
    type: 'info',
    error:
      bounded.status === 'failed'
        ? { code: 'CLIENT_THREW', message: describeError(bounded.error) }
        : { code: 'DEADLINE', message: `no chunk within ${chunkTimeoutMs} ms` },
  };
}
