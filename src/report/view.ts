/** The report as data, before any layout: what each renderer (text now, pages later) shows, in order. Pure. */
import { formatDurationMs } from '../core/units.ts';
import { claimNames } from '../spi/verdict.ts';
import type {
  AnomalyName,
  AnomalyOutcome,
  ClaimName,
  ClaimOutcome,
  Coverage,
  ResultDocument,
  Valid,
  Witness,
} from '../spi/verdict.ts';

interface AnomalyRow {
  readonly name: AnomalyName;
  readonly outcome: AnomalyOutcome;
  readonly count: number;
  readonly checked: number;
  readonly permittedBy: string | null;
}

export interface ClaimRow {
  readonly name: ClaimName;
  readonly outcome: ClaimOutcome;
  readonly demanded: boolean;
  /** Only those that were exercised. */
  readonly anomalies: readonly AnomalyRow[];
}

export interface FoundSection {
  readonly name: AnomalyName;
  readonly count: number;
  readonly permittedBy: string | null;
  readonly witnesses: readonly Witness[];
}

/** Anomalies that are unknown for one and the same reason. */
export interface UnknownSection {
  readonly names: readonly AnomalyName[];
  readonly reason: string;
}

export interface ReportView {
  /** What was judged: a file or a run directory, and what its header says; null if not known. */
  readonly title: string | null;
  readonly claims: readonly ClaimRow[];
  readonly found: readonly FoundSection[];
  readonly unknown: readonly UnknownSection[];
  /** Label and text of each line of coverage. */
  readonly coverage: readonly (readonly [label: string, text: string])[];
  readonly warnings: readonly string[];
  readonly valid: Valid;
  /** The last line: VALID, INVALID or UNKNOWN, and why. */
  readonly conclusion: string;
}

/** Arranges a result document for reading. */
export function viewOf(document: ResultDocument, title: string | null): ReportView {
  const rows = claimNames.map((name) => claimRow(document, name));
  const inOrder = claimNames.flatMap((name) => document.claims[name].anomalies);
  return {
    title,
    claims: rows,
    found: inOrder.flatMap((name) => {
      const { outcome, count, permittedBy, witnesses } = document.anomalies[name];
      return outcome === 'found' ? [{ name, count, permittedBy, witnesses }] : [];
    }),
    unknown: unknownSections(document, inOrder),
    coverage: coverageLines(document.coverage),
    warnings: document.coverage.warnings,
    valid: document.valid,
    conclusion: conclude(document),
  };
}

function claimRow(document: ResultDocument, name: ClaimName): ClaimRow {
  const { outcome, demanded, anomalies } = document.claims[name];
  const exercised = anomalies.flatMap((anomaly): AnomalyRow[] => {
    const result = document.anomalies[anomaly];
    if (result.outcome === 'not-exercised') return [];
    const { count, checked, permittedBy } = result;
    return [{ name: anomaly, outcome: result.outcome, count, checked, permittedBy }];
  });
  return { name, outcome, demanded, anomalies: exercised };
}

function unknownSections(
  document: ResultDocument,
  inOrder: readonly AnomalyName[],
): readonly UnknownSection[] {
  const byReason = new Map<string, AnomalyName[]>();
  for (const name of inOrder) {
    const { outcome, reason } = document.anomalies[name];
    if (outcome !== 'unknown') continue;
    const words = reason ?? 'no reason given';
    byReason.set(words, [...(byReason.get(words) ?? []), name]);
  }
  return [...byReason].map(([reason, names]) => ({ names, reason }));
}

function conclude(document: ResultDocument): string {
  const why = document.reasons.map(shortReason).join('; ');
  if (document.valid === 'unknown') return `UNKNOWN: ${why === '' ? 'no reason given' : why}`;
  if (!document.valid) return `INVALID: ${why === '' ? 'no reason given' : why}`;
  const proved = claimNames.filter((name) => document.claims[name].demanded);
  const claims = proved.length === 1 ? 'the demanded claim is' : 'every demanded claim is';
  return `VALID: ${claims} proved (${proved.join(', ')})`;
}

/** What is unknown about a claim stands above, at length; the last line only names it. */
function shortReason(reason: string): string {
  return reason.replace(/^(\S+ is unknown): .*$/s, '$1');
}

/** Whole numbers with thousands apart, the same in every locale. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function coverageLines(coverage: Coverage): [string, string][] {
  const n = formatCount;
  const { sends, polls, audits, transactions } = coverage;
  const lines: [string, string][] = [
    [
      'history',
      `${many(coverage.events, 'event')}, ${many(coverage.operations, 'operation')}, ${formatDurationMs(coverage.durationMs)}`,
    ],
    [
      'sends',
      `${n(sends.acknowledged)} acknowledged of ${n(sends.invoked)}, ${n(sends.audited)} of them audited; ` +
        `${n(sends.failed)} failed; ${n(sends.uncertain)} uncertain, later ${n(sends.resolvedWritten)} proved ` +
        `written, ${n(sends.resolvedAbsent)} proved absent, ${n(sends.unresolved)} unresolved`,
    ],
    [
      'polls',
      `${n(polls.ok)} ok, ${n(polls.failed)} failed, ${n(polls.uncertain)} uncertain; ${many(polls.records, 'record')}`,
    ],
    [
      'audits',
      `${n(audits.completeScans)} of ${many(audits.scans, 'scan')} complete, ${many(audits.chunks, 'chunk')}, ` +
        many(audits.records, 'record'),
    ],
  ];
  if (Object.values(transactions).some((value: number) => value > 0)) {
    lines.push([
      'transactions',
      `${n(transactions.committed)} committed, ${n(transactions.aborted)} aborted, ` +
        `${n(transactions.uncertain)} uncertain, ${n(transactions.fenced)} fenced`,
    ]);
  }
  lines.push(['faults', faultText(coverage)]);
  lines.push(['leader changes', n(coverage.leaderChanges)]);
  if (coverage.rebalances > 0) lines.push(['rebalances', n(coverage.rebalances)]);
  if (coverage.eventLoopDelayMs !== null) {
    const { max, p99 } = coverage.eventLoopDelayMs;
    lines.push(['event-loop delay', `at most ${max.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`]);
  }
  if (coverage.abandonedCalls !== null) {
    const { total, unsettled } = coverage.abandonedCalls;
    lines.push(['abandoned calls', `${n(total)}, ${n(unsettled)} never settled`]);
  }
  return lines;
}

/** "1 scan", "2,000 scans". */
function many(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function faultText(coverage: Coverage): string {
  const kinds = Object.entries(coverage.faults).sort(([a], [b]) => (a < b ? -1 : 1));
  if (kinds.length === 0) return 'none';
  return kinds
    .map(
      ([kind, { injected, tookEffect, healed }]) =>
        `${kind}: ${formatCount(injected)} injected, ${formatCount(tookEffect)} bit, ${formatCount(healed)} healed`,
    )
    .join('; ');
}
