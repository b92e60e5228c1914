/** The storage port: deletes what a dead broker holds of a log, from its holder, which shares the data volume. */
import { OrdealError } from '../../core/errors.ts';
import type { NodeId, StoragePort } from '../../spi/cluster.ts';
import type { Engine } from './engine.ts';
import { dataDirectory } from './environment.ts';
import type { Pod } from './pods.ts';

/** What a name may hold that becomes part of a path: Kafka's own rule for topics. */
const topicName = /^[A-Za-z0-9._-]{1,249}$/;

/** Prints how many bytes of records the directory $1 holds, and deletes it. */
const wipeScript =
  'set -e; if [ ! -d "$1" ]; then echo 0; exit 0; fi; cat "$1"/*.log | wc -c; rm -rf "$1"; [ ! -e "$1" ]';

/** @param podOf throws if the cluster was not started or lacks the node. */
export function createStoragePort(engine: Engine, podOf: (node: NodeId) => Pod): StoragePort {
  return {
    wipe: async (node, { topic, partition }) => {
      const pod = podOf(node);
      await requireStopped(engine, pod);
      if (!topicName.test(topic) || topic === '.' || topic === '..') {
        throw new OrdealError('BAD_ARGUMENT', `"${topic}" is no topic`, 'name a topic of the run');
      }
      // The holder's root has no capability to write what is another's: whoever owns the volume deletes.
      const owner = await run(engine, pod, ['stat', '-c', '%u', dataDirectory]);
      const directory = `${dataDirectory}/${topic}-${partition}`;
      const command = ['sh', '-c', wipeScript, 'wipe', directory];
      return { bytes: Number(await run(engine, pod, command, owner)) };
    },
  };
}

async function requireStopped(engine: Engine, { node, broker }: Pod): Promise<void> {
  const { State } = await engine.call(`inspecting node ${node}`, () =>
    engine.docker.getContainer(broker).inspect(),
  );
  if (!State.Running) return;
  throw new OrdealError(
    'UNSUPPORTED',
    `node ${node} still runs: its disk is not touched`,
    'kill the node first',
  );
}

async function run(
  engine: Engine,
  { node, holder }: Pod,
  command: readonly string[],
  user?: string,
): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.exec(holder, command, { user });
  if (exitCode === 0) return stdout.trim();
  throw new OrdealError(
    'DOCKER_FAILED',
    `${command[0] ?? ''} on the disk of node ${node} ended with ${exitCode}: ${stderr.trim()}`,
    'see whether the volume of the node is still there: docker volume ls',
  );
}
