/** STAND-IN of the branch `cli`: the modelled producer replaces this file at the merge. */
import type { ProducerFactory } from '../../spi/client.ts';
import type { Defect } from '../../spi/simulation.ts';

export const clientDefects: readonly Defect[] = [];
export function createSimulatedProducerFactory(_options: unknown): ProducerFactory {
  throw new Error('stand-in');
}
