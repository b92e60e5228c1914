/** Exactness against decimal expansions that are exact by construction. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isExact, markInexact, mayBeInexact } from '../../../src/history/exact-numbers.ts';

/** m / 2^k written out in full: every double with a 53-bit mantissa has such an expansion. */
function expansion(mantissa: bigint, shift: number): string {
  if (shift <= 0) return String(mantissa << BigInt(-shift));
  const digits = String(mantissa * 5n ** BigInt(shift)).padStart(shift + 1, '0');
  return `${digits.slice(0, -shift)}.${digits.slice(-shift)}`;
}

const mantissa = fc.bigInt({ min: 1n, max: (1n << 53n) - 1n });

describe('isExact', () => {
  test('the whole expansion of a double is exact; with one more digit it is not', () => {
    fc.assert(
      fc.property(mantissa, fc.integer({ min: -200, max: 600 }), (m, shift) => {
        const text = expansion(m, shift);
        expect(isExact(text)).toBe(true);
        expect(isExact(`-${text}`)).toBe(true);
        expect(isExact(`${text}${text.includes('.') ? '' : '.'}0001`)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('an exponent is only another way to write it', () => {
    fc.assert(
      fc.property(mantissa, fc.integer({ min: 0, max: 60 }), fc.nat(20), (m, shift, zeros) => {
        const text = expansion(m, shift);
        expect(isExact(`${text}${text.includes('.') ? '' : '.0'}e0`)).toBe(true);
        expect(isExact(`${m}${'0'.repeat(zeros)}e-${zeros}`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('integers are exact just as far as doubles hold them', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 64n }), (n) => {
        expect(isExact(String(n))).toBe(BigInt(Number(n)) === n);
      }),
    );
  });

  test.each([
    ['0', true],
    ['-0.000e99999', true],
    ['1e308', false],
    ['1e22', true],
    ['1e23', false],
    ['1e309', false],
    ['5e-324', false],
    ['1e-999999999999', false],
    ['0.30000000000000004', false],
    ['0.3000000000000000444089209850062616169452667236328125', true],
  ])('%s: %s', (text, expected) => {
    expect(isExact(text)).toBe(expected);
  });
});

describe('markInexact', () => {
  test('leaves strings alone and keeps the text valid JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const marked = markInexact(json);
        if (marked === null) return;
        expect(mayBeInexact(json)).toBe(true);
        expect(restored(JSON.parse(marked))).toEqual(JSON.parse(json));
      }),
      { numRuns: 500 },
    );
  });

  test('marks nothing in a text that is certainly exact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        if (!mayBeInexact(json)) expect(markInexact(json)).toBeNull();
      }),
    );
  });
});

/** Markers turned back into numbers; a generated list that looks like one is the same list after it. */
function restored(tree: unknown): unknown {
  if (Array.isArray(tree)) {
    const text = JSON.stringify(tree);
    const match = /^\[\[\["(-?[0-9][-+.0-9eE]*)"\]\]\]$/.exec(text);
    return match === null ? tree.map(restored) : Number(match[1]);
  }
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, restored(value)]));
}
