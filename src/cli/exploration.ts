/** One run of an exploration: simulated in memory, judged, and compared with what the model itself knows. */
import { createHash } from 'node:crypto';
import { checkHistory } from '../../checkers/index.ts';
import { describeError } from '../core/errors.ts';
import { loadHistoryEvents } from '../history/load-events.ts';
import type { RunOptions } from '../run/options.ts';
import { anomalyNames } from '../spi/verdict.ts';
import type { AnomalyName, Coverage, ResultDocument, Valid } from '../spi/verdict.ts';
import { parseFlags } from './flags.ts';
import { compareWithModel, type Comparison, type TrueCounts } from './ground-truth.ts';
import { keepRun, linesOf } from './kept-run.ts';
import { defectsNamed, registries } from './registries.ts';
import { resolveRun } from './resolve.ts';
import { runSimulated, type SimulatedRun } from './simulated-stage.ts';
import type { SwarmKind } from './swarm.ts';

export interface ExploreRequest {
  /** Of the first run; the others count up from it. */
  readonly seed: string;
  readonly swarm: SwarmKind;
  readonly defects: readonly string[];
  /** Whether the bytes of each history are hashed. */
  readonly hash: boolean;
  /** The store for runs with a violation, or null. */
  readonly keep: string | null;
  /** For the names of their directories. */
  readonly wallMs: number;
}

/** What must not be, in one sentence. */
export interface Violation {
  /** An anomaly that no setting permits; a verdict that the model knows to be wrong; the harness's own failure. */
  readonly kind: 'anomaly' | 'truth' | 'failure';
  readonly anomaly: AnomalyName | null;
  readonly text: string;
}

/** What one run came to: plain data, for it travels between threads. */
export interface RunSummary {
  readonly index: number;
  readonly seed: string;
  readonly valid: Valid;
  /** Why it is not valid; empty when it is. */
  readonly reasons: readonly string[];
  readonly violations: readonly Violation[];
  /** Null if the run never had a history. */
  readonly coverage: Coverage | null;
  readonly anomalies: Readonly<Partial<Record<AnomalyName, AnomalySummary>>>;
  /** What the model counted; null where nothing was compared. */
  readonly truth: TrueCounts | null;
  /** sha256 of history.jsonl, where it was asked for. */
  readonly sha256: string | null;
  /** The run's directory, where it was kept. */
  readonly directory: string | null;
}

/** Of an anomaly that was exercised. */
export interface AnomalySummary {
  readonly outcome: 'found' | 'absent' | 'unknown';
  readonly count: number;
  readonly checked: number;
  readonly permitted: boolean;
  readonly reason: string | null;
}

/** The seed of a run of it. */
function seedOf({ seed }: ExploreRequest, index: number): string {
  return (BigInt(seed) + BigInt(index)).toString();
}

/** The options that `ordeal test` with these flags has. @throws OrdealError BAD_ARGUMENT for an unknown defect. */
export function optionsOf(request: ExploreRequest, seed: string): RunOptions {
  const given = { swarm: request.swarm, ...defectFlag(request) };
  return resolveRun(parseFlags(given), Object.keys(given), seed, registries);
}

/** The command that runs one of them again, with a directory of its own. */
export function replayCommand(request: ExploreRequest, seed: string): string {
  const { defect } = defectFlag(request);
  const also = defect === undefined ? '' : ` --defect ${defect}`;
  return `ordeal test --swarm ${request.swarm}${also} --seed ${seed}`;
}

function defectFlag({ defects }: ExploreRequest): { readonly defect?: string } {
  return defects.length === 0 ? {} : { defect: defects.join(',') };
}

/** Runs and judges the run of this index. What goes wrong with it is its violation, and costs no other run. */
export async function exploreOne(request: ExploreRequest, index: number): Promise<RunSummary> {
  const seed = seedOf(request, index);
  try {
    return await judgeOne(request, index, seed);
  } catch (thrown) {
    const text = describeError(thrown);
    return {
      index,
      seed,
      valid: 'unknown',
      reasons: [text],
      violations: [{ kind: 'failure', anomaly: null, text }],
      coverage: null,
      anomalies: {},
      truth: null,
      sha256: null,
      directory: null,
    };
  }
}

