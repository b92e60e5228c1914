/**
 * Simulated runs: the model, our own clients on links into it, and a recorder and files that never wait. A run is a
 * function of its options: seed, settings and schedule fix every byte of its history.
 */
import {
  createFaultyReaderFactory,
  createSimulatedMemberFactory,
  createSimulatedProducerFactory,
} from '../clients/simulated/index.ts';
import {
  createWireAdmin,
  createWireAuditClient,
  createWireReaderFactory,
} from '../clients/wire/index.ts';
import { createSimulation } from '../clusters/simulated/index.ts';
import type { GroundTruth, Simulation } from '../clusters/simulated/index.ts';
import { assert } from '../core/assert.ts';
import { randomStream } from '../core/random.ts';
import type { Header, HistoryEvent } from '../history/event.ts';
import { openFileSink } from '../history/file-sink.ts';
import { createMemoryRecorder } from '../history/memory-recorder.ts';
import type { MemoryRecorder } from '../history/memory-recorder.ts';
import { executeRun } from '../run/execute.ts';
import type { Connections, RunOutcome, RunParts } from '../run/execute.ts';
import type { RunOptions } from '../run/options.ts';
import type { Progress } from '../run/progress.ts';
import { createSynchronousRunFiles, noRunFiles } from '../run/run-files.ts';
import { registries, workloadNamed } from './registries.ts';
import type { Stage, StageOptions } from './stage.ts';

/** A run whose history goes to its directory as it comes. */
export function createSimulatedStage({ options, directory, hurry }: StageOptions): Stage {
  const simulation = simulationOf(options);
  const { clock } = simulation;
  return {
    parts: {
      ...partsOf(options, simulation, hurry),
      files: createSynchronousRunFiles(directory),
      record: (path, header) =>
        rejecting(() => createMemoryRecorder(header, clock, () => openFileSink(path))),
    },
    carryOut: (run) => simulation.drive(run),
    undo: null,
  };
}

/** A run that happened in memory. */
export interface SimulatedRun {
  readonly header: Header;
  /** The harness's own objects: read only. */
  readonly events: readonly HistoryEvent[];
  readonly truth: GroundTruth;
  readonly outcome: RunOutcome;
}

const never = new AbortController().signal;
const silent: Progress = { line: () => undefined, snapshot: () => undefined };

/**
 * Runs it in memory; nothing is written and nothing is printed.
 * @throws whatever went wrong before there was a history; later failures stand in the outcome.
 */
export async function runSimulated(options: RunOptions): Promise<SimulatedRun> {
  const simulation = simulationOf(options);
  let recorder: MemoryRecorder | null = null;
  const parts: RunParts = {
    ...partsOf(options, simulation, never),
    files: noRunFiles,
    record: (_path, header) =>
      rejecting(() => (recorder = createMemoryRecorder(header, simulation.clock, null))),
  };
  const outcome = await simulation.drive(executeRun(options, '', parts, silent, never));
  const recorded = recorder as MemoryRecorder | null;
  assert(recorded !== null, 'a run that came to an end has a recorder');
  return { header: recorded.header, events: recorded.events, truth: simulation.truth, outcome };
}

function simulationOf(options: RunOptions): Simulation {
  const { simulated, seed } = options;
  assert(simulated !== null, 'a simulated run has options of its own');
  return createSimulation({
    seed,
    nodes: registries.clusters.simulated.nodes,
    profile: simulated.profile,
    defects: new Set(simulated.defects),
    admin: (nodes, link, clock) => createWireAdmin({ nodes, clock, link }),
  });
}

function partsOf(
  options: RunOptions,
  simulation: Simulation,
  hurry: AbortSignal,
): Omit<RunParts, 'files' | 'record'> {
  return {
    clock: simulation.clock,
    realTime: false,
    cluster: simulation.cluster,
    workload: workloadNamed(options.workload),
    nemeses: registries.nemeses,
    run: `${options.test}-${options.seed}`,
    hurry,
    connect: () => Promise.resolve(connect(options, simulation)),
  };
}

function connect(options: RunOptions, simulation: Simulation): Connections {
  const { clock, cluster, link } = simulation;
  const { nodes } = cluster;
  const defects = new Set(options.simulated?.defects);
  const producers = createSimulatedProducerFactory({
    nodes,
    link,
    settings: options.producer,
    clock,
    random: randomStream(options.seed, 'client'),
    defects,
  });
  const wire = { nodes, clock, link };
  const auditor = createWireAuditClient(wire);
  const members = createSimulatedMemberFactory({
    clock,
    nodes,
    link,
    readers: createWireReaderFactory(wire),
    process: (name) => simulation.clientProcess(name),
    fromBeginning: options.config['auto.offset.reset'] !== 'latest',
    defects,
  });
  return {
    producers,
    readers: createFaultyReaderFactory(
      createWireReaderFactory(wire),
      defects,
      randomStream(options.seed, 'readers'),
    ),
    members,
    auditor,
    async [Symbol.asyncDispose]() {
      await members[Symbol.asyncDispose]();
      await producers[Symbol.asyncDispose]();
      await auditor[Symbol.asyncDispose]();
    },
  };
}

/** The result of work that does not wait, as a promise: what it throws rejects. */
function rejecting<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
