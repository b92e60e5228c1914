import { describe, expect, it } from 'vitest';
import { createRealClock } from '../../../src/core/clock.ts';
import { createKafkajsProducerFactory } from '../../../src/clients/kafkajs/producer.ts';
import { CountingSockets } from '../../../src/clients/kafkajs/produce-attempts.ts';
import type { ProducerSettings, SendRequest } from '../../../src/spi/client.ts';
import { ScriptedBroker, type ProduceAction } from './scripted-broker.ts';

const settings: ProducerSettings = {
  acks: 'all',
  idempotent: true,
  requestTimeoutMs: 300,
  retriesMax: 1,
  operationTimeoutMs: 10_000,
};

const record = (partition: number | null, value: number): SendRequest => ({
  topic: 't',
  partition,
  value,
  meta: {},
});
const request = [record(0, 17)];

function sendOne(script: readonly ProduceAction[], overrides: Partial<ProducerSettings> = {}) {
  return sendAll(request, script, overrides);
}

/** One call against a broker of three partitions. */
async function sendAll(
  requests: readonly SendRequest[],
  script: readonly ProduceAction[],
  overrides: Partial<ProducerSettings> = {},
) {
  await using broker = new ScriptedBroker(script, 3);
  const logged: string[] = [];
  await using factory = createKafkajsProducerFactory({
    brokers: [await broker.listen()],
    settings: { ...settings, ...overrides },
    clock: createRealClock(),
    log: (line) => logged.push(line),
  });
  await using producer = await factory.create('worker-0');
  const outcome = await producer.send(requests);
  return {
    outcome,
    asked: broker.asked,
    produceRequests: broker.produceRequests,
    abandoned: factory.abandoned(),
    logged,
  };
}

describe('kafkajs producer against a scripted broker', () => {
  it('ok: gives the acknowledged offset', async () => {
    const { outcome } = await sendOne([{ do: 'acknowledge', offset: 41 }]);
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: 41 }] });
  });

  it('ok without an offset when the answer lacks the partition (K-1)', async () => {
    const { outcome } = await sendOne([{ do: 'answer-without-partition' }]);
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: null }] });
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

describe('several records in one call', () => {
  const three = [record(1, 1), record(2, 2), record(1, 3)];

  it('go out in one request; each learns its offset by its place in the batch of its partition', async () => {
    const { outcome, asked } = await sendAll(three, [{ do: 'acknowledge', offset: 40 }]);
    expect(asked).toEqual([[1, 2]]);
    expect(outcome).toEqual({
      type: 'ok',
      value: [
        { partition: 1, offset: 40 },
        { partition: 2, offset: 40 },
        { partition: 1, offset: 41 },
      ],
    });
  });

  it('are acknowledged without offset where the answer lacks their partition (K-1)', async () => {
    const { outcome } = await sendAll(three, [{ do: 'acknowledge', offset: 40, only: 2 }]);
    expect(outcome).toEqual({
      type: 'ok',
      value: [
        { partition: 1, offset: null },
        { partition: 2, offset: 40 },
        { partition: 1, offset: null },
      ],
    });
  });

  it('are uncertain after a definite refusal: of another log it says nothing', async () => {
    const { outcome, produceRequests } = await sendAll(three, [{ do: 'refuse', errorCode: 10 }]);
    expect(produceRequests).toBe(1);
    expect(outcome).toMatchObject({ type: 'info', error: { code: 'MESSAGE_TOO_LARGE' } });
  });

  it('fail together where the batch of one log was refused', async () => {
    const batch = [record(1, 1), record(1, 2)];
    const { outcome } = await sendAll(batch, [{ do: 'refuse', errorCode: 10 }]);
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'MESSAGE_TOO_LARGE' } });
  });
});

describe('records whose partition the client chooses', () => {
  it('complete with the partition that took them, which a retry may have changed (K-5)', async () => {
    const script = [{ do: 'close' }, { do: 'acknowledge', offset: 7 }] as const;
    const { outcome, asked } = await sendAll([record(null, 1)], script);
    const [first, second] = asked.flat();
    expect(second).not.toBe(first);
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: second, offset: 7 }] });
  });

  it('complete with the partition that was chosen where the answer names none', async () => {
    const { outcome, asked } = await sendAll(
      [record(null, 1)],
      [{ do: 'answer-without-partition' }],
    );
    const [chosen] = asked.flat();
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: chosen, offset: null }] });
  });

  it('are placed one by one when several go out at once', async () => {
    const requests = [record(null, 1), record(null, 2), record(null, 3)];
    const { outcome } = await sendAll(requests, [{ do: 'acknowledge', offset: 7 }]);
    const sent = outcome.type === 'ok' ? outcome.value : [];
    expect(sent.map(({ offset }) => offset)).toEqual([7, 7, 7]);
    expect(sent.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
  });

  it('are uncertain when several were sent again: nobody knows which attempt is acknowledged', async () => {
    const script = [{ do: 'close' }, { do: 'acknowledge', offset: 7 }] as const;
    const { outcome } = await sendAll([record(null, 1), record(null, 2)], script);
    expect(outcome).toMatchObject({ type: 'info', error: { code: 'PARTITION_UNTOLD' } });
  });
});

describe('a producer that is used on', () => {
  it('has several sends open at once', async () => {
    await using broker = new ScriptedBroker([
      { do: 'acknowledge', offset: 5 },
      { do: 'acknowledge', offset: 6 },
    ]);
    await using factory = createKafkajsProducerFactory({
      brokers: [await broker.listen()],
      settings,
      clock: createRealClock(),
      log: () => undefined,
    });
    await using producer = await factory.create('shared');
    const outcomes = await Promise.all([1, 2].map((value) => producer.send([record(0, value)])));
    // Which of them goes out first is kafkajs's own affair.
    const offsets = outcomes.flatMap((outcome) =>
      outcome.type === 'ok' ? outcome.value.map(({ offset }) => offset) : [],
    );
    expect(new Set(offsets)).toEqual(new Set([5, 6]));
  });

  it('still writes after abandoned calls, and is severed only when it is retired with one open', async () => {
    await using broker = new ScriptedBroker([
      { do: 'stay-silent' },
      { do: 'stay-silent' },
      { do: 'acknowledge', offset: 9 },
    ]);
    await using factory = createKafkajsProducerFactory({
      brokers: [await broker.listen()],
      settings: {
        ...settings,
        idempotent: false,
        operationTimeoutMs: 800,
        requestTimeoutMs: 20_000,
      },
      clock: createRealClock(),
      log: () => undefined,
    });
    const first = await factory.create('first');
    const outcomes = [
      await first.send([record(0, 1)]),
      await first.send([record(0, 2)]),
      await first.send([record(0, 3)]),
    ];
    expect(outcomes.map(({ type }) => type)).toEqual(['info', 'info', 'ok']);
    expect(factory.abandoned()).toEqual({ total: 2, open: 2 });
    void first[Symbol.asyncDispose]();
    const second = await factory.create('second');
    expect((await second.send([record(0, 4)])).type).toBe('info');
    expect(factory.abandoned()).toEqual({ total: 3, open: 3 });
    await second[Symbol.asyncDispose]();
    expect(factory.abandoned()).toEqual({ total: 3, open: 2 });
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
