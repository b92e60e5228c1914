/**
 * A client's connection to one node, as src/kafka-protocol's link is over TCP: connects when first used, one request
 * after the other on it, and the first thing that goes wrong ends it.
 */
import { nsPerMs } from '../../core/units.ts';
import type { Api } from '../../kafka-protocol/api.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import type { BrokerLink } from '../../kafka-protocol/link.ts';
import { addressOf } from './addresses.ts';
import type { ApiCall } from './api-call.ts';
import type { Connection, Connections, Exchange, Server } from './connection.ts';
import { clientHost } from './network.ts';
import type { Kernel, Scheduled } from './kernel.ts';

const connectTimeoutMs = 1_000;

type Failure = Exclude<CallResult<never>, { status: 'ok' }>;
type Settle = (result: CallResult<unknown>) => void;

/** A call that has no result yet. */
class OpenCall implements Exchange {
  readonly request: ApiCall;
  readonly #open: OpenCall[];
  readonly #resolve: Settle;
  #bound: Scheduled | null = null;

  /** @param open the link's open calls: this one is among them until it is settled. */
  constructor(request: ApiCall, open: OpenCall[], resolve: Settle) {
    this.request = request;
    this.#open = open;
    this.#resolve = resolve;
    open.push(this);
  }

  endBy(bound: Scheduled): void {
    this.#bound = bound;
  }

  answered(value: unknown): void {
    this.settle({ status: 'ok', value });
  }

  settle(result: CallResult<unknown>): void {
    const at = this.#open.indexOf(this);
    if (at === -1) return;
    this.#open.splice(at, 1);
    this.#bound?.cancel();
    this.#resolve(result);
  }
}

export class SimulatedLink implements BrokerLink {
  readonly #kernel: Kernel;
  readonly #connections: Connections;
  readonly #server: Server;
  readonly #where: string;
  #connection: Connection | null = null;
  #opening: ((connection: Connection | null) => void)[] | null = null;
  /** In the order of the calls: a few at most, for which a list beats a set. */
  readonly #open: OpenCall[] = [];
  #disposed = false;

  constructor(kernel: Kernel, connections: Connections, server: Server) {
    this.#kernel = kernel;
    this.#connections = connections;
    this.#server = server;
    const { host, port } = addressOf(server.process.id);
    this.#where = `${host}:${port}`;
  }

  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<CallResult<Response>> {
    return new Promise((resolve) => {
      if (this.#disposed) {
        resolve({ status: 'closed', message: 'the link is closed' });
        return;
      }
      const call: ApiCall = { api: api as unknown as ApiCall['api'], request };
      this.#begin(call, timeoutMs, resolve as Settle);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#end({ status: 'closed', message: 'the link is closed' });
    return Promise.resolve();
  }

  #begin(request: ApiCall, timeoutMs: number, resolve: Settle): void {
    const call = new OpenCall(request, this.#open, resolve);
    call.endBy(
      this.#kernel.wakeAfter(timeoutMs * nsPerMs, () => {
        call.settle({ status: 'timeout', message: `${this.#where}: no answer in ${timeoutMs} ms` });
        this.#end({ status: 'closed', message: `${this.#where}: closed after a time-out` });
      }),
    );
    if (this.#connection?.open === true) {
      this.#connection.request(call);
      return;
    }
    this.#whenConnected((connection) => {
      if (!this.#open.includes(call)) return;
      if (connection !== null) connection.request(call);
      else call.settle({ status: 'refused', message: `${this.#where}: no connection` });
    });
  }

  #whenConnected(use: (connection: Connection | null) => void): void {
    if (this.#opening !== null) {
      this.#opening.push(use);
      return;
    }
    const waiting = [use];
    this.#opening = waiting;
    const opened = (connection: Connection | null): void => {
      if (this.#opening !== waiting) {
        if (connection === null) return;
        // It came too late: nobody waits for it any more.
        connection.close();
        this.#connections.forget(this.#server.process, connection);
        return;
      }
      this.#opening = null;
      this.#kernel.cancel(timer);
      this.#connection = connection;
      for (const next of waiting) next(connection);
    };
    const timer = this.#kernel.wakeAfter(connectTimeoutMs * nsPerMs, () => {
      opened(null);
    });
    this.#connections.open(clientHost, this.#server, 'client', opened, () => {
      this.#end({ status: 'closed', message: `${this.#where}: closed by the broker` });
    });
  }

  /** Ends the connection; what was open on it ends with `failure`. What had been sent may still arrive. */
  #end(failure: Failure): void {
    if (this.#connection !== null) {
      this.#connection.close();
      this.#connections.forget(this.#server.process, this.#connection);
      this.#connection = null;
    }
    for (const call of [...this.#open]) call.settle(failure);
  }
}
