import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createRealClock } from '../../../src/core/clock.ts';
import {
  type BrokerConnection,
  type ConnectionOptions,
  openConnection,
} from '../../../src/kafka-protocol/connection.ts';
import { createLink } from '../../../src/kafka-protocol/link.ts';
import { findCoordinator } from '../../../src/kafka-protocol/messages/find-coordinator.ts';
import { type FakeBroker, type Reply, startFakeBroker } from '../../support/fake-broker.ts';

const request = { key: 'g', keyType: 0 };
const response = {
  throttleTimeMs: 0,
  errorCode: 0,
  errorMessage: null,
  nodeId: 2,
  host: 'h',
  port: 9,
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function start(): Promise<FakeBroker> {
  const broker = await startFakeBroker(1, () => response);
  open.push(broker);
  return broker;
}

function optionsFor(broker: FakeBroker, changes: Partial<ConnectionOptions> = {}) {
  return {
    host: '127.0.0.1',
    port: Number(broker.info.clientAddress.split(':')[1]),
    clientId: 'test',
    clock: createRealClock(),
    connectTimeoutMs: 1_000,
    responseBytesMax: 1_000,
    ...changes,
  };
}

async function connectTo(
  broker: FakeBroker,
  changes: Partial<ConnectionOptions> = {},
): Promise<BrokerConnection> {
  const result = await openConnection(optionsFor(broker, changes));
  if (result.status !== 'ok') throw new Error(result.message);
  open.push(result.value);
  return result.value;
}

/** Replies to the first request only; the others are left to the broker. */
function firstOnly(reply: Reply): FakeBroker['intercept'] {
  let used = false;
  return () => {
    if (used) return null;
    used = true;
    return reply;
  };
}

test('answers come back to whom they belong, many at once', async () => {
  const broker = await start();
  broker.intercept = (_, asked) => ({
    type: 'answer',
    value: { ...response, host: (asked as typeof request).key },
  });
  const connection = await connectTo(broker);
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
  const results = await Promise.all(
    keys.map((key) => connection.call(findCoordinator, { key, keyType: 0 }, 1_000)),
  );
  expect(results.map((result) => result.status === 'ok' && result.value.host)).toEqual(keys);
  expect(connection.open).toBe(true);
});

test('nobody listens: refused', async () => {
  const broker = await startFakeBroker(1, () => response);
  const options = optionsFor(broker);
  await broker[Symbol.asyncDispose]();
  const result = await openConnection(options);
  expect(result).toMatchObject({ status: 'refused' });
  expect(result.status !== 'ok' && result.message).toMatch(
    /127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  );
});

test('no answer: timeout, and the connection ends, for those who wait behind it too', async () => {
  const broker = await start();
  broker.intercept = () => ({ type: 'silence' });
  const connection = await connectTo(broker);
  const [first, second] = await Promise.all([
    connection.call(findCoordinator, request, 30),
    connection.call(findCoordinator, request, 10_000),
  ]);
  expect(first).toMatchObject({ status: 'timeout' });
  expect(first.status !== 'ok' && first.message).toMatch(/no answer to FindCoordinator in 30 ms/);
  expect(second).toMatchObject({ status: 'closed' });
  expect(connection.open).toBe(false);
  expect(await connection.call(findCoordinator, request, 30)).toMatchObject({ status: 'closed' });
});

test.each([0, 3, 4, 10])(
  'the connection dies after %d bytes of the answer: closed',
  async (bytes) => {
    const broker = await start();
    broker.intercept = () => ({ type: 'cut', value: response, bytes });
    const connection = await connectTo(broker);
    expect(await connection.call(findCoordinator, request, 5_000)).toMatchObject({
      status: 'closed',
    });
    expect(connection.open).toBe(false);
  },
);

test('an answer above the bound: unreadable, told by its size alone', async () => {
  const broker = await start();
  broker.intercept = () => ({ type: 'bytes', bytes: Buffer.from('7fffffff', 'hex') });
  const connection = await connectTo(broker);
  const result = await connection.call(findCoordinator, request, 5_000);
  expect(result).toMatchObject({ status: 'unreadable' });
  expect(result.status !== 'ok' && result.message).toMatch(/2147483647 bytes is outside 4 to 1000/);
});

test('an answer that nobody asked for: unreadable', async () => {
  const broker = await start();
  broker.intercept = () => ({ type: 'bytes', bytes: Buffer.from('0000000400000063', 'hex') });
  const connection = await connectTo(broker);
  const result = await connection.call(findCoordinator, request, 5_000);
  expect(result).toMatchObject({ status: 'unreadable' });
  expect(result.status !== 'ok' && result.message).toMatch(/correlation id 99/);
});

test('a body that is not the response: unreadable, and the connection ends', async () => {
  const broker = await start();
  broker.intercept = () => ({ type: 'bytes', bytes: Buffer.from('000000060000000000ff', 'hex') });
  const connection = await connectTo(broker);
  expect(await connection.call(findCoordinator, request, 5_000)).toMatchObject({
    status: 'unreadable',
  });
  expect(connection.open).toBe(false);
});

test('closing settles the calls that wait', async () => {
  const broker = await start();
  broker.intercept = () => ({ type: 'silence' });
  const connection = await connectTo(broker);
  const waiting = connection.call(findCoordinator, request, 60_000);
  await connection[Symbol.asyncDispose]();
  const result = await waiting;
  expect(result).toMatchObject({ status: 'closed' });
  expect(result.status !== 'ok' && result.message).toMatch(/closed by us/);
});

test('something listens that is not Kafka: unreadable', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  });
  const { port } = server.address() as AddressInfo;
  const broker = await start();
  const result = await openConnection(optionsFor(broker, { port }));
  const call =
    result.status === 'ok' ? await result.value.call(findCoordinator, request, 5_000) : result;
  expect(call).toMatchObject({ status: 'unreadable' });
});

test('a link connects anew after its connection ended', async () => {
  const broker = await start();
  broker.intercept = firstOnly({ type: 'cut', value: response, bytes: 2 });
  const link = createLink(optionsFor(broker));
  open.push(link);
  expect(await link.call(findCoordinator, request, 1_000)).toMatchObject({ status: 'closed' });
  expect(await link.call(findCoordinator, request, 1_000)).toEqual({
    status: 'ok',
    value: response,
  });
});

test('a link that was closed stays closed', async () => {
  const broker = await start();
  const link = createLink(optionsFor(broker));
  expect(await link.call(findCoordinator, request, 1_000)).toMatchObject({ status: 'ok' });
  await link[Symbol.asyncDispose]();
  expect(await link.call(findCoordinator, request, 1_000)).toMatchObject({ status: 'closed' });
  expect(broker.requests).toHaveLength(1);
});
