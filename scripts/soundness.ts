/**
 * Simulates many histories of the correct model, judges each, and compares each verdict with what the model knows. The
 * figures stand in docs/soundness.md. It can be stopped at any time and goes on where it stopped.
 *
 *     npm run build && node dist/scripts/soundness.js STATE.json RUNS [THREADS]
 *
 * Half of the histories have settings that promise, half have settings that permit. STATE.json holds what was counted.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { explorePool } from '../src/cli/explore-pool.ts';
import type { RunSummary } from '../src/cli/exploration.ts';
import type { SwarmKind } from '../src/cli/swarm.ts';

interface KindState {
  /** Runs so far: the next seed is one more. */
  runs: number;
  operations: number;
  valid: number;
  unknown: number;
  seconds: number;
  /** How many histories have so many operations, by tens; and so many faults that bit. */
  readonly operationsByTen: Record<string, number>;
  readonly bites: Record<string, number>;
  readonly checked: Record<string, number>;
  readonly found: Record<string, number>;
  readonly permitted: Record<string, number>;
  /** Histories that were compared with the model, and in how many it counted at least one of an anomaly. */
  compared: number;
  readonly trueFindings: Record<string, number>;
  /** Of these, how many were called unknown. */
  readonly trueUnknown: Record<string, number>;
  readonly violations: { readonly seed: string; readonly texts: readonly string[] }[];
}

const kinds: readonly SwarmKind[] = ['promising', 'permissive'];
const batchRuns = 1_000;

const [stateFile, runsText, threadsText = '2'] = process.argv.slice(2);
const runs = Number(runsText);
if (stateFile === undefined || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write('usage: node dist/scripts/soundness.js STATE.json RUNS [THREADS]\n');
  process.exit(254);
}
const states = readStates(stateFile);
const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort();
});
// In turns, so that a run that is stopped has as many of each.
for (let left = runs; left > 0 && !isInterrupted();) {
  for (const kind of kinds) {
    const batch = Math.min(batchRuns, left);
    await extend(kind, batch);
    left -= batch;
  }
}
process.stdout.write(`${tell()}\n`);

function readStates(file: string): Record<string, KindState> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Record<string, KindState>;
  return Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        ...{ runs: 0, operations: 0, valid: 0, unknown: 0, seconds: 0, compared: 0 },
        ...{ operationsByTen: {}, bites: {}, checked: {}, found: {}, permitted: {} },
        ...{ trueFindings: {}, trueUnknown: {}, violations: [] },
      },
    ]),
  );
}

/** Adds one batch of runs of one kind; it is on disk when this resolves. */
async function extend(kind: SwarmKind, batch: number): Promise<void> {
  const state = states[kind] as KindState;
  if (batch === 0 || isInterrupted()) return;
  const began = process.hrtime.bigint();
  const request = {
    ...{ seed: String(state.runs + 1), swarm: kind, defects: [] },
    ...{ hash: false, keep: null, wallMs: 0 },
  };
  const summaries = await explorePool({
    request,
    runs: batch,
    threads: Number(threadsText),
    stopFirst: false,
    interrupt: interrupt.signal,
    onSummary: () => undefined,
  });
  // An interrupted batch has gaps; it is made anew.
  if (isInterrupted()) return;
  for (const summary of summaries) count(state, summary);
  state.seconds += Number(process.hrtime.bigint() - began) / 1e9;
  writeFileSync(`${stateFile ?? ''}.new`, JSON.stringify(states));
  renameSync(`${stateFile ?? ''}.new`, stateFile ?? '');
  const rate = state.runs / state.seconds;
  process.stderr.write(
    `${kind}: ${state.runs} histories, ${state.operations} operations, ${rate.toFixed(1)} histories/s, ${state.violations.length} violations\n`,
  );
}

/** Asked anew after each wait. */
function isInterrupted(): boolean {
  return interrupt.signal.aborted;
}

function count(state: KindState, summary: RunSummary): void {
  const { seed, valid, violations, coverage, anomalies } = summary;
  countTruth(state, summary);
  state.runs += 1;
  if (valid === true) state.valid += 1;
  if (valid === 'unknown') state.unknown += 1;
  if (violations.length > 0)
    state.violations.push({ seed, texts: violations.map(({ text }) => text) });
  const operations = coverage?.operations ?? 0;
  state.operations += operations;
  raise(state.operationsByTen, String(10 * Math.floor(operations / 10)), 1);
  const bites = Object.values(coverage?.faults ?? {}).reduce(
    (sum, { tookEffect }) => sum + tookEffect,
    0,
  );
  raise(state.bites, String(bites), 1);
  for (const [name, { outcome, checked, permitted }] of Object.entries(anomalies)) {
    raise(state.checked, name, checked);
    if (outcome === 'found') raise(permitted ? state.permitted : state.found, name, 1);
  }
}

function countTruth(state: KindState, { truth, anomalies }: RunSummary): void {
  if (truth === null) return;
  state.compared += 1;
  for (const [name, count] of Object.entries(truth)) {
    if (count === 0) continue;
    raise(state.trueFindings, name, 1);
    const outcome = anomalies[name as keyof typeof anomalies]?.outcome;
    if (outcome !== 'found') raise(state.trueUnknown, name, 1);
  }
}

function raise(counts: Record<string, number>, key: string, by: number): void {
  counts[key] = (counts[key] ?? 0) + by;
}

function tell(): string {
  const lines = kinds.flatMap((kind) => {
    const state = states[kind] as KindState;
    return [
      `${kind}: ${state.runs} histories, ${state.operations} operations, median ${median(state.operationsByTen)} operations and ${median(state.bites)} faults that bit; ${state.valid} valid, ${state.unknown} unknown; ${state.compared} compared with the model; ${state.violations.length} violations; ${state.seconds.toFixed(0)} s`,
      ...Object.entries(state.checked).map(
        ([name, checked]) =>
          `  ${name.padEnd(24)} checked ${checked}, found in ${state.found[name] ?? 0}, permitted in ${state.permitted[name] ?? 0}; by the model in ${state.trueFindings[name] ?? '-'}, of these not found in ${state.trueUnknown[name] ?? 0}`,
      ),
      ...state.violations.map(({ seed, texts }) => `  seed ${seed}: ${texts.join(' | ')}`),
    ];
  });
  return lines.join('\n');
}

/** The least value that at least half of the histories do not exceed. */
function median(counts: Readonly<Record<string, number>>): number {
  const sorted = Object.entries(counts)
    .map(([value, times]) => [Number(value), times] as const)
    .sort(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, times]) => sum + times, 0) / 2;
  let seen = 0;
  for (const [value, times] of sorted) {
    seen += times;
    if (seen >= half) return value;
  }
  return 0;
}
