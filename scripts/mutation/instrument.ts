/**
 * A source with its mutants in it, each behind a switch: `a < b` becomes `(m(7)?a <= b:a < b)`, and every turn of a loop
 * counts, so that a mutant that never ends is stopped by a number and not by a clock. Lines keep their numbers. One
 * instrumented copy serves every mutant, so nothing is compiled or loaded again between two of them.
 */
import ts from 'typescript';
import { hasNoMutants, sitesOf, type Mutant } from './mutants.ts';

/** `numbers`: the mutants to put in, and the number under which each is switched on. */
export function instrument(source: ts.SourceFile, numbers: ReadonlyMap<string, number>): string {
  const chosen = new Map<ts.Node, readonly Mutant[]>();
  for (const { node, mutants } of sitesOf(source)) {
    const kept = mutants.filter(({ name }) => numbers.has(name));
    if (kept.length > 0) chosen.set(node, kept);
  }
  const render = (node: ts.Node): string => {
    if (hasNoMutants(node)) return node.getText(source);
    let text = '';
    let position = node.getStart(source);
    ts.forEachChild(node, (child) => {
      const start = child.getStart(source);
      const rendered = isLoopBody(child) ? `{m.turn();${render(child)}}` : render(child);
      text += source.text.slice(position, start) + rendered;
      position = child.getEnd();
    });
    text += source.text.slice(position, node.getEnd());
    for (const mutant of chosen.get(node) ?? []) {
      text = switched(numbers.get(mutant.name)!, mutant, text);
    }
    return text;
  };
  const leading = source.text.slice(0, source.getStart(source));
  return `const m=globalThis.ordealMutation;${leading}${render(source)}`;
}

function switched(number: number, { operator, after }: Mutant, text: string): string {
  return operator === 'deleted statement'
    ? `{if(!m.at(${number})){${text}}}`
    : `(m.at(${number})?(${after}):(${text}))`;
}

function isLoopBody(node: ts.Node): boolean {
  return ts.isIterationStatement(node.parent, false) && node.parent.statement === node;
}
