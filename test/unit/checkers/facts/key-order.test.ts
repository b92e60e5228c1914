import { describe, expect, it } from 'vitest';
import { orderByKey } from '../../../../checkers/facts/key-order.ts';

describe('the order of keys', () => {
  it.each([
    ['nothing', [], []],
    ['what is sorted', [1, 1.5, 4], [0, 1, 2]],
    ['what is not', [3, 1, 2, 0.5], [3, 1, 2, 0]],
    ['equal keys, by position', [2, 1, 2, 1], [1, 3, 0, 2]],
    ['halves beside integers', [1.5, 1, 0.5, 2], [2, 1, 0, 3]],
    ['great keys close together', [2 ** 51 + 1, 2 ** 51 + 0.5, 2 ** 51], [2, 1, 0]],
    ['keys too far apart to be packed', [2 ** 52, 0, 7, 0], [1, 3, 2, 0]],
  ])('is that of %s', (_name, keys, order) => {
    expect([...orderByKey(Float64Array.from(keys))]).toEqual(order);
  });
});
