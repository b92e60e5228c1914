/** The sockets of one kafkajs client: what leaves on them is watched, and all can be ended for good. */
import { connect, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

const keepAliveMs = 60_000;

/** Takes the next bytes of one connection, cut anywhere. */
export type Watch = (bytes: Uint8Array) => void;

export class WatchedSockets {
  readonly #sockets = new Set<Socket>();
  readonly #watch: () => Watch;
  #severed = false;

  /** @param watch called once for each connection. */
  constructor(watch: () => Watch) {
    this.#watch = watch;
  }

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    const watch = this.#watch();
    this.#sockets.add(socket);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      watch(typeof chunk === 'string' ? Buffer.from(chunk, 'binary') : chunk);
      return write(chunk, ...rest);
    };
    socket.once('close', () => {
      this.#sockets.delete(socket);
    });
    if (this.#severed) socket.destroy(new Error('this client was severed'));
    return socket;
  };

  /** Destroys every connection, and every later one as soon as it is made: nothing is written any more. */
  sever(): void {
    this.#severed = true;
    for (const socket of this.#sockets) socket.destroy(new Error('this client was severed'));
  }
}
