import { describe, expect, it } from 'vitest';
import { collectFindings } from '../../../../checkers/facts/findings.ts';
import type { Witness } from '../../../../src/spi/verdict.ts';

const witness = (explanation: string) => (): Witness => ({
  operations: [],
  layer: 'unknown',
  explanation,
});

describe('findings', () => {
  it('keep the earliest witnesses up to the limit, the first given of those at one event', () => {
    const findings = collectFindings({ witnessesMax: 2 });
    findings.found(5, 1, witness('at 5'));
    findings.found(3, 2, witness('at 3'));
    findings.found(4, 1, witness('at 4'));
    findings.found(4, 1, witness('at 4 again'));
    findings.found(1, 1, witness('at 1'));
    const { count, witnesses } = findings.result(null);
    expect(count).toBe(6);
    expect(witnesses.map(({ explanation }) => explanation)).toEqual(['at 1', 'at 3']);
  });

  it('build no witness that is not kept', () => {
    const findings = collectFindings({ witnessesMax: 1 });
    findings.found(1, 1, witness('kept'));
    findings.found(1, 1, () => {
      throw new Error('built');
    });
    expect(findings.result('acks')).toMatchObject({ count: 2, permittedBy: 'acks' });
  });

  it('with a limit of none count all the same', () => {
    const findings = collectFindings({ witnessesMax: 0 });
    findings.found(1, 1, witness('none'));
    expect(findings.result(null)).toMatchObject({ outcome: 'found', count: 1, witnesses: [] });
  });

  it('are unknown with the first reason, and how many more there are', () => {
    const findings = collectFindings({ witnessesMax: 1 });
    findings.arose(3);
    findings.open(() => 'first');
    expect(findings.result('acks')).toEqual({
      outcome: 'unknown',
      count: 0,
      checked: 3,
      reason: 'first',
      permittedBy: null,
      witnesses: [],
    });
    findings.open(() => 'second');
    findings.open(() => 'third');
    expect(findings.result(null).reason).toBe('first (and 2 more open)');
  });

  it('are absent where something was checked, else not exercised', () => {
    const findings = collectFindings({ witnessesMax: 1 });
    expect(findings.result(null)).toMatchObject({ outcome: 'not-exercised', checked: 0 });
    findings.arose(1);
    expect(findings.result('acks')).toMatchObject({ outcome: 'absent', permittedBy: null });
  });
});
