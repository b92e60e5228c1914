/** The brokers' settings, by Kafka's names where they have one; the same values as the Docker cluster's. */
import type { NodeId } from '../../spi/cluster.ts';

export interface BrokerSettings {
  /** broker.session.timeout.ms */
  readonly sessionMs: number;
  /** broker.heartbeat.interval.ms */
  readonly heartbeatMs: number;
  /** replica.lag.time.max.ms */
  readonly replicaLagMs: number;
  /** replica.fetch.wait.max.ms */
  readonly replicaFetchWaitMs: number;
  /** replica.high.watermark.checkpoint.interval.ms */
  readonly checkpointMs: number;
  /** log.cleaner.backoff.ms */
  readonly cleanerBackOffMs: number;
}

export const brokerSettings: BrokerSettings = {
  sessionMs: 3_000,
  heartbeatMs: 500,
  replicaLagMs: 5_000,
  replicaFetchWaitMs: 500,
  checkpointMs: 5_000,
  cleanerBackOffMs: 300,
};

/** Nodes of a simulated cluster: known before it starts, so that a schedule can be drawn first. */
export const simulatedNodes: readonly NodeId[] = [1, 2, 3];

/** For the header's config. */
export const simulatedBrokerConfig: Readonly<Record<string, unknown>> = {
  'broker.session.timeout.ms': brokerSettings.sessionMs,
  'broker.heartbeat.interval.ms': brokerSettings.heartbeatMs,
  'replica.lag.time.max.ms': brokerSettings.replicaLagMs,
  'log.cleaner.backoff.ms': brokerSettings.cleanerBackOffMs,
  'default.replication.factor': simulatedNodes.length,
  'min.insync.replicas': 2,
  'unclean.leader.election.enable': false,
};
