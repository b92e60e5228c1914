import { describe, expect, it } from 'vitest';
import { powerLoss } from '../../../nemeses/power-loss.ts';
import type { Simulation } from '../../../src/clusters/simulated/index.ts';
import type { FaultContext } from '../../../src/spi/nemesis.ts';
import { quietProfile } from '../../../src/spi/simulation.ts';
import { withRecords } from '../../support/simulated-records.ts';

function faultOn({ cluster, clock }: Simulation, node: number): FaultContext {
  const plan = { target: { role: 'node', node }, variant: 'power-off' } as const;
  return { fault: 'f1', cluster, clock, plan, targets: [node], evidenceTimeoutMs: 4_000 };
}

describe('power-loss', () => {
  it('takes what the page cache held, and the node comes back without it', async () => {
    const simulation = await withRecords();
    const fault = faultOn(simulation, 1);
    const injected = await simulation.drive(powerLoss.inject(fault));
    expect(injected).toMatchObject({
      tookEffect: true,
      records: 10,
      after: { 'node-1': { running: false, exitCode: 137 } },
    });
    const healed = await simulation.drive(powerLoss.heal(fault, injected));
    expect(healed).toMatchObject({ tookEffect: true, after: { 'node-1': { running: true } } });
    // Two others held all of it.
    expect(simulation.truth.log('t/0')).toHaveLength(10);
  });

  it('is no fault where the disk had everything', async () => {
    const simulation = await withRecords();
    await simulation.drive(simulation.clock.sleep(quietProfile.flushMs + 1_000));
    const injected = await simulation.drive(powerLoss.inject(faultOn(simulation, 1)));
    expect(injected).toMatchObject({ tookEffect: false, records: 0 });
  });

  it('spares a node while some log has no full in-sync set', async () => {
    const simulation = await withRecords();
    const { cluster, clock } = simulation;
    await simulation.drive(cluster.ports.process!.kill(2, 'SIGKILL'));
    await simulation.drive(clock.sleep(5_000));
    const fault = faultOn(simulation, 1);
    const injected = await simulation.drive(powerLoss.inject(fault));
    expect(injected).toMatchObject({ tookEffect: false, spared: true });
    expect(await simulation.drive(cluster.ports.process!.state(1))).toMatchObject({
      running: true,
      starts: 1,
    });
    expect(await simulation.drive(powerLoss.heal(fault, injected))).toMatchObject({
      tookEffect: true,
    });
  });
});
