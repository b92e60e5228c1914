/** The broker's configuration as the official image takes it: Kafka's keys turned into environment variables. */
import type { NodeId } from '../../spi/cluster.ts';

/** Where each plane listens on every node. */
export const planePorts = { client: 9092, replication: 19092, controller: 9093 } as const;

/** Data directory in the official image and in ours; a volume, shared with the holder. */
export const dataDirectory = '/var/lib/kafka/data';

export type KafkaConfig = Readonly<Record<string, string | number | boolean>>;

/** Any valid base64 UUID will do, as long as all nodes of a cluster have the same. */
const clusterId = '4L6g3nShT-eMCtK--X86sw';

/**
 * Failure detection far shorter than Kafka's defaults, so that a fault of ten seconds is seen, survived and healed
 * within a test; replication factor 3 and in-sync minimum 2 for Kafka's own logs.
 */
const testDefaults: KafkaConfig = {
  'num.network.threads': 2,
  'num.io.threads': 4,
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'unclean.leader.election.enable': false,
  'offsets.topic.replication.factor': 3,
  'offsets.topic.num.partitions': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
  'transaction.state.log.num.partitions': 3,
  'auto.create.topics.enable': false,
  'group.initial.rebalance.delay.ms': 0,
  'broker.heartbeat.interval.ms': 500,
  'broker.session.timeout.ms': 3000,
  'replica.lag.time.max.ms': 5000,
  // The cleaner looks again soon; it finds nothing to do but in compacted topics.
  'log.cleaner.backoff.ms': 300,
};

export interface BrokerSpec {
  readonly node: NodeId;
  /** IPv4 address of each node, by its number. */
  readonly addresses: ReadonlyMap<NodeId, string>;
  readonly heapMb: number;
  /** Kafka's own keys; they win over everything that is set here. */
  readonly config: KafkaConfig;
}

/** What applies to every broker of a cluster, without addresses: for the header of a history. */
export function effectiveConfig(nodes: number, config: KafkaConfig): KafkaConfig {
  return { ...clampReplication(testDefaults, nodes), ...config };
}

/** "KAFKA_X_Y=value" lines for one broker of the official image, or of one that honours its environment. */
export function brokerEnvironment(spec: BrokerSpec): string[] {
  const address = spec.addresses.get(spec.node) ?? '';
  const voters = [...spec.addresses].map(([id, host]) => `${id}@${host}:${planePorts.controller}`);
  const properties: KafkaConfig = {
    'process.roles': 'broker,controller',
    'node.id': spec.node,
    'controller.quorum.voters': voters.join(','),
    listeners: `CLIENT://:${planePorts.client},REPL://:${planePorts.replication},CONTROLLER://:${planePorts.controller}`,
    'advertised.listeners': `CLIENT://${address}:${planePorts.client},REPL://${address}:${planePorts.replication}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,REPL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'REPL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataDirectory,
    ...effectiveConfig(spec.addresses.size, spec.config),
  };
  return [
    ...Object.entries(properties).map(([key, value]) => `${variableOf(key)}=${String(value)}`),
    `CLUSTER_ID=${clusterId}`,
    `KAFKA_HEAP_OPTS=-Xms${spec.heapMb}m -Xmx${spec.heapMb}m`,
    // Quick to start on few cores; a broker out of memory must die rather than limp.
    'KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -Djava.net.preferIPv4Stack=true',
  ];
}

/** The official image's rule, backwards: `.` is `_`, `_` is `__`, `-` is `___`. */
export function variableOf(key: string): string {
  const word = key.replace(/_/g, '__').replace(/-/g, '___').replace(/\./g, '_');
  return `KAFKA_${word.toUpperCase()}`;
}

function clampReplication(config: KafkaConfig, nodes: number): KafkaConfig {
  const clamped = Object.entries(config).map(([key, value]) => {
    if (key.endsWith('replication.factor')) return [key, Math.min(Number(value), nodes)];
    if (key === 'min.insync.replicas' || key.endsWith('.min.isr')) {
      return [key, Math.min(Number(value), Math.max(1, nodes - 1))];
    }
    return [key, value];
  });
  return Object.fromEntries(clamped) as KafkaConfig;
}
