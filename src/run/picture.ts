/** One picture of the cluster out of what its nodes say: a cut or frozen node goes on showing an old one. */
import type { LogName } from '../history/event.ts';
import type { NodeId, NodeView, PartitionView } from '../spi/cluster.ts';

export interface Picture {
  /** The view with the highest leader epoch, per log. */
  readonly partitions: ReadonlyMap<LogName, PartitionView>;
  /** The active controller by the highest controller epoch, or null if nobody names one. */
  readonly controller: NodeId | null;
  /** Nodes that answered, in order; those in `distrusted` are left out. */
  readonly answering: readonly NodeId[];
}

/** @param distrusted nodes whose word does not count, because a fault stands on them. */
export function mergeViews(
  views: readonly NodeView[],
  distrusted: ReadonlySet<NodeId> = new Set(),
): Picture {
  const partitions = new Map<LogName, PartitionView>();
  let controller: { readonly node: NodeId; readonly epoch: number } | null = null;
  const answering: NodeId[] = [];
  for (const view of views) {
    if (view.partitions === null || distrusted.has(view.node)) continue;
    answering.push(view.node);
    for (const partition of view.partitions) {
      const log = `${partition.topic}/${partition.partition}`;
      const known = partitions.get(log);
      if (known === undefined || partition.leaderEpoch > known.leaderEpoch) {
        partitions.set(log, partition);
      }
    }
    if (view.controller !== null && view.controller.epoch > (controller?.epoch ?? -1)) {
      controller = view.controller;
    }
  }
  answering.sort((a, b) => a - b);
  return { partitions, controller: controller?.node ?? null, answering };
}
