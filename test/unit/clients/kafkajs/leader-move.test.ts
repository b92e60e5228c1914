/**
 * Why a member on kafkajs may be handed a batch twice in one assignment, with nothing wrong on any broker: kafkajs has a fetcher for each
 * node. When the leader of a partition moves, the new leader's fetcher asks from the offset that is resolved by then; if the old one's batch
 * is still with the application, that is the batch's own. Whether the partition is another fetcher's is asked when the answer comes, and by
 * then the first batch may be done; what was resolved meanwhile is not looked at again. Seen on Kafka 4.1.1
 * (histories/bad/nonmonotonic-poll/kafka-4.1.1-leader-moves-under-a-group).
 */
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
}

interface FetchManager {
  start(): Promise<void>;
  stop(): Promise<void>;
}

type CreateFetchManager = (options: {
  readonly logger: object;
  readonly getNodeIds: () => readonly number[];
  readonly fetch: (nodeId: number) => Promise<readonly Batch[]>;
  readonly handler: (batch: Batch) => Promise<void>;
}) => FetchManager;

/** A private path of a package that no longer moves: nothing else shows what its consumer does with what it fetched. */
const createFetchManager = createRequire(import.meta.url)(
  'kafkajs/src/consumer/fetchManager',
) as CreateFetchManager;

const silent = { debug: () => undefined, info: () => undefined, namespace: () => silent };

it('kafkajs hands out a batch again that its other fetcher asked for before it was resolved', async () => {
  let resolved = 0;
  const handed: number[] = [];
  let done: () => void = () => undefined;
  const handled = new Promise<void>((resolve) => {
    done = resolve;
  });
  const [oldLeader, newLeader] = [3, 2];
  const asked = new Map<number, number>();
  const nothing = (): Promise<readonly Batch[]> =>
    new Promise((resolve) => {
      setTimeout(() => {
        resolve([]);
      }, 1);
    });
  const manager = createFetchManager({
    logger: silent,
    getNodeIds: () => [oldLeader, newLeader],
    fetch: async (node) => {
      const times = (asked.get(node) ?? 0) + 1;
      asked.set(node, times);
      if (times > 1) return nothing();
      const batch = { topic: 'orders', partition: 1, first: resolved };
      // Both ask from offset 0; the new leader's answer comes when the application is done with the old one's.
      if (node === newLeader) await handled.then(nothing);
      return [batch];
    },
    handler: (batch) => {
      handed.push(batch.first);
      resolved = batch.first + 10;
      if (handed.length === 1) done();
      else void manager.stop();
      return Promise.resolve();
    },
  });
  await manager.start();
  expect(handed).toEqual([0, 0]);
});
