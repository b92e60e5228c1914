import { afterEach, describe, expect, test } from 'vitest';
import { createWireReaderFactory } from '../../../src/clients/wire/index.ts';
import { createRealClock } from '../../../src/core/clock.ts';
import type { IsolationLevel } from '../../../src/history/event.ts';
import type { ReaderClient } from '../../../src/spi/client.ts';
import { encodeBatch } from '../../../src/kafka-protocol/record-encoding.ts';
import { decodeBatches } from '../../../src/kafka-protocol/record-batch.ts';
import {
  append,
  emptyLog,
  endTransaction,
  type FakeCluster,
  type FakeLog,
  startFakeCluster,
} from '../../support/fake-kafka.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function start(logs: Record<string, FakeLog>): Promise<FakeCluster> {
  const cluster = await startFakeCluster();
  open.push(cluster);
  for (const [name, log] of Object.entries(logs)) cluster.logs.set(name, log);
  return cluster;
}

async function readerOf(
  cluster: FakeCluster,
  isolation: IsolationLevel = 'read_committed',
  requestTimeoutMs = 5_000,
): Promise<ReaderClient> {
  const factory = createWireReaderFactory({
    nodes: cluster.nodes,
    clock: createRealClock(),
    settings: {
      requestTimeoutMs,
      metadataTimeoutMs: 2_000,
      metadataGraceMs: 300,
      refreshBackoffMs: 1,
      pollWaitMs: 5,
      responseBytesMax: 100_000,
    },
  });
  const reader = await factory.create('reader', isolation);
  open.push(reader);
  return reader;
}

const fails = (code: string) => ({ type: 'fail', error: { code } });

describe('polls', () => {
  test('read every assigned log from its leader, once', async () => {
    const one = emptyLog();
    const two = emptyLog({ leader: 2 });
    append(one, [10, 11]);
    append(two, ['a']);
    const cluster = await start({ 'orders/0': one, 'orders/1': two });
    const reader = await readerOf(cluster);
    expect(await reader.assign(['orders/0', 'orders/1'], 'beginning')).toEqual({
      type: 'ok',
      value: null,
    });
    expect(await reader.poll()).toEqual({
      type: 'ok',
      value: {
        'orders/0': [
          [0, 10],
          [1, 11],
        ],
        'orders/1': [[0, 'a']],
      },
    });
    expect(await reader.poll()).toEqual({ type: 'ok', value: {} });
    append(one, [12]);
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[2, 12]] } });
  });

  test('start where they are told, also in the middle of a batch', async () => {
    const log = emptyLog();
    append(log, [1, 2, 3]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], { 'orders/0': 2 });
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[2, 3]] } });
    await reader.assign(['orders/0'], 'end');
    expect(await reader.poll()).toEqual({ type: 'ok', value: {} });
    append(log, [4]);
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[3, 4]] } });
  });

  test('never show what lies above the high watermark', async () => {
    const log = emptyLog({ highWatermark: 2 });
    append(log, [1, 2, 3]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster, 'read_uncommitted');
    await reader.assign(['orders/0'], 'beginning');
    expect(await reader.poll()).toMatchObject({
      value: {
        'orders/0': [
          [0, 1],
          [1, 2],
        ],
      },
    });
    log.highWatermark = 3;
    expect(await reader.poll()).toMatchObject({ value: { 'orders/0': [[2, 3]] } });
  });

  test('need an assignment', async () => {
    const reader = await readerOf(await start({}));
    expect(await reader.poll()).toMatchObject(fails('NOT_ASSIGNED'));
  });
});

