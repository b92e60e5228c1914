/**
 * Mutation testing of checkers/: `npm run mutation -- --seed 1 --count 500`. Prints the score by file and every survivor;
 * writes all of it to coverage/mutation-<seed>.json. docs/mutation.md says what counts and what the survivors are.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import type { TestModule, TestSpecification } from 'vitest/node';
import { drawMutants } from './draw.ts';
import { instrument } from './instrument.ts';
import { parseSource, sitesOf, type Mutant } from './mutants.ts';
import { mutationReport, reportText, type MutationReport } from './report.ts';
import type { Progress } from './runner.ts';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '500' },
    /** Only files whose path contains this. */
    only: { type: 'string', default: '' },
    /** How many of their usual histories the properties try, in percent. */
    properties: { type: 'string', default: '10' },
    /** Only those of the last run that nothing killed: whether new tests kill them. */
    survivors: { type: 'boolean', default: false },
  },
});
const root = process.cwd();
const reportPath = join(root, 'coverage', `mutation-${flags.seed}.json`);
/** In this order: the quick tests leave little for the properties to do. */
const suites = ['test/unit/checkers', 'test/golden', 'test/property/checkers', 'test/corpus'];

const sources = readdirSync('checkers', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `checkers/${name}`)
  .filter((file) => file.includes(flags.only))
  .sort()
  .map((file) => parseSource(file, readFileSync(file, 'utf8')));
const all = sources.flatMap((source) => sitesOf(source).flatMap(({ mutants }) => mutants));
const drawn = flags.survivors ? survivors() : drawMutants(all, flags.seed, Number(flags.count));
const numbers = new Map(drawn.map(({ name }, number) => [name, number]));
const instrumented = new Map(
  sources.map((source) => [join(root, source.fileName), instrument(source, numbers)]),
);
console.log(`seed ${flags.seed}: ${drawn.length} of ${all.length} mutants`);

const progressPath = `${reportPath}.progress`;
mkdirSync(join(root, 'coverage'), { recursive: true });
const readProgress = (): Progress => JSON.parse(readFileSync(progressPath, 'utf8')) as Progress;
writeFileSync(
  progressPath,
  JSON.stringify({ fates: drawn.map(() => null), reached: drawn.map(() => false) }),
);
process.env['ORDEAL_MUTATION_PROGRESS'] = progressPath;
process.env['ORDEAL_PROPERTY_SHARE'] = flags.properties;

/** Cheap suites first, and the same order every time: vitest would take the long ones first. */
class CheapFirst {
  shard(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
  sort(files: TestSpecification[]): TestSpecification[] {
    const rank = ({ moduleId }: TestSpecification): string => {
      const file = relative(root, moduleId);
      return `${suites.findIndex((suite) => file.startsWith(suite))} ${file}`;
    };
    return [...files].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}

const vitest = await startVitest(
  'test',
  [],
  {
    root,
    config: false,
    watch: false,
    include: suites.map((suite) => `${suite}/**/*.test.ts`),
    testTimeout: 120_000,
    pool: 'threads',
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
    runner: join(import.meta.dirname, 'runner.js'),
    sequence: { sequencer: CheapFirst },
    reporters: [
      {
        onTestModuleEnd: (module: TestModule): void => {
          const alive = readProgress().fates.filter((fate) => fate === null).length;
          const ok = module.ok() ? '' : ' FAILS WITHOUT A MUTANT';
          console.log(`${relative(root, module.moduleId)}${ok}: ${alive} alive`);
        },
      },
    ],
  },
  {
    plugins: [
      {
        name: 'mutants',
        enforce: 'pre',
        transform: (_code, id) => {
          const text = instrumented.get(id);
          return text === undefined ? null : { code: text, map: null };
        },
      },
    ],
  },
);
const failed = vitest.state.getTestModules().some((module) => !module.ok());
await vitest.close();
if (failed) {
  console.error('a test fails without a mutant: no score');
  process.exit(1);
}
const { fates, reached } = readProgress();
rmSync(progressPath);
const report = mutationReport(flags.seed, all.length, drawn, fates, reached);
writeFileSync(
  flags.survivors ? `${reportPath}.again` : reportPath,
  `${JSON.stringify(report, null, 2)}\n`,
);
console.log(reportText(report));

function survivors(): readonly Mutant[] {
  const last = JSON.parse(readFileSync(reportPath, 'utf8')) as MutationReport;
  const names = new Set(last.mutants.filter(({ test }) => test === null).map(({ name }) => name));
  return all.filter(({ name }) => names.has(name));
}
