/**
 * A connection with requests and responses on it. The server handles one request of a connection at a time and answers
 * in order, as Kafka's brokers do. The kernel of a frozen process still accepts connections and data; a dead one refuses.
 */
import type { NodeProcess } from './node-process.ts';
import { Pipe, type Host, type Network } from './network.ts';
import type { Plane } from '../../spi/cluster.ts';

/** What answers requests on one node and plane. */
export interface Server {
  readonly process: NodeProcess;
  /** False: nothing listens, so connections are refused. */
  listens(plane: Plane): boolean;
  /** @param respond is called at most once; never, where the protocol has no answer. */
  handle(plane: Plane, request: unknown, respond: (response: unknown) => void): void;
}

/** A request under way: what the server gets, and who is told of its answer. */
export interface Exchange {
  readonly request: unknown;
  answered(response: unknown): void;
}

export class Connection {
  readonly #server: Server;
  readonly #plane: Plane;
  readonly #forward: Pipe;
  readonly #backward: Pipe;
  readonly #onEnd: () => void;
  readonly #incarnation: number;
  /** Requests that arrived while another was being handled. */
  #queue: Exchange[] = [];
  #busy = false;
  #draining = false;
  #closed = false;
  #serverGone = false;

  private constructor(
    network: Network,
    from: Host,
    server: Server,
    plane: Plane,
    onEnd: () => void,
  ) {
    const to = server.process.id;
    this.#server = server;
    this.#plane = plane;
    this.#onEnd = onEnd;
    this.#incarnation = server.process.incarnation;
    this.#forward = new Pipe(network, from, to, plane, 'data');
    this.#backward = new Pipe(network, to, from, plane, 'data');
  }

  /**
   * Connects: one packet there and one back. Nothing bounds it but the caller.
   * @param onEnd told once if the server's end of the connection goes away.
   */
  static open(
    network: Network,
    from: Host,
    server: Server,
    plane: Plane,
    done: (connection: Connection | null) => void,
    onEnd: () => void,
  ): void {
    const to = server.process.id;
    new Pipe(network, from, to, plane, 'connect').send(() => {
      const accepts = server.process.running && server.listens(plane);
      const connection = accepts ? new Connection(network, from, server, plane, onEnd) : null;
      new Pipe(network, to, from, plane, 'connect').send(() => {
        done(connection);
      });
    });
  }

  /** False once either end has closed it, as far as this end knows. */
  get open(): boolean {
    return !this.#closed && !this.#serverGone;
  }

  request(exchange: Exchange): void {
    this.#forward.send(() => {
      this.#arrive(exchange);
    });
  }

  /** The client's end goes; what it had sent is still delivered, but nobody hears the answers. */
  close(): void {
    this.#closed = true;
  }

  #isOfThisLife(): boolean {
    const { process } = this.#server;
    return process.running && process.incarnation === this.#incarnation;
  }

  #arrive(exchange: Exchange): void {
    if (!this.#isOfThisLife()) {
      this.#reset();
      return;
    }
    const { process } = this.#server;
    if (process.frozen) {
      process.receive(() => {
        this.#take(exchange);
      });
    } else this.#take(exchange);
  }

  #take(exchange: Exchange): void {
    if (this.#busy) this.#queue.push(exchange);
    else this.#handle(exchange);
  }

  #handle(exchange: Exchange): void {
    this.#busy = true;
    this.#server.handle(this.#plane, exchange.request, (response) => {
      this.#busy = false;
      this.#backward.send(() => {
        if (!this.#closed) exchange.answered(response);
      });
      this.#next();
    });
  }

  /** In a loop: what is answered at once would otherwise call this again, as deep as the queue is long. */
  #next(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (!this.#busy) {
      const exchange = this.#queue.shift();
      if (exchange === undefined) break;
      this.#handle(exchange);
    }
    this.#draining = false;
  }

  /** The server's process died, or the request met a later life of it. */
  #reset(): void {
    if (this.#serverGone) return;
    this.#serverGone = true;
    this.#backward.send(() => {
      if (!this.#closed) this.#onEnd();
    });
  }

  /** The kernel of a dying process closes its connections. */
  serverDied(): void {
    this.#reset();
  }
}

/** Connections by server, so that a death can be told to their other ends. */
export class Connections {
  readonly #network: Network;
  readonly #byServer = new Map<NodeProcess, Set<Connection>>();

  constructor(network: Network) {
    this.#network = network;
  }

  open(
    from: Host,
    server: Server,
    plane: Plane,
    done: (connection: Connection | null) => void,
    onEnd: () => void,
  ): void {
    Connection.open(
      this.#network,
      from,
      server,
      plane,
      (connection) => {
        if (connection !== null) this.#setOf(server.process).add(connection);
        done(connection);
      },
      onEnd,
    );
  }

  forget(server: NodeProcess, connection: Connection): void {
    this.#setOf(server).delete(connection);
  }

  died(server: NodeProcess): void {
    const connections = [...this.#setOf(server)];
    this.#setOf(server).clear();
    for (const connection of connections) connection.serverDied();
  }

  #setOf(server: NodeProcess): Set<Connection> {
    let set = this.#byServer.get(server);
    if (set === undefined) {
      set = new Set();
      this.#byServer.set(server, set);
    }
    return set;
  }
}
