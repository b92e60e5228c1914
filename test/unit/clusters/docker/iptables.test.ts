import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  chainOf,
  cutCounters,
  droppedPackets,
  removeCommand,
  restoreText,
  standingCuts,
} from '../../../../src/clusters/docker/iptables.ts';

const addresses = new Map([
  [1, '10.213.7.11'],
  [2, '10.213.7.12'],
  [3, '10.213.7.13'],
]);

describe('restoreText', () => {
  it('drops both ports of each flow, per peer, plane and direction', () => {
    const text = restoreText(
      'f1',
      [{ at: 1, peer: 2, planes: ['replication'], directions: ['in', 'out'] }],
      addresses,
    );
    expect(text.split('\n')).toEqual([
      '*filter',
      ':ORDEAL-I-f1 - [0:0]',
      ':ORDEAL-O-f1 - [0:0]',
      '-A ORDEAL-I-f1 -s 10.213.7.12 -p tcp -m tcp --dport 19092 -j DROP',
      '-A ORDEAL-I-f1 -s 10.213.7.12 -p tcp -m tcp --sport 19092 -j DROP',
      '-I INPUT 1 -j ORDEAL-I-f1',
      '-A ORDEAL-O-f1 -d 10.213.7.12 -p tcp -m tcp --dport 19092 -j DROP',
      '-A ORDEAL-O-f1 -d 10.213.7.12 -p tcp -m tcp --sport 19092 -j DROP',
      '-I OUTPUT 1 -j ORDEAL-O-f1',
      'COMMIT',
      '',
    ]);
  });

  it('hooks only the direction that is cut', () => {
    const text = restoreText(
      'f1',
      [{ at: 1, peer: 3, planes: ['controller'], directions: ['out'] }],
      addresses,
    );
    expect(text).toContain('-I OUTPUT 1');
    expect(text).not.toContain('INPUT');
    expect(text).not.toContain('ORDEAL-I-');
  });

  it('spares every node, the node itself and the loopback when clients are cut, after the rules for nodes', () => {
    const lines = restoreText(
      'f2',
      [
        { at: 1, peer: 'clients', planes: ['client'], directions: ['in'] },
        { at: 1, peer: 2, planes: ['client'], directions: ['in'] },
      ],
      addresses,
    ).split('\n');
    const at = (text: string): number => lines.indexOf(`-A ORDEAL-I-f2 ${text}`);
    const nodeRule = at('-s 10.213.7.12 -p tcp -m tcp --dport 9092 -j DROP');
    const clientRule = at('-p tcp -m tcp --dport 9092 -j DROP');
    expect(nodeRule).toBeGreaterThan(0);
    for (const spared of ['-i lo', ...[...addresses.values()].map((host) => `-s ${host}`)]) {
      expect(at(`${spared} -j RETURN`), spared).toBeGreaterThan(nodeRule);
      expect(at(`${spared} -j RETURN`), spared).toBeLessThan(clientRule);
    }
  });

  it('refuses a peer that the cluster lacks and a name that is no chain', () => {
    const rule = { at: 1, peer: 9, planes: ['client'], directions: ['in'] } as const;
    expect(() => restoreText('f1', [rule], addresses)).toThrow(/node 9/);
    expect(() => chainOf('f1; rm -rf /', 'in')).toThrow(/does not match/);
    expect(() => chainOf('a'.repeat(19), 'in')).toThrow(/does not match/);
    expect(chainOf('a'.repeat(18), 'in').length).toBeLessThanOrEqual(28);
  });
});

const saved = `*filter
:INPUT ACCEPT [10:600]
:ORDEAL-I-f1 - [0:0]
:ORDEAL-O-f1 - [0:0]
:ORDEAL-I-f10 - [0:0]
:SOMEBODY-ELSES - [0:0]
[100:6000] -A INPUT -j ORDEAL-I-f1
[90:5400] -A INPUT -j ORDEAL-I-f10
[3:180] -A ORDEAL-I-f1 -s 10.213.7.12/32 -p tcp -m tcp --dport 9093 -j DROP
[4:240] -A ORDEAL-I-f1 -s 10.213.7.12/32 -p tcp -m tcp --sport 9093 -j DROP
[50:3000] -A ORDEAL-I-f1 -s 10.213.7.13/32 -j RETURN
[5:300] -A ORDEAL-O-f1 -d 10.213.7.12/32 -p tcp -m tcp --dport 9093 -j DROP
[7:420] -A ORDEAL-I-f10 -p tcp -m tcp --dport 9092 -j DROP
COMMIT
`;

describe('what iptables-save shows', () => {
  it('names the cuts that stand, each once, and nobody else’s chains', () => {
    expect(standingCuts(saved)).toEqual(['f1', 'f10']);
    expect(standingCuts('')).toEqual([]);
  });

  it('counts dropped packets only, and never those of a cut whose name begins alike', () => {
    expect(droppedPackets(saved, 'f1')).toEqual({ in: 7, out: 5 });
    expect(droppedPackets(saved, 'f10')).toEqual({ in: 7, out: 0 });
    expect(droppedPackets(saved, 'f2')).toEqual({ in: 0, out: 0 });
  });

  it('adds up over the nodes', () => {
    const counters = cutCounters(
      'f1',
      new Map([
        [1, saved],
        [2, ''],
      ]),
    );
    expect(counters).toEqual({
      packets: 12,
      byNode: { 'node-1': { in: 7, out: 5 }, 'node-2': { in: 0, out: 0 } },
    });
  });
});

describe('removeCommand', () => {
  it('names both chains, and matches the dot of a name literally', () => {
    const command = removeCommand('a.b');
    expect(command).toContain('-D INPUT -j ORDEAL-I-a.b');
    expect(command).toContain('-D OUTPUT -j ORDEAL-O-a.b');
    expect(command).toContain(String.raw`ORDEAL-[IO]-a\.b `);
  });

  it.each([
    ['nothing is left', 'echo ":INPUT ACCEPT [0:0]"', 0],
    ['a chain is left', 'echo ":ORDEAL-O-f1 - [0:0]"', 1],
    ['the rules cannot be read', 'return 4', 1],
  ])('exits rightly if %s', (_, save, exitCode) => {
    const tools = `iptables() { return 1; }; iptables_save() { ${save}; }; `;
    const command = removeCommand('f1').replace('iptables-save', 'iptables_save');
    expect(spawnSync('sh', ['-c', tools + command]).status).toBe(exitCode);
  });
});
