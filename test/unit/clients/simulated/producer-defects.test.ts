import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../src/core/random.ts';
import { clientDefects, type ProducerDefect } from '../../../../src/clients/simulated/defects.ts';
import { createSimulatedProducerFactory } from '../../../../src/clients/simulated/producer.ts';
import type { ProducerSettings, SendRequest } from '../../../../src/spi/client.ts';
import { MemoryBrokers } from '../../../support/memory-brokers.ts';
import { createVirtualClock } from '../../../support/virtual-clock.ts';

interface Changes extends Partial<ProducerSettings> {
  readonly partitions?: number;
}

/** Every behaviour is shown with the defect, and its absence without. */
async function setUp(defect: ProducerDefect | null, { partitions = 2, ...changes }: Changes = {}) {
  const clock = createVirtualClock();
  const brokers = new MemoryBrokers(clock, 2, partitions);
  const producers = createSimulatedProducerFactory({
    nodes: brokers.nodes,
    link: brokers.link,
    settings: {
      acks: 'all',
      idempotent: true,
      requestTimeoutMs: 1_000,
      retriesMax: 50,
      operationTimeoutMs: 30_000,
      ...changes,
    },
    clock,
    random: randomStream('seed', 'client'),
    defects: new Set(defect === null ? [] : [defect]),
  });
  return { clock, brokers, client: await clock.drive(producers.create('p-1')) };
}

const to = (partition: number | null, value: number, key?: string): SendRequest => ({
  topic: 't',
  partition,
  value,
  meta: key === undefined ? {} : { key },
});

describe('the registry', () => {
  it('names each defect once, and no primary among its consequences', () => {
    const names = clientDefects.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const { primary, consequences } of clientDefects) {
      expect(consequences).not.toContain(primary);
    }
  });
});

describe('partial-acknowledgement', () => {
  const scenario = async (defect: ProducerDefect | null) => {
    const { clock, brokers, client } = await setUp(defect);
    brokers.lead('t/1', 2);
    await clock.drive(client.send([to(1, 0)]));
    brokers.treat = ({ node }) => {
      if (node !== 1) return 'answer';
      brokers.lead('t/0', 2);
      return 'lose';
    };
    return { brokers, outcome: await clock.drive(client.send([to(0, 1), to(1, 2)])) };
  };

  it('takes the answer for one log for that of another', async () => {
    const { brokers, outcome } = await scenario('partial-acknowledgement');
    const sent = [
      { partition: 0, offset: null },
      { partition: 1, offset: 1 },
    ];
    expect(outcome).toEqual({ type: 'ok', value: sent });
    expect(brokers.values('t/0')).toEqual([]);
  });

  it('is absent without the defect', async () => {
    const { brokers, outcome } = await scenario(null);
    expect(outcome).toMatchObject({ type: 'ok', value: [{ offset: 0 }, { offset: 1 }] });
    expect(brokers.values('t/0')).toEqual([1]);
  });
});

describe('sequence-reuse', () => {
  const scenario = async (defect: ProducerDefect | null) => {
    const { clock, brokers, client } = await setUp(defect, { retriesMax: 1 });
    brokers.treat = (_, index) => (index < 2 ? 'mute' : 'answer');
    const first = await clock.drive(client.send([to(0, 1)]));
    expect(first).toMatchObject({ type: 'info' });
    return { brokers, outcome: await clock.drive(client.send([to(0, 2)])) };
  };

  it('has the next record acknowledged with the offset of the one before, and never written', async () => {
    const { brokers, outcome } = await scenario('sequence-reuse');
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: 0 }] });
    expect(brokers.values('t/0')).toEqual([1]);
  });

  it('is absent without the defect', async () => {
    const { brokers, outcome } = await scenario(null);
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: 1 }] });
    expect(brokers.values('t/0')).toEqual([1, 2]);
  });
});

describe('concurrent-sends', () => {
  /** The first attempt is appended but not answered; while it backs off, others send. */
  const scenario = async (defect: ProducerDefect | null) => {
    const { clock, brokers, client } = await setUp(defect);
    brokers.treat = (_, index) => (index === 0 ? 'close' : 'answer');
    const first = client.send([to(0, 1)]);
    await clock.driveUntil(40);
    const outcomes = await clock.drive(Promise.all([first, client.send([to(0, 2)])]));
    return { brokers, outcomes };
  };

  it('crosses the sequences of sends that are open at once', async () => {
    const { brokers, outcomes } = await scenario('concurrent-sends');
    expect(outcomes).toMatchObject([
      { type: 'ok', value: [{ offset: 1 }] },
      { type: 'ok', value: [{ offset: 0 }] },
    ]);
    expect(brokers.values('t/0')).toEqual([1, 1]);
  });

  it('is absent without the defect', async () => {
    const { brokers, outcomes } = await scenario(null);
    expect(outcomes).toMatchObject([
      { type: 'ok', value: [{ offset: 0 }] },
      { type: 'ok', value: [{ offset: 1 }] },
    ]);
    expect(brokers.values('t/0')).toEqual([1, 2]);
  });
});

