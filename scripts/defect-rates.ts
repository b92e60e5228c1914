/**
 * How soon each defect shows: many swarm runs with it, in how many its primary anomaly is found, and how many runs one
 * needs until it is. Prints the table of docs/soundness.md.
 *
 *     npm run build && node dist/scripts/defect-rates.js [RUNS [THREADS [NAME…]]]
 *
 * An anomaly that is found and not declared by the defect ends in the last column, and in exit code 1.
 */
import { explorePool } from '../src/cli/explore-pool.ts';
import type { RunSummary } from '../src/cli/exploration.ts';
import { registries } from '../src/cli/registries.ts';
import type { Defect } from '../src/spi/simulation.ts';

const [runsText = '1000', threadsText = '2', ...names] = process.argv.slice(2);
const runs = Number(runsText);
const never = new AbortController().signal;
const chosen = [...registries.defects.values()].filter(
  ({ name }) => names.length === 0 || names.includes(name),
);
let strays = 0;

process.stdout.write(
  '| defect | primary | found in | runs needed: median, 95th percentile | found besides | undeclared |\n| --- | --- | --- | --- | --- | --- |\n',
);
for (const defect of chosen) {
  const summaries = await explorePool({
    request: {
      ...{ seed: '1', swarm: 'promising', defects: [defect.name] },
      ...{ hash: false, keep: null, wallMs: 0 },
    },
    ...{ runs, threads: Number(threadsText), stopFirst: false, interrupt: never },
    onSummary: () => undefined,
  });
  process.stdout.write(`${row(defect, summaries)}\n`);
}
process.exitCode = strays === 0 ? 0 : 1;

function row({ name, primary, consequences }: Defect, summaries: readonly RunSummary[]): string {
  const hits = summaries.map(({ anomalies }) => anomalies[primary]?.outcome === 'found');
  const rate = hits.filter(Boolean).length / hits.length;
  const others = new Map<string, number>();
  for (const { anomalies } of summaries) {
    for (const [anomaly, { outcome }] of Object.entries(anomalies)) {
      if (outcome !== 'found' || anomaly === primary) continue;
      others.set(anomaly, (others.get(anomaly) ?? 0) + 1);
    }
  }
  const declared: readonly string[] = consequences;
  const stray = [...others].filter(([anomaly]) => !declared.includes(anomaly));
  const failures = summaries.filter(({ violations }) =>
    violations.some(({ kind }) => kind !== 'anomaly'),
  );
  strays += stray.length + failures.length;
  return `| ${[
    `\`${name}\``,
    primary,
    `${(100 * rate).toFixed(1)} %`,
    rate === 0 ? 'not found' : `${runsNeeded(rate, 50)}, ${runsNeeded(rate, 95)}`,
    [...others]
      .filter(([anomaly]) => declared.includes(anomaly))
      .map(([anomaly, count]) => `${anomaly} ${count}`)
      .join(', ') || 'nothing',
    [
      ...stray.map(([anomaly, count]) => `${anomaly} ${count}`),
      ...failures.map(({ seed }) => `failed: seed ${seed}`),
    ].join(', ') || 'nothing',
  ].join(' | ')} |`;
}

/** How many runs one needs until so many percent of all tries have shown it, at this rate per run. */
function runsNeeded(rate: number, percent: number): number | null {
  if (rate === 0) return null;
  return rate === 1 ? 1 : Math.ceil(Math.log(1 - percent / 100) / Math.log(1 - rate));
}
