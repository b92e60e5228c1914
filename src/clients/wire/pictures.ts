/**
 * What all nodes together say. A cut, frozen or quorum-less node answers with the healthy picture that it last had, so
 * agreement of all nodes, and nothing less, is health (KAFKA.md A4). Pure.
 */
import type { Health, NodeId, NodeView, PartitionView } from '../../spi/cluster.ts';

/** Lines of `missing` beyond this are counted instead of listed. */
const missingLinesMax = 40;

export type Agreement =
  | { readonly agreed: true; readonly view: PartitionView }
  | { readonly agreed: false; readonly missing: readonly string[] };

/** Whether all `nodes` answer, count each other live and name one controller, and agree on every partition. */
export function judgeHealth(nodes: readonly NodeId[], views: readonly NodeView[]): Health {
  const missing = [...silent(nodes, views), ...lonely(nodes, views), ...controllers(views)];
  for (const place of placesOf(views)) {
    const agreement = judgePartition(nodes, views, place);
    if (!agreement.agreed) missing.push(...agreement.missing);
  }
  // A silent node is missing once, not once for each partition.
  const lines = [...new Set(missing)];
  const listed = lines.slice(0, missingLinesMax);
  const more = lines.length - listed.length;
  return {
    healthy: lines.length === 0,
    missing: more > 0 ? [...listed, `and ${more} more`] : listed,
  };
}

/** Whether all nodes answer and name the same leader, epoch and in-sync set, and that set is full. */
export function judgePartition(
  nodes: readonly NodeId[],
  views: readonly NodeView[],
  place: { readonly topic: string; readonly partition: number },
): Agreement {
  const log = `${place.topic}/${place.partition}`;
  const missing = silent(nodes, views);
  let first: { readonly node: NodeId; readonly view: PartitionView } | null = null;
  for (const { node, partitions } of views) {
    if (partitions === null) continue;
    const view = partitions.find(
      ({ topic, partition }) => topic === place.topic && partition === place.partition,
    );
    if (view === undefined) {
      missing.push(`${log}: node-${node} does not know it`);
      continue;
    }
    first ??= { node, view };
    if (!agrees(view, first.view)) {
      missing.push(
        `${log}: node-${first.node} says ${describe(first.view)}, node-${node} says ${describe(view)}`,
      );
    }
  }
  if (first === null) return { agreed: false, missing };
  const { view } = first;
  if (view.leader < 0) missing.push(`${log}: no leader`);
  if (view.inSync.length < view.replicas.length) {
    missing.push(`${log}: in sync ${list(view.inSync)} of ${list(view.replicas)}`);
  }
  return missing.length > 0 ? { agreed: false, missing } : { agreed: true, view };
}

function silent(nodes: readonly NodeId[], views: readonly NodeView[]): string[] {
  return nodes.flatMap((node) => {
    const view = views.find((candidate) => candidate.node === node);
    if (view !== undefined && view.partitions !== null) return [];
    return [`node-${node} does not answer: ${view?.error ?? 'it was not asked'}`];
  });
}

function lonely(nodes: readonly NodeId[], views: readonly NodeView[]): string[] {
  return views
    .filter(({ partitions, liveNodes }) => partitions !== null && !isSame(liveNodes, nodes))
    .map(
      ({ node, liveNodes }) => `node-${node} counts as live ${list(liveNodes)}, not ${list(nodes)}`,
    );
}

function controllers(views: readonly NodeView[]): string[] {
  const answered = views.filter(({ partitions }) => partitions !== null);
  const lost = answered
    .filter(({ controller }) => controller === null)
    .map(({ node }) => `node-${node} reaches no active controller`);
  const named = new Set(
    answered.flatMap(({ controller }) =>
      controller === null ? [] : [`node-${controller.node} at epoch ${controller.epoch}`],
    ),
  );
  return named.size > 1 ? [...lost, `controllers named: ${[...named].join(', ')}`] : lost;
}

function placesOf(views: readonly NodeView[]): readonly PartitionView[] {
  const places = new Map<string, PartitionView>();
  for (const { partitions } of views) {
    for (const view of partitions ?? []) places.set(`${view.topic}/${view.partition}`, view);
  }
  return [...places.values()];
}

function describe(view: PartitionView): string {
  return `leader ${view.leader} at epoch ${view.leaderEpoch}, in sync ${list(view.inSync)}`;
}

function agrees(one: PartitionView, other: PartitionView): boolean {
  return (
    one.leader === other.leader &&
    one.leaderEpoch === other.leaderEpoch &&
    isSame(one.inSync, other.inSync)
  );
}

/** The same nodes, in whatever order; most often it is one. */
function isSame(some: readonly NodeId[], others: readonly NodeId[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((node, i) => node === others[i]) || list(some) === list(others);
}

function list(nodes: readonly NodeId[]): string {
  return [...nodes].sort((a, b) => a - b).join(', ');
}
