import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../src/core/random.ts';
import { createSimulatedProducerFactory } from '../../../../src/clients/simulated/producer.ts';
import type { ProducerSettings, SendRequest } from '../../../../src/spi/client.ts';
import { MemoryBrokers } from '../../../support/memory-brokers.ts';
import { createVirtualClock } from '../../../support/virtual-clock.ts';

const settings: ProducerSettings = {
  acks: 'all',
  idempotent: true,
  requestTimeoutMs: 1_000,
  retriesMax: 50,
  operationTimeoutMs: 30_000,
};

function setUp(changes: Partial<ProducerSettings> = {}, { nodes = 2, partitions = 2 } = {}) {
  const clock = createVirtualClock();
  const brokers = new MemoryBrokers(clock, nodes, partitions);
  const producers = createSimulatedProducerFactory({
    nodes: brokers.nodes,
    link: brokers.link,
    settings: { ...settings, ...changes },
    clock,
    random: randomStream('seed', 'client'),
    defects: new Set(),
  });
  return { clock, brokers, producers, create: () => clock.drive(producers.create('p-1')) };
}

const to = (partition: number | null, value: number, key?: string): SendRequest => ({
  topic: 't',
  partition,
  value,
  meta: key === undefined ? {} : { key },
});

describe('a send', () => {
  it('tells where each record of the call went, in the order of the call', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    const outcome = await clock.drive(client.send([to(0, 1), to(1, 2), to(0, 3, 'k')]));
    expect(outcome).toEqual({
      type: 'ok',
      value: [
        { partition: 0, offset: 0 },
        { partition: 1, offset: 0 },
        { partition: 0, offset: 1 },
      ],
    });
    expect(brokers.records('t/0')).toEqual([
      { key: null, value: 1 },
      { key: 'k', value: 3 },
    ]);
    expect(brokers.arrivals.map(({ batch }) => batch.baseSequence)).toEqual([0, 0]);
  });

  it('sends nothing for no records', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    expect(await clock.drive(client.send([]))).toEqual({ type: 'ok', value: [] });
    expect(brokers.arrivals).toEqual([]);
  });

  it('retries the same request, and is acknowledged with the offset of the first attempt', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    brokers.treat = (_, index) => (index === 0 ? 'mute' : 'answer');
    const outcome = await clock.drive(client.send([to(0, 1)]));
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: 0 }] });
    expect(brokers.arrivals).toHaveLength(2);
    expect(brokers.arrivals[1]?.request).toBe(brokers.arrivals[0]?.request);
    expect(brokers.values('t/0')).toEqual([1]);
  });

  it('backs off longer each time, up to a second', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    brokers.treat = (_, index) => (index < 7 ? { error: 'NOT_ENOUGH_REPLICAS' } : 'answer');
    await clock.drive(client.send([to(0, 1)]));
    const pauses = brokers.arrivals.map(({ atNs }, i) => {
      const before = brokers.arrivals[i - 1]?.atNs ?? atNs;
      return (atNs - before) / 1_000_000;
    });
    for (const [i, meanMs] of [100, 200, 400, 800, 1_000, 1_000].entries()) {
      expect(pauses[i + 1]).toBeGreaterThanOrEqual(meanMs * 0.8);
      expect(pauses[i + 1]).toBeLessThanOrEqual(meanMs * 1.2 + 3);
    }
  });

  it('follows the leader', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    await clock.drive(client.send([to(0, 1)]));
    brokers.lead('t/0', 2);
    expect(await clock.drive(client.send([to(0, 2)]))).toMatchObject({ type: 'ok' });
    expect(brokers.arrivals.map(({ node }) => node)).toEqual([1, 1, 2]);
  });

  it('awaits no answer with acks 0', async () => {
    const { clock, brokers, create } = setUp({ acks: 0, idempotent: false });
    const client = await create();
    const startNs = clock.nowNs();
    const outcome = await clock.drive(client.send([to(1, 1)]));
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 1, offset: null }] });
    expect(clock.nowNs()).toBe(startNs);
    expect(brokers.values('t/1')).toEqual([1]);
    expect(brokers.arrivals[0]?.request.acks).toBe(0);
  });

  it('is not idempotent unless told so', async () => {
    const { clock, brokers, create } = setUp({ idempotent: false });
    const client = await create();
    brokers.treat = (_, index) => (index === 0 ? 'mute' : 'answer');
    await clock.drive(client.send([to(0, 1)]));
    expect(brokers.producerIdsGiven).toBe(0);
    expect(brokers.arrivals[0]?.batch).toMatchObject({ producerId: -1, baseSequence: -1 });
    expect(brokers.values('t/0')).toEqual([1, 1]);
  });
});

