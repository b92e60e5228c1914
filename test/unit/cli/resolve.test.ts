import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/flags.ts';
import { registries as known } from '../../../src/cli/registries.ts';
import type { Registries } from '../../../src/cli/registries.ts';
import { plainSends } from '../../../src/spi/workload.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';
import { OrdealError } from '../../../src/core/errors.ts';
import type { RunOptions } from '../../../src/run/options.ts';

/** A Docker cluster that lacks the network, and a simulated one that has everything. */
const registries: Registries = {
  ...known,
  clusters: {
    simulated: {
      ...known.clusters.simulated,
      brokerConfig: { 'replica.lag.time.max.ms': 5_000, 'min.insync.replicas': 2 },
    },
    docker: { ...known.clusters.docker, ports: ['process', 'admin'] },
  },
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
  it('asks by default for every nemesis but those that have to be named, and for none with none', () => {
    expect(resolved({}).faults).toEqual(['kill', 'pause', 'partition', 'power-loss']);
    expect(resolved({ nemesis: 'wipe,move-leader' }).faults).toEqual(['wipe', 'move-leader']);
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

describe('resolveRun for a cluster', () => {
  it('takes all to mean what its ports allow', () => {
    const { faults } = resolved({ cluster: 'docker' });
    expect(faults).toContain('kill');
    expect(faults).not.toContain('partition');
  });

  it.each([[{ nemesis: 'kill,partition' }], [{ scenario: 'acks-one' }]])(
    'refuses %j where a port is missing, before anything starts',
    (given) => {
      const error = refused({ ...given, cluster: 'docker' });
      expect(error.code).toBe('UNSUPPORTED');
      expect(error.message).toMatch(/partition: the docker cluster offers no network port/);
      expect(error.next).toMatch(/kill/);
    },
  );

  it('tells the simulated cluster its profile and defects, and no other', () => {
    expect(resolved({ defect: 'ack-before-replication' }).simulated).toMatchObject({
      profile: { lossPerMillion: 0 },
      defects: ['ack-before-replication'],
    });
    expect(resolved({ cluster: 'docker' }).simulated).toBeNull();
  });

  it('suggests the defect that was meant', () => {
    const error = refused({ defect: 'ack-before-replicaton' });
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.next).toMatch(/did you mean "ack-before-replication"/);
  });

  it('brings the settings that a defect needs', () => {
    const [, defect] = [...known.defects].find(([, { needs }]) => needs.idempotent === false)!;
    const { producer, config } = resolved({ defect: defect.name });
    expect(producer.idempotent).toBe(false);
    expect(config).toMatchObject({ 'enable.idempotence': false });
  });
});

describe('resolveRun by swarm', () => {
  it.each([
    [{ rate: '10' }, /--rate cannot be given with --swarm: the seed decides it/],
    [{ scenario: 'acks-one' }, /--scenario cannot be given with --swarm/],
    [{ recoveryTimeout: '10s' }, /--recovery-timeout cannot be given with --swarm/],
  ])('refuses %j beside it', (given, message) => {
    expect(refused({ swarm: 'promising', ...given }).message).toMatch(message);
  });

  it('is called after its kind, and decided by the seed', () => {
    const first = resolved({ swarm: 'any' }, '4');
    expect(first.test).toBe('swarm-any');
    expect(resolved({ swarm: 'any' }, '4')).toEqual(first);
    expect(resolved({ swarm: 'any' }, '5')).not.toEqual({ ...first, seed: '5' });
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

  it('brings the style of sends, and on the simulated cluster the defect that stands for kafkajs', () => {
    const given = { scenario: 'sequence-reuse' };
    const simulated = resolved({ ...given, defect: 'reader-drops,sequence-reuse' });
    expect(simulated.sends).toEqual({ ...plainSends, afterFailure: 'continue' });
    expect(simulated.simulated?.defects).toEqual(['sequence-reuse', 'reader-drops']);
    const control = resolved({ ...given, control: true });
    expect(control.sends).toEqual(plainSends);
    expect(control.simulated?.defects).toEqual(['sequence-reuse']);
    const docker = resolved({ ...given, cluster: 'docker' });
    expect(docker.simulated).toBeNull();
    expect(docker.sends).toEqual(simulated.sends);
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
