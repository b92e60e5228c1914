import { describe, expect, it } from 'vitest';
import { moveLeader } from '../../../nemeses/move-leader.ts';
import type { Simulation } from '../../../src/clusters/simulated/index.ts';
import type { FaultContext } from '../../../src/spi/nemesis.ts';
import { withRecords } from '../../support/simulated-records.ts';

function faultOn({ cluster, clock }: Simulation): FaultContext {
  const plan = {
    target: { role: 'leader', topic: 't', partition: 0 },
    variant: 'preferred-election',
  } as const;
  return { fault: 'f1', cluster, clock, plan, targets: [1], evidenceTimeoutMs: 4_000 };
}

async function viewOf({ cluster, drive }: Simulation) {
  const [view] = await drive(cluster.ports.admin!.views(1_000));
  return view?.partitions?.find(({ topic }) => topic === 't');
}

describe('move-leader', () => {
  it('moves the leader to a follower in sync and back, by an epoch each, and nobody dies', async () => {
    const simulation = await withRecords();
    const fault = faultOn(simulation);
    const injected = await simulation.drive(moveLeader.inject(fault));
    expect(injected).toMatchObject({
      tookEffect: true,
      before: { leader: 1, epoch: 0 },
      after: { leader: 2, epoch: 1 },
      refused: [],
    });
    expect(await viewOf(simulation)).toMatchObject({ leader: 2, replicas: [2, 1, 3] });
    const healed = await simulation.drive(moveLeader.heal(fault, injected));
    expect(healed).toMatchObject({ tookEffect: true, after: { leader: 1, epoch: 2 } });
    expect(await viewOf(simulation)).toMatchObject({ leader: 1, replicas: [1, 2, 3] });
    expect(simulation.truth.log('t/0')).toHaveLength(10);
    const states = await Promise.all(
      [1, 2, 3].map((node) => simulation.drive(simulation.cluster.ports.process!.state(node))),
    );
    expect(states.map(({ starts }) => starts)).toEqual([1, 1, 1]);
  });

  it('moves nothing where no follower is in sync, and then has nothing to undo', async () => {
    const simulation = await withRecords({ 'min.insync.replicas': '1' });
    const { cluster, clock } = simulation;
    const cut = [2, 3].map((peer) => {
      return { at: 1, peer, planes: ['replication'], directions: ['in', 'out'] } as const;
    });
    await simulation.drive(cluster.ports.network!.cut('c', cut));
    await simulation.drive(clock.sleep(10_000));
    const fault = faultOn(simulation);
    const injected = await simulation.drive(moveLeader.inject(fault));
    expect(injected).toMatchObject({ tookEffect: false });
    expect(await simulation.drive(moveLeader.heal(fault, injected))).toMatchObject({
      tookEffect: true,
      reason: 'nothing was moved',
    });
  });
});
