/** The process states of a fault's targets, by node name as the history writes it. */
import type { Cluster, NodeId, ProcessPort, ProcessState } from '../src/spi/cluster.ts';

export type ProcessStates = Readonly<Record<string, ProcessState>>;

export function nodeName(node: NodeId): string {
  return `node-${node}`;
}

export function processPort(cluster: Cluster): ProcessPort {
  const port = cluster.ports.process;
  if (port === undefined) throw new Error('the cluster offers no process port');
  return port;
}

/** @throws whatever the port throws: a state that cannot be read leaves nothing to judge by. */
export async function processStates(
  cluster: Cluster,
  targets: readonly NodeId[],
): Promise<ProcessStates> {
  const port = processPort(cluster);
  const pairs = await Promise.all(
    targets.map(async (node) => [nodeName(node), await port.state(node)] as const),
  );
  return Object.fromEntries(pairs);
}
