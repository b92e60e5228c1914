import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSink,
  readInt64,
  readUnsignedVarint,
  readVarint,
  sinkBytes,
  sourceOf,
  writeInt64,
  writeUnsignedVarint,
  writeVarint,
} from '../../../src/kafka-protocol/bytes.ts';
import {
  array,
  type Codec,
  compactArray,
  compactString,
  flexibleStruct,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableBytes,
  nullableString,
  string,
  struct,
} from '../../../src/kafka-protocol/codec.ts';

function encode<T>(codec: Codec<T>, value: T): Buffer {
  const sink = createSink(1);
  codec.write(sink, value);
  return sinkBytes(sink);
}

function decode<T>(codec: Codec<T>, hex: string): T {
  return codec.read(sourceOf(Buffer.from(hex, 'hex')));
}

describe('fields in bytes', () => {
  test.each([
    [encode(int8, -2), 'fe'],
    [encode(int16, 258), '0102'],
    [encode(int32, -1), 'ffffffff'],
    [encode(int64, 0x01_0203_0405_0607), '0001020304050607'],
    [encode(int64, -1), 'ffffffffffffffff'],
    [encode(int64, -4294967297), 'fffffffeffffffff'],
    [encode(string, 'é'), '0002c3a9'],
    [encode(nullableString, null), 'ffff'],
    [encode(compactString, 'ab'), '036162'],
    [encode(nullableBytes, null), 'ffffffff'],
    [encode(nullableBytes, Buffer.from([7])), '0000000107'],
    [encode(array(int8), [1, 2]), '000000020102'],
    [encode(nullableArray(int8), null), 'ffffffff'],
    [encode(compactArray(int8), [1, 2]), '030102'],
    [encode(flexibleStruct({ a: int8 }), { a: 5 }), '0500'],
  ])('%# is %s', (bytes, hex) => {
    expect(bytes.toString('hex')).toBe(hex);
  });

  // The examples of the variable-length encoding's specification.
  test.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [-64, '7f'],
    [64, '8001'],
    [300, 'd804'],
    [-2147483648, 'ffffffff0f'],
  ])('varint %d is %s', (value, hex) => {
    const sink = createSink();
    writeVarint(sink, value);
    expect(sinkBytes(sink).toString('hex')).toBe(hex);
    expect(readVarint(sourceOf(Buffer.from(hex, 'hex')))).toBe(value);
  });
});

describe('round trips', () => {
  test('64-bit numbers that a double holds', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const sink = createSink();
        writeInt64(sink, value);
        const bytes = sinkBytes(sink);
        expect(bytes.readBigInt64BE()).toBe(BigInt(value));
        expect(readInt64(sourceOf(bytes))).toBe(value);
      }),
    );
  });

  test('variable-length numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), (u, s) => {
        const sink = createSink();
        writeUnsignedVarint(sink, u);
        writeVarint(sink, s);
        const source = sourceOf(sinkBytes(sink));
        expect(readUnsignedVarint(source)).toBe(u);
        expect(readVarint(source)).toBe(s);
      }),
    );
  });

  test('nested structs of every field', () => {
    const codec = struct({
      plain: array(struct({ name: string, note: nullableString, bytes: nullableBytes })),
      flexible: flexibleStruct({ list: compactArray(flexibleStruct({ id: int64 })) }),
    });
    const value = fc.record({
      plain: fc.array(
        fc.record({
          name: fc.string(),
          note: fc.option(fc.string({ unit: 'grapheme' })),
          bytes: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
        }),
      ),
      flexible: fc.record({ list: fc.array(fc.record({ id: fc.maxSafeInteger() })) }),
    });
    fc.assert(
      fc.property(value, (sent) => {
        expect(codec.read(sourceOf(encode(codec, sent)))).toEqual(sent);
      }),
    );
  });
});

describe('bytes that lie', () => {
  test('a cut field names where it ends', () => {
    expect(() => decode(string, '00056162')).toThrow(
      /ends at byte 4, but a field at byte 2 needs 5/,
    );
  });

  test('a count that cannot fit is refused before anything is allocated', () => {
    expect(() => decode(array(int64), '7fffffff00')).toThrow(
      /claims 2147483647 elements in 1 bytes/,
    );
    expect(() => decode(compactArray(int64), 'ffffffff0f00')).toThrow(/claims 4294967294 elements/);
  });

  test('null where the version has none', () => {
    expect(() => decode(string, 'ffff')).toThrow(/string before byte 2 is null/);
    expect(() => decode(array(int8), 'ffffffff')).toThrow(/array before byte 4 is null/);
    expect(() => decode(compactString, '00')).toThrow(/is null/);
  });

  test('64 bits beyond 2^53 are refused, not rounded', () => {
    expect(() => decode(int64, '0020000000000000')).toThrow(/not below 2\^53/);
    expect(decode(int64, '001fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('a variable-length number without end', () => {
    expect(() => readUnsignedVarint(sourceOf(Buffer.alloc(16, 0xff)))).toThrow(/variable-length/);
  });

  test('any cut of a message is an error of ours, never a crash or a wrong value', () => {
    const codec = struct({ list: array(flexibleStruct({ id: int32, name: compactString })) });
    const whole = encode(codec, {
      list: [
        { id: 1, name: 'x' },
        { id: 2, name: 'yz' },
      ],
    });
    for (let length = 0; length < whole.length; length++) {
      expect(() => codec.read(sourceOf(whole.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'WIRE' }),
      );
    }
  });

  test('tagged fields of a newer broker are skipped', () => {
    // Two tags: number 0 with three bytes, number 5 with one.
    expect(decode(flexibleStruct({ a: int8 }), '050200030102030501ff')).toEqual({ a: 5 });
  });
});
