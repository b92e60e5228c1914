/** Whatever brokers and network do, a sound idempotent client repeats, reorders and loses nothing of what it was told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, randomStream } from '../../../../src/core/random.ts';
import { createSimulatedProducerFactory } from '../../../../src/clients/simulated/producer.ts';
import type { Outcome, SendRequest, Sent } from '../../../../src/spi/client.ts';
import { MemoryBrokers, type Treatment } from '../../../support/memory-brokers.ts';
import { createVirtualClock } from '../../../support/virtual-clock.ts';

const partitions = 3;
const calls = 25;
const troubles: readonly Treatment[] = [
  ...(['lose', 'mute', 'refuse', 'close', 'late'] as const),
  ...['NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR'].map((error) => ({
    error,
  })),
];

interface Played {
  readonly brokers: MemoryBrokers;
  readonly calls: readonly {
    readonly requests: readonly SendRequest[];
    readonly outcome: Outcome<readonly Sent[]>;
  }[];
}

function drawCall(random: Random, first: number): readonly SendRequest[] {
  return Array.from({ length: random.between(1, 4) }, (_, i) => ({
    topic: 't',
    partition: random.chance(1, 4) ? null : random.below(partitions),
    value: first * 10 + i,
    meta: random.chance(1, 2) ? {} : { key: `k${random.below(4)}` },
  }));
}

/** One client with calls open at once, while leaders move and requests meet trouble. */
async function play(seed: string): Promise<Played> {
  const random = randomStream(seed, 'test');
  const clock = createVirtualClock();
  const brokers = new MemoryBrokers(clock, 3, partitions);
  const producers = createSimulatedProducerFactory({
    nodes: brokers.nodes,
    link: brokers.link,
    settings: {
      acks: 'all',
      idempotent: true,
      requestTimeoutMs: 1_000,
      retriesMax: random.pick([1, 3, 50]),
      operationTimeoutMs: random.pick([2_000, 30_000]),
    },
    clock,
    random: randomStream(seed, 'client'),
    defects: new Set(),
  });
  const trouble = random.between(1, 6);
  brokers.treat = () => {
    if (random.chance(1, 10)) brokers.lead(`t/${random.below(partitions)}`, random.between(1, 3));
    return random.chance(trouble, 10) ? random.pick(troubles) : 'answer';
  };
  const client = await clock.drive(producers.create('p'));
  const open: Promise<Played['calls'][number]>[] = [];
  for (let i = 0; i < calls; i++) {
    const requests = drawCall(random, i);
    open.push(client.send(requests).then((outcome) => ({ requests, outcome })));
    if (random.chance(1, 2)) await clock.driveUntil(clock.nowNs() / 1e6 + random.below(1_500));
  }
  const played = await clock.drive(Promise.all(open));
  await clock.drive(producers.settle(60_000));
  await clock.driveUntil(clock.nowNs() / 1e6 + 10_000);
  return { brokers, calls: played };
}

function judge({ brokers, calls: played }: Played): void {
  const byStamp = new Map<string, unknown>();
  for (const { log, batch } of brokers.arrivals) {
    const stamp = `${log} ${batch.producerId} ${batch.baseSequence}`;
    // The same sequence is the same batch, and the same bytes.
    expect(byStamp.get(stamp) ?? batch).toBe(batch);
    byStamp.set(stamp, batch);
  }
  const written = new Map<unknown, string>();
  for (let p = 0; p < partitions; p++) {
    for (const [offset, value] of brokers.values(`t/${p}`).entries()) {
      expect(written.has(value)).toBe(false);
      written.set(value, `${p}@${offset}`);
    }
  }
  const newest = new Map<number, number>();
  for (const { requests, outcome } of played) {
    for (const [i, { value, partition }] of requests.entries()) {
      if (outcome.type === 'fail') expect(written.has(value)).toBe(false);
      if (outcome.type !== 'ok') continue;
      const sent = outcome.value[i];
      expect(`${sent?.partition}@${sent?.offset}`).toBe(written.get(value));
      if (partition !== null) expect(sent?.partition).toBe(partition);
      // Calls began in this order.
      expect(sent?.offset).toBeGreaterThan(newest.get(sent?.partition ?? -1) ?? -1);
      newest.set(sent?.partition ?? -1, sent?.offset ?? -1);
    }
  }
}

describe('a sound producer', () => {
  it('repeats, reorders and loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (seed) => {
        judge(await play(seed));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('sends the same at the same times for the same seed', async () => {
    const shown = async () => {
      const { brokers, calls: played } = await play('twice');
      const arrivals = brokers.arrivals.map(({ node, log, atNs }) => [node, log, atNs]);
      return { arrivals, outcomes: played.map(({ outcome }) => outcome) };
    };
    expect(await shown()).toEqual(await shown());
  });
});
