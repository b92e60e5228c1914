import { describe, expect, it } from 'vitest';
import { nemeses } from '../../../nemeses/index.ts';
import { parseFlags } from '../../../src/cli/flags.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';
import type { Registries } from '../../../src/cli/resolve.ts';
import { OrdealError } from '../../../src/core/errors.ts';
import type { RunOptions } from '../../../src/run/options.ts';
import { workloads } from '../../../src/workloads/index.ts';

const registries: Registries = {
  workloads,
  nemeses,
  nodes: [1, 2, 3],
  brokerConfig: { 'replica.lag.time.max.ms': 5_000, 'min.insync.replicas': 2 },
};

function resolved(given: Readonly<Record<string, unknown>>, seed = '1'): RunOptions {
  return resolveRun(parseFlags(given), Object.keys(given), seed, registries);
}

function refused(given: Readonly<Record<string, unknown>>): OrdealError {
  try {
    resolved(given);
  } catch (thrown) {
    if (thrown instanceof OrdealError) return thrown;
    throw thrown;
  }
  throw new Error('the flags were accepted');
}

describe('resolveRun by flags', () => {
  it('asks for every nemesis by default, and for none with none', () => {
    expect(resolved({}).faults).toEqual([...nemeses.keys()]);
    expect(resolved({ nemesis: 'none' })).toMatchObject({ faults: [], schedule: [] });
  });

  it('schedules every kind that was asked for, from the seed alone', () => {
    const given = { nemesis: 'kill,pause', timeLimit: '120s' };
    const first = resolved(given, '1');
    expect(new Set(first.schedule.map(({ nemesis }) => nemesis))).toEqual(
      new Set(['kill', 'pause']),
    );
    expect(resolved(given, '1').schedule).toEqual(first.schedule);
    expect(resolved(given, '2').schedule).not.toEqual(first.schedule);
  });

  it('uses settings under which Kafka promises durability, and says so in the header', () => {
    const { producer, topicConfig, config, test, claims } = resolved({ operationTimeout: '2s' });
    expect(producer).toMatchObject({ acks: 'all', idempotent: true, operationTimeoutMs: 2_000 });
    expect(producer.requestTimeoutMs).toBeLessThanOrEqual(2_000);
    expect(topicConfig).toEqual({
      'min.insync.replicas': '2',
      'unclean.leader.election.enable': 'false',
    });
    expect(config).toMatchObject({
      acks: 'all',
      'enable.idempotence': true,
      'min.insync.replicas': 2,
      'unclean.leader.election.enable': false,
      'max.in.flight.requests.per.connection': 1,
      'replica.lag.time.max.ms': 5_000,
    });
    expect(test).toBe('log');
    expect(claims).toBeNull();
  });

  it.each([
    [{ workload: 'lgo' }, /--workload: there is no "lgo"/],
    [{ nemesis: 'kil' }, /--nemesis: there is no "kil"/],
    [{ nemesis: 'none,kill' }, /"none" stands beside/],
    [{ control: true }, /--control is the twin/],
    [{ scenario: 'acks-zero' }, /--scenario: there is no "acks-zero"/],
    [{ scenario: 'acks-one', rate: '10' }, /--rate cannot be given with --scenario/],
    [{ scenario: 'acks-one', claims: 'recovery' }, /--claims cannot be given/],
  ])('refuses %j', (given, message) => {
    expect(refused(given).message).toMatch(message);
  });
});

describe('resolveRun by scenario', () => {
  it('names acks=1 in the header, and demands the claims that it refutes', () => {
    const { config, producer, claims, test, faults } = resolved({ scenario: 'acks-one' });
    expect(producer).toMatchObject({ acks: 1, idempotent: false });
    expect(config).toMatchObject({ acks: '1', 'enable.idempotence': false });
    expect(claims).toEqual(['durability', 'integrity']);
    expect(test).toBe('acks-one');
    expect(faults).toEqual(['partition']);
  });

  it('keeps schedule and claims in the control, and changes only the settings', () => {
    const given = { scenario: 'unclean-election' };
    const scenario = resolved(given);
    const control = resolved({ ...given, control: true });
    expect(control.test).toBe('unclean-election-control');
    expect(control.schedule).toEqual(scenario.schedule);
    expect(control.claims).toEqual(scenario.claims);
    expect(scenario.config).toMatchObject({
      'min.insync.replicas': 1,
      'unclean.leader.election.enable': true,
    });
    expect(control.config).toMatchObject({
      'min.insync.replicas': 2,
      'unclean.leader.election.enable': false,
    });
  });
});
