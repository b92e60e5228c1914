import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../src/core/random.ts';
import { createSimulatedProducerFactory } from '../../../../src/clients/simulated/producer.ts';
import type { SendRequest } from '../../../../src/spi/client.ts';
import { MemoryBrokers } from '../../../support/memory-brokers.ts';
import { createVirtualClock } from '../../../support/virtual-clock.ts';

/** An attempt may take 5 s, a call 2 s. */
function setUp() {
  const clock = createVirtualClock();
  const brokers = new MemoryBrokers(clock, 1, 2);
  const producers = createSimulatedProducerFactory({
    nodes: brokers.nodes,
    link: brokers.link,
    settings: {
      acks: 'all',
      idempotent: true,
      requestTimeoutMs: 5_000,
      retriesMax: 50,
      operationTimeoutMs: 2_000,
    },
    clock,
    random: randomStream('seed', 'client'),
    defects: new Set(),
  });
  return { clock, brokers, producers };
}

const one = (partition: number, value: number): SendRequest[] => [
  { topic: 't', partition, value, meta: {} },
];
const ended = async (one: AsyncDisposable): Promise<void> => {
  await one[Symbol.asyncDispose]();
};
const deadline = { type: 'info', error: { code: 'DEADLINE' } };

describe('a call that passes its deadline', () => {
  it('is info and counted as long as an attempt is under way, and is not retried', async () => {
    const { clock, brokers, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    brokers.treat = () => 'mute';
    expect(await clock.drive(client.send(one(0, 1)))).toMatchObject(deadline);
    expect(producers.abandoned()).toEqual({ total: 1, open: 1 });
    expect(await clock.drive(producers.settle(10_000))).toEqual({ total: 1, open: 0 });
    expect(brokers.arrivals).toHaveLength(1);
  });

  it('ends at once if it only waits for its next attempt or its turn', async () => {
    const { clock, brokers, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    brokers.treat = () => ({ error: 'NOT_ENOUGH_REPLICAS' });
    const outcomes = await clock.drive(
      Promise.all([client.send(one(0, 1)), client.send(one(0, 2))]),
    );
    expect(outcomes).toMatchObject([deadline, deadline]);
    expect(producers.abandoned()).toEqual({ total: 0, open: 0 });
    const sent = brokers.arrivals.length;
    await clock.driveUntil(20_000);
    expect(brokers.arrivals).toHaveLength(sent);
  });

  it('leaves the client usable, with another producer id', async () => {
    const { clock, brokers, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    brokers.treat = (_, index) => (index === 0 ? 'mute' : 'answer');
    await clock.drive(client.send(one(0, 1)));
    await clock.driveUntil(6_000);
    expect(await clock.drive(client.send(one(0, 2)))).toMatchObject({ type: 'ok' });
    expect(brokers.values('t/0')).toEqual([1, 2]);
    expect(brokers.producerIdsGiven).toBe(2);
  });
});

describe('retiring a producer with a call open', () => {
  it('waits for the call, and every second time severs it', async () => {
    const { clock, brokers, producers } = setUp();
    brokers.treat = () => 'lose';
    const retired: number[] = [];
    for (const name of ['p-1', 'p-2', 'p-3', 'p-4']) {
      const client = await clock.drive(producers.create(name));
      await clock.drive(client.send(one(0, 1)));
      const startNs = clock.nowNs();
      await clock.drive(ended(client));
      retired.push((clock.nowNs() - startNs) / 1e6);
    }
    expect(retired).toEqual([3_000, 0, 3_000, 0]);
    expect(producers.abandoned()).toEqual({ total: 4, open: 0 });
  });

  it('refuses later sends', async () => {
    const { clock, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    await clock.drive(ended(client));
    const outcome = await clock.drive(client.send(one(0, 1)));
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'CLIENT_CLOSED' } });
  });
});

describe('settling', () => {
  it('severs what is open when its bound has passed', async () => {
    const { clock, brokers, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    brokers.treat = () => 'lose';
    await clock.drive(client.send(one(0, 1)));
    expect(await clock.drive(producers.settle(1_000))).toEqual({ total: 1, open: 1 });
    await clock.driveUntil(3_100);
    expect(producers.abandoned()).toEqual({ total: 1, open: 0 });
  });

  it('returns at once if nothing is open', async () => {
    const { clock, producers } = setUp();
    expect(await clock.drive(producers.settle(1_000))).toEqual({ total: 0, open: 0 });
    expect(clock.nowNs()).toBe(0);
  });
});

describe('disposing the factory', () => {
  it('ends open calls, and they are info', async () => {
    const { clock, brokers, producers } = setUp();
    const client = await clock.drive(producers.create('p'));
    brokers.treat = () => 'lose';
    const open = client.send(one(0, 1));
    await clock.drive(ended(producers));
    expect(await clock.drive(open)).toMatchObject({
      type: 'info',
      error: { code: 'CONNECTION_CLOSED' },
    });
    expect(clock.nowNs()).toBeLessThan(1e8);
  });
});
