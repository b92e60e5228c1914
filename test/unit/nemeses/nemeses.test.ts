import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.ts';
import type { Evidence } from '../../../src/history/event.ts';
import type { Cluster, NodeId } from '../../../src/spi/cluster.ts';
import type { FaultContext, FaultPlan } from '../../../src/spi/nemesis.ts';
import { cutRules, partitionVariants } from '../../../nemeses/cut-rules.ts';
import { nemeses } from '../../../nemeses/index.ts';
import { freezeMember } from '../../../nemeses/freeze-member.ts';
import { kill } from '../../../nemeses/kill.ts';
import { partition } from '../../../nemeses/partition.ts';
import { pause } from '../../../nemeses/pause.ts';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

const leader = { role: 'leader', topic: 't', partition: 0 } as const;

async function started(): Promise<{ clock: VirtualClock; cluster: FakeCluster }> {
  const clock = createVirtualClock();
  const cluster = createFakeCluster(clock);
  await clock.drive(cluster.start(10_000, () => undefined));
  const topic = { name: 't', replicas: [[1, 2, 3]], config: {} };
  await clock.drive(cluster.ports.admin!.createTopics([topic]));
  return { clock, cluster };
}

function context(
  { clock, cluster }: { clock: VirtualClock; cluster: Cluster },
  variant: string,
  targets: readonly NodeId[] = [1],
): FaultContext {
  const plan: FaultPlan = { target: leader, variant };
  return { fault: 'f1', cluster, clock, plan, targets, evidenceTimeoutMs: 3_500 };
}

describe('kill', () => {
  it.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
  ])('%s is proved by the exit code and by what the others see', async (signal, exitCode) => {
    const base = await started();
    const evidence = await base.clock.drive(kill.inject(context(base, signal)));
    expect(evidence).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { running: false, exitCode } },
      gone: true,
    });
  });

  it('is healed by one more start, and by the others listing the node again', async () => {
    const base = await started();
    const fault = context(base, 'SIGKILL');
    const injected = await base.clock.drive(kill.inject(fault));
    await base.clock.drive(base.clock.sleep(3_000));
    const healed = await base.clock.drive(kill.heal(fault, injected));
    expect(healed).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { running: true, starts: 2 } },
      leadersBefore: { 't/0': [2, 1] },
    });
  });

  it('did not bite what was down already', async () => {
    const base = await started();
    const fault = context(base, 'SIGKILL');
    await base.clock.drive(kill.inject(fault));
    const again = await base.clock.drive(kill.inject(fault));
    expect(again.tookEffect).toBe(false);
  });

  it('ends a node that it was not seen to end before it starts it', async () => {
    const base = await started();
    const fault = context(base, 'SIGTERM');
    const injected: Evidence = { tookEffect: 'unknown', reason: 'late' };
    const healed = await base.clock.drive(kill.heal(fault, injected));
    expect(healed).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { running: true, starts: 2 } },
    });
  });

  it('is of unknown heal if no restart is proved', async () => {
    const base = await started();
    const port = { ...base.cluster.ports.process!, kill: () => Promise.resolve() };
    const cluster = { ...base.cluster, ports: { ...base.cluster.ports, process: port } };
    const fault = { ...context(base, 'SIGTERM'), cluster };
    const injected: Evidence = { tookEffect: 'unknown', reason: 'late' };
    const healed = await base.clock.drive(kill.heal(fault, injected));
    expect(healed).toMatchObject({ tookEffect: 'unknown', rejoined: true });
  });

  it('is of unknown heal if nobody lists the node within the bound', async () => {
    const base = await started();
    const fault = context(base, 'SIGKILL');
    const injected = await base.clock.drive(kill.inject(fault));
    const admin = base.cluster.ports.admin!;
    const blind = async (timeoutMs: number) =>
      (await admin.views(timeoutMs)).map((view) => ({ ...view, liveNodes: [2, 3] }));
    const ports = { ...base.cluster.ports, admin: { ...admin, views: blind } };
    const cluster = { ...base.cluster, ports };
    const healed = await base.clock.drive(kill.heal({ ...fault, cluster }, injected));
    expect(healed).toMatchObject({ tookEffect: 'unknown', rejoined: false });
  });
});

