import { describe, expect, it } from 'vitest';
import { closestName, unknownName } from '../../../src/core/suggestion.ts';

const known = ['durability', 'integrity', 'no-duplicates'];

describe('closestName', () => {
  it.each([
    ['durabilty', 'durability'],
    ['Integrity', 'integrity'],
    ['noduplicates', 'no-duplicates'],
    ['int', null],
    ['', null],
    ['something else', null],
  ])('of "%s" is %s', (given, closest) => {
    expect(closestName(given, known)).toBe(closest);
  });
});

describe('unknownName', () => {
  it('names what was wrong, the closest name, and all names', () => {
    const error = unknownName('--claims', 'durabilty', known);
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.exitCode).toBe(254);
    expect(error.message).toBe('--claims: there is no "durabilty"');
    expect(error.next).toBe(
      'did you mean "durability"? (known are durability, integrity, no-duplicates)',
    );
  });

  it('lists the names where none is close', () => {
    expect(unknownName('--workload', 'zzz', ['log']).next).toBe('the only one is log');
  });
});
