/** What an exploration came to: one document out of its runs, and the text of it. Pure; no time stands in it. */
import { formatDurationMs } from '../core/units.ts';
import type { Paint } from '../report/text.ts';
import { formatCount } from '../report/view.ts';
import { anomalyNames } from '../spi/verdict.ts';
import type { AnomalyName, FaultCoverage } from '../spi/verdict.ts';
import { replayCommand } from './exploration.ts';
import type { ExploreRequest, RunSummary, Violation } from './exploration.ts';

/** Of one anomaly over all runs: in how many it had which outcome, and the sums of what was found and checked. */
interface AnomalyTotals {
  readonly found: number;
  readonly permitted: number;
  readonly absent: number;
  readonly unknown: number;
  readonly count: number;
  readonly checked: number;
  /** Of the first run in which it was unknown; null if there is none. */
  readonly unknownSeed: string | null;
  readonly unknownReason: string | null;
}

export interface ExploreDocument {
  readonly format: 1;
  readonly seed: string;
  readonly swarm: string;
  readonly defects: readonly string[];
  /** How many were asked for, and how many these are. */
  readonly asked: number;
  readonly runs: number;
  readonly valid: number;
  readonly invalid: number;
  readonly unknown: number;
  readonly operations: number;
  readonly events: number;
  /** Time of the clusters, not of this machine. */
  readonly clusterMs: number;
  readonly sends: {
    readonly acknowledged: number;
    readonly failed: number;
    readonly uncertain: number;
  };
  readonly faults: Readonly<Record<string, FaultCoverage>>;
  readonly anomalies: Readonly<Partial<Record<AnomalyName, AnomalyTotals>>>;
  readonly violations: readonly {
    readonly seed: string;
    readonly command: string;
    readonly run: string | null;
    readonly violations: readonly Violation[];
  }[];
  /** In the order of the seeds; absent where no hashes were asked for. */
  readonly histories?: readonly { readonly seed: string; readonly sha256: string | null }[];
}

export function documentOf(
  request: ExploreRequest,
  asked: number,
  runs: readonly RunSummary[],
): ExploreDocument {
  const sum = (of: (run: RunSummary) => number): number =>
    runs.reduce((total, run) => total + of(run), 0);
  return {
    format: 1,
    seed: request.seed,
    swarm: request.swarm,
    defects: request.defects,
    asked,
    runs: runs.length,
    valid: sum(({ valid }) => (valid === true ? 1 : 0)),
    invalid: sum(({ valid }) => (valid === false ? 1 : 0)),
    unknown: sum(({ valid }) => (valid === 'unknown' ? 1 : 0)),
    operations: sum(({ coverage }) => coverage?.operations ?? 0),
    events: sum(({ coverage }) => coverage?.events ?? 0),
    clusterMs: Math.round(sum(({ coverage }) => coverage?.durationMs ?? 0)),
    sends: {
      acknowledged: sum(({ coverage }) => coverage?.sends.acknowledged ?? 0),
      failed: sum(({ coverage }) => coverage?.sends.failed ?? 0),
      uncertain: sum(({ coverage }) => coverage?.sends.uncertain ?? 0),
    },
    faults: faultsOf(runs),
    anomalies: anomaliesOf(runs),
    violations: runs
      .filter(({ violations }) => violations.length > 0)
      .map(({ seed, directory, violations }) => ({
        seed,
        command: replayCommand(request, seed),
        run: directory,
        violations,
      })),
    ...(request.hash ? { histories: runs.map(({ seed, sha256 }) => ({ seed, sha256 })) } : {}),
  };
}

