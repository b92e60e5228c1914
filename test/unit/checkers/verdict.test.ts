import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { claimsByName, judge, type VerdictInput } from '../../../checkers/verdict.ts';
import {
  anomalyNames,
  claims,
  type AnomalyName,
  type AnomalyResult,
  type ClaimName,
} from '../../../src/spi/verdict.ts';
import { history } from '../../support/history-builder.ts';

type Outcomes = Partial<Record<AnomalyName, Partial<AnomalyResult>>>;

function anomalies(given: Outcomes): VerdictInput['anomalies'] {
  return Object.fromEntries(
    anomalyNames.map((name): [string, AnomalyResult] => [
      name,
      {
        outcome: 'not-exercised',
        count: 0,
        checked: 0,
        reason: null,
        permittedBy: null,
        witnesses: [],
        ...given[name],
      },
    ]),
  ) as VerdictInput['anomalies'];
}

const absent = { outcome: 'absent' } as const;
const unknown = { outcome: 'unknown', reason: 'audit incomplete' } as const;
const found = { outcome: 'found', count: 2 } as const;

function verdictOf(given: Outcomes, more: Partial<VerdictInput> = {}) {
  return judge({
    anomalies: anomalies(given),
    demanded: null,
    permits: () => null,
    faultsAsked: [],
    faults: {},
    doubt: () => null,
    ...more,
  });
}

describe('the outcome of a claim', () => {
  const outcomeOf = (given: Outcomes, claim: ClaimName = 'durability') =>
    verdictOf(given).claims[claim].outcome;

  it('is refuted if an anomaly is found, whatever the others are', () => {
    expect(
      outcomeOf({ 'lost-write': found, 'truncated-read': unknown, 'scan-divergence': absent }),
    ).toBe('refuted');
  });

  it('is unknown if one is unknown and none is found', () => {
    expect(outcomeOf({ 'lost-write': absent, 'truncated-read': unknown })).toBe('unknown');
  });

  it('is proved if one is absent and the others are absent or not exercised', () => {
    expect(outcomeOf({ 'lost-write': absent })).toBe('proved');
  });

  it('is not exercised if nothing was', () => {
    expect(outcomeOf({})).toBe('not-exercised');
  });

  it('leaves out what is found under a profile', () => {
    const information = { ...found, permittedBy: 'profile' };
    expect(outcomeOf({ 'aborted-read': absent, 'G2-item': information }, 'isolation')).toBe(
      'proved',
    );
    expect(outcomeOf({ 'aborted-read': absent, G1c: found }, 'isolation')).toBe('refuted');
  });

  it('lists the anomalies of each claim', () => {
    const result = verdictOf({});
    for (const [name, members] of Object.entries(claims)) {
      expect(result.claims[name as ClaimName].anomalies).toEqual(members);
    }
  });
});

describe('valid', () => {
  it('is true if every demanded claim is proved', () => {
    const result = verdictOf({ 'lost-write': absent }, { demanded: ['durability'] });
    expect(result).toMatchObject({ valid: true, reasons: [] });
    expect(result.claims.durability.demanded).toBe(true);
    expect(result.claims.ordering.demanded).toBe(false);
  });

  it('is false if a demanded claim is refuted, permitted or not, and says how', () => {
    const permitted = { ...found, permittedBy: 'acks' };
    const result = verdictOf({ 'lost-write': permitted }, { demanded: ['durability'] });
    expect(result.valid).toBe(false);
    expect(result.reasons).toEqual([
      'durability is refuted: lost-write found 2 times, which the setting acks permits',
    ]);
  });

  it('is false before it is unknown, and says the refutation first', () => {
    const result = verdictOf(
      { duplicate: found, 'lost-write': unknown },
      { demanded: ['durability', 'no-duplicates'], faultsAsked: ['kill'] },
    );
    expect(result.valid).toBe(false);
    expect(result.reasons).toEqual([
      'no-duplicates is refuted: duplicate found 2 times',
      'durability is unknown: lost-write: audit incomplete',
      'the run asked for kill faults, and none was injected',
    ]);
  });

  it('is unknown if a demanded claim is', () => {
    const result = verdictOf(
      { 'lost-write': unknown, 'truncated-read': unknown },
      { demanded: ['durability'] },
    );
    expect(result.valid).toBe('unknown');
    expect(result.reasons).toEqual([
      'durability is unknown: lost-write, truncated-read: audit incomplete',
    ]);
  });

  it('is unknown if a demanded claim was not exercised', () => {
    const result = verdictOf({ 'lost-write': absent }, { demanded: ['durability', 'recovery'] });
    expect(result.valid).toBe('unknown');
    expect(result.reasons[0]).toContain('recovery was demanded');
  });

  it('is unknown if an empty list demands nothing', () => {
    expect(verdictOf({ 'lost-write': absent }, { demanded: [] })).toMatchObject({
      valid: 'unknown',
      reasons: [expect.stringContaining('no claim is demanded')],
    });
  });

  it('is unknown if a kind of fault that was asked for never took effect', () => {
    const exercised = { 'lost-write': absent };
    const kill = (tookEffect: number) =>
      verdictOf(exercised, {
        faultsAsked: ['kill'],
        faults: { kill: { injected: 2, tookEffect, healed: 2 } },
      });
    expect(kill(1).valid).toBe(true);
    expect(kill(0)).toMatchObject({
      valid: 'unknown',
      reasons: ['none of the 2 kill faults injected is proved to have taken effect'],
    });
    const measured = { faultsAsked: ['kill'], doubt: (kind: string) => `${kind} was not seen` };
    expect(
      verdictOf(exercised, {
        ...measured,
        faults: { kill: { injected: 1, tookEffect: 0, healed: 1 } },
      }).reasons,
    ).toEqual([
      'none of the 1 kill faults injected is proved to have taken effect: kill was not seen',
    ]);
    const hostile = verdictOf(exercised, { faultsAsked: ['__proto__'] });
    expect(hostile.valid).toBe('unknown');
  });
});

