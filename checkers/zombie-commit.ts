/**
 * zombie-commit.
 *
 * An instance of a transactional id is what a process does between its init and the next init of that id. A newer instance
 * fences the older one: whatever the older does from then on must be refused. Found if a transaction of an older instance was
 * acknowledged as committed though it was invoked, or one of its sends or its commit was attempted, after the init of a newer
 * instance had returned. Newer is the higher epoch where both inits gave the same producer id, else what was invoked after the other
 * returned. Nothing permits it. Smallest history: process 1 inits x, process 2 inits x, then process 1 commits a transaction of x
 * with a record in it.
 *
 * An obligation is each acknowledged transaction that holds a send or offsets; an empty commit may never reach the broker. It is
 * open where its id, or the init of its instance, is not in the history, and where it is unknown which of two instances is the newer.
 * The count is of transactions. It cannot see an older instance whose commit was never answered. Cost: linear, but for the inits of
 * one id, each compared with the others.
 */
import { opStatus, type History, type RareOperation } from '../src/history/columns.ts';
import type { HistoryEvent } from '../src/history/event.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { attemptsByOperation, countBefore, microsOf } from './facts/attempts.ts';
import { collectFindings } from './facts/findings.ts';
import { indexOf, precedes, precedesEvent } from './facts/precedence.ts';
import { showEnd, showProcess, showTime } from './facts/witness-text.ts';

export const zombieCommitChecker: Checker = {
  name: 'zombie-commit',
  anomalies: ['zombie-commit'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const rivals = rivalsOf(history);
    for (const operation of history.rare) {
      if (!isCommitted(history, operation)) continue;
      findings.arose(1);
      const transaction = transactionOf(history, operation);
      const instance = rivals(transaction);
      if (instance === null) {
        findings.open(() => whyUnknown(history, transaction));
        continue;
      }
      const { newer, unclear } = instance;
      if (newer !== null && precedesEvent(history, newer, transaction.last)) {
        const at = indexOf(history, transaction.op);
        findings.found(at, 1, () => witnessOf(history, transaction, instance.own, newer));
      } else if (unclear !== null && precedesEvent(history, unclear, transaction.last)) {
        findings.open(() => whyUnclear(history, transaction, unclear));
      }
    }
    return { 'zombie-commit': findings.result(null) };
  },
};

interface Transaction {
  readonly op: number;
  readonly id: string | undefined;
  /** What it did last of its own accord: invoked it, or attempted a send or the commit. */
  readonly last: { readonly ns: number; readonly index: number; readonly process: number };
}

/** The init of a transaction's instance, and of the inits of its id by others those that returned first. */
interface Instance {
  readonly own: number;
  readonly newer: number | null;
  /** Neither surely newer nor surely older. */
  readonly unclear: number | null;
}

function isCommitted(history: History, { f, op, completed }: RareOperation): boolean {
  if (f !== 'txn' || history.ops.status[op] !== opStatus.ok) return false;
  return microsOf(completed).some(([word]) => word === 'send' || word === 'offsets');
}

function transactionOf(history: History, { op, invoked, completed }: RareOperation): Transaction {
  const attempts = attemptsByOperation(history).get(op) ?? [];
  const acts = attempts.filter((event) =>
    microsOf(event).some(([word]) => word === 'send' || word === 'commit'),
  );
  const { time, index } = acts.at(-1) ?? invoked;
  const process = history.ops.process[op]!;
  return { op, id: invoked.txn?.id ?? completed?.txn?.id, last: { ns: time, index, process } };
}

/** Finds the instance of a transaction; null where its id or its init is unknown. */
function rivalsOf(history: History): (transaction: Transaction) => Instance | null {
  const { ops } = history;
  const byId = new Map<string, RareOperation[]>();
  const byProcess = new Map<string, number[]>();
  for (const operation of history.rare) {
    if (operation.f !== 'init' || ops.status[operation.op] !== opStatus.ok) continue;
    const { id } = operation.invoked.value as { readonly id: string };
    entry(byId, id).push(operation);
    entry(byProcess, keyOf(ops.process[operation.op]!, id)).push(operation.op);
  }
  const instances = new Map<number, Instance>();
  return ({ op, id }) => {
    if (id === undefined) return null;
    const own = byProcess.get(keyOf(ops.process[op]!, id)) ?? [];
    const init = own[countBefore(own, ops.invokeIndex, ops.invokeIndex[op]!) - 1];
    if (init === undefined) return null;
    const known = instances.get(init) ?? compare(history, init, byId.get(id)!);
    instances.set(init, known);
    return known;
  };
}

function compare(history: History, own: number, inits: readonly RareOperation[]): Instance {
  const { ops } = history;
  const mine = inits.find(({ op }) => op === own)!;
  const others = inits
    .filter(({ op }) => ops.process[op] !== ops.process[own])
    .toSorted((a, b) => ops.endNs[a.op]! - ops.endNs[b.op]!);
  const first = (age: Age): number | null =>
    others.find((other) => ageOf(history, mine, other) === age)?.op ?? null;
  return { own, newer: first('newer'), unclear: first('unclear') };
}

type Age = 'newer' | 'older' | 'unclear';

/** Of the other instance, seen from the own. */
function ageOf(history: History, own: RareOperation, other: RareOperation): Age {
  const [mine, its] = [givenBy(own.completed!), givenBy(other.completed!)];
  if (mine.producerId === its.producerId && mine.epoch !== its.epoch) {
    return its.epoch > mine.epoch ? 'newer' : 'older';
  }
  if (precedes(history, own.op, other.op)) return 'newer';
  return precedes(history, other.op, own.op) ? 'older' : 'unclear';
}

function givenBy({ value }: HistoryEvent) {
  return value as { readonly producerId: number; readonly epoch: number };
}

function keyOf(process: number, id: string): string {
  return `${process} ${id}`;
}

function entry<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

function whyUnknown(history: History, { op, id }: Transaction): string {
  const which = `the transaction of ${showProcess(history, op)} that was committed ${showEnd(history, op)}`;
  return id === undefined
    ? `${which} tells no transactional id`
    : `${which}, of id ${JSON.stringify(id)}: no init of it by that process is in the history`;
}

function whyUnclear(history: History, { op, id }: Transaction, other: number): string {
  return (
    `the transaction of ${showProcess(history, op)} that was committed ${showEnd(history, op)}, of id ${JSON.stringify(id)}: ` +
    `whether the init of ${showProcess(history, other)} (${showEnd(history, other)}) came before or after its own is unknown; ` +
    'epochs of one producer id would decide it'
  );
}

function witnessOf(
  history: History,
  { op, id, last }: Transaction,
  own: number,
  newer: number,
): Witness {
  const operations = [own, newer, op].map((each) => indexOf(history, each));
  return {
    operations: operations.toSorted((a, b) => a - b),
    id,
    layer: 'unknown',
    explanation:
      `${showProcess(history, op)} had the transactional id ${JSON.stringify(id)} by its init (${showEnd(history, own)}). ` +
      `The init of ${showProcess(history, newer)} made a newer instance of that id, ${showEnd(history, newer)}. ` +
      `Yet the older one acted in a transaction ${showTime(last.ns)} (event ${last.index}), and its commit was acknowledged ` +
      `${showEnd(history, op)}: it was not fenced. The init had returned before that, so no order of what overlaps explains it.`,
  };
}
