/** Where replicas go: spelled out, because leaders that pile up on one node make most faults miss. */
import type { NodeId } from '../spi/cluster.ts';

/**
 * `count` replica lists, preferred leader first, each rotated by one against the one before: [1,2,3], [2,3,1], …
 * `first` shifts the whole, so that the topics of one run do not all begin on the same node.
 */
export function rotatedReplicas(
  nodes: readonly NodeId[],
  count: number,
  replicationFactor: number,
  first: number,
): readonly (readonly NodeId[])[] {
  const size = Math.min(replicationFactor, nodes.length);
  return Array.from({ length: count }, (_, partition) =>
    Array.from(
      { length: size },
      (__, replica) => nodes[(first + partition + replica) % nodes.length] as NodeId,
    ),
  );
}
