/** The simulated cluster: a model of Kafka's brokers, controllers, disks and network on virtual time. */
export { createSimulation } from './cluster.ts';
export type { LinkFactory, Simulation, SimulationOptions } from './cluster.ts';
export { brokerDefects } from './defects.ts';
export { simulatedBrokerConfig, simulatedNodes } from './settings.ts';
export type { GroundTruth, TrueRecord } from './truth.ts';
