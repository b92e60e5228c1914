import { describe, expect, it } from 'vitest';
import {
  acksAll,
  permissionText,
  permittedBy,
  replicaLagNs,
} from '../../../../checkers/facts/permission.ts';
import { history } from '../../../support/history-builder.ts';

const withConfig = (config: Readonly<Record<string, unknown>>) => history({ config }).load();
const inFlight = 'max.in.flight.requests.per.connection';

describe('the setting that permits an anomaly', () => {
  it.each([
    [{ 'enable.idempotence': false, [inFlight]: 5 }, inFlight],
    [{ 'enable.idempotence': 'false', [inFlight]: '2' }, inFlight],
    [{ 'enable.idempotence': false, [inFlight]: 1 }, null],
    [{ 'enable.idempotence': false, [inFlight]: '' }, null],
    [{ 'enable.idempotence': false, [inFlight]: 'many' }, null],
    [{ 'enable.idempotence': false }, null],
    [{ 'enable.idempotence': true, [inFlight]: 5 }, null],
    [{ [inFlight]: 5 }, null],
  ])('nonmonotonic-send under %j: %s', (config, setting) => {
    expect(permittedBy(withConfig(config), 'nonmonotonic-send')).toBe(setting);
    expect(permittedBy(withConfig(config), 'key-reordered')).toBe(setting);
  });

  it.each([
    ['duplicate', { 'enable.idempotence': false }, 'enable.idempotence'],
    ['duplicate', { 'enable.idempotence': true }, null],
    ['aborted-read', { 'isolation.level': 'read_uncommitted' }, 'isolation.level'],
    ['aborted-read', { 'isolation.level': 'read_committed' }, null],
    ['aborted-read', {}, null],
    ['real-time-inversion', { 'min.insync.replicas': 1 }, 'min.insync.replicas'],
    ['phantom', { acks: 0 }, null],
    ['G0', {}, 'profile'],
    ['G1c', {}, null],
  ] as const)('%s under %j: %s', (anomaly, config, setting) => {
    expect(permittedBy(withConfig(config), anomaly)).toBe(setting);
  });

  it('is told at the end of an explanation, but for profiles', () => {
    expect(permissionText(withConfig({ acks: 1 }), 'lost-write')).toBe(' acks=1 permits this.');
    expect(permissionText(withConfig({}), 'lost-write')).toBe('');
    expect(permissionText(withConfig({}), 'G0')).toBe('');
  });
});

describe('what else the settings say', () => {
  it.each([
    [undefined, true],
    ['all', true],
    [-1, true],
    ['-1', true],
    [1, false],
    ['0', false],
  ])('acks %s: all in-sync replicas, %s', (acks, all) => {
    expect(acksAll(withConfig(acks === undefined ? {} : { acks }))).toBe(all);
  });

  it('a replica may lag for replica.lag.time.max.ms, 30 s unless given', () => {
    expect(replicaLagNs(withConfig({}))).toBe(30e9);
    expect(replicaLagNs(withConfig({ 'replica.lag.time.max.ms': '5' }))).toBe(5e6);
  });
});
