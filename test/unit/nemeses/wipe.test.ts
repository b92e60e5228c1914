import { describe, expect, it } from 'vitest';
import { wipe } from '../../../nemeses/wipe.ts';
import type { Simulation } from '../../../src/clusters/simulated/index.ts';
import type { FaultContext } from '../../../src/spi/nemesis.ts';
import { withRecords } from '../../support/simulated-records.ts';

function faultOn({ cluster, clock }: Simulation, topic: string): FaultContext {
  const plan = { target: { role: 'leader', topic, partition: 0 }, variant: 'one-log' } as const;
  return { fault: 'f1', cluster, clock, plan, targets: [1], evidenceTimeoutMs: 4_000 };
}

describe('wipe', () => {
  it('takes the log of a leader that others are in sync with, and it gets it back from them', async () => {
    const simulation = await withRecords();
    const fault = faultOn(simulation, 't');
    const injected = await simulation.drive(wipe.inject(fault));
    expect(injected).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { running: false, exitCode: 137 } },
      leaders: { 't/0': [1, 0] },
    });
    expect(injected['bytes']).toBeGreaterThan(0);
    const healed = await simulation.drive(wipe.heal(fault, injected));
    expect(healed).toMatchObject({ tookEffect: true, after: { 'node-1': { running: true } } });
    expect(simulation.truth.log('t/0')).toHaveLength(10);
  });

  it('takes everything where the leader was alone in sync', async () => {
    const simulation = await withRecords({ 'min.insync.replicas': '1' });
    const { cluster, clock } = simulation;
    const cut = [2, 3].map((peer) => {
      return { at: 1, peer, planes: ['replication'], directions: ['in', 'out'] } as const;
    });
    await simulation.drive(cluster.ports.network!.cut('c', cut));
    await simulation.drive(clock.sleep(8_000));
    const fault = faultOn(simulation, 't');
    const injected = await simulation.drive(wipe.inject(fault));
    expect(injected['inSyncBefore']).toContainEqual([1]);
    await simulation.drive(cluster.ports.network!.heal('c'));
    await simulation.drive(wipe.heal(fault, injected));
    await simulation.drive(clock.sleep(5_000));
    expect(simulation.truth.log('t/0')).toEqual([]);
  });

  it('did not bite where the disk held nothing of the log', async () => {
    const simulation = await withRecords();
    const { cluster } = simulation;
    const empty = { name: 'empty', replicas: [[1, 2, 3]], config: {} };
    await simulation.drive(cluster.ports.admin!.createTopics([empty]));
    const injected = await simulation.drive(wipe.inject(faultOn(simulation, 'empty')));
    expect(injected).toMatchObject({ tookEffect: false, bytes: 0 });
  });
});
