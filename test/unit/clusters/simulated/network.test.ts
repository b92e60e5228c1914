/** Cuts, back-off and loss, on pipes between hosts of which 0 is where all clients run. */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { clientHost, Network, Pipe } from '../../../../src/clusters/simulated/network.ts';
import { randomStream } from '../../../../src/core/random.ts';
import { nsPerMs } from '../../../../src/core/units.ts';
import { planes, type CutRule } from '../../../../src/spi/cluster.ts';
import { quietProfile } from '../../../../src/spi/simulation.ts';
import { advance } from '../../../support/model-cluster.ts';

function create(lossPerMillion = 0): { readonly kernel: Kernel; readonly network: Network } {
  const kernel = new Kernel();
  const profile = { ...quietProfile, lossPerMillion };
  return { kernel, network: new Network(kernel, randomStream('1', 'network'), profile) };
}

const slowestMs = (quietProfile.latencyUs[1] + quietProfile.serviceUs[1]) / 1_000;
const oneToTwo: CutRule = { at: 1, peer: 2, planes, directions: ['in', 'out'] };

describe('rules of a cut', () => {
  it('drop what arrives, or what leaves, at their node: one direction alone, if they say so', () => {
    const { network } = create();
    network.cut('deaf', [{ ...oneToTwo, directions: ['in'] }]);
    expect(network.passes(2, 1, 'client')).toBe(false);
    expect(network.passes(1, 2, 'client')).toBe(true);
    network.heal('deaf');
    network.cut('mute', [{ ...oneToTwo, directions: ['out'] }]);
    expect(network.passes(2, 1, 'client')).toBe(true);
    expect(network.passes(1, 2, 'client')).toBe(false);
    expect(network.passes(1, 3, 'client')).toBe(true);
  });

  it.each(planes)('of the %s plane leave the others alone', (plane) => {
    const { network } = create();
    network.cut('one', [{ ...oneToTwo, planes: [plane] }]);
    for (const other of planes) expect(network.passes(1, 2, other)).toBe(other !== plane);
  });

  it('with clients as their peer drop clients only, nodes never', () => {
    const { network } = create();
    network.cut('clients', [{ ...oneToTwo, peer: 'clients' }]);
    expect(network.passes(clientHost, 1, 'client')).toBe(false);
    expect(network.passes(1, clientHost, 'client')).toBe(false);
    expect(network.passes(2, 1, 'client')).toBe(true);
    expect(network.passes(clientHost, 2, 'client')).toBe(true);
    network.heal('clients');
    network.cut('nodes', [oneToTwo]);
    expect(network.passes(clientHost, 1, 'client')).toBe(true);
  });

  it('count what they drop, per node and direction; a second cut of a name changes nothing', () => {
    const { network } = create();
    network.cut('both', [oneToTwo, { at: 3, peer: 'clients', planes, directions: ['in'] }]);
    network.cut('both', [oneToTwo]);
    network.passes(2, 1, 'client');
    network.passes(2, 1, 'replication');
    network.passes(1, 2, 'client');
    network.passes(clientHost, 3, 'client');
    network.passes(3, clientHost, 'client');
    expect(network.counters('both')).toEqual({
      packets: 4,
      byNode: { 'node-1': { in: 2, out: 1 }, 'node-3': { in: 1, out: 0 } },
    });
    expect(network.standing()).toEqual(['both']);
    network.heal('both');
    network.heal('both');
    expect(network.standing()).toEqual([]);
    expect(network.passes(2, 1, 'client')).toBe(true);
  });

  it('of two cuts: a packet is counted once, and healing one leaves the other', () => {
    const { network } = create();
    network.cut('first', [oneToTwo]);
    network.cut('second', [oneToTwo]);
    network.passes(1, 2, 'client');
    expect(network.counters('first').packets).toBe(1);
    expect(network.counters('second').packets).toBe(0);
    network.heal('first');
    expect(network.passes(1, 2, 'client')).toBe(false);
  });
});

describe('a pipe', () => {
  it('delivers in order, within latency and service of each message', () => {
    const { kernel, network } = create();
    const pipe = new Pipe(network, 1, 2, 'replication', 'data');
    const arrived: number[] = [];
    for (let number = 0; number < 100; number++) pipe.send(() => arrived.push(number));
    advance(kernel, slowestMs);
    expect(arrived).toEqual(Array.from({ length: 100 }, (_, number) => number));
  });

  /** KAFKA.md A4: bytes come back about 3.0, 6.2 or 12.6 s after the first lost segment. */
  it.each([
    [1.5, 3.0],
    [3.1, 6.2],
    [6.5, 12.6],
  ])('cut for %d s delivers again %d s after the first loss, in order', (cutS, backS) => {
    const { kernel, network } = create();
    const pipe = new Pipe(network, clientHost, 1, 'client', 'data');
    const arrived: (readonly [string, number])[] = [];
    const send = (name: string): void => {
      pipe.send(() => arrived.push([name, kernel.nowNs / nsPerMs]));
    };
    network.cut('cut', [{ ...oneToTwo, peer: 'clients' }]);
    send('first lost');
    advance(kernel, cutS * 1_000);
    send('behind it');
    network.heal('cut');
    send('after the heal');
    advance(kernel, (backS - cutS) * 1_000 - 1);
    expect(arrived).toEqual([]);
    advance(kernel, 1 + 2 * slowestMs);
    expect(arrived.map(([name]) => name)).toEqual(['first lost', 'behind it', 'after the heal']);
    for (const [, atMs] of arrived) expect(atMs).toBeLessThan(backS * 1_000 + 2 * slowestMs);
  });

  it('tries a connection again after a second, and never waits longer than two minutes', () => {
    const { kernel, network } = create();
    const pipe = new Pipe(network, 1, 2, 'client', 'connect');
    let attemptsBefore = 0;
    network.cut('cut', [oneToTwo]);
    pipe.send(() => undefined);
    const attempts = (): number => network.counters('cut').packets;
    expect(attempts()).toBe(1);
    advance(kernel, 999);
    expect(attempts()).toBe(1);
    advance(kernel, 2);
    expect(attempts()).toBe(2);
    advance(kernel, 600_000);
    attemptsBefore = attempts();
    advance(kernel, 120_000);
    expect(attempts()).toBe(attemptsBefore + 1);
  });

  it('a host reaches itself, whatever is cut', () => {
    const { kernel, network } = create();
    network.cut('self', [{ ...oneToTwo, peer: 1 }]);
    let arrived = false;
    new Pipe(network, 1, 1, 'controller', 'data').send(() => {
      arrived = true;
    });
    advance(kernel, slowestMs);
    expect(arrived).toBe(true);
  });
});

describe('loss', () => {
  it('delays by the first retransmission, keeps the order, and loses nothing for good', () => {
    const { kernel, network } = create(200_000);
    const pipe = new Pipe(network, 1, 2, 'replication', 'data');
    const arrived: number[] = [];
    const delaysMs: number[] = [];
    for (let number = 0; number < 50; number++) {
      const sentNs = kernel.nowNs;
      pipe.send(() => {
        arrived.push(number);
        delaysMs.push((kernel.nowNs - sentNs) / nsPerMs);
      });
      advance(kernel, 300);
    }
    expect(arrived).toEqual(Array.from({ length: 50 }, (_, number) => number));
    const late = delaysMs.filter((ms) => ms >= 200);
    expect(late.length).toBeGreaterThan(2);
    expect(late.length).toBeLessThan(25);
    for (const ms of late) expect(ms).toBeLessThan(200 + slowestMs);
  });
});
