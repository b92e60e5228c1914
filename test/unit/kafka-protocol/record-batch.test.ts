import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/kafka-protocol/crc32c.ts';
import {
  compressionRefusal,
  decodeBatches,
  decodeRecords,
  markerOf,
  type RecordBatch,
} from '../../../src/kafka-protocol/record-batch.ts';
import {
  encodeBatch,
  encodeMarker,
  encodeRecords,
  plainBatch,
} from '../../../src/kafka-protocol/record-encoding.ts';

function only(bytes: Buffer): RecordBatch {
  const batches = decodeBatches(bytes, 'orders/0');
  expect(batches).toHaveLength(1);
  return batches[0]!;
}

const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const one = { timestamp: 1_700_000_000_000, key: null, value: text('17') };

// Two records of a transactional producer, laid out by hand field by field; the checksum is kafkajs 2.2.4's.
const golden = Buffer.from(
  [
    '0000000000000028', // base offset 40
    '0000004c', // length of what follows
    '00000007', // leader epoch
    '02', // format
    'b63364ee',
    '0010', // transactional
    '00000001', // last offset delta
    '0000018bcfe56800', // base timestamp 1700000000000
    '0000018bcfe56805', // max timestamp, 5 ms later
    '00000000000003e9', // producer 1001
    '0003', // its epoch
    '0000000c', // base sequence 12
    '00000002', // two records
    '16000000' + '06226b22' + '043137' + '00', // key "k" in quotes, value 17, no headers
    '1c000a02' + '01' + '08' + '22c3a922' + '02' + '0268' + '0276', // no key, "é" in quotes, header h = v
  ].join(''),
  'hex',
);

describe('golden batch', () => {
  test('decodes field by field', () => {
    const batch = only(golden);
    expect(batch).toMatchObject({
      baseOffset: 40,
      lastOffset: 41,
      leaderEpoch: 7,
      compression: 'none',
      timestampType: 'create',
      transactional: true,
      control: false,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_005,
      producerId: 1001,
      producerEpoch: 3,
      baseSequence: 12,
      recordCount: 2,
    });
    expect(decodeRecords(batch, 'orders/0')).toEqual([
      {
        offset: 40,
        timestamp: 1_700_000_000_000,
        key: text('"k"'),
        value: text('17'),
        headers: [],
      },
      {
        offset: 41,
        timestamp: 1_700_000_000_005,
        key: null,
        value: text('"é"'),
        headers: [{ key: 'h', value: text('v') }],
      },
    ]);
    expect(markerOf(batch, 'orders/0')).toBeNull();
  });

  test('encodes to the same bytes', () => {
    const bytes = encodeRecords({
      baseOffset: 40,
      leaderEpoch: 7,
      producerId: 1001,
      producerEpoch: 3,
      baseSequence: 12,
      transactional: true,
      records: [
        { timestamp: 1_700_000_000_000, key: text('"k"'), value: text('17') },
        {
          timestamp: 1_700_000_000_005,
          key: null,
          value: text('"é"'),
          headers: [{ key: 'h', value: text('v') }],
        },
      ],
    });
    expect(bytes.toString('hex')).toBe(golden.toString('hex'));
  });

  test('the checksum is Castagnoli’s', () => {
    expect(crc32c(text('123456789'))).toBe(0xe306_9283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa);
  });
});

