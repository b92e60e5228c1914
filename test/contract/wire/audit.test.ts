import { afterEach, describe, expect, test } from 'vitest';
import { createWireAuditClient } from '../../../src/clients/wire/index.ts';
import { createRealClock } from '../../../src/core/clock.ts';
import type { AuditView } from '../../../src/history/event.ts';
import type { AuditClient } from '../../../src/spi/client.ts';
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

async function start(
  log: FakeLog,
  requestTimeoutMs = 5_000,
): Promise<{ cluster: FakeCluster; audit: AuditClient }> {
  const cluster = await startFakeCluster();
  open.push(cluster);
  cluster.logs.set('orders/0', log);
  const audit = createWireAuditClient({
    nodes: cluster.nodes,
    clock: createRealClock(),
    settings: { requestTimeoutMs },
  });
  open.push(audit);
  return { cluster, audit };
}

const ask = (view: AuditView, from = 0) => ({ log: 'orders/0', view, from });
const fails = (code: string) => ({ type: 'fail', error: { code } });
const messageOf = (outcome: Awaited<ReturnType<AuditClient['chunk']>>): string =>
  outcome.type === 'ok' ? 'ok' : outcome.error.message;

/** One plain record, an aborted and a committed transaction; markers stand at 2 and 4. */
function sample(): FakeLog {
  const log = emptyLog();
  append(log, [7]);
  const aborted = append(log, ['no'], 31);
  endTransaction(log, 31, aborted);
  append(log, ['yes'], 31);
  endTransaction(log, 31);
  return log;
}

describe('views', () => {
  test('committed: aborted records are hidden, and next is past the last marker', async () => {
    const { audit } = await start(sample());
    expect(await audit.chunk(ask('committed'))).toEqual({
      type: 'ok',
      value: {
        ...ask('committed'),
        records: [
          [0, 7],
          [3, 'yes'],
        ],
        next: 5,
        start: 0,
        end: 5,
        lastStable: 5,
        leaderEpoch: 4,
        linearizable: true,
      },
    });
  });

  test('uncommitted: every record, no marker', async () => {
    const { audit } = await start(sample());
    expect(await audit.chunk(ask('uncommitted', 1))).toMatchObject({
      value: {
        records: [
          [1, 'no'],
          [3, 'yes'],
        ],
        next: 5,
        end: 5,
      },
    });
  });

  test('raw: the heads of all batches', async () => {
    const { audit } = await start(sample());
    const plain = { leaderEpoch: 4, producerId: -1, epoch: -1, sequence: -1 };
    const producer = { leaderEpoch: 4, producerId: 31, epoch: 0, sequence: -1 };
    expect(await audit.chunk(ask('raw'))).toMatchObject({
      value: {
        batches: [
          { base: 0, last: 0, ...plain, transactional: false, control: null },
          { base: 1, last: 1, ...producer, transactional: true, control: null },
          { base: 2, last: 2, ...producer, transactional: true, control: 'abort' },
          { base: 3, last: 3, ...producer, transactional: true, control: null },
          { base: 4, last: 4, ...producer, transactional: true, control: 'commit' },
        ],
        next: 5,
      },
    });
  });

  test('an open transaction: committed ends at the last stable offset, end stays the watermark', async () => {
    const log = sample();
    log.lastStable = append(log, ['open'], 32);
    const { audit } = await start(log);
    expect(await audit.chunk(ask('committed'))).toMatchObject({
      value: { next: 5, lastStable: 5, end: 6 },
    });
    expect(await audit.chunk(ask('committed', 5))).toMatchObject(fails('NOT_READY'));
    expect(await audit.chunk(ask('uncommitted'))).toMatchObject({ value: { next: 6, end: 6 } });
  });

  test('an empty log is a whole scan in one chunk', async () => {
    const { audit } = await start(emptyLog());
    expect(await audit.chunk(ask('committed'))).toMatchObject({
      value: { records: [], next: 0, start: 0, end: 0, linearizable: true },
    });
  });

  test('a scan from below the log start covers what is gone', async () => {
    const log = emptyLog({ start: 10 });
    append(log, [1]);
    const { audit } = await start(log);
    expect(await audit.chunk(ask('committed'))).toMatchObject({
      value: { from: 0, records: [[10, 1]], next: 11, start: 10, end: 11 },
    });
  });

  test('from beyond the end is out of range', async () => {
    const { audit } = await start(sample());
    expect(await audit.chunk(ask('committed', 6))).toMatchObject(fails('OFFSET_OUT_OF_RANGE'));
  });
});

