/**
 * From outcomes of anomalies to the verdict (DESIGN.md section 5). Pure rules, no history: what is demanded, what each
 * claim comes to, and whether the run is valid, with the reasons in plain words.
 *
 * A claim is refuted if one of its anomalies is found; unknown if one is unknown; proved if at least one is absent; else
 * not-exercised. Findings that are permitted by `profile` are information and left out. The run is false if a demanded
 * claim is refuted; true if every demanded claim is proved, there is at least one, and every kind of fault that the run
 * asked for took effect at least once; else unknown.
 */
import { OrdealError } from '../src/core/errors.ts';
import { closestName } from '../src/core/suggestion.ts';
import {
  anomalyNames,
  claimNames,
  claims,
  type AnomalyName,
  type AnomalyResult,
  type ClaimName,
  type ClaimOutcome,
  type ClaimResult,
  type FaultCoverage,
  type Valid,
} from '../src/spi/verdict.ts';

/** Outcomes of all anomalies; every name is present. */
export type AnomalyResults = Readonly<Record<AnomalyName, AnomalyResult>>;

/** Names the setting under which the system does not promise the absence of an anomaly, or null. */
type Permits = (anomaly: AnomalyName) => string | null;

export interface VerdictInput {
  readonly anomalies: AnomalyResults;
  /** Claims demanded by name, or null: then the exercised ones that the configuration promises are. */
  readonly demanded: readonly ClaimName[] | null;
  readonly permits: Permits;
  /** Kinds of fault in the header's `faults`. */
  readonly faultsAsked: readonly string[];
  /** What became of them, by kind. */
  readonly faults: Readonly<Record<string, FaultCoverage>>;
  /** What speaks against the effect of a kind of which no fault is proved to have bitten; null: nothing was measured. */
  readonly doubt: (kind: string) => string | null;
}

export interface Verdict {
  readonly valid: Valid;
  readonly reasons: readonly string[];
  readonly claims: Readonly<Record<ClaimName, ClaimResult>>;
}

export function judge(input: VerdictInput): Verdict {
  const outcomes = new Map(claimNames.map((claim) => [claim, claimOutcome(input, claim)]));
  const demanded = new Set(
    input.demanded ?? claimNames.filter((claim) => isPromised(input, claim, outcomes.get(claim)!)),
  );
  const results = Object.fromEntries(
    claimNames.map((claim): [ClaimName, ClaimResult] => [
      claim,
      { outcome: outcomes.get(claim)!, demanded: demanded.has(claim), anomalies: claims[claim] },
    ]),
  ) as Record<ClaimName, ClaimResult>;
  const concerns = claimNames
    .filter((claim) => demanded.has(claim) && outcomes.get(claim) !== 'proved')
    .map((claim) => concern(input, claim, outcomes.get(claim)!));
  const withoutEffect = [...new Set(input.faultsAsked)]
    .filter(
      (kind) => (Object.hasOwn(input.faults, kind) ? input.faults[kind]!.tookEffect : 0) === 0,
    )
    .map((kind) => faultConcern(input, kind));
  const reasons = [
    ...concerns.filter(({ refuted }) => refuted).map(({ text }) => text),
    ...concerns.filter(({ refuted }) => !refuted).map(({ text }) => text),
    ...(demanded.size === 0 ? [nothingDemanded(input, outcomes)] : []),
    ...withoutEffect,
  ];
  const refuted = concerns.some((each) => each.refuted);
  return {
    valid: refuted ? false : reasons.length === 0 ? true : 'unknown',
    reasons,
    claims: results,
  };
}

/**
 * Checks names of claims against the table.
 * @throws OrdealError with `code` and the nearest known name when one is not in the table.
 */
export function claimsByName(
  names: readonly string[],
  code: 'BAD_ARGUMENT' | 'BAD_HISTORY',
  field: string,
): readonly ClaimName[] {
  return names.map((name) => {
    const known = claimNames.find((claim) => claim === name);
    if (known !== undefined) return known;
    throw new OrdealError(
      code,
      `${field}: "${name}" is not a claim`,
      `${nearest(name)}the claims are ${claimNames.join(', ')}`,
    );
  });
}

/** The anomalies of a claim that count for its outcome. */
function counted(input: VerdictInput, claim: ClaimName): readonly AnomalyName[] {
  return claims[claim].filter(
    (anomaly) =>
      input.permits(anomaly) !== 'profile' && input.anomalies[anomaly].permittedBy !== 'profile',
  );
}

