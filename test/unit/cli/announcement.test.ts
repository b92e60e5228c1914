import { describe, expect, it } from 'vitest';
import { faultText, reproduceCommand } from '../../../src/cli/announcement.ts';

describe('reproduceCommand', () => {
  it.each([
    [{}, 'ordeal test --seed 7'],
    [{ seed: '9' }, 'ordeal test --seed 7'],
    [
      { nemesis: 'kill,pause', timeLimit: '2m', store: '/x', json: true, testCount: '3' },
      'ordeal test --nemesis kill,pause --time-limit 2m --seed 7',
    ],
    [{ scenario: 'acks-one', control: true }, 'ordeal test --scenario acks-one --control --seed 7'],
    [{ image: "a b'c" }, `ordeal test --image 'a b'\\''c' --seed 7`],
  ])('of %j is %s', (given, command) => {
    expect(reproduceCommand(given, '7')).toBe(command);
  });
});

describe('faultText', () => {
  it('says what, whom and when', () => {
    const plan = {
      target: { role: 'leader', topic: 'orders', partition: 2 },
      variant: 'isolate',
    } as const;
    const fault = { id: 'f1', nemesis: 'partition', atMs: 3_000, durationMs: 10_000, plan };
    expect(faultText(fault)).toBe('f1 at 3.0s for 10.0s: partition isolate, leader of orders/2');
  });
});