async function judgeOne(request: ExploreRequest, index: number, seed: string): Promise<RunSummary> {
  const options = optionsOf(request, seed);
  const run = await runSimulated(options);
  const history = loadHistoryEvents(run.header, run.events);
  const document = checkHistory(history);
  // A defect may lie to readers and auditors, and then the model knows better than any history.
  const comparison: Comparison =
    request.defects.length > 0
      ? { counts: null, disagreements: [] }
      : compareWithModel(run.truth, run.header, run.events, document);
  const violations = [
    ...failuresOf(run, document),
    ...findingsOf(request, document),
    ...contradictionsOf(comparison),
  ];
  const kept = violations.length > 0 ? await keep(request, seed, options, run, document) : notKept;
  return {
    index,
    seed,
    valid: document.valid,
    reasons: document.reasons,
    violations: [...violations, ...kept.failures],
    coverage: document.coverage,
    anomalies: summaryOf(document),
    truth: comparison.counts,
    sha256: request.hash ? hashOf(run) : null,
    directory: kept.directory,
  };
}

interface Kept {
  readonly directory: string | null;
  readonly failures: readonly Violation[];
}

const notKept: Kept = { directory: null, failures: [] };

/** A run that cannot be kept has shown what it showed all the same. */
async function keep(
  { keep: store, wallMs }: ExploreRequest,
  seed: string,
  options: RunOptions,
  run: SimulatedRun,
  document: ResultDocument,
): Promise<Kept> {
  if (store === null) return notKept;
  const place = { store, test: options.test, wallMs, label: `seed-${seed}` };
  try {
    return { directory: await keepRun(place, options, run, document), failures: [] };
  } catch (thrown) {
    const text = `the run could not be kept: ${describeError(thrown)}`;
    return { directory: null, failures: [{ kind: 'failure', anomaly: null, text }] };
  }
}

function contradictionsOf({ disagreements }: Comparison): readonly Violation[] {
  return disagreements.map((text) => ({ kind: 'truth', anomaly: null, text }));
}

function failuresOf({ outcome }: SimulatedRun, document: ResultDocument): readonly Violation[] {
  const crashed = anomalyNames.flatMap((anomaly): Violation[] => {
    const { reason } = document.anomalies[anomaly];
    const isCrash = reason?.startsWith('checker crashed') === true;
    return isCrash ? [{ kind: 'failure', anomaly, text: `${anomaly}: ${reason}` }] : [];
  });
  if (outcome.failure === null) return crashed;
  return [{ kind: 'failure', anomaly: null, text: describeError(outcome.failure) }, ...crashed];
}

/** Anomalies that nothing permits; with a defect, those that it does not declare are named as such. */
function findingsOf(request: ExploreRequest, document: ResultDocument): readonly Violation[] {
  const defects = defectsNamed(registries, request.defects);
  const declared = defects.flatMap(({ primary, consequences }) => [primary, ...consequences]);
  return anomalyNames.flatMap((anomaly): Violation[] => {
    const { outcome, permittedBy, count, witnesses } = document.anomalies[anomaly];
    if (outcome !== 'found' || permittedBy !== null) return [];
    const stray = defects.length > 0 && !declared.includes(anomaly);
    const first = witnesses[0]?.explanation ?? '';
    const which = stray ? `${anomaly} (no consequence of the defect)` : anomaly;
    return [{ kind: 'anomaly', anomaly, text: `${which}, ${count} found; the first: ${first}` }];
  });
}

function summaryOf({ anomalies }: ResultDocument): RunSummary['anomalies'] {
  return Object.fromEntries(
    anomalyNames.flatMap((name) => {
      const { outcome, count, checked, permittedBy, reason } = anomalies[name];
      if (outcome === 'not-exercised') return [];
      return [[name, { outcome, count, checked, permitted: permittedBy !== null, reason }]];
    }),
  );
}

function hashOf(run: SimulatedRun): string {
  const hash = createHash('sha256');
  for (const line of linesOf(run)) hash.update(line);
  return hash.digest('hex');
}
