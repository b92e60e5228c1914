/**
 * Counts Produce requests where they leave the process. kafkajs's own `producer.network.request` events miss a request
 * whose connection closes before the answer, and it is exactly those that decide between fail and info.
 */
import { connect, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

const produceKey = 0;
const lengthBytes = 4;
const keyBytes = 2;
const keepAliveMs = 60_000;

/** A request stream is frames: a 4-byte length, then a request that begins with its 2-byte API key. */
export class ProduceFrameCounter {
  produceFrames = 0;
  readonly #head = Buffer.alloc(lengthBytes + keyBytes);
  #headFilled = 0;
  #bodyLeft = 0;

  /** Takes the next bytes of the stream, cut anywhere. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, bytes.length - at);
        this.#bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      this.#head[this.#headFilled++] = bytes[at++] ?? 0;
      if (this.#headFilled < this.#head.length) continue;
      this.#headFilled = 0;
      this.#bodyLeft = Math.max(0, this.#head.readInt32BE(0) - keyBytes);
      if (this.#head.readInt16BE(lengthBytes) === produceKey) this.produceFrames++;
    }
  }
}

/** The sockets of one kafkajs client: counts its Produce requests, and can end them all for good. */
export class CountingSockets {
  readonly #sockets = new Set<Socket>();
  readonly #counters = new Set<ProduceFrameCounter>();
  #closedFrames = 0;
  #severed = false;

  /** Produce requests handed to the kernel so far, over all connections. A request counts as soon as its head is written. */
  get produceFrames(): number {
    let frames = this.#closedFrames;
    for (const counter of this.#counters) frames += counter.produceFrames;
    return frames;
  }

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    const counter = new ProduceFrameCounter();
    this.#sockets.add(socket);
    this.#counters.add(counter);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      counter.push(typeof chunk === 'string' ? Buffer.from(chunk, 'binary') : chunk);
      return write(chunk, ...rest);
    };
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#counters.delete(counter);
      this.#closedFrames += counter.produceFrames;
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