describe('round trips', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)));
  const record = fc.record({
    timestamp: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    key: bytes,
    value: bytes,
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), {
      maxLength: 3,
    }),
    gap: fc.nat(3),
  });

  test('records with gaps, keys, tombstones and headers', () => {
    const draft = fc.record({
      baseOffset: fc.nat(2 ** 50),
      leaderEpoch: fc.nat(),
      producerId: fc.nat(2 ** 40),
      producerEpoch: fc.nat(32_767),
      baseSequence: fc.nat(),
      transactional: fc.boolean(),
      records: fc.array(record, { minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(draft, (sent) => {
        let delta = -1;
        const records = sent.records.map(({ gap, ...fields }) => {
          delta += 1 + gap;
          return { ...fields, offsetDelta: delta };
        });
        const batch = only(encodeRecords({ ...sent, records }));
        expect(batch).toMatchObject({
          baseOffset: sent.baseOffset,
          lastOffset: sent.baseOffset + delta,
          leaderEpoch: sent.leaderEpoch,
          producerId: sent.producerId,
          producerEpoch: sent.producerEpoch,
          baseSequence: sent.baseSequence,
          transactional: sent.transactional,
          control: false,
        });
        expect(decodeRecords(batch, 't/0')).toEqual(
          records.map(({ offsetDelta, ...fields }) => ({
            ...fields,
            offset: sent.baseOffset + offsetDelta,
          })),
        );
        expect(encodeBatch(batch)).toEqual(encodeRecords({ ...sent, records }));
      }),
    );
  });

  test('markers', () => {
    for (const marker of ['commit', 'abort'] as const) {
      const head = { baseOffset: 9, leaderEpoch: 2, producerId: 5, producerEpoch: 1 };
      const batch = only(encodeMarker(head, marker, 7));
      expect(batch).toMatchObject({ ...head, lastOffset: 9, control: true, transactional: true });
      expect(markerOf(batch, 't/0')).toBe(marker);
    }
  });
});

describe('what a log may hold', () => {
  test('a data record whose key looks like a marker is none', () => {
    const batch = only(
      encodeRecords({ ...plainBatch, records: [{ ...one, key: Buffer.alloc(4) }] }),
    );
    expect(markerOf(batch, 't/0')).toBeNull();
  });

  test('an empty batch keeps its range', () => {
    const full = only(encodeRecords({ ...plainBatch, baseOffset: 10, records: [one, one, one] }));
    const emptied = only(encodeBatch({ ...full, recordCount: 0, payload: Buffer.alloc(0) }));
    expect(emptied).toMatchObject({ baseOffset: 10, lastOffset: 12, recordCount: 0 });
    expect(decodeRecords(emptied, 't/0')).toEqual([]);
    expect(markerOf({ ...emptied, control: true }, 't/0')).toBeNull();
  });

  test('append times are the batch’s, not the record’s', () => {
    const batch = only(encodeRecords({ ...plainBatch, records: [one] }));
    const appended = only(encodeBatch({ ...batch, timestampType: 'append', maxTimestamp: 99 }));
    expect(decodeRecords(appended, 't/0')[0]?.timestamp).toBe(99);
  });

  test('a partial last batch is left out, wherever it is cut', () => {
    const first = encodeRecords({ ...plainBatch, records: [one] });
    const second = encodeRecords({ ...plainBatch, baseOffset: 1, records: [one] });
    for (let cut = 0; cut < second.length; cut++) {
      const bytes = Buffer.concat([first, second.subarray(0, cut)]);
      expect(only(bytes).baseOffset).toBe(0);
    }
    expect(decodeBatches(Buffer.concat([first, second]), 't/0')).toHaveLength(2);
  });
});

describe('what is refused', () => {
  const plain = encodeRecords({ ...plainBatch, baseOffset: 417, records: [one] });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s records, by name', (compression) => {
    const batch = only(encodeBatch({ ...only(plain), compression }));
    const message = `${compression}-compressed batch at offset 417 of orders/0: only uncompressed records can be read`;
    expect(compressionRefusal(batch, 'orders/0')).toBe(message);
    expect(() => decodeRecords(batch, 'orders/0')).toThrow(message);
  });

  test('any flipped bit under the checksum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 21 * 8, max: plain.length * 8 - 1 }), (bit) => {
        const bytes = Buffer.from(plain);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeBatches(bytes, 'orders/0')).toThrow(
          /the batch at offset 417 of orders\/0 has checksum \d+, but says \d+/,
        );
      }),
    );
  });

  test('an older format', () => {
    const bytes = Buffer.from(plain);
    bytes[16] = 1;
    expect(() => decodeBatches(bytes, 'orders/0')).toThrow(/offset 417 of orders\/0 has format 1/);
  });

  test('an impossible length', () => {
    const bytes = Buffer.from(plain);
    bytes.writeInt32BE(20, 8);
    expect(() => decodeBatches(bytes, 'orders/0')).toThrow(/claims 20 bytes/);
  });

  test('records that do not fill their batch', () => {
    const batch = only(plain);
    const longer = { ...batch, payload: Buffer.concat([batch.payload, Buffer.alloc(2)]) };
    expect(() => decodeRecords(longer, 't/0')).toThrow(/2 bytes are left over/);
    expect(() => decodeRecords({ ...batch, recordCount: 2 }, 't/0')).toThrow(/ends at byte/);
    expect(() => decodeRecords({ ...batch, lastOffset: 416 }, 't/0')).toThrow(/contradicts/);
  });
});
