import { describe, expect, it } from 'vitest';
import { exitOfRun, exitOfVerdict, mergeExits } from '../../../src/cli/exit.ts';
import { OrdealError } from '../../../src/core/errors.ts';

describe('exit codes', () => {
  it.each([
    [true, 0],
    [false, 1],
    ['unknown', 2],
  ] as const)('a verdict of %s is %d', (valid, code) => {
    expect(exitOfVerdict(valid)).toBe(code);
  });

  it('of an interrupted run is that of the failure to heal or tear down, if there was one', () => {
    const left = new OrdealError('DOCKER_FAILED', 'a pod was not removed', 'ordeal clean');
    expect(exitOfRun('SIGINT', null, false)).toBe(130);
    expect(exitOfRun('SIGTERM', null, true)).toBe(143);
    expect(exitOfRun('SIGINT', left, false)).toBe(255);
    expect(exitOfRun(null, null, false)).toBe(1);
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
    [[1, 143, 2], 143],
    [[255, 143], 255],
    [[130, 255, 0], 255],
  ])('of %j together is %d', (codes, merged) => {
    expect(mergeExits(codes)).toBe(merged);
  });

  it('of nothing at all is a failure', () => {
    expect(mergeExits([])).toBe(255);
  });
});