describe('replicas', () => {
  test('are asked themselves, and end at their own high watermark', async () => {
    const log = sample();
    const { cluster, audit } = await start(log);
    const behind = { ...log, batches: log.batches.slice(0, 2) };
    const follower = await startFakeCluster();
    open.push(follower);
    follower.logs.set('orders/0', behind);
    // Node 2 answers fetches from a log of its own that is not there yet.
    cluster.brokers[1]!.intercept = (api) =>
      api === 'Fetch' ? { type: 'answer', value: fetchAnswerOf(behind) } : null;
    const first = await audit.chunk({ ...ask('uncommitted'), replica: 2 });
    expect(first).toMatchObject({
      value: {
        replica: 2,
        records: [
          [0, 7],
          [1, 'no'],
        ],
        next: 2,
        end: 5,
      },
    });
    expect(await audit.chunk({ ...ask('uncommitted', 2), replica: 2 })).toMatchObject(
      fails('NOT_READY'),
    );
    cluster.brokers[1]!.intercept = () => null;
    expect(await audit.chunk({ ...ask('uncommitted', 2), replica: 2 })).toMatchObject({
      value: { records: [[3, 'yes']], next: 5 },
    });
    expect(cluster.brokers[0]!.requests).not.toContain('Fetch');
  });
});

describe('not ready', () => {
  test('a node that does not answer', async () => {
    const { cluster, audit } = await start(sample(), 200);
    cluster.brokers[2]!.intercept = () => ({ type: 'silence' });
    const outcome = await audit.chunk(ask('committed'));
    expect(outcome).toMatchObject(fails('NOT_READY'));
    expect(messageOf(outcome)).toMatch(/node-3 does not answer: timeout/);
  });

  test('an in-sync set that is not full', async () => {
    const { audit } = await start({ ...sample(), inSync: [1, 3] });
    expect(messageOf(await audit.chunk(ask('committed')))).toBe(
      'orders/0: in sync 1, 3 of 1, 2, 3',
    );
  });

  test('a topic that nobody knows', async () => {
    const { audit } = await start(sample());
    const outcome = await audit.chunk({ log: 'other/0', view: 'committed', from: 0 });
    expect(outcome).toMatchObject(fails('NOT_READY'));
    expect(messageOf(outcome)).toMatch(/other\/0: node-1 does not know it/);
  });

  test('a leader that changes between the question and its confirmation', async () => {
    const log = sample();
    const { cluster, audit } = await start(log);
    let questions = 0;
    cluster.brokers[0]!.intercept = (api) => {
      // The third question is for the high watermark; the election comes right after its answer was made.
      if (api === 'ListOffsets' && ++questions === 3) {
        const answer = offsetsAnswerOf(5, log.leaderEpoch);
        log.leader = 2;
        log.leaderEpoch++;
        return { type: 'answer', value: answer };
      }
      return null;
    };
    const outcome = await audit.chunk(ask('committed'));
    expect(outcome).toMatchObject(fails('NOT_READY'));
    expect(messageOf(outcome)).toMatch(/the leader changed while it was asked, from epoch 4 to 5/);
    expect(await audit.chunk(ask('committed'))).toMatchObject({ value: { leaderEpoch: 5 } });
  });

  test('an answer with another epoch than the agreed one', async () => {
    const { cluster, audit } = await start(sample());
    cluster.brokers[0]!.intercept = (api) =>
      api === 'ListOffsets' ? { type: 'answer', value: offsetsAnswerOf(5, 3) } : null;
    expect(messageOf(await audit.chunk(ask('committed')))).toMatch(/the answer has 3/);
  });

  test('an error of ListOffsets, by its name', async () => {
    const { cluster, audit } = await start(sample());
    cluster.brokers[0]!.intercept = (api) =>
      api === 'ListOffsets' ? { type: 'answer', value: offsetsAnswerOf(-1, -1, 78) } : null;
    expect(await audit.chunk(ask('committed'))).toMatchObject(fails('OFFSET_NOT_AVAILABLE'));
  });
});

function offsetsAnswerOf(offset: number, leaderEpoch: number, errorCode = 0) {
  const answer = { partition: 0, errorCode, timestamp: -1, offset, leaderEpoch };
  return { throttleTimeMs: 0, topics: [{ name: 'orders', partitions: [answer] }] };
}

function fetchAnswerOf(log: FakeLog) {
  const end = log.batches.length;
  const answer = {
    partition: 0,
    errorCode: 0,
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: Buffer.concat(log.batches),
  };
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    topics: [{ name: 'orders', partitions: [answer] }],
  };
}
