/** Requests between nodes: one connection per peer and plane, opened when needed, given up at the first time-out. */
import { nsPerMs } from '../../core/units.ts';
import type { NodeId, Plane } from '../../spi/cluster.ts';
import type { Connection, Connections, Exchange, Server } from './connection.ts';
import type { Scheduled } from './kernel.ts';
import type { NodeProcess } from './node-process.ts';

/** Calls that wait for a connection that is being opened. */
type Opening = ((connection: Connection | null) => void)[];

interface Line {
  readonly server: Server;
  readonly plane: Plane;
  connection: Connection | null;
  /** Null while none is being opened. */
  opening: Opening | null;
}

/** One request to a peer: it ends with the answer, with the loss of its connection, or when its time is over. */
class PeerCall implements Exchange {
  readonly request: unknown;
  readonly #caller: NodeProcess;
  readonly #incarnation: number;
  readonly #done: (response: unknown) => void;
  #bound: Scheduled | null = null;
  #open = true;

  /** @param incarnation the life of the caller that asks: a later one is told nothing. */
  constructor(
    request: unknown,
    caller: NodeProcess,
    incarnation: number,
    done: (response: unknown) => void,
  ) {
    this.request = request;
    this.#caller = caller;
    this.#incarnation = incarnation;
    this.#done = done;
  }

  get open(): boolean {
    return this.#open;
  }

  endBy(bound: Scheduled): void {
    this.#bound = bound;
  }

  /** @param response null: none came. */
  answered(response: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#bound?.cancel();
    if (this.#caller.frozen) {
      this.#caller.receive(() => {
        this.#tell(response);
      });
    } else if (this.#caller.running) this.#tell(response);
  }

  #tell(response: unknown): void {
    if (this.#caller.incarnation === this.#incarnation) this.#done(response);
  }
}

/** The outgoing side of one node, for one life of its process. */
export class Peers {
  readonly #self: NodeProcess;
  readonly #incarnation: number;
  readonly #connections: Connections;
  readonly #servers: ReadonlyMap<NodeId, Server>;
  readonly #lines = new Map<Plane, Map<NodeId, Line>>();

  constructor(self: NodeProcess, connections: Connections, servers: ReadonlyMap<NodeId, Server>) {
    this.#self = self;
    this.#incarnation = self.incarnation;
    this.#connections = connections;
    this.#servers = servers;
  }

  /** @param done gets null if no answer came: refused, closed, or later than `timeoutMs`. */
  call(
    to: NodeId,
    plane: Plane,
    request: unknown,
    timeoutMs: number,
    done: (response: unknown) => void,
  ): void {
    const line = this.#lineTo(to, plane);
    const call = new PeerCall(request, this.#self, this.#incarnation, done);
    // Only the connection that did not answer is at fault. One that was opened since then carries the calls of others, and
    // would be closed again and again where calls come as often as their time-outs.
    let used: Connection | Opening | null = null;
    call.endBy(
      this.#self.kernel.after(timeoutMs * nsPerMs, () => {
        if (used !== null && (line.connection === used || line.opening === used)) this.#drop(line);
        call.answered(null);
      }),
    );
    if (line.connection?.open === true) {
      used = line.connection;
      used.request(call);
      return;
    }
    used = this.#whenConnected(line, (connection) => {
      if (!call.open) return;
      used = connection;
      if (connection === null) call.answered(null);
      else connection.request(call);
    });
  }

  #lineTo(to: NodeId, plane: Plane): Line {
    let ofPlane = this.#lines.get(plane);
    if (ofPlane === undefined) {
      ofPlane = new Map();
      this.#lines.set(plane, ofPlane);
    }
    let line = ofPlane.get(to);
    if (line === undefined) {
      const server = this.#servers.get(to);
      if (server === undefined) throw new Error(`no node ${to}`);
      line = { server, plane, connection: null, opening: null };
      ofPlane.set(to, line);
    }
    return line;
  }

  #whenConnected(line: Line, use: (connection: Connection | null) => void): Opening {
    if (line.opening !== null) {
      line.opening.push(use);
      return line.opening;
    }
    const waiting: Opening = [use];
    line.opening = waiting;
    const opened = (connection: Connection | null): void => {
      if (line.opening !== waiting) {
        if (connection === null) return;
        // It came too late: nobody waits for it any more.
        connection.close();
        this.#connections.forget(line.server.process, connection);
        return;
      }
      line.opening = null;
      line.connection = connection;
      for (const next of waiting) next(connection);
    };
    this.#connections.open(this.#self.id, line.server, line.plane, opened, () => {
      this.#drop(line);
    });
    return waiting;
  }

  /** The next call opens a new connection. */
  #drop(line: Line): void {
    line.opening = null;
    if (line.connection === null) return;
    line.connection.close();
    this.#connections.forget(line.server.process, line.connection);
    line.connection = null;
  }
}
