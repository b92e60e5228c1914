/**
 * Vitest's own runner, which afterwards runs the tests of each file again for every mutant that they reach and that is
 * still alive: the quickest tests first, until one fails. The tests are the real ones, called in the process that has
 * them loaded already, so a mutant costs what its tests cost and nothing else.
 */
import { setMaxListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { RunnerTask, RunnerTestSuite } from 'vitest';
import fc from 'fast-check';
import { TestRunner } from 'vitest';
import { Switch, type Reach } from './switch.ts';

/** What the command tells the worker, and reads afterwards. */
export interface Progress {
  /** By mutant: null while it is alive. */
  readonly fates: (Fate | null)[];
  /** By mutant: a test reached it. */
  readonly reached: boolean[];
}

export interface Fate {
  readonly status: 'killed' | 'timeout';
  readonly test: string;
}

type RunnerTest = Extract<RunnerTask, { type: 'test' }>;

interface Timed {
  readonly test: RunnerTest;
  readonly reach: Reach;
}

/** A correct test may take this many times the turns that it takes without a mutant. */
const turnsFactor = 10;
const turnsLeast = 100_000;

/** No mutant has this number. */
const none = -2;

export default class MutationRunner extends TestRunner {
  readonly #switch: Switch;
  readonly #tests = new Map<RunnerTest, Reach>();

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    this.#switch = new Switch();
    // Modules hold the object that they met first; a later runner of this worker has to steer that one.
    const present = globalThis.ordealMutation as Switch | undefined;
    if (present !== undefined) this.#switch = present;
    globalThis.ordealMutation = this.#switch;
    // The first counterexample is enough to kill; its smallest form is nobody's question here.
    // Each call of a test adds a listener to its abort signal, and here a test is called hundreds of times.
    setMaxListeners(0);
    fc.configureGlobal({ endOnFailure: true });
  }

  override onBeforeTryTask(test: RunnerTask): void {
    super.onBeforeTryTask(test);
    this.#switch.off();
  }

  override onAfterTryTask(test: RunnerTest): void {
    super.onAfterTryTask(test);
    this.#tests.set(test, this.#switch.reach());
  }

  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onAfterRunSuite(suite);
    if (!('filepath' in suite)) return;
    const path = process.env['ORDEAL_MUTATION_PROGRESS']!;
    const progress = JSON.parse(readFileSync(path, 'utf8')) as Progress;
    await this.#tryMutants(progress);
    // What the next file does while it is collected is no mutant's.
    this.#switch.off();
    writeFileSync(path, JSON.stringify(progress));
  }

  async #tryMutants({ fates, reached }: Progress): Promise<void> {
    const timed = [...this.#tests].map(([test, reach]): Timed => ({ test, reach }));
    this.#tests.clear();
    timed.sort((a, b) => (a.test.result?.duration ?? 0) - (b.test.result?.duration ?? 0));
    await this.#repeat(timed);
    const covering = new Map<number, Timed[]>();
    for (const each of timed) {
      for (const mutant of each.reach.mutants) {
        const list = covering.get(mutant);
        if (list === undefined) covering.set(mutant, [each]);
        else list.push(each);
      }
    }
    for (const [mutant, tests] of covering) {
      reached[mutant] = true;
      for (const each of tests) {
        fates[mutant] ??= await this.#fateIn(mutant, each);
        if (fates[mutant] !== null) break;
      }
    }
  }

  /** A test that cannot be called twice would kill every mutant: that it passes again is asserted first. */
  async #repeat(timed: readonly Timed[]): Promise<void> {
    for (const each of timed) {
      const fate = await this.#fateIn(none, each);
      if (fate !== null) throw new Error(`${fate.test} fails when it is called again`);
    }
  }

  async #fateIn(mutant: number, { test, reach }: Timed): Promise<Fate | null> {
    this.#switch.on(mutant, turnsLeast + reach.turns * turnsFactor);
    const name = `${test.file.name} > ${test.name}`;
    try {
      await TestRunner.getTestFn(test)();
    } catch {
      return { status: this.#switch.exhausted ? 'timeout' : 'killed', test: name };
    }
    return this.#switch.exhausted ? { status: 'timeout', test: name } : null;
  }
}
