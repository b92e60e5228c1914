/** Runs one test through its phases (DESIGN.md section 2): the entry point of src/run. */
import { basename, join } from 'node:path';
import { OrdealError } from '../core/errors.ts';
import type { WorkloadOptions } from '../spi/workload.ts';
import { decisionFiles } from './decisions.ts';
import { createHeader } from './header.ts';
import type { RunOptions } from './options.ts';
import type { RunOutcome, RunParts } from './parts.ts';
import { runPhases } from './phases.ts';
import type { Progress } from './progress.ts';
import { createRunFiles, type RunFiles } from './run-files.ts';
import { createRunRecord } from './run-record.ts';
import { createRunState, type RunState } from './run-state.ts';

export type { Connections, RunOutcome, RunParts } from './parts.ts';

/**
 * Carries out the whole run but the check. What goes wrong after the history was opened comes back as `failure`, with
 * everything healed and closed; only what is wrong before anything was started is thrown.
 * @throws OrdealError UNSUPPORTED if the cluster lacks a port or the schedule names an unknown nemesis; STORE_IO or
 * RECORDER_IO if the run directory or the history cannot be written.
 */
export async function executeRun(
  options: RunOptions,
  /** An existing empty directory: store/<test>/<timestamp>. */
  directory: string,
  parts: RunParts,
  progress: Progress,
  /** Aborted with reason 'SIGINT' or 'SIGTERM': heal, audit what can be audited, close. */
  interrupt: AbortSignal,
): Promise<RunOutcome> {
  const admin = requirePorts(options, parts);
  const files = parts.files ?? createRunFiles(directory);
  await writeDecisions(files, options);
  const workloadOptions: WorkloadOptions = {
    topics: options.topics,
    partitions: options.partitions,
    concurrency: options.concurrency,
    ratePerSecond: options.ratePerSecond,
    sends: options.sends,
    nodes: parts.cluster.nodes.map((node) => node.id),
    topicConfig: options.topicConfig,
  };
  const topics = parts.workload.topics(workloadOptions);
  const run = parts.run ?? `${options.test}-${basename(directory)}`;
  const header = createHeader(options, run, parts.clock.wallMs(), parts.cluster.system, topics);
  const history = join(directory, 'history.jsonl');
  const recorder = await parts.record(history, header);
  const state = createRunState({
    options,
    parts,
    files,
    progress,
    admin,
    topics,
    workloadOptions,
    interrupt,
    record: (onFailure) => createRunRecord(recorder, onFailure),
  });
  const unlisten = tellInterrupt(state, interrupt);
  try {
    await runPhases(state);
  } finally {
    unlisten();
  }
  return { history, interrupted: interruptSignal(interrupt), failure: state.failure() };
}

/** All that a missing port or nemesis could stop later stops the run here, before anything was started. */
function requirePorts(
  options: RunOptions,
  parts: RunParts,
): NonNullable<RunParts['cluster']['ports']['admin']> {
  const { ports, kind } = parts.cluster;
  for (const { nemesis: name, id } of options.schedule) {
    const nemesis = parts.nemeses.get(name);
    if (nemesis === undefined) {
      throw new OrdealError(
        'UNSUPPORTED',
        `fault ${id} of the schedule names the nemesis "${name}", which does not exist`,
        `use one of ${[...parts.nemeses.keys()].join(', ')}`,
      );
    }
    const lacking = nemesis.needs.filter((port) => ports[port] === undefined);
    if (lacking.length > 0) throw lacks(kind, lacking.join(', '), `the nemesis ${name}`);
  }
  if (ports.admin === undefined) throw lacks(kind, 'admin', 'every run');
  return ports.admin;
}

function lacks(cluster: string, port: string, who: string): OrdealError {
  return new OrdealError(
    'UNSUPPORTED',
    `the ${cluster} cluster offers no ${port} port, which ${who} needs`,
    'choose another --cluster or another --nemesis',
  );
}

/** Written before anything starts: enough to run it again. */
async function writeDecisions(files: RunFiles, options: RunOptions): Promise<void> {
  for (const { name, text } of decisionFiles(options)) await files.write(name, text);
}

/** Records the interrupt when it comes, wherever the run is. */
function tellInterrupt(state: RunState, interrupt: AbortSignal): () => void {
  const onAbort = (): void => {
    const signal = interruptSignal(interrupt);
    try {
      state.record.observe('interrupted', { signal });
    } catch {
      // The record has told the run of its failure already.
    }
  };
  if (interrupt.aborted) onAbort();
  else interrupt.addEventListener('abort', onAbort, { once: true });
  return () => {
    interrupt.removeEventListener('abort', onAbort);
  };
}

function interruptSignal(interrupt: AbortSignal): RunOutcome['interrupted'] {
  if (!interrupt.aborted) return null;
  return interrupt.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
}
