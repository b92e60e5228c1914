/** The result of a mutation run, as data and as text. */
import type { Mutant } from './mutants.ts';
import type { Fate } from './runner.ts';

export type Outcome = 'killed' | 'timeout' | 'survived' | 'not reached';

export interface MutationReport {
  readonly seed: string;
  /** Mutants there are in all. */
  readonly population: number;
  readonly tried: number;
  /** Killed or timed out, of those tried, in percent. */
  readonly score: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly mutants: readonly (Mutant & {
    readonly outcome: Outcome;
    /** The test that killed it, or null. */
    readonly test: string | null;
  })[];
}

export function mutationReport(
  seed: string,
  population: number,
  drawn: readonly Mutant[],
  fates: readonly (Fate | null)[],
  reached: readonly boolean[],
): MutationReport {
  const mutants = drawn.map((mutant, number) => {
    const fate = fates[number] ?? null;
    const alive: Outcome = reached[number] === true ? 'survived' : 'not reached';
    return { ...mutant, outcome: fate?.status ?? alive, test: fate?.test ?? null };
  });
  const count = (outcome: Outcome): number =>
    mutants.filter((mutant) => mutant.outcome === outcome).length;
  const outcomes = {
    killed: count('killed'),
    timeout: count('timeout'),
    survived: count('survived'),
    'not reached': count('not reached'),
  };
  const dead = outcomes.killed + outcomes.timeout;
  return {
    seed,
    population,
    tried: drawn.length,
    score: drawn.length === 0 ? 0 : Math.round((dead / drawn.length) * 10_000) / 100,
    outcomes,
    mutants,
  };
}

export function reportText({ mutants, ...report }: MutationReport): string {
  const files = [...new Set(mutants.map(({ file }) => file))];
  const width = Math.max(...files.map((file) => file.length));
  const rows = files.map((file) => {
    const ofFile = mutants.filter((mutant) => mutant.file === file);
    const alive = ofFile.filter(({ test }) => test === null).length;
    return `${file.padEnd(width)}  ${ofFile.length - alive} of ${ofFile.length}`;
  });
  const survivors = mutants
    .filter(({ test }) => test === null)
    .map(({ name, outcome, before }) => `${outcome}: ${name}\n    ${before.slice(0, 160)}`);
  const { outcomes } = report;
  return [
    ...rows,
    '',
    ...survivors,
    '',
    `seed ${report.seed}: ${report.tried} of ${report.population} mutants, ${outcomes.killed} killed, ` +
      `${outcomes.timeout} timed out, ${outcomes.survived} survived, ${outcomes['not reached']} not reached`,
    `score ${report.score} %`,
  ].join('\n');
}
