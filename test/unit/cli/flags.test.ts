import { describe, expect, it } from 'vitest';
import { flagName, parseFlags } from '../../../src/cli/flags.ts';
import { OrdealError } from '../../../src/core/errors.ts';

function refused(given: Readonly<Record<string, unknown>>): OrdealError {
  try {
    parseFlags(given);
  } catch (thrown) {
    if (thrown instanceof OrdealError) return thrown;
    throw thrown;
  }
  throw new Error('the flags were accepted');
}

describe('parseFlags', () => {
  it('is complete when nothing was given', () => {
    expect(parseFlags({})).toEqual({
      cluster: 'simulated',
      workload: 'log',
      scenario: null,
      swarm: null,
      defect: [],
      control: false,
      nemesis: ['all'],
      nemesisInterval: 10_000,
      timeLimit: 60_000,
      rate: 100,
      concurrency: 5,
      topics: 1,
      partitions: 3,
      claims: null,
      image: null,
      brokerVersion: '4.1.1',
      operationTimeout: 5_000,
      recoveryTimeout: 60_000,
      store: 'store',
      json: false,
      reporter: 'text',
      leaveRunning: false,
      testCount: 1,
    });
  });

  it('takes what was typed', () => {
    const flags = parseFlags({
      nemesis: 'kill, pause,kill',
      timeLimit: '2m',
      seed: '007',
      claims: 'durability,recovery',
      rate: '250',
    });
    expect(flags.nemesis).toEqual(['kill', 'pause']);
    expect(flags.timeLimit).toBe(120_000);
    expect(flags.seed).toBe('7');
    expect(flags.claims).toEqual(['durability', 'recovery']);
    expect(flags.rate).toBe(250);
  });

  it.each([
    [{ timeLimit: '60' }, 'BAD_ARGUMENT', /--time-limit: "60"/],
    [{ rate: '0' }, 'BAD_ARGUMENT', /--rate: "0" is not a whole number from 1 to/],
    [{ rate: '1e3' }, 'BAD_ARGUMENT', /--rate/],
    [{ testCount: '-1' }, 'BAD_ARGUMENT', /--test-count/],
    [{ seed: 'abc' }, 'BAD_ARGUMENT', /--seed: "abc"/],
    [{ seed: '1234567890123456789' }, 'BAD_ARGUMENT', /--seed/],
    [{ nemesis: 'kill,,pause' }, 'BAD_ARGUMENT', /--nemesis: .* empty name/],
    [{ brokerVersion: '4.1' }, 'BAD_ARGUMENT', /--broker-version: "4.1"/],
    [{ reporter: 'xml' }, 'BAD_ARGUMENT', /--reporter: there is no "xml"/],
    [{ image: '' }, 'BAD_ARGUMENT', /--image/],
    [{ swarm: 'promisin' }, 'BAD_ARGUMENT', /--swarm: there is no "promisin"/],
    [{ defect: 'a,,b' }, 'BAD_ARGUMENT', /--defect: .* empty name/],
    [{ image: 'kafka:1' }, 'BAD_ARGUMENT', /--image is for --cluster docker/],
    [{ brokerVersion: '4.1.1' }, 'BAD_ARGUMENT', /--broker-version is for --cluster docker/],
    [{ leaveRunning: true }, 'BAD_ARGUMENT', /--leave-running is for --cluster docker/],
    [{ cluster: 'docker', swarm: 'any' }, 'BAD_ARGUMENT', /--swarm is for --cluster simulated/],
    [{ cluster: 'docker', defect: 'x' }, 'BAD_ARGUMENT', /--defect is for --cluster simulated/],
    [{ cluster: 'external' }, 'UNSUPPORTED', /--cluster external is not built yet/],
    [{ cluster: 'dokcer' }, 'BAD_ARGUMENT', /--cluster: there is no "dokcer"/],
  ])('refuses %j', (given, code, message) => {
    const error = refused(given);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(254);
    expect(error.next).not.toBe('');
  });

  it('suggests the claim that was meant', () => {
    expect(refused({ claims: 'durability,orderin' }).next).toMatch(/did you mean "ordering"/);
  });

  it('suggests the option that was meant', () => {
    const error = refused({ nemesisIntervall: '1s' });
    expect(error.message).toContain('nemesisIntervall');
    expect(error.next).toMatch(/did you mean "nemesisInterval"/);
  });
});

describe('flagName', () => {
  it.each([
    ['seed', '--seed'],
    ['nemesisInterval', '--nemesis-interval'],
  ])('of %s is %s', (key, flag) => {
    expect(flagName(key)).toBe(flag);
  });
});
