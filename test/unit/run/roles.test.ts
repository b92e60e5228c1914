import { describe, expect, it } from 'vitest';
import { mergeViews } from '../../../src/run/picture.ts';
import { resolveRole } from '../../../src/run/roles.ts';
import type { NodeView } from '../../../src/spi/cluster.ts';

const nodes = [1, 2, 3];

function view(node: number, leader: number, leaderEpoch: number, inSync = [1, 2, 3]): NodeView {
  return {
    node,
    partitions: [
      { topic: 'orders', partition: 0, leader, leaderEpoch, replicas: [1, 2, 3], inSync },
    ],
    liveNodes: [1, 2, 3],
    controller: { node: leader, epoch: leaderEpoch },
    error: null,
  };
}

const silent: NodeView = {
  node: 3,
  partitions: null,
  liveNodes: [],
  controller: null,
  error: 'timeout',
};

describe('mergeViews', () => {
  it('believes the highest epoch: a cut leader goes on showing itself', () => {
    const picture = mergeViews([view(1, 1, 4), view(2, 2, 5), silent]);
    expect(picture.partitions.get('orders/0')?.leader).toBe(2);
    expect(picture.controller).toBe(2);
    expect(picture.answering).toEqual([1, 2]);
  });

  it('does not ask the hurt', () => {
    const picture = mergeViews([view(1, 1, 9), view(2, 2, 5)], new Set([1]));
    expect(picture.partitions.get('orders/0')?.leader).toBe(2);
    expect(picture.answering).toEqual([2]);
  });

  it('knows nothing when nobody answers', () => {
    expect(mergeViews([silent])).toEqual({
      partitions: new Map(),
      controller: null,
      answering: [],
    });
  });
});

describe('resolveRole', () => {
  const log = { topic: 'orders', partition: 0 };
  const picture = mergeViews([view(1, 2, 5), view(2, 2, 5)]);

  it.each([
    [{ role: 'leader', ...log }, [2]],
    [{ role: 'follower', ...log }, [1]],
    [{ role: 'controller' }, [2]],
    [{ role: 'minority', controller: 'with' }, [2]],
    [{ role: 'minority', controller: 'without' }, [1]],
    [{ role: 'majority' }, [1, 2]],
    [{ role: 'all' }, [1, 2, 3]],
    [{ role: 'node', node: 3 }, [3]],
  ] as const)('resolves %j to %j', (role, targets) => {
    expect(resolveRole(role, picture, nodes)).toEqual({ targets });
  });

  it('takes a minority of two among five', () => {
    const five = [5, 4, 3, 2, 1];
    expect(resolveRole({ role: 'minority', controller: 'with' }, picture, five)).toEqual({
      targets: [1, 2],
    });
    expect(resolveRole({ role: 'minority', controller: 'without' }, picture, five)).toEqual({
      targets: [1, 3],
    });
  });

  it.each([
    [{ role: 'leader', topic: 'other', partition: 0 }, 'no healthy node knows other/0'],
    [{ role: 'node', node: 7 }, 'the cluster has no node 7'],
    [
      { role: 'group-coordinator', key: 'g' },
      'group-coordinator is not a role of assigned readers',
    ],
  ] as const)('says why %j has nobody', (role, reason) => {
    expect(resolveRole(role, picture, nodes)).toEqual({ targets: null, reason });
  });

  it('has no leader between two, no follower out of sync, no controller unseen, no minority of two', () => {
    const none = mergeViews([view(1, -1, 6)]);
    expect(resolveRole({ role: 'leader', ...log }, none, nodes).targets).toBeNull();
    const alone = mergeViews([view(2, 2, 5, [2])]);
    expect(resolveRole({ role: 'follower', ...log }, alone, nodes).targets).toBeNull();
    const nobody = mergeViews([silent]);
    expect(resolveRole({ role: 'controller' }, nobody, nodes).targets).toBeNull();
    const role = { role: 'minority', controller: 'with' } as const;
    expect(resolveRole(role, nobody, nodes).targets).toBeNull();
    expect(resolveRole(role, picture, [1, 2]).targets).toBeNull();
  });
});