describe('pause', () => {
  it('is proved by the freezer and by silence, and healed by an answer', async () => {
    const base = await started();
    const fault = context(base, 'freeze');
    const injected = await base.clock.drive(pause.inject(fault));
    expect(injected).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { frozen: true } },
      answers: { 'node-1': 'no answer' },
    });
    await base.clock.drive(base.clock.sleep(4_000));
    const healed = await base.clock.drive(pause.heal(fault, injected));
    expect(healed).toMatchObject({
      tookEffect: true,
      after: { 'node-1': { frozen: false } },
      answers: { 'node-1': 'answered' },
      moved: ['t/0'],
    });
  });

  it('thaws before it asks anybody', async () => {
    const base = await started();
    const fault = context(base, 'freeze');
    const injected = await base.clock.drive(pause.inject(fault));
    const before = base.clock.nowNs();
    const healing = pause.heal(fault, injected);
    await base.clock.driveUntil(before / 1e6 + 30);
    expect(base.cluster.state(1).frozen).toBe(false);
    await base.clock.drive(healing);
  });

  it('is not proved by a freezer that says thawed, nor by a node that answers', async () => {
    const base = await started();
    const fault = context(base, 'freeze');
    const port = base.cluster.ports.process!;
    const noFreezer = { ...port, pause: () => Promise.resolve() };
    const weak = { ...base.cluster, ports: { ...base.cluster.ports, process: noFreezer } };
    const missed = await base.clock.drive(pause.inject({ ...fault, cluster: weak }));
    expect(missed.tookEffect).toBe(false);
    const state = async (node: NodeId) => ({ ...(await port.state(node)), frozen: calls++ > 0 });
    let calls = 0;
    const lying = { ...noFreezer, state };
    const odd = { ...base.cluster, ports: { ...base.cluster.ports, process: lying } };
    const doubtful = await base.clock.drive(pause.inject({ ...fault, cluster: odd }));
    expect(doubtful.tookEffect).toBe('unknown');
  });

  it('is healed too if another fault killed the node meanwhile', async () => {
    const base = await started();
    const fault = context(base, 'freeze');
    const injected = await base.clock.drive(pause.inject(fault));
    await base.clock.drive(base.cluster.ports.process!.kill(1, 'SIGKILL'));
    const healed = await base.clock.drive(pause.heal(fault, injected));
    expect(healed.tookEffect).toBe(true);
  });
});

describe('partition', () => {
  it('is proved by dropped packets, and healed by gone rules and an open probe', async () => {
    const base = await started();
    const fault = context(base, 'isolate');
    const injected = await base.clock.drive(partition.inject(fault));
    expect(injected).toMatchObject({ tookEffect: true, counters: { packets: 12 } });
    expect((injected['probes'] as { connected: boolean }[]).some((p) => p.connected)).toBe(false);
    const healed = await base.clock.drive(partition.heal(fault, injected));
    expect(healed).toMatchObject({ tookEffect: true, counters: { packets: 12 }, standing: [] });
  });

  it('without a dropped packet did not bite if a probe connects, and else is unknown', async () => {
    const base = await started();
    const fault = context(base, 'isolate');
    const network = base.cluster.ports.network!;
    const judge = async (connected: boolean): Promise<Evidence> => {
      const weak = {
        ...network,
        counters: () => Promise.resolve({ packets: 0, byNode: {} }),
        probe: async (...asked: Parameters<typeof network.probe>) => {
          return { ...(await network.probe(...asked)), connected };
        },
      };
      const cluster = { ...base.cluster, ports: { ...base.cluster.ports, network: weak } };
      return base.clock.drive(partition.inject({ ...fault, cluster }));
    };
    expect((await judge(true)).tookEffect).toBe(false);
    expect((await judge(false)).tookEffect).toBe('unknown');
  });

  it('is not healed while rules stand, and unknown while no probe connects', async () => {
    const base = await started();
    const fault = context(base, 'isolate');
    const injected = await base.clock.drive(partition.inject(fault));
    const network = base.cluster.ports.network!;
    const withNetwork = (changes: Partial<typeof network>): FaultContext => {
      const ports = { ...base.cluster.ports, network: { ...network, ...changes } };
      return { ...fault, cluster: { ...base.cluster, ports } };
    };
    const stuck = withNetwork({ heal: () => Promise.resolve() });
    expect((await base.clock.drive(partition.heal(stuck, injected))).tookEffect).toBe(false);
    const closed = withNetwork({
      probe: async (...asked) => ({ ...(await network.probe(...asked)), connected: false }),
    });
    expect((await base.clock.drive(partition.heal(closed, injected))).tookEffect).toBe('unknown');
  });

  it('refuses a variant that it does not know', async () => {
    const base = await started();
    const fault = context(base, 'sideways');
    await expect(base.clock.drive(partition.inject(fault))).rejects.toThrow('"sideways"');
  });
});

