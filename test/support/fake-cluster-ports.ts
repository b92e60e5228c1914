/** The ports of the fake cluster: what a nemesis and the run do to it and ask of it. */
import type {
  AdminPort,
  NetworkPort,
  NodeId,
  NodeView,
  ProcessPort,
} from '../../src/spi/cluster.ts';
import type { FakeLog, FakeTruth } from './fake-cluster.ts';

export function fakeProcessPort(truth: FakeTruth): ProcessPort {
  const { clock, node, act } = truth;
  return {
    state: async (id) => {
      await clock.turn();
      const { running, frozen, exitCode, starts } = node(id);
      return { running, frozen, exitCode, starts };
    },
    kill: async (id, signal) => {
      act('kill', `kill node-${id}`);
      await clock.sleep(50);
      const exitCode = signal === 'SIGKILL' ? 137 : 143;
      Object.assign(node(id), { running: false, frozen: false, exitCode });
      truth.settle();
    },
    start: async (id) => {
      act('startNode', `start node-${id}`);
      await clock.sleep(truth.startMs);
      if (node(id).running) return;
      Object.assign(node(id), { running: true, exitCode: null, starts: node(id).starts + 1 });
      truth.rejoin();
    },
    pause: async (id) => {
      act('pause', `pause node-${id}`);
      await clock.sleep(20);
      node(id).frozen = true;
      truth.settle();
    },
    resume: async (id) => {
      act('resume', `resume node-${id}`);
      await clock.sleep(20);
      node(id).frozen = false;
      truth.rejoin();
    },
  };
}

export function fakeNetworkPort(truth: FakeTruth): NetworkPort {
  const { ids, cuts, act } = truth;
  const blocked = (a: NodeId, b: NodeId): boolean =>
    [...cuts.values()]
      .flat()
      .some(({ at, peer }) => (at === a && peer === b) || (at === b && peer === a));
  return {
    cut: (cut, rules) => {
      act('cut', `cut ${cut}`);
      cuts.set(cut, rules);
      truth.settle();
      return Promise.resolve();
    },
    counters: (cut) => Promise.resolve({ packets: cuts.has(cut) ? 12 : 0, byNode: {} }),
    heal: (cut) => {
      act('heal', `heal ${cut}`);
      cuts.delete(cut);
      truth.rejoin();
      return Promise.resolve();
    },
    standing: () => Promise.resolve([...cuts.keys()]),
    probe: (from, to, plane) => {
      const connected = ids.includes(to) && !blocked(from, to);
      return Promise.resolve({ from, to, plane, connected, detail: '' });
    },
  };
}

export function fakeAdminPort(truth: FakeTruth): AdminPort {
  const { clock, ids, logs, node, healthy, act } = truth;
  const viewOf = (id: NodeId): NodeView => {
    const answers = node(id).running && !node(id).frozen;
    const partitions = [...logs.values()].map((log) => {
      const { topic, partition, leader, epoch, replicas, inSync } = log;
      return { topic, partition, leader, leaderEpoch: epoch, replicas, inSync };
    });
    return {
      node: id,
      partitions: answers ? partitions : null,
      liveNodes: ids.filter(healthy),
      controller: { node: ids.find(healthy) ?? 1, epoch: 1 },
      error: answers ? null : 'no answer',
    };
  };
  return {
    createTopics: async (specs) => {
      act('createTopics', 'create-topics');
      await clock.turn();
      for (const { name: topic, replicas: placement } of specs) {
        for (const [partition, replicas] of placement.entries()) {
          const leader = replicas[0] as NodeId;
          const inSync = [...replicas];
          const log = { topic, partition, replicas, leader, epoch: 0, inSync, records: [] };
          logs.set(`${topic}/${partition}`, log);
        }
      }
    },
    views: async (timeoutMs) => {
      await clock.sleep(ids.some((id) => node(id).frozen) ? timeoutMs : 5);
      return ids.map(viewOf);
    },
    health: async () => {
      await clock.sleep(5);
      const missing = ids.filter((id) => !healthy(id)).map((id) => `node-${id}`);
      for (const [name, log] of logs) {
        if (log.inSync.length < log.replicas.length) missing.push(`${name} in sync`);
      }
      return { healthy: missing.length === 0, missing };
    },
    coordinator: () => Promise.resolve(1),
    elect: async (_kind, partitions) => {
      act('elect', 'elect');
      await clock.sleep(5);
      for (const { topic, partition } of partitions) {
        const log = logs.get(`${topic}/${partition}`) as FakeLog;
        log.leader = log.replicas[0] as NodeId;
        log.epoch += 1;
      }
      return [];
    },
    reassign: async ({ topic, partition }, replicas) => {
      act('reassign', `reassign ${topic}/${partition} to ${replicas.join(',')}`);
      await clock.sleep(5);
      (logs.get(`${topic}/${partition}`) as FakeLog).replicas = replicas;
      return null;
    },
  };
}
