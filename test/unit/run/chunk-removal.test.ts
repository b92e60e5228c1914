import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeChunks, trimEnds } from '../../../src/run/chunk-removal.ts';

const numbers = (count: number): readonly number[] => [...Array(count).keys()];
const needed = fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 6 });

describe('removeChunks', () => {
  it('leaves exactly what is needed, in order', async () => {
    await fc.assert(
      fc.asyncProperty(needed, async (need) => {
        const kept = await removeChunks(numbers(100), (items) =>
          need.every((each) => items.includes(each)),
        );
        expect(kept).toEqual(need.toSorted((a, b) => a - b));
      }),
    );
  });

  it('asks few questions where little is needed', async () => {
    let questions = 0;
    const kept = await removeChunks(numbers(1024), (items) => {
      questions++;
      return items.includes(700);
    });
    expect(kept).toEqual([700]);
    expect(questions).toBeLessThan(40);
  });

  it('leaves all where nothing may go', async () => {
    expect(await removeChunks(numbers(5), () => false)).toEqual(numbers(5));
    expect(await removeChunks([], () => true)).toEqual([]);
  });
});

describe('trimEnds', () => {
  it('leaves the least window that holds what is needed', async () => {
    await fc.assert(
      fc.asyncProperty(needed, async (need) => {
        const kept = await trimEnds(numbers(100), (items) =>
          need.every((each) => items.includes(each)),
        );
        const window = numbers(100).slice(Math.min(...need), Math.max(...need) + 1);
        expect(kept).toEqual(need.length === 0 ? [] : window);
      }),
    );
  });
});
