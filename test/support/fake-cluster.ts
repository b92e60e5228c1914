/**
 * A cluster in memory on a virtual clock, for unit tests of the harness alone: it elects, refuses and loses touch about
 * as Kafka does, in a few lines, and proves nothing about Kafka.
 */
import type { Clock } from '../../src/core/clock.ts';
import type { LogName, Scalar } from '../../src/history/event.ts';
import type { Cluster, CutRule, NodeId } from '../../src/spi/cluster.ts';
import { fakeAdminPort, fakeNetworkPort, fakeProcessPort } from './fake-cluster-ports.ts';

const sessionMs = 3_000;
const rejoinMs = 2_000;
const startMs = 4_000;

export interface FakeLog {
  readonly topic: string;
  readonly partition: number;
  replicas: readonly NodeId[];
  leader: NodeId;
  epoch: number;
  inSync: NodeId[];
  /** Set by a test: nothing comes back in sync. */
  stuck?: boolean;
  readonly records: { readonly value: Scalar; readonly key: Scalar | undefined }[];
}

interface FakeNode {
  running: boolean;
  frozen: boolean;
  exitCode: number | null;
  starts: number;
}

export interface FakeCluster extends Cluster {
  readonly logs: Map<LogName, FakeLog>;
  /** What was done to it, in order: "kill node-2", "cut f3", "heal-all", "remove" … */
  readonly trace: string[];
  /** Whether clients reach the leader of a log and it has a quorum. */
  writable(log: FakeLog): boolean;
  /** Set by a test: thrown by the call of that name ("start", "pause", "healAll" …). */
  readonly failing: Map<string, Error>;
  state(node: NodeId): FakeNode;
}

/** What the ports of the fake share. */
export interface FakeTruth {
  readonly clock: Clock;
  readonly ids: readonly NodeId[];
  readonly logs: Map<LogName, FakeLog>;
  readonly cuts: Map<string, readonly CutRule[]>;
  readonly startMs: number;
  node(id: NodeId): FakeNode;
  healthy(id: NodeId): boolean;
  /** Notes what is done and throws what a test asked for. */
  act(call: string, what: string): void;
  /** After the session a hurt leader is replaced, and hurt replicas leave the in-sync sets. */
  settle(): void;
  /** After the rejoin time whole replicas are in sync again. */
  rejoin(): void;
}

export function createFakeCluster(clock: Clock): FakeCluster {
  const truth = createTruth(clock);
  const { ids, logs, cuts, node, act } = truth;
  return {
    kind: 'simulated',
    system: { name: 'fake', version: '0' },
    nodes: ids.map((id) => ({ id, clientAddress: `127.0.0.1:${9000 + id}` })),
    ports: {
      process: fakeProcessPort(truth),
      network: fakeNetworkPort(truth),
      admin: fakeAdminPort(truth),
    },
    logs,
    trace: truth.trace,
    failing: truth.failing,
    state: node,
    writable: (log) =>
      node(log.leader).running && !node(log.leader).frozen && log.inSync.length >= 2,
    start: async (_timeoutMs, progress) => {
      progress('starting fake nodes');
      act('start', 'start');
      await clock.sleep(startMs);
      for (const id of ids) Object.assign(node(id), { running: true, starts: 1 });
    },
    healAll: async () => {
      act('healAll', 'heal-all');
      cuts.clear();
      for (const id of ids) {
        if (!node(id).running) node(id).starts += 1;
        Object.assign(node(id), { running: true, frozen: false, exitCode: null });
      }
      truth.rejoin();
      await clock.turn();
      return { tookEffect: true };
    },
    collectLogs: async (directory) => {
      act('collectLogs', `collect ${directory}`);
      await clock.turn();
    },
    remove: async () => {
      act('remove', 'remove');
      await clock.turn();
    },
    [Symbol.asyncDispose]: async () => {
      await clock.turn();
    },
  };
}

interface Truth extends FakeTruth {
  readonly trace: string[];
  readonly failing: Map<string, Error>;
}

function createTruth(clock: Clock): Truth {
  const ids: readonly NodeId[] = [1, 2, 3];
  const logs = new Map<LogName, FakeLog>();
  const cuts = new Map<string, readonly CutRule[]>();
  const trace: string[] = [];
  const failing = new Map<string, Error>();
  const nodes = new Map<NodeId, FakeNode>(
    ids.map((id) => [id, { running: false, frozen: false, exitCode: null, starts: 0 }]),
  );
  const node = (id: NodeId): FakeNode => nodes.get(id) as FakeNode;
  const isolated = (id: NodeId): boolean =>
    [...cuts.values()].flat().some((rule) => rule.at === id && rule.peer !== 'clients');
  const healthy = (id: NodeId): boolean => node(id).running && !node(id).frozen && !isolated(id);

  const replaceLeaders = (): void => {
    for (const log of logs.values()) {
      if (!ids.filter((id) => id !== log.leader).some(healthy)) continue;
      const inSync = log.inSync.filter(healthy);
      if (inSync.length > 0) log.inSync = inSync;
      const next = log.inSync[0];
      if (healthy(log.leader) || next === undefined || next === log.leader) continue;
      log.leader = next;
      log.epoch += 1;
    }
  };
  const fillInSync = (): void => {
    for (const log of logs.values()) {
      if (log.stuck === true) continue;
      log.inSync = log.replicas.filter((id) => healthy(id) || log.inSync.includes(id));
    }
  };

  return {
    clock,
    ids,
    logs,
    cuts,
    trace,
    failing,
    startMs,
    node,
    healthy,
    act: (call, what) => {
      trace.push(what);
      const error = failing.get(call);
      if (error !== undefined) throw error;
    },
    settle: () => {
      clock.after(sessionMs, replaceLeaders);
    },
    rejoin: () => {
      clock.after(rejoinMs, fillInSync);
    },
  };
}
