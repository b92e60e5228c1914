/** The modelled clients of simulated runs: a producer, what can be wrong with it, and readers that misbehave. */
export { clientDefects } from './defects.ts';
export { createFaultyReaderFactory } from './faulty-reader.ts';
export { createSimulatedMemberFactory } from './member.ts';
export { createSimulatedProducerFactory } from './producer.ts';