describe('read-committed', () => {
  /** Two producers, nested aborts, one commit between them; the last transaction is open. */
  function transactions(): FakeLog {
    const log = emptyLog();
    append(log, ['plain']); // 0
    append(log, ['A1']); // not of a transaction: same log, no producer
    const a = append(log, ['A2'], 1); // 2
    const b = append(log, ['B1'], 2); // 3
    endTransaction(log, 2, b); // 4
    append(log, ['A3'], 1); // 5
    endTransaction(log, 1, a); // 6
    append(log, ['A4'], 1); // 7
    const b2 = append(log, ['B2'], 2); // 8
    endTransaction(log, 1); // 9
    endTransaction(log, 2, b2); // 10
    log.lastStable = append(log, ['open'], 1); // 11
    return log;
  }

  test('hides aborted and open transactions, whatever order the broker lists them in', async () => {
    const log = transactions();
    for (const aborted of [log.aborted, [...log.aborted].reverse()]) {
      const cluster = await start({ 'orders/0': { ...log, aborted } });
      const reader = await readerOf(cluster);
      await reader.assign(['orders/0'], 'beginning');
      expect(await reader.poll()).toEqual({
        type: 'ok',
        value: {
          'orders/0': [
            [0, 'plain'],
            [1, 'A1'],
            [7, 'A4'],
          ],
        },
      });
    }
  });

  test('shows the open transaction once it has ended, without going back', async () => {
    const log = transactions();
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    await reader.poll();
    endTransaction(log, 1);
    log.lastStable = null;
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[11, 'open']] } });
  });

  test('read-uncommitted sees all records and no marker', async () => {
    const cluster = await start({ 'orders/0': transactions() });
    const reader = await readerOf(cluster, 'read_uncommitted');
    await reader.assign(['orders/0'], 'beginning');
    const polled = await reader.poll();
    const offsets = polled.type === 'ok' ? polled.value['orders/0']?.map(([offset]) => offset) : [];
    expect(offsets).toEqual([0, 1, 2, 3, 5, 7, 8, 11]);
  });
});

