/** STAND-IN of the branch `cli`: the model replaces this file at the merge. */
export {
  brokerDefects,
  createSimulation,
  simulatedBrokerConfig,
  simulatedNodes,
  type GroundTruth,
  type LinkFactory,
  type Simulation,
} from '../../../test/support/stand-in-simulation.ts';
