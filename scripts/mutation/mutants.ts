/**
 * Where a source file can be mutated, and into what: relational (`===` to `!==`, `<` to `>=`), boundary (`<` to `<=`,
 * 1 to 2), boolean (`&&` to `||`, `true` to `false`, a condition negated), arithmetic (`+` to `-`) and deleted statements
 * (a call or assignment, an early return, a continue, a break).
 *
 * Left out, since no test could tell: types, guards of exhaustiveness (`assertNever`), what is evaluated once while the
 * module loads (a table of names), and a loop's own step (it never ends, and so proves nothing).
 */
import ts from 'typescript';

export type Operator = 'relational' | 'boundary' | 'boolean' | 'arithmetic' | 'deleted statement';

export interface Mutant {
  /** file:line:column operator, with what is put there: the same for the same source. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly operator: Operator;
  readonly before: string;
  /** The source text put in place; empty for a deleted statement. */
  readonly after: string;
}

export interface Site {
  readonly node: ts.Node;
  readonly mutants: readonly Mutant[];
}

type Change = readonly [operator: Operator, after: string];

const comparisons: ReadonlyMap<string, readonly Change[]> = new Map<string, readonly Change[]>([
  ['<', [['boundary', '<='], ['relational', '>=']]], // prettier-ignore
  ['<=', [['boundary', '<'], ['relational', '>']]], // prettier-ignore
  ['>', [['boundary', '>='], ['relational', '<=']]], // prettier-ignore
  ['>=', [['boundary', '>'], ['relational', '<']]], // prettier-ignore
  ['===', [['relational', '!==']]],
  ['!==', [['relational', '===']]],
  ['&&', [['boolean', '||']]],
  ['||', [['boolean', '&&']]],
  ['+', [['arithmetic', '-']]],
  ['-', [['arithmetic', '+']]],
  ['*', [['arithmetic', '/']]],
  ['/', [['arithmetic', '*']]],
  ['+=', [['arithmetic', '-=']]],
  ['-=', [['arithmetic', '+=']]],
]);

export function parseSource(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
}

/** Every site of a file, outer ones before those inside them. */
export function sitesOf(source: ts.SourceFile): readonly Site[] {
  const sites: Site[] = [];
  const visit = (node: ts.Node, inFunction: boolean): void => {
    if (hasNoMutants(node)) return;
    if (inFunction) {
      const mutants = changesAt(node).map((change) => mutantOf(source, node, change));
      if (mutants.length > 0) sites.push({ node, mutants });
    }
    const inside = inFunction || ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => {
      visit(child, inside);
    });
  };
  visit(source, false);
  return sites;
}

/** Types, imports, and calls of `assertNever`. */
export function hasNoMutants(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    (ts.isCallExpression(node) && node.expression.getText() === 'assertNever')
  );
}

function mutantOf(source: ts.SourceFile, node: ts.Node, [operator, after]: Change): Mutant {
  const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
  const before = node.getText(source).replace(/\s+/g, ' ');
  const end = source.getLineAndCharacterOfPosition(node.getEnd());
  // Of `a && b && c` two changes begin at one place, and may look alike where they are cut.
  const cut = `… (to ${end.line + 1}:${end.character + 1})`;
  const what = operator === 'deleted statement' ? operator : `${operator} to ${short(after, cut)}`;
  return {
    name: `${source.fileName}:${line + 1}:${character + 1} ${what}`,
    file: source.fileName,
    line: line + 1,
    operator,
    before,
    after,
  };
}

function short(text: string, cut: string): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length <= 60 ? flat : `${flat.slice(0, 59)}${cut}`;
}

function changesAt(node: ts.Node): readonly Change[] {
  const changes = [...changesOfExpression(node)];
  if (changes.length === 0 && isCondition(node) && !isBooleanLiteral(node)) {
    changes.push(['boolean', `!(${node.getText()})`]);
  }
  if (isDeletable(node)) changes.push(['deleted statement', '']);
  return changes;
}

function changesOfExpression(node: ts.Node): readonly Change[] {
  if (ts.isBinaryExpression(node)) return changesOfBinary(node);
  if (ts.isPrefixUnaryExpression(node)) {
    if (node.operator === ts.SyntaxKind.ExclamationToken) {
      return [['boolean', node.operand.getText()]];
    }
    if (node.operator !== ts.SyntaxKind.MinusToken) return [];
    return ts.isNumericLiteral(node.operand)
      ? [['boundary', String(1 - Number(node.operand.text))]]
      : [['arithmetic', node.operand.getText()]];
  }
  if (ts.isNumericLiteral(node) && !isPropertyName(node) && !isNegated(node)) {
    return [['boundary', String(Number(node.text) + 1)]];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [['boolean', 'false']];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [['boolean', 'true']];
  return [];
}

function changesOfBinary(node: ts.BinaryExpression): readonly Change[] {
  const symbol = node.operatorToken.getText();
  if (/^\+=?$/.test(symbol) && (isText(node.left) || isText(node.right))) return [];
  if (ts.isForStatement(node.parent) && node.parent.incrementor === node) return [];
  const left = node.left.getText();
  const right = node.right.getText();
  return (comparisons.get(symbol) ?? []).map(([operator, to]) => {
    // `a && b || c` needs no parentheses, but its mutant `a || b || c` would not mean what it says without.
    const [first, second] = operator === 'boolean' ? [`(${left})`, `(${right})`] : [left, right];
    return [operator, `${first} ${to} ${second}`];
  });
}

function isText(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isText(node.expression);
  if (ts.isConditionalExpression(node)) return isText(node.whenTrue) || isText(node.whenFalse);
  if (ts.isBinaryExpression(node)) return isText(node.left) || isText(node.right);
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

function isBooleanLiteral(node: ts.Node): boolean {
  return node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword;
}

/** -1 is one number, and its neighbour is 0. */
function isNegated({ parent }: ts.Node): boolean {
  return ts.isPrefixUnaryExpression(parent) && parent.operator === ts.SyntaxKind.MinusToken;
}

function isPropertyName(node: ts.Node): boolean {
  return ts.isPropertyAssignment(node.parent) && node.parent.name === node;
}

function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === node;
  return ts.isConditionalExpression(parent) && parent.condition === node;
}

/** A return with a value counts where something follows it: without it, control goes on. */
function isDeletable(node: ts.Node): boolean {
  if (ts.isExpressionStatement(node)) return !hasNoMutants(node.expression);
  if (ts.isContinueStatement(node) || ts.isBreakStatement(node) || ts.isThrowStatement(node)) {
    return true;
  }
  if (!ts.isReturnStatement(node)) return false;
  const { parent } = node;
  if (ts.isIfStatement(parent)) return true;
  return ts.isBlock(parent) && !ts.isFunctionLike(parent.parent);
}
