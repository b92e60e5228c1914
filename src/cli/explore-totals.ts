/**
 * What an exploration came to: one document out of its runs, added up as they come, for all of them together are more than
 * a machine need hold. No time of this machine stands in it.
 */
import { anomalyNames } from '../spi/verdict.ts';
import type { AnomalyName, FaultCoverage } from '../spi/verdict.ts';
import { replayCommand } from './exploration.ts';
import type { AnomalySummary, ExploreRequest, RunSummary, Violation } from './exploration.ts';

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

/** A reason for which runs were unknown; reasons that differ in numbers alone are one. */
export interface Doubt {
  readonly runs: number;
  /** Of the first run that has it, and its own words. */
  readonly seed: string;
  readonly reason: string;
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
  /** Why runs were unknown, the most frequent first. A run may have several reasons. */
  readonly doubts: readonly Doubt[];
  readonly violations: readonly {
    readonly seed: string;
    readonly command: string;
    readonly run: string | null;
    readonly violations: readonly Violation[];
  }[];
  /** In the order of the seeds; absent where no hashes were asked for. */
  readonly histories?: readonly { readonly seed: string; readonly sha256: string | null }[];
}

/** Takes runs in the order of their seeds. */
export class ExploreTotals {
  readonly #request: ExploreRequest;
  readonly #asked: number;
  readonly #sums = {
    runs: 0,
    valid: 0,
    invalid: 0,
    unknown: 0,
    operations: 0,
    events: 0,
    clusterMs: 0,
  };
  readonly #sends = { acknowledged: 0, failed: 0, uncertain: 0 };
  readonly #faults = new Map<string, FaultCoverage>();
  readonly #anomalies = new Map<AnomalyName, AnomalyTotals>();
  readonly #doubts = new Map<string, Doubt>();
  readonly #violations: ExploreDocument['violations'][number][] = [];
  readonly #histories: { readonly seed: string; readonly sha256: string | null }[] = [];

  /** @param asked how many runs there should be. */
  constructor(request: ExploreRequest, asked: number) {
    this.#request = request;
    this.#asked = asked;
  }

  add(run: RunSummary): void {
    const { seed, valid, violations, directory, sha256 } = run;
    const sums = this.#sums;
    sums.runs += 1;
    if (valid === 'unknown') sums.unknown += 1;
    else if (valid) sums.valid += 1;
    else sums.invalid += 1;
    this.#addCoverage(run);
    if (valid === 'unknown') this.#addDoubts(run);
    for (const name of anomalyNames) {
      const one = run.anomalies[name];
      if (one === undefined) continue;
      this.#anomalies.set(name, withRun(this.#anomalies.get(name) ?? noRuns, seed, one));
    }
    if (violations.length > 0) {
      const command = replayCommand(this.#request, seed);
      this.#violations.push({ seed, command, run: directory, violations });
    }
    if (this.#request.hash) this.#histories.push({ seed, sha256 });
  }

  document(): ExploreDocument {
    const { seed, swarm, defects, hash } = this.#request;
    const { clusterMs, ...sums } = this.#sums;
    return {
      format: 1,
      seed,
      swarm,
      defects,
      asked: this.#asked,
      ...sums,
      clusterMs: Math.round(clusterMs),
      sends: { ...this.#sends },
      faults: Object.fromEntries([...this.#faults].sort(([a], [b]) => (a < b ? -1 : 1))),
      anomalies: Object.fromEntries(
        anomalyNames.flatMap((name) => {
          const totals = this.#anomalies.get(name);
          return totals === undefined ? [] : [[name, totals]];
        }),
      ),
      doubts: [...this.#doubts.values()].sort((a, b) => b.runs - a.runs),
      violations: [...this.#violations],
      ...(hash ? { histories: [...this.#histories] } : {}),
    };
  }

  #addDoubts({ seed, reasons }: RunSummary): void {
    const keys = new Set<string>();
    for (const reason of reasons) {
      const key = reason.replaceAll(/[0-9]+/g, '0');
      if (keys.has(key)) continue;
      keys.add(key);
      const known = this.#doubts.get(key) ?? { runs: 0, seed, reason };
      this.#doubts.set(key, { ...known, runs: known.runs + 1 });
    }
  }

  #addCoverage({ coverage }: RunSummary): void {
    if (coverage === null) return;
    this.#sums.operations += coverage.operations;
    this.#sums.events += coverage.events;
    this.#sums.clusterMs += coverage.durationMs;
    this.#sends.acknowledged += coverage.sends.acknowledged;
    this.#sends.failed += coverage.sends.failed;
    this.#sends.uncertain += coverage.sends.uncertain;
    for (const [kind, faults] of Object.entries(coverage.faults)) {
      const before = this.#faults.get(kind) ?? { injected: 0, tookEffect: 0, healed: 0 };
      this.#faults.set(kind, {
        injected: before.injected + faults.injected,
        tookEffect: before.tookEffect + faults.tookEffect,
        healed: before.healed + faults.healed,
      });
    }
  }
}

const noRuns: AnomalyTotals = {
  found: 0,
  permitted: 0,
  absent: 0,
  unknown: 0,
  count: 0,
  checked: 0,
  unknownSeed: null,
  unknownReason: null,
};

/** Totals with one run more, in which the anomaly was exercised. */
function withRun(before: AnomalyTotals, seed: string, one: AnomalySummary): AnomalyTotals {
  const isFirstDoubt = one.outcome === 'unknown' && before.unknown === 0;
  return {
    ...before,
    [one.outcome]: before[one.outcome] + 1,
    permitted: before.permitted + (one.outcome === 'found' && one.permitted ? 1 : 0),
    count: before.count + one.count,
    checked: before.checked + one.checked,
    ...(isFirstDoubt ? { unknownSeed: seed, unknownReason: one.reason } : {}),
  };
}
