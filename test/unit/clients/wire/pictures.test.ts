import { describe, expect, test } from 'vitest';
import { judgeHealth, judgePartition } from '../../../../src/clients/wire/pictures.ts';
import type { NodeView, PartitionView } from '../../../../src/spi/cluster.ts';

const nodes = [1, 2, 3];
const partition: PartitionView = {
  topic: 'orders',
  partition: 0,
  leader: 1,
  leaderEpoch: 4,
  replicas: [1, 2, 3],
  inSync: [1, 2, 3],
};

function view(node: number, changes: Partial<NodeView> = {}): NodeView {
  return {
    node,
    partitions: [partition],
    liveNodes: [1, 2, 3],
    controller: { node: 2, epoch: 9 },
    error: null,
    ...changes,
  };
}

const healthy = nodes.map((node) => view(node));
/** The healthy views with one node's replaced. */
const but = (changed: NodeView): NodeView[] =>
  healthy.map((one) => (one.node === changed.node ? changed : one));

test('all agree: healthy, in whatever order in-sync sets and live nodes come', () => {
  const shuffled = view(2, {
    partitions: [{ ...partition, inSync: [3, 1, 2] }],
    liveNodes: [3, 2, 1],
  });
  expect(judgeHealth(nodes, but(shuffled))).toEqual({ healthy: true, missing: [] });
});

describe('what is missing, in words', () => {
  test.each<[string, NodeView[], string[]]>([
    [
      'a node does not answer',
      but(view(2, { partitions: null, liveNodes: [], controller: null, error: 'refused' })),
      ['node-2 does not answer: refused'],
    ],
    ['a node was not asked', healthy.slice(1), ['node-1 does not answer: it was not asked']],
    [
      'a node counts fewer as live',
      but(view(3, { liveNodes: [2, 3] })),
      ['node-3 counts as live 2, 3, not 1, 2, 3'],
    ],
    [
      'an old picture of the leader',
      but(view(3, { partitions: [{ ...partition, leader: 2, leaderEpoch: 3 }] })),
      [
        'orders/0: node-1 says leader 1 at epoch 4, in sync 1, 2, 3, node-3 says leader 2 at epoch 3, in sync 1, 2, 3',
      ],
    ],
    [
      'the same leader at another epoch',
      but(view(3, { partitions: [{ ...partition, leaderEpoch: 5 }] })),
      [
        'orders/0: node-1 says leader 1 at epoch 4, in sync 1, 2, 3, node-3 says leader 1 at epoch 5, in sync 1, 2, 3',
      ],
    ],
    [
      'a partition that one node does not know',
      but(view(2, { partitions: [] })),
      ['orders/0: node-2 does not know it'],
    ],
    [
      'a replica out of sync everywhere',
      nodes.map((node) => view(node, { partitions: [{ ...partition, inSync: [1, 3] }] })),
      ['orders/0: in sync 1, 3 of 1, 2, 3'],
    ],
    [
      'no leader',
      nodes.map((node) => view(node, { partitions: [{ ...partition, leader: -1 }] })),
      ['orders/0: no leader'],
    ],
    [
      'no way to the controller',
      but(view(1, { controller: null })),
      ['node-1 reaches no active controller'],
    ],
    [
      'two controllers',
      but(view(1, { controller: { node: 1, epoch: 8 } })),
      ['controllers named: node-1 at epoch 8, node-2 at epoch 9'],
    ],
  ])('%s', (_, views, missing) => {
    expect(judgeHealth(nodes, views)).toEqual({ healthy: false, missing });
  });

  test('a long list is counted', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      ...partition,
      partition: index,
      inSync: [1],
    }));
    const health = judgeHealth(
      nodes,
      nodes.map((node) => view(node, { partitions: many })),
    );
    expect(health.missing).toHaveLength(41);
    expect(health.missing.at(-1)).toBe('and 20 more');
  });
});

test('one partition is judged by itself: other topics and controllers do not matter', () => {
  const other = { ...partition, topic: 'other', inSync: [1] };
  const views = nodes.map((node) =>
    view(node, { partitions: [other, partition], controller: null }),
  );
  expect(judgePartition(nodes, views, partition)).toEqual({ agreed: true, view: partition });
  expect(judgePartition(nodes, views, other)).toEqual({
    agreed: false,
    missing: ['other/0: in sync 1 of 1, 2, 3'],
  });
});
