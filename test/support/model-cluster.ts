/**
 * The simulated cluster as its own tests see it: nodes with their disks and brokers, one topic (orders, one partition),
 * and virtual time that a test moves.
 */
import { createWireAdmin } from '../../src/clients/wire/index.ts';
import { addressOf } from '../../src/clusters/simulated/addresses.ts';
import type { Broker } from '../../src/clusters/simulated/broker.ts';
import { Connections } from '../../src/clusters/simulated/connection.ts';
import { createVirtualClock, Kernel } from '../../src/clusters/simulated/kernel.ts';
import { SimulatedLink } from '../../src/clusters/simulated/links.ts';
import { Network } from '../../src/clusters/simulated/network.ts';
import { NodeProcess } from '../../src/clusters/simulated/node-process.ts';
import { SimulatedNode } from '../../src/clusters/simulated/node.ts';
import type { Replica } from '../../src/clusters/simulated/replica.ts';
import { createGroundTruth, type GroundTruth } from '../../src/clusters/simulated/truth.ts';
import { randomStream } from '../../src/core/random.ts';
import { nsPerMs } from '../../src/core/units.ts';
import type { BrokerLink } from '../../src/kafka-protocol/link.ts';
import { planes, type AdminPort, type NodeId, type Plane } from '../../src/spi/cluster.ts';
import { quietProfile } from '../../src/spi/simulation.ts';

export const orders = 'orders/0';

/** Runs events until that much time has passed. */
export function advance(kernel: Kernel, ms: number): void {
  let over = false;
  kernel.wakeAfter(ms * nsPerMs, () => {
    over = true;
  });
  while (!over) kernel.turn();
}

/** Runs events until it holds, looking every 10 ms. @throws if it does not hold in time. */
export function advanceUntil(kernel: Kernel, holds: () => boolean, msMax = 30_000): void {
  const endNs = kernel.nowNs + msMax * nsPerMs;
  while (!holds()) {
    if (kernel.nowNs >= endNs) throw new Error(`it does not hold after ${msMax} ms`);
    advance(kernel, 10);
  }
}

interface ModelOptions {
  readonly defects?: readonly string[];
  /** Of orders/0, preferred leader first. */
  readonly replicas?: readonly NodeId[];
  readonly topicConfig?: Readonly<Record<string, string>>;
  readonly seed?: string;
}

export class ModelCluster {
  readonly kernel = new Kernel();
  readonly clock = createVirtualClock(this.kernel);
  readonly network: Network;
  readonly connections: Connections;
  readonly nodes = new Map<NodeId, SimulatedNode>();
  readonly truth: GroundTruth;
  readonly admin: AdminPort & AsyncDisposable;

  private constructor({ seed = '1', defects = [] }: ModelOptions) {
    this.network = new Network(this.kernel, randomStream(seed, 'network'), quietProfile);
    this.connections = new Connections(this.network);
    const ids = [1, 2, 3];
    for (const id of ids) {
      const parts = {
        process: new NodeProcess(id, this.kernel, 0),
        nodes: ids,
        connections: this.connections,
        servers: this.nodes,
        random: randomStream(seed, `node-${id}`),
        defects: new Set(defects),
        startMs: quietProfile.startMs,
      };
      this.nodes.set(id, new SimulatedNode(parts));
    }
    this.truth = createGroundTruth(this.nodes);
    this.admin = createWireAdmin({
      nodes: ids.map((id) => ({ id, clientAddress: `${addressOf(id).host}:9092` })),
      clock: this.clock,
      link: ({ id }) => this.link(id),
    });
  }

  /** Started, with orders/0 led by its first replica. */
  static async start(options: ModelOptions = {}): Promise<ModelCluster> {
    const model = new ModelCluster(options);
    for (const node of model.nodes.values()) node.start();
    model.until(() => [...model.nodes.values()].every(({ broker }) => broker?.listensToClients));
    const { replicas = [1, 2, 3], topicConfig: config = {} } = options;
    await model.drive(model.admin.createTopics([{ name: 'orders', replicas: [replicas], config }]));
    model.until(() => model.replica(replicas[0] ?? 0).knowsEnd);
    model.advance(600);
    return model;
  }

  link(id: NodeId): BrokerLink {
    return new SimulatedLink(this.kernel, this.connections, this.node(id));
  }

  node(id: NodeId): SimulatedNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  broker(id: NodeId): Broker {
    const { broker } = this.node(id);
    if (broker === null) throw new Error(`no broker lives on node ${id}`);
    return broker;
  }

  replica(id: NodeId): Replica {
    const replica = this.broker(id).replicas.get(orders);
    if (replica === undefined) throw new Error(`node ${id} has no replica`);
    return replica;
  }

  /** The node that leads orders/0, as far as `id` knows; -1: none. */
  leader(id: NodeId): NodeId {
    return this.broker(id).image.partitions.get(orders)?.leader ?? -1;
  }

  inSync(id: NodeId): readonly NodeId[] {
    return this.broker(id).image.partitions.get(orders)?.inSync ?? [];
  }

  /** The node that is the active controller, by the highest term. */
  controller(): NodeId {
    const leading = [...this.nodes.values()].flatMap(({ broker }) =>
      broker?.quorum.leads === true ? [broker] : [],
    );
    return leading.sort((a, b) => b.quorum.term - a.quorum.term)[0]?.id ?? -1;
  }

  kill(id: NodeId): void {
    this.node(id).stop('SIGKILL', () => undefined);
  }

  /** Drops all between `id` and the other nodes, on these planes; clients reach it. */
  isolate(id: NodeId, on: readonly Plane[] = planes): void {
    const peers = [...this.nodes.keys()].filter((peer) => peer !== id);
    this.network.cut(
      `isolated-${id}`,
      peers.map((peer) => ({ at: id, peer, planes: on, directions: ['in', 'out'] })),
    );
  }

  heal(id: NodeId): void {
    this.network.heal(`isolated-${id}`);
  }

  advance(ms: number): void {
    advance(this.kernel, ms);
  }

  until(holds: () => boolean | undefined, msMax = 30_000): void {
    advanceUntil(this.kernel, () => holds() === true, msMax);
  }

  drive<T>(promise: Promise<T>): Promise<T> {
    return this.kernel.drive(promise);
  }
}
