import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seenRecords, visibleEnd } from '../../../../src/clients/wire/fetched.ts';
import type { RecordSeen } from '../../../../src/history/event.ts';
import {
  encodeBatch,
  encodeRecords,
  plainBatch,
} from '../../../../src/kafka-protocol/record-encoding.ts';
import { decodeBatches } from '../../../../src/kafka-protocol/record-batch.ts';
import {
  append,
  emptyLog,
  endOf,
  endTransaction,
  type FakeLog,
} from '../../../support/fake-kafka.ts';

const window = (from: number, bound: number) => ({ log: 'orders/0', from, bound });

/** What a broker answers to a read-committed fetch from `from`: at most `batchesMax` batches, up to the stable offset. */
function answerOf(log: FakeLog, from: number, stable: number, batchesMax = Infinity) {
  const batches = log.batches
    .filter((bytes) => {
      const { baseOffset, lastOffset } = decodeBatches(bytes, 'orders/0')[0]!;
      return lastOffset >= from && baseOffset < stable;
    })
    .slice(0, batchesMax);
  return {
    partition: 0,
    errorCode: 0,
    highWatermark: endOf(log),
    lastStableOffset: stable,
    logStartOffset: 0,
    abortedTransactions: log.aborted.filter(({ lastOffset }) => lastOffset >= from),
    preferredReadReplica: -1,
    records: Buffer.concat(batches),
  };
}

interface Model {
  readonly log: FakeLog;
  readonly committed: RecordSeen[];
  readonly stable: number;
}

/** Plays steps of three producers and knows, from the whole log, what a committed reader must see. */
function play(steps: readonly (readonly [producer: number, step: string])[]): Model {
  const log = emptyLog();
  const committed: RecordSeen[] = [];
  const running = new Map<number, { first: number; records: RecordSeen[] }>();
  for (const [producer, step] of steps) {
    const value = `p${producer}#${endOf(log)}`;
    const transaction = running.get(producer);
    if (step === 'plain') {
      committed.push([append(log, [value]), value]);
    } else if (step === 'send') {
      const offset = append(log, [value], producer);
      const mine = transaction ?? { first: offset, records: [] };
      mine.records.push([offset, value]);
      running.set(producer, mine);
    } else if (transaction !== undefined) {
      endTransaction(log, producer, step === 'abort' ? transaction.first : undefined);
      if (step === 'commit') committed.push(...transaction.records);
      running.delete(producer);
    }
  }
  const stable = Math.min(endOf(log), ...[...running.values()].map(({ first }) => first));
  return {
    log,
    committed: committed.filter(([offset]) => offset < stable).sort((a, b) => a[0] - b[0]),
    stable,
  };
}

test('read-committed shows exactly the committed records, however the scan is cut into answers', () => {
  const step = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom('plain', 'send', 'send', 'commit', 'abort'),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (steps, size) => {
        const { log, committed, stable } = play(steps);
        const items: RecordSeen[] = [];
        let from = 0;
        while (from < stable) {
          const answer = answerOf(log, from, stable, size);
          const seen = seenRecords(
            answer,
            'read_committed',
            window(from, visibleEnd(answer, 'read_committed')),
          );
          if (seen.type === 'fail') throw new Error(seen.error.message);
          expect(seen.next).toBeGreaterThan(from);
          items.push(...seen.items);
          from = seen.next;
        }
        expect(from).toBe(stable);
        expect(items).toEqual(committed);
      },
    ),
  );
});

test('a scan may begin inside aborted transactions', () => {
  const log = emptyLog();
  const a = append(log, ['A'], 1);
  const b = append(log, ['B'], 2);
  append(log, ['A again'], 1);
  append(log, ['B again'], 2);
  endTransaction(log, 2, b);
  endTransaction(log, 1, a);
  append(log, ['plain']);
  const seen = seenRecords(answerOf(log, 2, 7), 'read_committed', window(2, 7));
  expect(seen).toEqual({ type: 'ok', items: [[6, 'plain']], next: 7 });
});