function claimOutcome(input: VerdictInput, claim: ClaimName): ClaimOutcome {
  const outcomes = counted(input, claim).map((anomaly) => input.anomalies[anomaly].outcome);
  if (outcomes.includes('found')) return 'refuted';
  if (outcomes.includes('unknown')) return 'unknown';
  return outcomes.includes('absent') ? 'proved' : 'not-exercised';
}

/**
 * What is demanded when nobody said: a claim that was exercised, and that the configuration promises. It does not where
 * a setting permits every anomaly that was exercised, nor where it permits everything that was found.
 */
function isPromised(input: VerdictInput, claim: ClaimName, outcome: ClaimOutcome): boolean {
  if (outcome === 'not-exercised') return false;
  const exercised = counted(input, claim).filter(
    (anomaly) => input.anomalies[anomaly].outcome !== 'not-exercised',
  );
  if (outcome === 'refuted') {
    return exercised.some(
      (anomaly) =>
        input.anomalies[anomaly].outcome === 'found' &&
        input.anomalies[anomaly].permittedBy === null,
    );
  }
  return exercised.some((anomaly) => input.permits(anomaly) === null);
}

function concern(
  input: VerdictInput,
  claim: ClaimName,
  outcome: ClaimOutcome,
): { readonly refuted: boolean; readonly text: string } {
  const refuted = outcome === 'refuted';
  if (outcome === 'not-exercised') {
    return {
      refuted,
      text: `${claim} was demanded, but nothing in this history exercised it`,
    };
  }
  const details = refuted ? findings(input, claim) : openQuestions(input, claim);
  return {
    refuted,
    text: `${claim} is ${refuted ? 'refuted' : 'unknown'}: ${details.join('; ')}`,
  };
}

function findings(input: VerdictInput, claim: ClaimName): readonly string[] {
  return counted(input, claim)
    .filter((anomaly) => input.anomalies[anomaly].outcome === 'found')
    .map((anomaly) => {
      const { count, permittedBy } = input.anomalies[anomaly];
      const excuse = permittedBy === null ? '' : `, which the setting ${permittedBy} permits`;
      return `${anomaly} found ${count === 1 ? 'once' : `${count} times`}${excuse}`;
    });
}

/** Several anomalies of a claim often share one reason ("not built"): it is said once. */
function openQuestions(input: VerdictInput, claim: ClaimName): readonly string[] {
  const namesByReason = new Map<string, AnomalyName[]>();
  for (const anomaly of counted(input, claim)) {
    const { outcome, reason } = input.anomalies[anomaly];
    if (outcome !== 'unknown') continue;
    const names = namesByReason.get(reason ?? 'no reason given') ?? [];
    names.push(anomaly);
    namesByReason.set(reason ?? 'no reason given', names);
  }
  return [...namesByReason].map(([reason, names]) => `${names.join(', ')}: ${reason}`);
}

function nothingDemanded(
  input: VerdictInput,
  outcomes: ReadonlyMap<ClaimName, ClaimOutcome>,
): string {
  if (input.demanded !== null) return 'no claim is demanded, so nothing can be valid';
  const exercised = claimNames.filter((claim) => outcomes.get(claim) !== 'not-exercised');
  return exercised.length === 0
    ? 'nothing in this history exercises any claim'
    : `the configuration promises none of the claims that were exercised (${exercised.join(', ')})`;
}

function faultConcern(input: VerdictInput, kind: string): string {
  const injected = Object.hasOwn(input.faults, kind) ? input.faults[kind]!.injected : 0;
  if (injected === 0) return `the run asked for ${kind} faults, and none was injected`;
  const doubt = input.doubt(kind);
  return (
    `none of the ${injected} ${kind} faults injected is proved to have taken effect` +
    (doubt === null ? '' : `: ${doubt}`)
  );
}

/** "did you mean …; " when a known name is close, else nothing. */
function nearest(name: string): string {
  const wanted = name.trim().toLowerCase().slice(0, 64);
  const owner = anomalyNames.find((anomaly) => anomaly.toLowerCase() === wanted);
  if (owner !== undefined) {
    const claim = claimNames.find((each) => (claims[each] as readonly string[]).includes(owner))!;
    return `${owner} is an anomaly of the claim ${claim}; `;
  }
  const closest = closestName(wanted, claimNames);
  return closest === null ? '' : `did you mean ${closest}? `;
}
