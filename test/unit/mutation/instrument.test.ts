/** Which mutants a source has, and that the instrumented copy behaves as each of them. */
import { runInThisContext } from 'node:vm';
import ts from 'typescript';
import { afterEach, describe, expect, it } from 'vitest';
import { drawMutants } from '../../../scripts/mutation/draw.ts';
import { instrument } from '../../../scripts/mutation/instrument.ts';
import { parseSource, sitesOf } from '../../../scripts/mutation/mutants.ts';
import { Switch } from '../../../scripts/mutation/switch.ts';

const before = globalThis.ordealMutation;

afterEach(() => {
  globalThis.ordealMutation = before;
});

function mutantsOf(text: string, file = 'a.ts') {
  return sitesOf(parseSource(file, text)).flatMap(({ mutants }) => mutants);
}

/** What `f` of the instrumented text returns, without a mutant and with each. */
function behaviours(text: string, ...args: readonly unknown[]): readonly unknown[] {
  const source = parseSource('a.ts', `function f(a, b) { ${text} }`);
  const mutants = sitesOf(source).flatMap((site) => site.mutants);
  const numbers = new Map(mutants.map(({ name }, number) => [name, number]));
  const switches = new Switch();
  globalThis.ordealMutation = switches;
  const script = ts.transpile(instrument(source, numbers), { target: ts.ScriptTarget.ES2023 });
  const f = runInThisContext(`(() => { ${script}; return f; })()`) as (
    ...given: readonly unknown[]
  ) => unknown;
  return [-1, ...mutants.keys()].map((number) => {
    switches.on(number, 100);
    try {
      return f(...args);
    } catch {
      return 'endless';
    }
  });
}

describe('mutants', () => {
  it('are relational, boundary, boolean, arithmetic, and deleted statements', () => {
    const text = 'const f = (a) => { if (a < 1 && !g(a)) return; h(a + 2, true); };';
    expect(mutantsOf(text).map(({ operator, after }) => [operator, after])).toEqual([
      ['boolean', '(a < 1) || (!g(a))'],
      ['boundary', 'a <= 1'],
      ['relational', 'a >= 1'],
      ['boundary', '2'],
      ['boolean', 'g(a)'],
      ['deleted statement', ''],
      ['deleted statement', ''],
      ['arithmetic', 'a - 2'],
      ['boundary', '3'],
      ['boolean', 'false'],
    ]);
  });

  it('have names of their own, however long the condition', () => {
    const long = 'aRatherLongNameOfAVariable';
    const chain = [1, 2, 3, 4, 5].map((i) => `${long}${i}`).join(' && ');
    const names = mutantsOf(`const f = () => ${chain};`).map(({ name }) => name);
    expect(names).toHaveLength(4);
    expect(new Set(names).size).toBe(4);
  });

  it('take -1 for one number', () => {
    expect(mutantsOf('const f = () => -1;')).toMatchObject([{ before: '-1', after: '0' }]);
  });

  it('negate a condition that is a call or a name', () => {
    expect(mutantsOf('const f = (a) => (a ? g() : null);')).toMatchObject([{ after: '!(a)' }]);
  });

  it('are none in types, text, tables, guards of exhaustiveness and the steps of loops', () => {
    const text = `
      const table = { a: 1 + 2 };
      type A = 1 | 2;
      const f = (a: 1) => { assertNever(a === 1); return 'x' + a; };
      const g = (a: number) => { for (;; a += h) a.b(); };`;
    const found = mutantsOf(text).map(({ line, operator }) => [line, operator]);
    expect(found).toEqual([[5, 'deleted statement']]);
  });

  it('are drawn by seed, one of every file at least', () => {
    const all = ['a.ts', 'b.ts', 'c.ts'].flatMap((file, length) =>
      mutantsOf(`const f = () => [${'1 < 2,'.repeat(10 * length + 1)}];`, file),
    );
    const drawn = drawMutants(all, 'seed', 5);
    expect(drawn).toHaveLength(5);
    expect(new Set(drawn.map(({ file }) => file)).size).toBe(3);
    expect(drawMutants(all, 'seed', 5)).toEqual(drawn);
    expect(drawMutants(all, 'another', 5)).not.toEqual(drawn);
    expect(drawMutants(all, 'seed', 1_000)).toEqual(all);
  });
});

describe('the instrumented source', () => {
  it('does what the source does, and with a mutant on what the mutant does', () => {
    // a < b: itself, a <= b, a >= b
    expect(behaviours('return a < b;', 1, 1)).toEqual([false, true, true]);
    // a && b || c is switched as a whole: (a && b) && c, then (a || b) || c
    expect(behaviours('return a && !a || b;', true, true)).toEqual([true, false, true, true]);
    expect(behaviours('b.push(a); return b.length;', 1, [])).toEqual([1, 1]);
  });

  it('ends a loop that a mutant would keep running', () => {
    // a <= 5, a >= 5, 6 for 5, and no a++
    expect(behaviours('while (a < 5) { a++; } return a;', 0)).toEqual([5, 6, 0, 6, 'endless']);
    // a === 5, 6 for 5, and no a++
    expect(behaviours('while (a !== 5) a++; return a;', 0)).toEqual([5, 0, 6, 'endless']);
  });

  it('notes what is reached while no mutant is on', () => {
    const switches = new Switch();
    switches.off();
    switches.at(3);
    switches.turn();
    expect(switches.reach()).toEqual({ mutants: [3], turns: 1 });
    switches.on(4, 1);
    expect([switches.at(3), switches.at(4)]).toEqual([false, true]);
    expect(switches.exhausted).toBe(false);
  });
});
