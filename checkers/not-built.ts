/**
 * Anomalies that no checker decides yet. Their obligations are counted all the same: a history that raises none of them
 * says not-exercised, and one that does says unknown, "not built", so that no claim is proved by silence.
 *
 * What counts as an obligation here is a lower bound of what the finished checker will count, and zero exactly where
 * that will be zero: transactions for cycles and atomicity, what the header's transforms owe for exactly-once and
 * completeness. Cost: linear.
 */
import { opKinds, opStatus, type History, type RareOperation } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { AnomalyName, AnomalyResult } from '../src/spi/verdict.ts';

const cycles = [
  'G0',
  'G0-process',
  'G0-realtime',
  'G1c',
  'G1c-process',
  'G1c-realtime',
  'G-single',
  'G-single-process',
  'G-single-realtime',
  'G2-item',
  'G2-item-process',
  'G2-item-realtime',
] as const satisfies readonly AnomalyName[];

type NotBuilt =
  | (typeof cycles)[number]
  | 'torn-transaction'
  | 'offsets-not-atomic'
  | 'hanging-transaction'
  | 'processed-twice'
  | 'processed-never'
  | 'processed-early'
  | 'output-reordered'
  | 'wrong-fold'
  | 'wrong-state'
  | 'incomplete-final'
  | 'final-twice'
  | 'wrong-revision';

const countObligations: Readonly<Record<NotBuilt, (facts: Facts) => number>> = {
  ...(Object.fromEntries(
    cycles.map((cycle) => [cycle, (facts: Facts) => facts.transactions]),
  ) as Record<(typeof cycles)[number], (facts: Facts) => number>),
  'torn-transaction': (facts) => facts.sendingTransactions,
  'offsets-not-atomic': (facts) => facts.offsetTransactions,
  'hanging-transaction': (facts) => facts.transactions,
  'processed-twice': (facts) => facts.offsetTransactions + facts.owed,
  'processed-never': (facts) => facts.offsetTransactions + facts.owed,
  'processed-early': (facts) => facts.owed,
  'output-reordered': (facts) => facts.owed,
  'wrong-fold': (facts) => facts.folds,
  'wrong-state': (facts) => facts.states,
  'incomplete-final': (facts) => facts.finals,
  'final-twice': (facts) => facts.finals,
  'wrong-revision': (facts) => facts.revisions,
};

export const notBuiltChecker: Checker = {
  name: 'not-built',
  anomalies: Object.keys(countObligations) as NotBuilt[],
  check: (history) => {
    const facts = gather(history);
    return Object.fromEntries(
      Object.entries(countObligations).map(([anomaly, count]) => [anomaly, notBuilt(count(facts))]),
    );
  },
};

function notBuilt(checked: number): AnomalyResult {
  const exercised = checked > 0;
  return {
    outcome: exercised ? 'unknown' : 'not-exercised',
    count: 0,
    checked,
    reason: exercised ? 'not built' : null,
    permittedBy: null,
    witnesses: [],
  };
}

/** How often each kind of obligation arose. */
interface Facts {
  /** Transactions that did not certainly fail, and did something. */
  readonly transactions: number;
  readonly sendingTransactions: number;
  /** Those that commit group offsets. */
  readonly offsetTransactions: number;
  /** Proved or possible inputs of the header's transforms: sends that did not fail. */
  readonly owed: number;
  /** The same, of transforms that owe a fold; a fold's results by window are finals or revisions. */
  readonly folds: number;
  readonly finals: number;
  readonly revisions: number;
  readonly states: number;
}

function gather(history: History): Facts {
  const { ops } = history;
  const { sending, reading } = transactionalOps(history);
  const committing = offsetTransactions(history);
  const facts = { transactions: 0, sendingTransactions: 0 };
  let offsetTransactionCount = 0;
  ops.kind.forEach((kind, op) => {
    if (kind !== opKinds.txn || ops.status[op] === opStatus.fail) return;
    const sends = sending[op] === 1;
    const reads = reading[op] === 1;
    const commits = committing.has(op);
    if (sends || reads || commits) facts.transactions++;
    if (sends) facts.sendingTransactions++;
    if (commits) offsetTransactionCount++;
  });
  return {
    ...facts,
    offsetTransactions: offsetTransactionCount,
    states: history.rare.filter(({ f, op }) => f === 'state' && mayHold(history, op)).length,
    ...owedByTransforms(history),
  };
}

function mayHold(history: History, op: number): boolean {
  return history.ops.status[op] !== opStatus.fail;
}

function transactionalOps(history: History) {
  const sending = new Uint8Array(history.ops.count);
  const reading = new Uint8Array(history.ops.count);
  for (const { sends, reads } of history.logs) {
    for (const op of sends.op) sending[op] = 1;
    for (const op of reads.op) reading[op] = 1;
  }
  return { sending, reading };
}

/** Transactions that name group offsets in what was invoked, attempted or completed. */
function offsetTransactions(history: History): ReadonlySet<number> {
  const found = new Set<number>();
  for (const operation of history.rare) {
    if (operation.f === 'txn' && namesOffsets(operation)) found.add(operation.op);
  }
  return found;
}

function namesOffsets({ invoked, completed }: RareOperation): boolean {
  return [invoked.value, completed?.value].some(
    (value) =>
      Array.isArray(value) &&
      (value as readonly unknown[]).some((micro) => Array.isArray(micro) && micro[0] === 'offsets'),
  );
}

/** What the format makes sure of. */
interface Transform {
  readonly input: string;
  readonly owes: string | { readonly mode?: string; readonly windowMs?: number };
}

function owedByTransforms(history: History) {
  const owed = { owed: 0, folds: 0, finals: 0, revisions: 0 };
  const inputs = new Map<string, number>();
  for (const { topic, sends, reads, audited } of history.logs) {
    let count = inputs.get(topic) ?? 0;
    for (let row = 0; row < sends.count; row++) if (mayHold(history, sends.op[row]!)) count++;
    // An input that nobody here wrote is known by what was seen of it.
    if (sends.count === 0) count += Math.max(reads.count, audited.count);
    inputs.set(topic, count);
  }
  for (const { input, owes } of (history.header.transforms ?? []) as readonly Transform[]) {
    const count = inputs.get(input) ?? 0;
    owed.owed += count;
    if (typeof owes === 'string') continue;
    owed.folds += count;
    if (owes.windowMs === undefined) continue;
    if (owes.mode === 'final') owed.finals += count;
    else owed.revisions += count;
  }
  return owed;
}
