/**
 * The least broker that kafkajs can produce to, over real TCP: one node, one topic "t" with few partitions. It advertises
 * the oldest request versions that kafkajs speaks, so that the layouts below stay small, and does with each Produce
 * request what the script says.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export type ProduceAction =
  /** The same offset for every partition of the request, or for `only` one of them. */
  | { readonly do: 'acknowledge'; readonly offset: number; readonly only?: number }
  | { readonly do: 'refuse'; readonly errorCode: number }
  | { readonly do: 'close' }
  | { readonly do: 'stay-silent' }
  | { readonly do: 'answer-without-partition' };

const keys = { produce: 0, metadata: 3, apiVersions: 18, initProducerId: 22 };
const advertised = [
  [keys.produce, 0, 3],
  [keys.metadata, 0, 2],
  [keys.apiVersions, 0, 0],
  [keys.initProducerId, 0, 0],
] as const;

export class ScriptedBroker {
  produceRequests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #script: ProduceAction[];
  readonly #partitions: number;
  /** Partitions of each Produce request. */
  readonly asked: (readonly number[])[] = [];

  constructor(script: readonly ProduceAction[], partitions = 1) {
    this.#script = [...script];
    this.#partitions = partitions;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return `127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves when no client is connected any more. */
  async allClosed(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')));
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0);
        this.#handle(socket, pending.subarray(4, end));
        pending = pending.subarray(end);
      }
    });
  }

  #handle(socket: Socket, request: Buffer): void {
    const key = request.readInt16BE(0);
    const version = request.readInt16BE(2);
    const correlation = request.readInt32BE(4);
    const answer = (...parts: Buffer[]): void => {
      const body = Buffer.concat([int32(correlation), ...parts]);
      socket.write(Buffer.concat([int32(body.length), body]));
    };
    if (key === keys.apiVersions) {
      const rows = advertised.map((row) => Buffer.concat(row.map(int16)));
      const throttle = version > 0 ? [int32(0)] : [];
      answer(int16(0), int32(rows.length), ...rows, ...throttle);
    } else if (key === keys.metadata) {
      answer(this.#brokers(), string('cluster'), int32(1), int32(1), this.#topic());
    } else if (key === keys.initProducerId) {
      answer(int32(0), int16(0), int64(7), int16(0));
    } else if (key === keys.produce) {
      this.#produce(socket, producePartitions(request), answer);
    }
  }

  #produce(socket: Socket, asked: readonly number[], answer: (...parts: Buffer[]) => void): void {
    this.produceRequests++;
    this.asked.push(asked);
    const action = this.#script.shift() ?? { do: 'stay-silent' };
    if (action.do === 'close') socket.destroy();
    if (action.do === 'answer-without-partition') answer(int32(0), int32(0));
    if (action.do === 'acknowledge' || action.do === 'refuse') {
      const errorCode = action.do === 'refuse' ? action.errorCode : 0;
      const offset = action.do === 'acknowledge' ? action.offset : -1;
      const only = action.do === 'acknowledge' ? action.only : undefined;
      const partitions = asked
        .filter((partition) => only === undefined || partition === only)
        .map((partition) =>
          Buffer.concat([int32(partition), int16(errorCode), int64(offset), int64(-1)]),
        );
      answer(int32(1), string('t'), int32(partitions.length), ...partitions, int32(0));
    }
  }

  #brokers(): Buffer {
    return Buffer.concat([int32(1), int32(1), string('127.0.0.1'), int32(this.#port), int16(-1)]);
  }

  #topic(): Buffer {
    const replicas = Buffer.concat([int32(1), int32(1)]);
    const partitions = Array.from({ length: this.#partitions }, (_, partition) =>
      Buffer.concat([int16(0), int32(partition), int32(1), replicas, replicas]),
    );
    const count = int32(partitions.length);
    return Buffer.concat([int16(0), string('t'), Buffer.from([0]), count, ...partitions]);
  }
}

/** Of a Produce v3 request for one topic: header, transactional id, acks, timeout, then the topic's partitions. */
function producePartitions(request: Buffer): readonly number[] {
  let at = 8;
  const skipString = (): void => {
    at += 2 + Math.max(0, request.readInt16BE(at));
  };
  skipString();
  skipString();
  at += 2 + 4 + 4;
  skipString();
  const count = request.readInt32BE(at);
  at += 4;
  return Array.from({ length: count }, () => {
    const partition = request.readInt32BE(at);
    at += 8 + request.readInt32BE(at + 4);
    return partition;
  });
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}
