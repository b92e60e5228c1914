/** One node: its process, its disk, and the broker that is alive in the process, if any. */
import type { Random } from '../../core/random.ts';
import type { NodeId, NodeSignal, Plane } from '../../spi/cluster.ts';
import { type Acknowledged, Broker, type NodeDisk } from './broker.ts';
import type { Connections, Server } from './connection.ts';
import type { NodeProcess } from './node-process.ts';
import { Peers } from './peers.ts';
import type { ReplicaLog } from './replica-log.ts';

/** As container runtimes report it: 128 and the signal's number. */
const exitCodes: Readonly<Record<NodeSignal, number>> = { SIGKILL: 137, SIGTERM: 143 };

export interface NodeParts {
  readonly process: NodeProcess;
  readonly nodes: readonly NodeId[];
  readonly connections: Connections;
  readonly servers: ReadonlyMap<NodeId, Server>;
  readonly random: Random;
  readonly defects: ReadonlySet<string>;
  /** From the start of the process until the broker begins, ms. */
  readonly startMs: readonly [low: number, high: number];
}

export class SimulatedNode implements Server {
  readonly disk: NodeDisk = {
    quorum: { term: 0, votedFor: null, log: [] },
    logs: new Map<string, ReplicaLog>(),
    acknowledged: new Map<string, Acknowledged[]>(),
    stoppedInOrder: false,
  };
  readonly #parts: NodeParts;
  #broker: Broker | null = null;
  #onExit: (() => void)[] = [];

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get process(): NodeProcess {
    return this.#parts.process;
  }

  get broker(): Broker | null {
    return this.#broker;
  }

  listens(plane: Plane): boolean {
    if (this.#broker === null) return false;
    return plane !== 'client' || this.#broker.listensToClients;
  }

  handle(plane: Plane, request: unknown, respond: (response: unknown) => void): void {
    this.#broker?.handle(plane, request, respond);
  }

  start(): void {
    const { process, connections, servers, random, startMs, nodes, defects } = this.#parts;
    // One that is still on its way out would not be there for long.
    if (this.#onExit.length > 0) this.#end(exitCodes.SIGKILL);
    if (process.running) return;
    process.begin();
    process.after(random.between(startMs[0], startMs[1]), () => {
      const broker = new Broker({
        process,
        peers: new Peers(process, connections, servers),
        nodes,
        disk: this.disk,
        random,
        defects,
        exit: (code) => {
          this.disk.stoppedInOrder = true;
          this.#end(code);
        },
      });
      this.#broker = broker;
      broker.begin();
    });
  }

  /** @param done called when the process is gone. A frozen process handles SIGTERM when it is thawed. */
  stop(signal: NodeSignal, done: () => void): void {
    const { process } = this;
    if (!process.running) {
      done();
      return;
    }
    this.#onExit.push(done);
    if (signal === 'SIGKILL') this.#end(exitCodes.SIGKILL);
    else {
      process.receive(() => {
        if (this.#broker === null) this.#end(exitCodes.SIGTERM);
        else this.#broker.stopInOrder(exitCodes.SIGTERM);
      });
    }
  }

  thaw(): void {
    const wasFrozen = this.process.frozen;
    if (wasFrozen) this.#broker?.thawed();
    this.process.thaw();
  }

  #end(exitCode: number): void {
    const { process, connections } = this.#parts;
    if (!process.running) return;
    process.end(exitCode);
    this.#broker?.end();
    this.#broker = null;
    connections.died(process);
    const waiting = this.#onExit;
    this.#onExit = [];
    for (const done of waiting) done();
  }
}
