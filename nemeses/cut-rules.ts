/** Which packets each variant of a partition drops; pure. */
import type { CutRule, NodeId, Plane } from '../src/spi/cluster.ts';

/** The variants by name, with what `--scenario` files and schedules may ask for. */
export const partitionVariants = [
  /** The targets reach no other node; clients reach everyone. */
  'isolate',
  /** The targets reach neither other nodes nor clients. */
  'isolate-clients',
  /** The targets, a minority, on one side; the rest on the other; clients reach both. */
  'halves',
  /** The targets hear no other node, but are heard. */
  'one-way-in',
  /** The targets hear other nodes, but are not heard. */
  'one-way-out',
  /** Only replication between the targets and the rest is lost: the controllers see nothing wrong. */
  'replication-only',
  /** Only the controllers' quorum is cut: the data plane goes on until a session ends. */
  'controller-only',
] as const;
export type PartitionVariant = (typeof partitionVariants)[number];

export function isPartitionVariant(variant: string): variant is PartitionVariant {
  return (partitionVariants as readonly string[]).includes(variant);
}

const betweenNodes: readonly Plane[] = ['replication', 'controller'];
const bothWays = ['in', 'out'] as const;

/** The planes that a variant cuts between nodes, and the ways. */
export function cutShape(variant: PartitionVariant): {
  readonly planes: readonly Plane[];
  readonly directions: CutRule['directions'];
} {
  switch (variant) {
    case 'one-way-in':
      return { planes: betweenNodes, directions: ['in'] };
    case 'one-way-out':
      return { planes: betweenNodes, directions: ['out'] };
    case 'replication-only':
      return { planes: ['replication'], directions: bothWays };
    case 'controller-only':
      return { planes: ['controller'], directions: bothWays };
    case 'isolate':
    case 'isolate-clients':
    case 'halves':
      return { planes: betweenNodes, directions: bothWays };
  }
}

/**
 * One rule per target and node of the other side, dropped at the target alone: that is enough, and then only the
 * targets' network has to be mended.
 */
export function cutRules(
  variant: PartitionVariant,
  targets: readonly NodeId[],
  nodes: readonly NodeId[],
): readonly CutRule[] {
  const shape = cutShape(variant);
  const others = nodes.filter((node) => !targets.includes(node));
  const rules: CutRule[] = targets.flatMap((at) => others.map((peer) => ({ at, peer, ...shape })));
  if (variant !== 'isolate-clients') return rules;
  return [
    ...rules,
    ...targets.map((at): CutRule => ({
      at,
      peer: 'clients',
      planes: ['client'],
      directions: bothWays,
    })),
  ];
}