describe('keyless-retry', () => {
  const scenario = async (defect: ProducerDefect | null, key?: string) => {
    const { clock, brokers, client } = await setUp(defect, { partitions: 8 });
    brokers.treat = (_, index) => (index === 0 ? 'mute' : 'answer');
    expect(await clock.drive(client.send([to(null, 1, key)]))).toMatchObject({ type: 'ok' });
    return Array.from({ length: 8 }, (_, p) => brokers.values(`t/${p}`)).filter(
      (v) => v.length > 0,
    );
  };

  it('writes one record to two partitions', async () => {
    expect(await scenario('keyless-retry')).toEqual([[1], [1]]);
  });

  it('is absent without the defect, or with a key', async () => {
    expect(await scenario(null)).toEqual([[1]]);
    expect(await scenario('keyless-retry', 'k')).toEqual([[1]]);
  });
});

describe('unordered-retries', () => {
  const scenario = async (defect: ProducerDefect | null) => {
    const { clock, brokers, client } = await setUp(defect, { idempotent: false });
    brokers.treat = (_, index) => (index === 0 ? 'lose' : 'answer');
    const sends = [1, 2, 3].map((value) => client.send([to(0, value)]));
    await clock.drive(Promise.all(sends));
    return brokers.values('t/0');
  };

  it('lets later sends overtake', async () => {
    expect(await scenario('unordered-retries')).toEqual([2, 3, 1]);
  });

  it('is absent without the defect', async () => {
    expect(await scenario(null)).toEqual([1, 2, 3]);
  });
});

describe('success-on-timeout', () => {
  it('acknowledges what was never written, without an offset', async () => {
    const { clock, brokers, client } = await setUp('success-on-timeout');
    brokers.treat = () => 'lose';
    const outcome = await clock.drive(client.send([to(0, 1)]));
    expect(outcome).toEqual({ type: 'ok', value: [{ partition: 0, offset: null }] });
    expect(brokers.values('t/0')).toEqual([]);
  });
});

describe('new-producer-id-on-retry', () => {
  it('has an uncertain batch written twice', async () => {
    const { clock, brokers, client } = await setUp('new-producer-id-on-retry');
    brokers.treat = (_, index) => (index === 0 ? 'mute' : 'answer');
    expect(await clock.drive(client.send([to(0, 1)]))).toMatchObject({ type: 'ok' });
    expect(brokers.values('t/0')).toEqual([1, 1]);
    expect(brokers.arrivals.map(({ batch }) => batch.producerId)).toEqual([1_001, 1_002]);
  });
});

describe('buffer-reuse', () => {
  it('writes a record of another log after a timeout', async () => {
    const { clock, brokers, client } = await setUp('buffer-reuse');
    await clock.drive(client.send([to(1, 7, 'k')]));
    brokers.treat = (_, index) => (index === 1 ? 'lose' : 'answer');
    expect(await clock.drive(client.send([to(0, 1)]))).toMatchObject({ type: 'ok' });
    expect(brokers.records('t/0')).toEqual([{ key: 'k', value: 7 }]);
  });
});

describe('key-swap', () => {
  const pair = [to(0, 1, 'a'), to(0, 2, 'b')];

  it('exchanges two keys on a retry', async () => {
    const { clock, brokers, client } = await setUp('key-swap');
    brokers.treat = (_, index) => (index < 3 ? 'lose' : 'answer');
    await clock.drive(client.send(pair));
    expect(brokers.records('t/0')).toEqual([
      { key: 'b', value: 1 },
      { key: 'a', value: 2 },
    ]);
  });

  it('exchanges them in a few batches that needed no retry', async () => {
    const { clock, brokers, client } = await setUp('key-swap');
    for (let i = 0; i < 200; i++) await clock.drive(client.send(pair));
    const swapped = brokers.records('t/0').filter(({ key, value }) => key === 'a' && value === 2);
    expect(swapped.length).toBeGreaterThan(0);
    expect(swapped.length).toBeLessThan(20);
  });
});

it('batch-last-first: the last record comes first, and each is told the offset that it has', async () => {
  const { clock, brokers, client } = await setUp('batch-last-first');
  const outcome = await clock.drive(client.send([to(0, 1), to(0, 2), to(0, 3)]));
  expect(brokers.records('t/0').map(({ value }) => value)).toEqual([3, 2, 1]);
  expect(outcome).toMatchObject({
    type: 'ok',
    value: [{ offset: 2 }, { offset: 1 }, { offset: 0 }],
  });
});
