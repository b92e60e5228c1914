/** Real brokers in containers: which clients and recorder stand behind the interfaces. */
import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMemberProcesses } from '../clients/kafkajs/member-processes.ts';
import { createKafkajsProducerFactory } from '../clients/kafkajs/producer.ts';
import {
  createWireAdmin,
  createWireAuditClient,
  createWireReaderFactory,
} from '../clients/wire/index.ts';
import { createDockerCluster } from '../clusters/docker/index.ts';
import type { Clock } from '../core/clock.ts';
import { openRecorder } from '../history/recorder.ts';
import type { Connections } from '../run/execute.ts';
import type { RunOptions } from '../run/options.ts';
import type { Cluster, ProgramHost } from '../spi/cluster.ts';
import { registries, workloadNamed } from './registries.ts';
import type { Stage, StageOptions } from './stage.ts';
import { runFiles } from './store.ts';

/** Finds or builds the images; nothing runs yet. @throws OrdealError DOCKER_UNREACHABLE, IMAGE_UNAVAILABLE. */
export async function createDockerStage(given: StageOptions): Promise<Stage> {
  const { options, directory, clock, hurry, progress } = given;
  // Labels what the run puts on the host, and names it in the header: unique on this machine, whatever the store.
  const run = `${basename(directory)}-${process.pid}`;
  const cluster = await createDockerCluster(
    {
      run,
      image: options.image,
      brokerVersion: options.brokerVersion,
      nodes: registries.clusters.docker.nodes.length,
      admin: (nodes) => createWireAdmin({ nodes, clock }),
      clock,
    },
    progress,
  );
  return {
    parts: {
      clock,
      realTime: true,
      cluster,
      workload: workloadNamed(options.workload),
      nemeses: registries.nemeses,
      run,
      hurry,
      record: (path, header) => openRecorder(path, header, clock),
      connect: (started) =>
        Promise.resolve(
          connect(options, directory, started, { clock, programs: cluster.programs }),
        ),
    },
    carryOut: (run) => run,
    undo: () => cluster.remove(),
  };
}

/** The clients' own log lines go to logs/clients.log; a line that cannot be written is not worth a run. */
function connect(
  options: RunOptions,
  directory: string,
  cluster: Cluster,
  { clock, programs }: { readonly clock: Clock; readonly programs: ProgramHost },
): Connections {
  const log = createWriteStream(join(directory, runFiles.logs, 'clients.log'), { flags: 'a' });
  log.on('error', () => undefined);
  const write = (line: string): void => {
    if (log.writable) log.write(`${line}\n`);
  };
  const producers = createKafkajsProducerFactory({
    brokers: cluster.nodes.map(({ clientAddress }) => clientAddress),
    settings: options.producer,
    clock,
    log: write,
  });
  const members = createMemberProcesses({
    host: programs,
    program: fileURLToPath(new URL('../clients/kafkajs/member-program.js', import.meta.url)),
    nodes: cluster.nodes,
    fromBeginning: options.config['auto.offset.reset'] !== 'latest',
    log: write,
  });
  const wire = { nodes: cluster.nodes, clock };
  const auditor = createWireAuditClient(wire);
  return {
    producers,
    readers: createWireReaderFactory(wire),
    members,
    auditor,
    async [Symbol.asyncDispose]() {
      await members[Symbol.asyncDispose]();
      await producers[Symbol.asyncDispose]();
      await auditor[Symbol.asyncDispose]();
      log.end();
    },
  };
}
