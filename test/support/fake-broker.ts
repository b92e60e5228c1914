/**
 * A broker over real TCP for contract tests of the wire client: it speaks through the server side of our own codec, and
 * a test may intercept any request to stay silent, to cut the connection or to answer otherwise.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Api } from '../../src/kafka-protocol/api.ts';
import { sourceOf } from '../../src/kafka-protocol/bytes.ts';
import {
  createFrameCutter,
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
} from '../../src/kafka-protocol/frames.ts';
import { alterPartitionReassignments } from '../../src/kafka-protocol/messages/alter-partition-reassignments.ts';
import { createTopics } from '../../src/kafka-protocol/messages/create-topics.ts';
import { describeQuorum } from '../../src/kafka-protocol/messages/describe-quorum.ts';
import { electLeaders } from '../../src/kafka-protocol/messages/elect-leaders.ts';
import { fetch } from '../../src/kafka-protocol/messages/fetch.ts';
import { findCoordinator } from '../../src/kafka-protocol/messages/find-coordinator.ts';
import { listOffsets } from '../../src/kafka-protocol/messages/list-offsets.ts';
import { metadata } from '../../src/kafka-protocol/messages/metadata.ts';
import type { NodeInfo } from '../../src/spi/cluster.ts';

export type Reply =
  | { readonly type: 'answer'; readonly value: unknown }
  /** Never answered; the connection stays open, as a frozen broker's does. */
  | { readonly type: 'silence' }
  /** The connection ends after so many bytes of the answer. */
  | { readonly type: 'cut'; readonly value: unknown; readonly bytes: number }
  /** These bytes instead of a frame. */
  | { readonly type: 'bytes'; readonly bytes: Buffer };

/** What to do with a request; null leaves it to the broker itself. */
type Intercept = (api: string, request: unknown) => Reply | null;
type Answer = (api: string, request: unknown) => unknown;

export interface FakeBroker extends AsyncDisposable {
  readonly info: NodeInfo;
  /** Names of the requests that arrived, in order. */
  readonly requests: string[];
  intercept: Intercept;
}

const apis: readonly Api<unknown, unknown>[] = [
  metadata,
  listOffsets,
  fetch,
  describeQuorum,
  findCoordinator,
  electLeaders,
  alterPartitionReassignments,
  createTopics,
];

/** Listens on loopback. @param answer the broker's own answers, by the name of the request. */
export async function startFakeBroker(id: number, answer: Answer): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const cutter = createFrameCutter(1024 * 1024);
    socket.on('data', (chunk) => {
      for (const frame of cutter.push(chunk)) serve(broker, answer, socket, frame);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const broker: FakeBroker = {
    info: { id, clientAddress: `127.0.0.1:${port}` },
    requests: [],
    intercept: () => null,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return broker;
}

function serve(broker: FakeBroker, answer: Answer, socket: Socket, frame: Buffer): void {
  const source = sourceOf(frame);
  const header = decodeRequestHeader(source);
  const api = apis.find(
    ({ key, version }) => key === header.apiKey && version === header.apiVersion,
  );
  if (api === undefined) {
    // A real broker also hangs up on versions that it does not speak.
    socket.destroy();
    return;
  }
  const request = decodeRequestBody(api, source);
  broker.requests.push(api.name);
  const reply = broker.intercept(api.name, request) ?? {
    type: 'answer' as const,
    value: answer(api.name, request),
  };
  switch (reply.type) {
    case 'silence':
      return;
    case 'bytes':
      socket.write(reply.bytes);
      return;
    case 'answer':
      socket.write(encodeResponse(api, header.correlationId, reply.value));
      return;
    case 'cut':
      socket.write(
        encodeResponse(api, header.correlationId, reply.value).subarray(0, reply.bytes),
        () => socket.destroy(),
      );
  }
}