function faultsOf(runs: readonly RunSummary[]): Readonly<Record<string, FaultCoverage>> {
  const totals = new Map<string, FaultCoverage>();
  for (const { coverage } of runs) {
    for (const [kind, faults] of Object.entries(coverage?.faults ?? {})) {
      const before = totals.get(kind) ?? { injected: 0, tookEffect: 0, healed: 0 };
      totals.set(kind, {
        injected: before.injected + faults.injected,
        tookEffect: before.tookEffect + faults.tookEffect,
        healed: before.healed + faults.healed,
      });
    }
  }
  return Object.fromEntries([...totals].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function anomaliesOf(runs: readonly RunSummary[]): ExploreDocument['anomalies'] {
  return Object.fromEntries(
    anomalyNames.flatMap((name) => {
      const exercised = runs.flatMap(({ seed, anomalies }) => {
        const one = anomalies[name];
        return one === undefined ? [] : [{ seed, ...one }];
      });
      if (exercised.length === 0) return [];
      const runsWith = (outcome: string): number =>
        exercised.filter((one) => one.outcome === outcome).length;
      const doubt = exercised.find(({ outcome }) => outcome === 'unknown');
      const totals: AnomalyTotals = {
        found: runsWith('found'),
        permitted: exercised.filter((one) => one.outcome === 'found' && one.permitted).length,
        absent: runsWith('absent'),
        unknown: runsWith('unknown'),
        count: exercised.reduce((total, { count }) => total + count, 0),
        checked: exercised.reduce((total, { checked }) => total + checked, 0),
        unknownSeed: doubt?.seed ?? null,
        unknownReason: doubt?.reason ?? null,
      };
      return [[name, totals]];
    }),
  );
}

/** Violations beyond this are counted, and stand in the document. */
const violationsShownMax = 10;

/** @returns the whole report, ending with a newline. */
export function exploreText(document: ExploreDocument, paint: Paint): string {
  const blocks = [
    anomalyLines(document, paint),
    unknownLines(document),
    coverageLines(document),
    violationLines(document, paint),
    [conclusionLine(document, paint)],
  ];
  const shown = blocks.filter((block) => block.length > 0);
  return `${shown.map((block) => block.join('\n')).join('\n\n')}\n`;
}

function anomalyLines({ anomalies }: ExploreDocument, paint: Paint): string[] {
  const row = (name: string, ...numbers: readonly (number | string)[]): string =>
    name.padEnd(24) +
    numbers.map((n) => (typeof n === 'number' ? formatCount(n) : n).padStart(11)).join('');
  const head = row('anomaly, in runs:', 'found', 'permitted', 'absent', 'unknown', 'checked');
  return [
    paint('quiet', head),
    ...Object.entries(anomalies).map(([name, totals]) => {
      const { found, permitted, absent, unknown, checked } = totals;
      const text = row(name, found, permitted, absent, unknown, checked);
      return found > permitted ? paint('bad', text) : text;
    }),
  ];
}

function unknownLines({ anomalies }: ExploreDocument): string[] {
  return Object.entries(anomalies).flatMap(([name, { unknown, unknownSeed, unknownReason }]) =>
    unknown === 0
      ? []
      : [
          `${name} unknown in ${unknown}, first with seed ${unknownSeed ?? ''}: ${unknownReason ?? ''}`,
        ],
  );
}

function coverageLines(document: ExploreDocument): string[] {
  const { sends, faults } = document;
  const n = formatCount;
  const bit = Object.entries(faults).map(
    ([kind, { injected, tookEffect, healed }]) =>
      `${kind} ${n(injected)} injected, ${n(tookEffect)} bit, ${n(healed)} healed`,
  );
  return [
    `${n(document.operations)} operations in ${formatDurationMs(document.clusterMs)} of cluster time; sends: ${n(sends.acknowledged)} acknowledged, ${n(sends.failed)} failed, ${n(sends.uncertain)} uncertain`,
    `faults: ${bit.length === 0 ? 'none' : bit.join('; ')}`,
  ];
}

function violationLines({ violations }: ExploreDocument, paint: Paint): string[] {
  const more = violations.length - violationsShownMax;
  return [
    ...violations
      .slice(0, violationsShownMax)
      .flatMap(({ seed, command, run, violations: all }) => [
        paint('bad', `seed ${seed}:`),
        ...all.map(({ kind, text }) => `  ${kind === 'anomaly' ? '' : `${kind}: `}${text}`),
        `  again: ${command}`,
        ...(run === null ? [] : [`  kept: ${run}`]),
      ]),
    ...(more > 0 ? [`and ${more} more runs with violations`] : []),
  ];
}

function conclusionLine(document: ExploreDocument, paint: Paint): string {
  const { runs, asked, valid, invalid, unknown, violations } = document;
  const counts = `${formatCount(runs)} of ${formatCount(asked)} runs: ${formatCount(valid)} valid, ${formatCount(invalid)} invalid, ${formatCount(unknown)} unknown`;
  return violations.length === 0
    ? paint(valid > 0 ? 'good' : 'doubt', `NO VIOLATION; ${counts}`)
    : paint('bad', `VIOLATIONS in ${formatCount(violations.length)}; ${counts}`);
}