describe('demanded by default', () => {
  const loss = (anomaly: AnomalyName) =>
    ['lost-write', 'truncated-read', 'scan-divergence', 'inconsistent-offsets'].includes(anomaly)
      ? 'acks'
      : null;

  it('are the claims that were exercised', () => {
    const result = verdictOf({ 'lost-write': absent, duplicate: absent });
    expect(result.valid).toBe(true);
    expect(result.claims.durability.demanded).toBe(true);
    expect(result.claims['no-duplicates'].demanded).toBe(true);
    expect(result.claims.ordering.demanded).toBe(false);
  });

  it('are none where nothing was exercised', () => {
    expect(verdictOf({})).toMatchObject({
      valid: 'unknown',
      reasons: ['nothing in this history exercises any claim'],
    });
  });

  it('leave out a claim that is refuted by permitted anomalies alone', () => {
    const permitted = { ...found, permittedBy: 'acks' };
    const result = verdictOf(
      { 'inconsistent-offsets': permitted, phantom: absent, duplicate: absent },
      { permits: loss },
    );
    expect(result.claims.integrity).toMatchObject({ outcome: 'refuted', demanded: false });
    expect(result.valid).toBe(true);
    const both = verdictOf(
      { 'inconsistent-offsets': permitted, phantom: found },
      { permits: loss },
    );
    expect(both.valid).toBe(false);
  });

  it('leave out a claim all of whose exercised anomalies a setting permits', () => {
    const result = verdictOf({ 'lost-write': unknown, duplicate: absent }, { permits: loss });
    expect(result.claims.durability).toMatchObject({ outcome: 'unknown', demanded: false });
    expect(result.valid).toBe(true);
    expect(verdictOf({ 'lost-write': absent }, { permits: loss })).toMatchObject({
      valid: 'unknown',
      reasons: [expect.stringContaining('promises none of the claims')],
    });
  });
});

describe('claims by name', () => {
  it('come back as they are', () => {
    expect(claimsByName(['ordering', 'durability'], 'BAD_ARGUMENT', '--claims')).toEqual([
      'ordering',
      'durability',
    ]);
  });

  it.each([
    ['durabilty', 'did you mean durability?'],
    ['Recovery', 'did you mean recovery?'],
    ['lost-write', 'lost-write is an anomaly of the claim durability'],
    ['xyzzy-plugh-nothing', 'the claims are durability, integrity'],
    ['__proto__', 'the claims are durability'],
  ])('refuse %s with a suggestion', (name, next) => {
    expect(() => claimsByName([name], 'BAD_ARGUMENT', '--claims')).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: `--claims: "${name}" is not a claim`,
        next: expect.stringContaining(next) as string,
      }) as Error,
    );
  });
});

describe('where the demand comes from', () => {
  const h = () =>
    history({ claims: ['durability'] })
      .send(0, 't/0', 1, { at: [1, 2], ok: 0 })
      .scan(9, 't/0', [[0, 1]], { at: [5, 6] });
  const demanded = (result: ReturnType<typeof checkHistory>) =>
    Object.entries(result.claims)
      .filter(([, claim]) => claim.demanded)
      .map(([name]) => name);

  it('is the header, and --claims before it', () => {
    expect(demanded(checkHistory(h().load()))).toEqual(['durability']);
    expect(demanded(checkHistory(h().load(), { claims: ['ordering', 'recovery'] }))).toEqual([
      'ordering',
      'recovery',
    ]);
  });
});
