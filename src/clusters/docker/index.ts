/**
 * Kafka on a Docker engine.
 *
 *     const cluster = await createDockerCluster(
 *       { run: 'my-run', image: null, brokerVersion: '4.1.1', admin: (nodes) => createWireAdmin({ nodes, clock }), config: {} },
 *       (line) => console.error(line),
 *     );
 *     await cluster.start(60_000, (line) => console.error(line));   // cluster.nodes now have addresses
 *     await cluster.ports.process?.kill(1, 'SIGKILL');
 *     await cluster.healAll();
 *     await cluster.remove();
 */
export { createDockerCluster } from './cluster.ts';
export type { KafkaConfig } from './environment.ts';
export { cleanDocker } from './clean.ts';
export { diagnoseDocker, type Diagnosis } from './doctor.ts';
