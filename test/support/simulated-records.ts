import { expect } from 'vitest';
import { createSimulatedProducerFactory } from '../../src/clients/simulated/index.ts';
import { createWireAdmin } from '../../src/clients/wire/index.ts';
import {
  createSimulation,
  simulatedNodes,
  type Simulation,
} from '../../src/clusters/simulated/index.ts';
import { randomStream } from '../../src/core/random.ts';
import { quietProfile } from '../../src/spi/simulation.ts';

/** A whole cluster with one log, which holds ten acknowledged records. */
export async function withRecords(
  config: Readonly<Record<string, string>> = {},
): Promise<Simulation> {
  const simulation = createSimulation({
    seed: '1',
    nodes: simulatedNodes,
    profile: quietProfile,
    defects: new Set(),
    admin: (nodes, link, clock) => createWireAdmin({ nodes, clock, link }),
  });
  const { cluster, clock, link } = simulation;
  const producers = createSimulatedProducerFactory({
    nodes: cluster.nodes,
    link,
    settings: {
      acks: 'all',
      idempotent: true,
      requestTimeoutMs: 1_000,
      retriesMax: 10,
      operationTimeoutMs: 5_000,
    },
    clock,
    random: randomStream('1', 'client'),
    defects: new Set(),
  });
  const fill = async (): Promise<void> => {
    await cluster.start(60_000, () => undefined);
    await cluster.ports.admin!.createTopics([{ name: 't', replicas: [[1, 2, 3]], config }]);
    const producer = await producers.create('p');
    for (let value = 0; value < 10; value++) {
      const sent = await producer.send([{ topic: 't', partition: 0, value, meta: {} }]);
      expect(sent.type).toBe('ok');
    }
    await producers[Symbol.asyncDispose]();
  };
  await simulation.drive(fill());
  return simulation;
}