test('a data record whose key looks like an abort marker ends no transaction', () => {
  const log = emptyLog();
  const bytes = encodeRecords({
    ...plainBatch,
    producerId: 1,
    producerEpoch: 0,
    transactional: true,
    records: [{ timestamp: 1, key: Buffer.alloc(4), value: Buffer.from('1') }],
  });
  log.batches.push(bytes);
  append(log, [2], 1);
  endTransaction(log, 1, 0);
  const seen = seenRecords(answerOf(log, 0, 3), 'read_committed', window(0, 3));
  expect(seen).toEqual({ type: 'ok', items: [], next: 3 });
});

test('plain records of a producer that also aborts are seen', () => {
  const log = emptyLog();
  const first = append(log, ['aborted'], 1);
  const plain = encodeRecords({
    ...plainBatch,
    baseOffset: 1,
    producerId: 1,
    producerEpoch: 0,
    records: [{ timestamp: 1, key: null, value: Buffer.from('"plain"') }],
  });
  log.batches.push(plain);
  endTransaction(log, 1, first);
  const seen = seenRecords(answerOf(log, 0, 3), 'read_committed', window(0, 3));
  expect(seen).toEqual({ type: 'ok', items: [[1, 'plain']], next: 3 });
});

test('what compaction emptied is passed over', () => {
  const log = emptyLog();
  append(log, [0, 1, 2]);
  const batch = decodeBatches(log.batches[0]!, 'orders/0')[0]!;
  log.batches[0] = encodeBatch({ ...batch, recordCount: 0, payload: Buffer.alloc(0) });
  append(log, [3]);
  const seen = seenRecords(answerOf(log, 0, 4), 'read_uncommitted', window(0, 4));
  expect(seen).toEqual({ type: 'ok', items: [[3, 3]], next: 4 });
});

test('an aborted compressed batch is never read, so it is not refused', () => {
  const log = emptyLog();
  append(log, ['x'], 1);
  const batch = decodeBatches(log.batches[0]!, 'orders/0')[0]!;
  log.batches[0] = encodeBatch({ ...batch, compression: 'lz4' });
  endTransaction(log, 1, 0);
  const answer = answerOf(log, 0, 2);
  expect(seenRecords(answer, 'read_committed', window(0, 2))).toEqual({
    type: 'ok',
    items: [],
    next: 2,
  });
  expect(seenRecords(answer, 'read_uncommitted', window(0, 2))).toMatchObject({
    type: 'fail',
    error: { code: 'COMPRESSED_BATCH' },
  });
});

test('a tombstone is known by the value in its header', () => {
  const identity = { key: 'ordeal-value', value: Buffer.from('17') };
  const other = { key: 'trace', value: Buffer.from('99') };
  const records = [
    { timestamp: 1, key: Buffer.from('"k"'), value: null, headers: [other, identity] },
    { timestamp: 1, key: Buffer.from('"k"'), value: Buffer.from('5'), headers: [identity] },
    { timestamp: 1, key: Buffer.from('"k"'), value: null, headers: [other] },
  ];
  const log = emptyLog();
  log.batches.push(encodeRecords({ ...plainBatch, records }));
  expect(seenRecords(answerOf(log, 0, 3), 'read_committed', window(0, 3))).toMatchObject({
    items: [
      [0, 17, { key: 'k', tombstone: true }],
      [1, 5, { key: 'k' }],
      [2, null, { key: 'k', tombstone: true }],
    ],
  });
});

test('keys and tombstones travel in meta', () => {
  const records = [
    { timestamp: 1, key: Buffer.from('"k"'), value: Buffer.from('5') },
    { timestamp: 1, key: Buffer.from('"k"'), value: null },
    { timestamp: 1, key: null, value: null },
    { timestamp: 1, key: Buffer.from('null'), value: Buffer.from('null') },
  ];
  const log = emptyLog();
  log.batches.push(encodeRecords({ ...plainBatch, records }));
  expect(seenRecords(answerOf(log, 0, 4), 'read_committed', window(0, 4))).toMatchObject({
    items: [
      [0, 5, { key: 'k' }],
      [1, null, { key: 'k', tombstone: true }],
      [2, null, { tombstone: true }],
      [3, null, { key: null }],
    ],
  });
});
