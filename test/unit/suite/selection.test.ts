import { describe, expect, it } from 'vitest';
import { selectCases } from '../../docker/selection.ts';

const cases = Array.from({ length: 10 }, (_, i) => ({ name: `case-${i}`, seconds: 60 }));

describe('selection of the short real suite', () => {
  it('runs everything that fits', () => {
    expect(selectCases(cases, 600, 'abc')).toEqual({ chosen: cases, leftOut: [] });
  });

  it('stays inside the budget and names what it left out', () => {
    const { chosen, leftOut } = selectCases(cases, 300, 'abc');
    expect(chosen).toHaveLength(5);
    expect(new Set([...chosen, ...leftOut])).toEqual(new Set(cases));
  });

  it('is decided by the commit alone, and every case has its turn', () => {
    expect(selectCases(cases, 300, 'abc')).toEqual(selectCases(cases, 300, 'abc'));
    const seen = new Set<string>();
    for (let commit = 0; commit < 40; commit++) {
      for (const { name } of selectCases(cases, 300, `commit-${commit}`).chosen) seen.add(name);
    }
    expect(seen.size).toBe(cases.length);
  });
});
