/** STAND-IN of the branch `cli`: the modelled producer replaces this file at the merge. */
export {
  clientDefects,
  createSimulatedProducerFactory,
} from '../../../test/support/stand-in-simulation.ts';