describe('polls that fail', () => {
  test('out of range ends polling until the next assignment', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], { 'orders/0': 9 });
    expect(await reader.poll()).toMatchObject(fails('OFFSET_OUT_OF_RANGE'));
    const asked = cluster.brokers[0]!.requests.length;
    expect(await reader.poll()).toMatchObject(fails('OFFSET_OUT_OF_RANGE'));
    expect(cluster.brokers[0]!.requests).toHaveLength(asked);
    await reader.assign(['orders/0'], 'beginning');
    expect(await reader.poll()).toMatchObject({ value: { 'orders/0': [[0, 1]] } });
  });

  test('a leader change fails one poll; the next reads on from the new leader', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    await reader.poll();
    log.leader = 3;
    log.leaderEpoch = 5;
    append(log, [2]);
    expect(await reader.poll()).toMatchObject(fails('FENCED_LEADER_EPOCH'));
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[1, 2]] } });
    expect(cluster.brokers[2]!.requests).toContain('Fetch');
  });

  test('the highest epoch wins, when a cut leader still claims its post', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    const stale = { ...log };
    log.leader = 2;
    log.leaderEpoch = 5;
    const picture = metadataOf(cluster, stale);
    cluster.brokers[0]!.intercept = (api) =>
      api === 'Metadata' ? { type: 'answer', value: picture } : { type: 'silence' };
    const reader = await readerOf(cluster);
    expect(await reader.assign(['orders/0'], 'beginning')).toMatchObject({ type: 'ok' });
    expect(await reader.poll()).toMatchObject({ value: { 'orders/0': [[0, 1]] } });
  });

  test('no leader: fail, without a fetch', async () => {
    const log = emptyLog();
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], { 'orders/0': 0 });
    log.leader = -1;
    expect(await reader.poll()).toMatchObject(fails('LEADER_NOT_AVAILABLE'));
  });

  test('one leader fails: nothing of the poll counts, and nothing is skipped', async () => {
    const one = emptyLog();
    const two = emptyLog({ leader: 2 });
    append(one, [1]);
    append(two, [2]);
    const cluster = await start({ 'orders/0': one, 'orders/1': two });
    const reader = await readerOf(cluster, 'read_committed', 300);
    await reader.assign(['orders/0', 'orders/1'], 'beginning');
    cluster.brokers[1]!.intercept = (api) => (api === 'Fetch' ? { type: 'silence' } : null);
    expect(await reader.poll()).toMatchObject(fails('REQUEST_TIMED_OUT'));
    cluster.brokers[1]!.intercept = () => null;
    expect(await reader.poll()).toEqual({
      type: 'ok',
      value: { 'orders/0': [[0, 1]], 'orders/1': [[0, 2]] },
    });
  });

  test('the connection dies in the middle of an answer: fail, then the same records', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    const answer = fetchAnswerOf(Buffer.concat(log.batches), 1);
    cluster.brokers[0]!.intercept = (api) =>
      api === 'Fetch' ? { type: 'cut', value: answer, bytes: 80 } : null;
    expect(await reader.poll()).toMatchObject(fails('CONNECTION_CLOSED'));
    cluster.brokers[0]!.intercept = () => null;
    expect(await reader.poll()).toMatchObject({ value: { 'orders/0': [[0, 1]] } });
  });

  test('a compressed batch is refused by name', async () => {
    const log = emptyLog();
    append(log, [1]);
    append(log, [2]);
    const batch = decodeBatches(log.batches[1]!, 'orders/0')[0]!;
    log.batches[1] = encodeBatch({ ...batch, compression: 'gzip' });
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    expect(await reader.poll()).toEqual({
      type: 'fail',
      error: {
        code: 'COMPRESSED_BATCH',
        message:
          'gzip-compressed batch at offset 1 of orders/0: only uncompressed records can be read',
      },
    });
  });

  test('a damaged batch, and an answer above the bound: unreadable', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    const damaged = Buffer.from(log.batches[0]!);
    damaged[damaged.length - 1]! ^= 1;
    let records = damaged;
    cluster.brokers[0]!.intercept = (api) =>
      api === 'Fetch' ? { type: 'answer', value: fetchAnswerOf(records, 1) } : null;
    const outcome = await reader.poll();
    expect(outcome).toMatchObject(fails('UNREADABLE'));
    expect(outcome.type !== 'ok' && outcome.error.message).toMatch(
      /offset 0 of orders\/0 has checks/,
    );
    records = Buffer.alloc(100_001);
    expect(await reader.poll()).toMatchObject(fails('UNREADABLE'));
  });

  test('a batch that the answer cuts off comes with the next poll', async () => {
    const log = emptyLog();
    append(log, [1]);
    append(log, [2]);
    const cluster = await start({ 'orders/0': log });
    const reader = await readerOf(cluster);
    await reader.assign(['orders/0'], 'beginning');
    const cut = Buffer.concat(log.batches).subarray(0, -3);
    cluster.brokers[0]!.intercept = (api) =>
      api === 'Fetch' ? { type: 'answer', value: fetchAnswerOf(cut, 2) } : null;
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[0, 1]] } });
    cluster.brokers[0]!.intercept = () => null;
    expect(await reader.poll()).toEqual({ type: 'ok', value: { 'orders/0': [[1, 2]] } });
  });

  test('a frozen node does not stop a reader of other leaders', async () => {
    const log = emptyLog();
    append(log, [1]);
    const cluster = await start({ 'orders/0': log });
    cluster.brokers[2]!.intercept = () => ({ type: 'silence' });
    const reader = await readerOf(cluster);
    expect(await reader.assign(['orders/0'], 'beginning')).toMatchObject({ type: 'ok' });
    expect(await reader.poll()).toMatchObject({ value: { 'orders/0': [[0, 1]] } });
  });

  test('an assignment that cannot learn where to start fails', async () => {
    const cluster = await start({ 'orders/0': emptyLog() });
    cluster.brokers[0]!.intercept = (api) =>
      api === 'ListOffsets'
        ? { type: 'cut', value: { throttleTimeMs: 0, topics: [] }, bytes: 1 }
        : null;
    const reader = await readerOf(cluster);
    expect(await reader.assign(['orders/0'], 'beginning')).toMatchObject(
      fails('CONNECTION_CLOSED'),
    );
    expect(await reader.poll()).toMatchObject(fails('NOT_ASSIGNED'));
  });
});

function fetchAnswerOf(records: Buffer, highWatermark: number) {
  const answer = {
    partition: 0,
    errorCode: 0,
    highWatermark,
    lastStableOffset: highWatermark,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records,
  };
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    topics: [{ name: 'orders', partitions: [answer] }],
  };
}

function metadataOf(cluster: FakeCluster, log: FakeLog) {
  const { leader, leaderEpoch, replicas, inSync } = log;
  return {
    throttleTimeMs: 0,
    brokers: cluster.nodes.map(({ id }) => ({ nodeId: id, host: 'x', port: 1, rack: null })),
    clusterId: null,
    controllerId: 1,
    topics: [
      {
        errorCode: 0,
        name: 'orders',
        internal: false,
        partitions: [
          { errorCode: 0, partition: 0, leader, leaderEpoch, replicas, inSync, offline: [] },
        ],
        authorizedOperations: 0,
      },
    ],
    clusterAuthorizedOperations: 0,
  };
}
