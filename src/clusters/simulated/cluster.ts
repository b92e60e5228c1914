/** The simulated cluster behind the interfaces of src/spi, and the simulation that it lives in. */
import type { Clock } from '../../core/clock.ts';
import { OrdealError } from '../../core/errors.ts';
import { randomStream } from '../../core/random.ts';
import { formatDurationMs, nsPerMs } from '../../core/units.ts';
import type { Evidence } from '../../history/event.ts';
import type { BrokerLink } from '../../kafka-protocol/link.ts';
import type { AdminPort, Cluster, NodeId, NodeInfo, SystemInfo } from '../../spi/cluster.ts';
import type { ClientProcess, SimulatedProfile } from '../../spi/simulation.ts';
import { addressOf } from './addresses.ts';
import { ClientProcesses } from './client-processes.ts';
import { Connections } from './connection.ts';
import { createVirtualClock, Kernel } from './kernel.ts';
import { SimulatedLink } from './links.ts';
import { Network } from './network.ts';
import { NodeProcess } from './node-process.ts';
import { SimulatedNode } from './node.ts';
import {
  createDiskPort,
  createNetworkPort,
  createProcessPort,
  createStoragePort,
} from './ports.ts';
import { createGroundTruth, type GroundTruth } from './truth.ts';

export type LinkFactory = (node: NodeInfo, clientId: string) => BrokerLink;

export interface SimulationOptions {
  readonly seed: string;
  readonly nodes: readonly NodeId[];
  readonly profile: SimulatedProfile;
  /** Names out of `brokerDefects`; others are nobody's here. */
  readonly defects: ReadonlySet<string>;
  /** The admin port over a client's links. */
  readonly admin: (
    nodes: readonly NodeInfo[],
    link: LinkFactory,
    clock: Clock,
  ) => AdminPort & AsyncDisposable;
}

export interface Simulation {
  /** Virtual; its origin is the epoch. */
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly link: LinkFactory;
  readonly truth: GroundTruth;
  /** Starts the process of a client that the port `clients` can freeze. */
  readonly clientProcess: (name: string) => ClientProcess;
  /** Runs virtual time until the promise settles. */
  drive<T>(promise: Promise<T>): Promise<T>;
}

const system: SystemInfo = { name: 'simulated', version: '1', image: 'simulated' };
const startPollMs = 500;

export function createSimulation(options: SimulationOptions): Simulation {
  const kernel = new Kernel();
  const clock = createVirtualClock(kernel);
  const network = new Network(kernel, randomStream(options.seed, 'network'), options.profile);
  const connections = new Connections(network);
  const nodes = createNodes(options, kernel, connections);
  const clients = new ClientProcesses();
  const nodeOf = (id: NodeId): SimulatedNode => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`the simulated cluster has no node ${id}`);
    return node;
  };
  const link: LinkFactory = (node) => new SimulatedLink(kernel, connections, nodeOf(node.id));
  const infos = options.nodes.map((id): NodeInfo => {
    const { host, port } = addressOf(id);
    return { id, clientAddress: `${host}:${port}` };
  });
  const admin = options.admin(infos, link, clock);
  const remove = async (): Promise<void> => {
    for (const node of nodes.values()) node.stop('SIGKILL', () => undefined);
    await admin[Symbol.asyncDispose]();
  };
  const cluster: Cluster = {
    kind: 'simulated',
    system,
    nodes: infos,
    ports: {
      process: createProcessPort(kernel, nodeOf),
      network: createNetworkPort(kernel, network, nodes),
      disk: createDiskPort(kernel, options.profile.flushMs, nodeOf),
      storage: createStoragePort(kernel, nodeOf),
      admin,
      clients: clients.port(kernel),
    },
    start: async (timeoutMs, progress) => {
      progress(`starting ${nodes.size} simulated nodes`);
      for (const node of nodes.values()) node.start();
      await untilHealthy(admin, clock, timeoutMs);
    },
    healAll: async () => {
      const evidence = healEverything(network, [...nodes.values()], clients);
      await clock.turn();
      return evidence;
    },
    collectLogs: () => Promise.resolve(),
    remove,
    [Symbol.asyncDispose]: remove,
  };
  return {
    clock,
    cluster,
    link,
    truth: createGroundTruth(nodes),
    clientProcess: (name) => clients.start(name),
    drive: (promise) => kernel.drive(promise),
  };
}

function healEverything(
  network: Network,
  nodes: readonly SimulatedNode[],
  clients: ClientProcesses,
): Evidence {
  const rulesRemoved = network.standing();
  for (const cut of rulesRemoved) network.heal(cut);
  const idsOf = (which: readonly SimulatedNode[]): readonly NodeId[] =>
    which.map(({ process }) => process.id);
  const thawed = nodes.filter(({ process }) => process.frozen);
  for (const node of thawed) node.thaw();
  const before = nodes.map(({ process }) => process.state().starts);
  for (const node of nodes) node.start();
  const started = nodes.filter(({ process }, at) => process.state().starts > (before[at] ?? 0));
  const thawedClients = clients.thawAll();
  return {
    ...{ tookEffect: true, rulesRemoved, thawed: idsOf(thawed), started: idsOf(started) },
    ...(thawedClients.length === 0 ? {} : { thawedClients }),
  };
}

function createNodes(
  { seed, nodes: ids, profile, defects }: SimulationOptions,
  kernel: Kernel,
  connections: Connections,
): ReadonlyMap<NodeId, SimulatedNode> {
  const nodes = new Map<NodeId, SimulatedNode>();
  for (const id of ids) {
    const random = randomStream(seed, `node-${id}`);
    const driftPpm = random.between(-profile.driftPpmMax, profile.driftPpmMax);
    const process = new NodeProcess(id, kernel, driftPpm);
    nodes.set(
      id,
      new SimulatedNode({
        process,
        nodes: ids,
        connections,
        servers: nodes,
        random,
        defects,
        startMs: profile.startMs,
      }),
    );
  }
  return nodes;
}

async function untilHealthy(admin: AdminPort, clock: Clock, timeoutMs: number): Promise<void> {
  const deadlineNs = clock.nowNs() + timeoutMs * nsPerMs;
  for (;;) {
    const { healthy, missing } = await admin.health(1_000);
    if (healthy) return;
    if (clock.nowNs() >= deadlineNs) {
      throw new OrdealError(
        'CLUSTER_NOT_HEALTHY',
        `the simulated cluster was not whole within ${formatDurationMs(timeoutMs)}: ${missing.join('; ')}`,
        'report this with the seed: a simulated cluster always starts',
      );
    }
    await clock.sleep(startPollMs);
  }
}