describe('cutRules', () => {
  const both = ['in', 'out'] as const;
  const between = ['replication', 'controller'] as const;

  it.each([
    ['isolate', between, both],
    ['halves', between, both],
    ['one-way-in', between, ['in']],
    ['one-way-out', between, ['out']],
    ['replication-only', ['replication'], both],
    ['controller-only', ['controller'], both],
  ] as const)('%s drops at the target what it should', (variant, planes, directions) => {
    expect(cutRules(variant, [2], [1, 2, 3])).toEqual([
      { at: 2, peer: 1, planes, directions },
      { at: 2, peer: 3, planes, directions },
    ]);
  });

  it('cuts clients off too where the variant says so', () => {
    expect(cutRules('isolate-clients', [2], [1, 2])).toEqual([
      { at: 2, peer: 1, planes: between, directions: both },
      { at: 2, peer: 'clients', planes: ['client'], directions: both },
    ]);
  });

  it('leaves the nodes of one side in touch', () => {
    const rules = cutRules('halves', [1, 2], [1, 2, 3, 4, 5]);
    expect(rules).toHaveLength(6);
    expect(rules.some((rule) => rule.peer === 1 || rule.peer === 2)).toBe(false);
  });
});

describe('freeze-member', () => {
  /** Two clients that can be frozen, by name; what was asked, in order. */
  async function withClients(names: readonly string[]) {
    const base = await started();
    const states = new Map(names.map((name) => [name, { frozen: false }]));
    const asked: string[] = [];
    const set = (word: string, name: string, frozen: boolean): Promise<void> => {
      asked.push(`${word} ${name}`);
      if (states.has(name)) states.set(name, { frozen });
      return Promise.resolve();
    };
    const clients = {
      names: () => [...states.keys()],
      state: (name: string) => Promise.resolve(states.get(name) ?? null),
      pause: (name: string) => set('pause', name, true),
      resume: (name: string) => set('resume', name, false),
    };
    const cluster = { ...base.cluster, ports: { ...base.cluster.ports, clients } } as Cluster;
    const plan: FaultPlan = { target: { role: 'client', position: 3 }, variant: 'freeze' };
    const fault = { ...context({ ...base, cluster }, 'freeze', []), plan };
    return { fault, states, asked };
  }

  it('freezes the one that the plan names, by order of name, and thaws the same one', async () => {
    const { fault, states, asked } = await withClients(['member-b', 'member-a']);
    const injected = await freezeMember.inject(fault);
    expect(injected).toMatchObject({ tookEffect: true, client: 'member-b' });
    // Another one has come meanwhile: the heal is of the one that was frozen.
    states.set('member-0', { frozen: false });
    expect(await freezeMember.heal(fault, injected)).toMatchObject({
      tookEffect: true,
      client: 'member-b',
      after: { frozen: false },
    });
    expect(asked).toEqual(['pause member-b', 'resume member-b']);
  });

  it('did not bite where nobody runs, or where it was frozen already', async () => {
    const none = await withClients([]);
    expect(await freezeMember.inject(none.fault)).toMatchObject({ tookEffect: false });
    expect(await freezeMember.heal(none.fault, { tookEffect: false })).toMatchObject({
      tookEffect: true,
    });
    const { fault, states } = await withClients(['member-a']);
    states.set('member-a', { frozen: true });
    expect(await freezeMember.inject(fault)).toMatchObject({ tookEffect: false });
  });

  it('is healed where the client has ended meanwhile', async () => {
    const { fault, states } = await withClients(['member-a']);
    const injected = await freezeMember.inject(fault);
    states.delete('member-a');
    expect(await freezeMember.heal(fault, injected)).toMatchObject({
      tookEffect: true,
      after: null,
    });
  });
});

describe('the registry', () => {
  it('holds each under its own name', () => {
    expect([...nemeses.keys()].sort()).toEqual([
      'freeze-member',
      'kill',
      'move-leader',
      'partition',
      'pause',
      'power-loss',
      'wipe',
    ]);
    for (const [name, nemesis] of nemeses) expect(nemesis.name).toBe(name);
  });

  it('draws every variant and role, within the context', () => {
    const drawn = { topics: [{ name: 't', partitions: 3 }], nodes: [1, 2, 3] };
    const random = randomStream('1', 'draw');
    const variants = new Set<string>();
    const roles = new Set<string>();
    for (const nemesis of nemeses.values()) {
      for (let draw = 0; draw < 200; draw += 1) {
        const { variant, target } = nemesis.draw(random, drawn);
        variants.add(variant);
        roles.add(target.role);
        if (!('topic' in target)) continue;
        expect(target.topic).toBe('t');
        expect([0, 1, 2]).toContain(target.partition);
      }
    }
    expect([...variants].sort()).toEqual(
      [
        'SIGKILL',
        'SIGTERM',
        'freeze',
        'power-off',
        'preferred-election',
        'one-log',
        ...partitionVariants,
      ].sort(),
    );
    expect([...roles].sort()).toEqual(['client', 'controller', 'follower', 'leader', 'minority']);
  });
});
