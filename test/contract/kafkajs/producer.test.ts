import { describe, expect, it } from 'vitest';
import { createRealClock } from '../../../src/core/clock.ts';
import { createKafkajsProducerFactory } from '../../../src/clients/kafkajs/producer.ts';
import { CountingSockets } from '../../../src/clients/kafkajs/produce-attempts.ts';
import type { ProducerSettings } from '../../../src/spi/client.ts';
import { ScriptedBroker, type ProduceAction } from './scripted-broker.ts';

const settings: ProducerSettings = {
  acks: 'all',
  idempotent: true,
  requestTimeoutMs: 300,
  retriesMax: 1,
  operationTimeoutMs: 10_000,
};

const request = { topic: 't', partition: 0, value: 17, meta: {} };

async function sendOne(
  script: readonly ProduceAction[],
  overrides: Partial<ProducerSettings> = {},
) {
  await using broker = new ScriptedBroker(script);
  const logged: string[] = [];
  await using factory = createKafkajsProducerFactory({
    brokers: [await broker.listen()],
    settings: { ...settings, ...overrides },
    clock: createRealClock(),
    log: (line) => logged.push(line),
  });
  await using producer = await factory.create('worker-0');
  const outcome = await producer.send(request);
  return {
    outcome,
    produceRequests: broker.produceRequests,
    abandoned: factory.abandoned(),
    logged,
  };
}

describe('kafkajs producer against a scripted broker', () => {
  it('ok: gives the acknowledged offset', async () => {
    const { outcome } = await sendOne([{ do: 'acknowledge', offset: 41 }]);
    expect(outcome).toEqual({ type: 'ok', value: { offset: 41 } });
  });

  it('ok without an offset when the answer lacks the partition (K-1)', async () => {
    const { outcome } = await sendOne([{ do: 'answer-without-partition' }]);
    expect(outcome).toEqual({ type: 'ok', value: { offset: null } });
  });

  it('info: the connection is killed after the write, on every attempt', async () => {
    const { outcome, produceRequests } = await sendOne([{ do: 'close' }, { do: 'close' }]);
    expect(outcome.type).toBe('info');
    expect(outcome).toMatchObject({
      error: { message: expect.stringContaining('seen: 2') as string },
    });
    expect(produceRequests).toBe(2);
  });

  it('info: one write, killed, and a definite refusal of the second attempt', async () => {
    const { outcome } = await sendOne([{ do: 'close' }, { do: 'refuse', errorCode: 10 }]);
    expect(outcome).toMatchObject({ type: 'info', error: { code: 'MESSAGE_TOO_LARGE' } });
  });

  it('fail: a definite refusal of the only attempt', async () => {
    const { outcome } = await sendOne([{ do: 'refuse', errorCode: 10 }]);
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'MESSAGE_TOO_LARGE' } });
  });

  it('info: not enough replicas after append, although it was the only attempt', async () => {
    const refusals = [{ do: 'refuse', errorCode: 20 }] as const;
    const { outcome } = await sendOne([...refusals, ...refusals]);
    expect(outcome).toMatchObject({
      type: 'info',
      error: { code: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
    });
  });

  it('info: the broker never answers and the request times out', async () => {
    const { outcome } = await sendOne([]);
    expect(outcome).toMatchObject({ type: 'info', error: { code: 'CLIENT_REQUEST_TIMEOUT' } });
  });

  it('info: the deadline passes while the client goes on; the call counts as abandoned', async () => {
    const { outcome, abandoned } = await sendOne([], {
      operationTimeoutMs: 100,
      requestTimeoutMs: 2_000,
    });
    expect(outcome).toMatchObject({ type: 'info', error: { code: 'DEADLINE' } });
    expect(abandoned.total).toBe(1);
  });

  it('writes its log as JSON lines that name the client', async () => {
    const { logged } = await sendOne([{ do: 'close' }, { do: 'close' }]);
    expect(logged.length).toBeGreaterThan(0);
    for (const line of logged) expect(JSON.parse(line)).toMatchObject({ client: 'worker-0' });
  });
});

describe('abandoned calls', () => {
  it('settle waits for a call that the broker answers late, and reports none open', async () => {
    await using broker = new ScriptedBroker([
      { do: 'stay-silent' },
      { do: 'acknowledge', offset: 5 },
    ]);
    await using factory = createKafkajsProducerFactory({
      brokers: [await broker.listen()],
      settings: { ...settings, operationTimeoutMs: 50, requestTimeoutMs: 200, retriesMax: 5 },
      clock: createRealClock(),
      log: () => undefined,
    });
    const producer = await factory.create('worker-0');
    expect((await producer.send(request)).type).toBe('info');
    expect(factory.abandoned()).toEqual({ total: 1, open: 1 });
    expect(await factory.settle(20_000)).toEqual({ total: 1, open: 0 });
    expect(broker.produceRequests).toBe(2);
  });

  it('settle severs what is still open at its bound: nothing is written afterwards', async () => {
    await using broker = new ScriptedBroker([]);
    const brokerAddress = await broker.listen();
    await using factory = createKafkajsProducerFactory({
      brokers: [brokerAddress],
      settings: { ...settings, operationTimeoutMs: 50, requestTimeoutMs: 150, retriesMax: 40 },
      clock: createRealClock(),
      log: () => undefined,
    });
    const producer = await factory.create('worker-0');
    await producer.send(request);
    expect((await factory.settle(100)).open).toBe(1);
    await broker.allClosed();
    const late = new CountingSockets();
    late.sever();
    const address = new URL(`tcp://${brokerAddress}`);
    const socket = late.factory({
      host: address.hostname,
      port: Number(address.port),
      ssl: {},
      onConnect: () => undefined,
    });
    socket.on('error', () => undefined);
    expect(socket.destroyed).toBe(true);
  });
});
