/**
 * Counts Produce requests where they leave the process. kafkajs's own `producer.network.request` events miss a request
 * whose connection closes before the answer, and it is exactly those that decide between fail and info.
 */
import type { ISocketFactory } from 'kafkajs';
import { WatchedSockets } from './watched-sockets.ts';

const produceKey = 0;
const lengthBytes = 4;
const keyBytes = 2;

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
  readonly #counters: ProduceFrameCounter[] = [];
  readonly #sockets = new WatchedSockets(() => {
    const counter = new ProduceFrameCounter();
    this.#counters.push(counter);
    return (bytes) => {
      counter.push(bytes);
    };
  });

  /** Produce requests handed to the kernel so far, over all connections. A request counts as soon as its head is written. */
  get produceFrames(): number {
    return this.#counters.reduce((sum, { produceFrames }) => sum + produceFrames, 0);
  }

  get factory(): ISocketFactory {
    return this.#sockets.factory;
  }

  /** Destroys every connection, and every later one as soon as it is made: nothing is written any more. */
  sever(): void {
    this.#sockets.sever();
  }
}
