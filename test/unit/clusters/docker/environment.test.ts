import { describe, expect, it } from 'vitest';
import {
  brokerEnvironment,
  effectiveConfig,
  variableOf,
} from '../../../../src/clusters/docker/environment.ts';

const addresses = new Map([
  [1, '10.0.0.11'],
  [2, '10.0.0.12'],
  [3, '10.0.0.13'],
]);

describe('variableOf', () => {
  it('writes Kafka’s keys as the official image reads them back', () => {
    expect(variableOf('min.insync.replicas')).toBe('KAFKA_MIN_INSYNC_REPLICAS');
    expect(variableOf('a_b.c-d')).toBe('KAFKA_A__B_C___D');
  });
});

describe('brokerEnvironment', () => {
  const lines = brokerEnvironment({
    node: 2,
    addresses,
    heapMb: 256,
    config: { 'broker.session.timeout.ms': 9000, 'unclean.leader.election.enable': true },
  });

  it('advertises addresses, never names', () => {
    expect(lines).toContain(
      'KAFKA_ADVERTISED_LISTENERS=CLIENT://10.0.0.12:9092,REPL://10.0.0.12:19092',
    );
    expect(lines).toContain(
      'KAFKA_CONTROLLER_QUORUM_VOTERS=1@10.0.0.11:9093,2@10.0.0.12:9093,3@10.0.0.13:9093',
    );
  });

  it('lets given keys win, each key once', () => {
    expect(lines).toContain('KAFKA_BROKER_SESSION_TIMEOUT_MS=9000');
    expect(lines).toContain('KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE=true');
    expect(lines).toContain('KAFKA_HEAP_OPTS=-Xms256m -Xmx256m');
    const keys = lines.map((line) => line.split('=')[0]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('effectiveConfig', () => {
  it('asks no more replicas than there are nodes', () => {
    expect(effectiveConfig(1, {})).toMatchObject({
      'default.replication.factor': 1,
      'offsets.topic.replication.factor': 1,
      'min.insync.replicas': 1,
      'transaction.state.log.min.isr': 1,
    });
    expect(effectiveConfig(3, {})).toMatchObject({
      'default.replication.factor': 3,
      'min.insync.replicas': 2,
    });
  });
});
