import { describe, expect, it } from 'vitest';
import { exitOfVerdict, mergeExits } from '../../../src/cli/exit.ts';

describe('exit codes', () => {
  it.each([
    [true, 0],
    [false, 1],
    ['unknown', 2],
  ] as const)('a verdict of %s is %d', (valid, code) => {
    expect(exitOfVerdict(valid)).toBe(code);
  });

  it.each([
    [[0], 0],
    [[0, 0], 0],
    [[0, 2], 2],
    [[2, 1, 0], 1],
    [[1, 254], 254],
    [[1, 255, 2, 0], 255],
    [[254, 255], 255],
    [[0, 130], 130],
    [[255, 143], 143],
  ])('of %j together is %d', (codes, merged) => {
    expect(mergeExits(codes)).toBe(merged);
  });

  it('of nothing at all is a failure', () => {
    expect(mergeExits([])).toBe(255);
  });
});
