/** What a run is made of: which cluster, clients and recorder stand behind the interfaces. */
import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { nemeses } from '../../nemeses/index.ts';
import { createKafkajsProducerFactory } from '../clients/kafkajs/producer.ts';
import {
  createWireAdmin,
  createWireAuditClient,
  createWireReaderFactory,
} from '../clients/wire/index.ts';
import { createDockerCluster, effectiveConfig } from '../clusters/docker/index.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { openRecorder } from '../history/recorder.ts';
import type { Connections, RunParts } from '../run/execute.ts';
import type { RunOptions } from '../run/options.ts';
import type { Cluster, NodeId } from '../spi/cluster.ts';
import type { Registries } from './resolve.ts';
import { runFiles } from './store.ts';
import { workloads } from '../workloads/index.ts';

/** Nodes of a Docker cluster: known before it starts, so that a schedule can be drawn first. */
const dockerNodes: readonly NodeId[] = [1, 2, 3];

export const registries: Registries = {
  workloads,
  nemeses,
  nodes: dockerNodes,
  brokerConfig: effectiveConfig(dockerNodes.length, {}),
};

/** Labels what a run puts on the host, and names it in the header: unique on this machine, whatever the store. */
function runId(directory: string): string {
  return `${basename(directory)}-${process.pid}`;
}

/** Finds or builds the images; nothing runs yet. @throws OrdealError DOCKER_UNREACHABLE, IMAGE_UNAVAILABLE. */
export function createCluster(
  options: RunOptions,
  directory: string,
  clock: Clock,
  progress: (line: string) => void,
): Promise<Cluster> {
  return createDockerCluster(
    {
      run: runId(directory),
      image: options.image,
      brokerVersion: options.brokerVersion,
      nodes: dockerNodes.length,
      admin: (nodes) => createWireAdmin(nodes, clock),
      clock,
    },
    progress,
  );
}

/** The clients' own log lines go to logs/clients.log; a line that cannot be written is not worth a run. */
export function composeParts(
  options: RunOptions,
  directory: string,
  cluster: Cluster,
  clock: Clock,
  hurry: AbortSignal,
): RunParts {
  const workload = workloads.get(options.workload);
  assert(workload !== undefined, `workload ${options.workload} was checked and is gone`);
  return {
    clock,
    cluster,
    workload,
    nemeses,
    run: runId(directory),
    hurry,
    record: (path, header) => openRecorder(path, header, clock),
    connect: (started) => Promise.resolve(connect(options, directory, started, clock)),
  };
}

function connect(
  options: RunOptions,
  directory: string,
  cluster: Cluster,
  clock: Clock,
): Connections {
  const log = createWriteStream(join(directory, runFiles.logs, 'clients.log'), { flags: 'a' });
  log.on('error', () => undefined);
  const producers = createKafkajsProducerFactory({
    brokers: cluster.nodes.map(({ clientAddress }) => clientAddress),
    settings: options.producer,
    clock,
    log: (line) => {
      if (log.writable) log.write(`${line}\n`);
    },
  });
  const wire = { nodes: cluster.nodes, clock };
  const auditor = createWireAuditClient(wire);
  return {
    producers,
    readers: createWireReaderFactory(wire),
    auditor,
    async [Symbol.asyncDispose]() {
      await producers[Symbol.asyncDispose]();
      await auditor[Symbol.asyncDispose]();
      log.end();
    },
  };
}
