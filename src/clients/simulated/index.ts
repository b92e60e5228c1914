/** Modelled clients: producers with all that goes wrong in theirs, and readers that can be made wrong. */
export { clientDefects } from './defects.ts';
export { createFaultyReaderFactory } from './faulty-reader.ts';
export { createSimulatedProducerFactory } from './producer.ts';
