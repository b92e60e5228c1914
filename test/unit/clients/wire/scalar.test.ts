import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeScalar, encodeScalar } from '../../../../src/clients/wire/scalar.ts';

test.each([
  ['17', 17],
  ['12884901905', 12_884_901_905],
  ['-3', -3],
  ['0.5', 0.5],
  ['"a\\u00e9"', 'aé'],
  ['true', true],
  ['null', null],
])('%s is a scalar', (text, value) => {
  expect(decodeScalar(Buffer.from(text))).toBe(value);
});

test.each([
  ['not JSON', 'hello'],
  ['an object', '{}'],
  ['an array', '[1]'],
  ['a number that no double holds', '9007199254740993'],
  ['a number beyond all doubles', '1e999'],
  ['a number in a longer text', '1.0'],
  ['minus zero', '-0'],
  ['nothing', ''],
])('%s is hex', (_, text) => {
  expect(decodeScalar(Buffer.from(text))).toBe(`hex:${Buffer.from(text).toString('hex')}`);
});

test('invalid UTF-8 and a byte order mark are hex', () => {
  expect(decodeScalar(Buffer.from('22ff22', 'hex'))).toBe('hex:22ff22');
  expect(decodeScalar(Buffer.from('efbbbf3137', 'hex'))).toBe('hex:efbbbf3137');
});

test('what JSON writes is what is read', () => {
  const scalar = fc.oneof(
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(scalar, (value) => {
      expect(decodeScalar(Buffer.from(JSON.stringify(value)))).toEqual(value);
    }),
  );
});

test('what a producer encodes is decoded again; null is no bytes at all', () => {
  const scalars = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(scalars, (value) => {
      fc.pre(!Object.is(value, -0) && Math.abs(Number(value)) !== Infinity);
      expect(decodeScalar(encodeScalar(value) ?? Buffer.alloc(0))).toBe(value);
    }),
  );
  expect(encodeScalar(null)).toBeNull();
});
