/** What a scenario is: settings and faults under which Kafka is known to break a promise, and the twin that keeps it. */
import type { ProducerSettings } from '../../spi/client.ts';
import type { ScheduledFault } from '../../spi/nemesis.ts';
import type { AnomalyName, ClaimName } from '../../spi/verdict.ts';
import { plainSends, type SendStyle } from '../../spi/workload.ts';

/** What differs between a scenario and its control. */
export interface ScenarioSettings {
  readonly producer: ProducerSettings;
  /** Kafka's topic configuration. */
  readonly topicConfig: Readonly<Record<string, string>>;
  readonly sends: SendStyle;
  /** Where a member begins whose group has committed nothing; absent: at the log start. */
  readonly offsetReset?: 'latest';
}

export interface Scenario {
  /** What `--scenario` and docs/scenarios.md call it. */
  readonly name: string;
  /** One sentence: settings and fault. */
  readonly summary: string;
  /** Anomalies that a run shows: at least one of each group. */
  readonly expects: readonly (readonly AnomalyName[])[];
  /** Demanded explicitly, of the control too. */
  readonly claims: readonly ClaimName[];
  readonly workload: string;
  readonly topics: number;
  readonly partitions: number;
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly faultsMs: number;
  readonly schedule: readonly ScheduledFault[];
  readonly settings: ScenarioSettings;
  readonly control: ScenarioSettings;
  /** One sentence: what the control does otherwise. */
  readonly controlSummary: string;
  /** Defects of the modelled client that stand, on the simulated cluster, for those that kafkajs has; of the control too. */
  readonly clientDefects: readonly string[];
}

/** The log that scenarios hurt: the only one that they have. */
export const hurtLog = { topic: 'orders', partition: 0 } as const;

/** Settings under which Kafka promises durability: scenarios and controls vary these. */
export const soundSettings: ScenarioSettings = {
  producer: {
    acks: 'all',
    idempotent: true,
    requestTimeoutMs: 3_000,
    retriesMax: 50,
    operationTimeoutMs: 5_000,
  },
  topicConfig: { 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'false' },
  sends: plainSends,
};