describe('the partition that the client chooses', () => {
  it('is one for each key', async () => {
    const { clock, create } = setUp({}, { partitions: 5 });
    const client = await create();
    const used = new Map<string, Set<number>>();
    for (let i = 0; i < 40; i++) {
      const key = `k${i % 8}`;
      const outcome = await clock.drive(client.send([to(null, i, key)]));
      const sent = outcome.type === 'ok' ? outcome.value : [];
      used.set(key, (used.get(key) ?? new Set()).add(sent[0]?.partition ?? -1));
    }
    expect([...used.values()].map(({ size }) => size)).toEqual(Array(8).fill(1));
    expect(new Set([...used.values()].flatMap((set) => [...set])).size).toBeGreaterThan(1);
  });

  it('is kept on retries', async () => {
    const { clock, brokers, create } = setUp({}, { partitions: 5 });
    const client = await create();
    brokers.treat = (_, index) => (index < 6 ? 'mute' : 'answer');
    const outcome = await clock.drive(client.send([to(null, 1)]));
    expect(outcome).toMatchObject({ type: 'ok' });
    expect(new Set(brokers.arrivals.map(({ log }) => log)).size).toBe(1);
  });

  it('of an unknown topic is fail: nothing was sent', async () => {
    const { clock, create } = setUp();
    const client = await create();
    const outcome = await clock.drive(client.send([{ ...to(null, 1), topic: 'other' }]));
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } });
  });
});

describe('sends that are open at once', () => {
  it('keep their order per log, whatever fails', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    brokers.treat = (_, index) =>
      (['mute', 'lose', 'close', 'answer'] as const)[index % 4] ?? 'lose';
    const values = Array.from({ length: 12 }, (_, i) => i);
    const outcomes = await clock.drive(Promise.all(values.map((v) => client.send([to(v % 2, v)]))));
    expect(outcomes.every(({ type }) => type === 'ok')).toBe(true);
    expect(brokers.values('t/0')).toEqual([0, 2, 4, 6, 8, 10]);
    expect(brokers.values('t/1')).toEqual([1, 3, 5, 7, 9, 11]);
  });
});

describe('a batch that failed for good', () => {
  it('takes its producer id with it: no sequence is used for two batches', async () => {
    const { clock, brokers, create } = setUp({ retriesMax: 1 });
    const client = await create();
    brokers.treat = (_, index) => (index === 1 || index === 2 ? 'mute' : 'answer');
    await clock.drive(client.send([to(0, 1)]));
    expect(await clock.drive(client.send([to(0, 2)]))).toMatchObject({
      type: 'info',
      error: { code: 'CLIENT_REQUEST_TIMEOUT' },
    });
    const outcome = await clock.drive(client.send([to(0, 3), to(1, 4)]));
    expect(outcome).toMatchObject({ type: 'ok', value: [{ offset: 2 }, { offset: 0 }] });
    expect(brokers.values('t/0')).toEqual([1, 2, 3]);
    const stamps = brokers.arrivals.map(({ log, batch }) => [
      log,
      batch.producerId,
      batch.baseSequence,
    ]);
    expect(stamps).toEqual([
      ['t/0', 1_001, 0],
      ['t/0', 1_001, 1],
      ['t/0', 1_001, 1],
      ['t/0', 1_002, 0],
      ['t/1', 1_002, 0],
    ]);
  });

  it('is fail if its only attempt was refused before the append', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    brokers.treat = () => ({ error: 'MESSAGE_TOO_LARGE' });
    const outcome = await clock.drive(client.send([to(0, 1)]));
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'MESSAGE_TOO_LARGE' } });
    expect(brokers.arrivals).toHaveLength(1);
  });

  it('makes a call info whose other batch was acknowledged', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    brokers.treat = ({ log }) => (log === 't/1' ? { error: 'MESSAGE_TOO_LARGE' } : 'answer');
    expect(await clock.drive(client.send([to(0, 1), to(1, 2)]))).toMatchObject({ type: 'info' });
  });

  it('is fail if nothing of it was ever sent', async () => {
    const { clock, brokers, create } = setUp({ retriesMax: 2 });
    const client = await create();
    brokers.treat = () => 'refuse';
    const outcome = await clock.drive(client.send([to(0, 1)]));
    expect(outcome).toMatchObject({ type: 'fail', error: { code: 'CONNECTION_REFUSED' } });
  });
});

describe('creating', () => {
  it('takes any node that answers', async () => {
    const { brokers, create } = setUp({}, { nodes: 3 });
    brokers.down.add(1).add(3);
    await create();
    expect(brokers.producerIdsGiven).toBe(1);
  });

  it('gives up after ten seconds and closes what it opened', async () => {
    const { clock, brokers, create } = setUp();
    brokers.down.add(1).add(2);
    await expect(create()).rejects.toMatchObject({ code: 'CLUSTER_NOT_HEALTHY' });
    expect(clock.nowNs() / 1e9).toBeCloseTo(10, 0);
    expect(brokers.closedLinks).toBe(2);
  });
});

describe('metadata', () => {
  it('is asked again after a second, without anybody waiting', async () => {
    const { clock, brokers, create } = setUp();
    const client = await create();
    await clock.drive(client.send([to(0, 1)]));
    expect(brokers.metadataAsked).toBe(1);
    await clock.driveUntil(2_000);
    await clock.drive(client.send([to(0, 2)]));
    expect(brokers.metadataAsked).toBe(2);
    expect(clock.nowNs() / 1e6).toBeCloseTo(2_001, 0);
  });
});
