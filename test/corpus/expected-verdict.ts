/** What is kept of a verdict beside a saved history: enough that any change of a checker's answer shows. */
import { anomalyNames, claimNames, type ResultDocument } from '../../src/spi/verdict.ts';

export interface VerdictSummary {
  readonly valid: ResultDocument['valid'];
  /** Claim to outcome, but for those that were not exercised. */
  readonly claims: Readonly<Record<string, string>>;
  /** Anomaly to exact count. */
  readonly found: Readonly<Record<string, number>>;
  readonly permittedBy: Readonly<Record<string, string>>;
  readonly unknown: readonly string[];
  /** Anomaly to obligations, of those that were found or proved absent. */
  readonly checked: Readonly<Record<string, number>>;
}

export interface ExpectedVerdict extends VerdictSummary {
  /** Where the history comes from, and what it shows. */
  readonly shows: string;
}

export function summarize({ valid, claims, anomalies }: ResultDocument): VerdictSummary {
  const rows = anomalyNames.map((name) => ({ name, ...anomalies[name] }));
  const found = rows.filter(({ outcome }) => outcome === 'found');
  const decided = rows.filter(({ outcome }) => outcome === 'found' || outcome === 'absent');
  return {
    valid,
    claims: Object.fromEntries(
      claimNames
        .map((name) => [name, claims[name].outcome] as const)
        .filter(([, outcome]) => outcome !== 'not-exercised'),
    ),
    found: Object.fromEntries(found.map(({ name, count }) => [name, count])),
    permittedBy: Object.fromEntries(
      found.flatMap(({ name, permittedBy }) => (permittedBy === null ? [] : [[name, permittedBy]])),
    ),
    unknown: rows.filter(({ outcome }) => outcome === 'unknown').map(({ name }) => name),
    checked: Object.fromEntries(decided.map(({ name, checked }) => [name, checked])),
  };
}
