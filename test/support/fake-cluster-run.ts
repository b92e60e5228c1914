/** A whole run on the fake cluster: options, parts, and what was recorded, told and written. */
import type { Clock } from '../../src/core/clock.ts';
import { checkEvent } from '../../src/history/event-shape.ts';
import type { Header, HistoryEvent } from '../../src/history/event.ts';
import type { Recorder } from '../../src/history/recording.ts';
import { SequenceRules } from '../../src/history/sequence-rules.ts';
import type { RunParts } from '../../src/run/execute.ts';
import type { RunOptions } from '../../src/run/options.ts';
import type { Progress, ProgressSnapshot } from '../../src/run/progress.ts';
import type { RunFiles } from '../../src/run/run-files.ts';
import { plainSends } from '../../src/spi/workload.ts';
import { logWorkload } from '../../src/workloads/log.ts';
import { nemeses } from '../../nemeses/index.ts';
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts';
import { createFakeConnections, type FakeConnections } from './fake-cluster-clients.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export const fakeOptions: RunOptions = {
  test: 'log',
  cluster: 'docker',
  simulated: null,
  workload: 'log',
  seed: 'fake',
  faults: [],
  nemesisIntervalMs: 5_000,
  schedule: [],
  limits: {
    setUpMs: 30_000,
    faultsMs: 20_000,
    healMs: 60_000,
    recoveryMs: 30_000,
    drainMs: 20_000,
    auditMs: 60_000,
    tearDownMs: 30_000,
  },
  ratePerSecond: 50,
  concurrency: 3,
  topics: 1,
  partitions: 3,
  producer: {
    acks: 'all',
    idempotent: true,
    requestTimeoutMs: 1_000,
    retriesMax: 50,
    operationTimeoutMs: 5_000,
  },
  sends: plainSends,
  topicConfig: { 'min.insync.replicas': '2' },
  claims: null,
  config: { acks: 'all' },
  image: null,
  brokerVersion: '0',
  leaveRunning: false,
};

export interface FakeRun {
  readonly clock: VirtualClock;
  readonly cluster: FakeCluster;
  readonly connections: FakeConnections;
  readonly parts: RunParts;
  readonly progress: Progress;
  readonly lines: string[];
  readonly snapshots: ProgressSnapshot[];
  /** Whole files, and appended lines joined by newlines, by name. */
  readonly files: Map<string, string>;
  readonly events: HistoryEvent[];
  readonly headers: Header[];
  /** Set by a test: thrown by the next append. */
  readonly recorderTrouble: { error: Error | null; closed: boolean };
}

export function createFakeRun(overrides: Partial<RunParts> = {}): FakeRun {
  const clock = createVirtualClock();
  const cluster = createFakeCluster(clock);
  const connections = createFakeConnections(clock, cluster);
  const lines: string[] = [];
  const snapshots: ProgressSnapshot[] = [];
  const files = new Map<string, string>();
  const events: HistoryEvent[] = [];
  const headers: Header[] = [];
  const recorderTrouble: FakeRun['recorderTrouble'] = { error: null, closed: false };
  const parts: RunParts = {
    clock,
    realTime: true,
    cluster,
    workload: logWorkload,
    nemeses,
    files: memoryFiles(files, cluster),
    connect: () => Promise.resolve(connections),
    record: (_path, header) => {
      headers.push(header);
      return Promise.resolve(memoryRecorder(clock, events, recorderTrouble));
    },
    ...overrides,
  };
  const progress: Progress = {
    line: (text) => lines.push(text),
    snapshot: (snapshot) => snapshots.push(snapshot),
  };
  return {
    clock,
    cluster,
    connections,
    parts,
    progress,
    lines,
    snapshots,
    files,
    events,
    headers,
    recorderTrouble,
  };
}

/** Undo lines go to the cluster's trace too, so that a test sees their order against what was done. */
function memoryFiles(files: Map<string, string>, cluster: FakeCluster): RunFiles {
  return {
    write: (name, text) => {
      files.set(name, text);
      return Promise.resolve();
    },
    appendLine: (name, line) => {
      files.set(name, `${files.get(name) ?? ''}${line}\n`);
      const { undo, fault } = JSON.parse(line) as { undo: string; fault: string };
      cluster.trace.push(`undo ${undo} ${fault}`);
      return Promise.resolve();
    },
    folder: (name) => Promise.resolve(`/run/${name}`),
  };
}

/** Refuses what the format forbids, by the rules that the real recorder and the loader share. */
function memoryRecorder(
  clock: Clock,
  events: HistoryEvent[],
  trouble: FakeRun['recorderTrouble'],
): Recorder {
  const rules = new SequenceRules(false);
  return {
    append: (draft) => {
      if (trouble.error !== null) throw trouble.error;
      const event: HistoryEvent = { ...draft, index: events.length, time: clock.nowNs() };
      rules.accept(checkEvent(event));
      events.push(structuredClone(event));
      return event.index;
    },
    sync: () => Promise.resolve(),
    stats: () => ({ events: events.length, bytes: 0, syncs: 0, syncLagMaxMs: 0 }),
    [Symbol.asyncDispose]: () => {
      trouble.closed = true;
      return Promise.resolve();
    },
  };
}
