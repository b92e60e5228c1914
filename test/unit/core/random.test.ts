import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.ts';

const draws = (seed: string, name: string): number[] => {
  const random = randomStream(seed, name);
  return Array.from({ length: 20 }, () => random.below(1_000_000));
};

describe('randomStream', () => {
  it('is a function of seed and name', () => {
    expect(draws('1', 'generator')).toEqual(draws('1', 'generator'));
    expect(draws('1', 'generator')).not.toEqual(draws('2', 'generator'));
    expect(draws('1', 'generator')).not.toEqual(draws('1', 'nemesis:kill'));
  });

  it('does not confuse the border of seed and name', () => {
    expect(draws('1', '2')).not.toEqual(draws('12', ''));
  });

  it('draws the same numbers on every machine', () => {
    expect(draws('1', 'generator').slice(0, 3)).toMatchInlineSnapshot(`
      [
        225256,
        777834,
        510978,
      ]
    `);
  });

  it('stays within bounds and reaches both ends', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 5 }), (seed, span) => {
        const random = randomStream(seed, 'x');
        const seen = new Set(Array.from({ length: 200 }, () => random.between(10, 10 + span)));
        expect(Math.min(...seen)).toBe(10);
        expect(Math.max(...seen)).toBe(10 + span);
      }),
    );
  });

  it('shuffles to a permutation and leaves the original alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.integer()), (seed, items) => {
        const before = [...items];
        const shuffled = randomStream(seed, 'x').shuffle(items);
        expect(items).toEqual(before);
        expect([...shuffled].sort((a, b) => a - b)).toEqual(before.sort((a, b) => a - b));
      }),
    );
  });

  it('refuses an empty list', () => {
    expect(() => randomStream('1', 'x').pick([])).toThrow('empty list');
  });
});
