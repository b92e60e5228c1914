/** The result document as text: keys in one fixed order, so that equal verdicts are equal bytes. */
import { assert } from '../core/assert.ts';
import { anomalyNames, claimNames } from '../spi/verdict.ts';
import type { ResultDocument, Witness } from '../spi/verdict.ts';
import { assertResultDocument } from './schema.ts';

/**
 * The bytes of results.json, and of what `ordeal check --json` prints: two spaces of indentation, one final newline.
 * @throws OrdealError INTERNAL if the document breaks its schema.
 */
export function renderJson(document: ResultDocument): string {
  assertResultDocument(document);
  return `${JSON.stringify(orderDocument(document), null, 2)}\n`;
}

/** The same data with every key in its place; keys that only some witnesses have come last, sorted. */
export function orderDocument(document: ResultDocument): ResultDocument {
  const { coverage } = document;
  return {
    format: document.format,
    valid: document.valid,
    reasons: document.reasons,
    claims: recordOf(claimNames, (name) => {
      const { outcome, demanded, anomalies } = document.claims[name];
      return { outcome, demanded, anomalies };
    }),
    anomalies: recordOf(anomalyNames, (name) => {
      const result = document.anomalies[name];
      const { outcome, count, checked, reason, permittedBy } = result;
      const witnesses = result.witnesses.map(orderWitness);
      return { outcome, count, checked, reason, permittedBy, witnesses };
    }),
    coverage: {
      operations: coverage.operations,
      events: coverage.events,
      durationMs: coverage.durationMs,
      sends: sortKeysLike(coverage.sends, sendKeys),
      polls: sortKeysLike(coverage.polls, ['ok', 'failed', 'uncertain', 'records']),
      audits: sortKeysLike(coverage.audits, ['chunks', 'scans', 'completeScans', 'records']),
      transactions: sortKeysLike(coverage.transactions, [
        'committed',
        'aborted',
        'uncertain',
        'fenced',
      ]),
      rebalances: coverage.rebalances,
      leaderChanges: coverage.leaderChanges,
      faults: recordOf(Object.keys(coverage.faults).sort(), (kind) => {
        const fault = coverage.faults[kind];
        assert(fault !== undefined, 'a key of an object has a value');
        return sortKeysLike(fault, ['injected', 'tookEffect', 'healed']);
      }),
      eventLoopDelayMs: orNull(coverage.eventLoopDelayMs, ['max', 'p99']),
      abandonedCalls: orNull(coverage.abandonedCalls, ['total', 'unsettled']),
      warnings: coverage.warnings,
    },
  };
}

function orNull<T extends object>(value: T | null, keys: readonly string[]): T | null {
  return value === null ? null : sortKeysLike(value, keys);
}

const sendKeys = [
  'invoked',
  'acknowledged',
  'failed',
  'uncertain',
  'resolvedWritten',
  'resolvedAbsent',
  'unresolved',
  'audited',
];

const witnessKeys = ['operations', 'log', 'offset', 'value', 'layer', 'explanation'];

function orderWitness(witness: Witness): Witness {
  return sortKeysLike(witness, witnessKeys);
}

function recordOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}

/** First the keys of `first` that exist, in that order, then the others sorted by code unit. */
function sortKeysLike<T extends object>(value: T, first: readonly string[]): T {
  const others = Object.keys(value)
    .filter((key) => !first.includes(key))
    .sort((a, b) => (a < b ? -1 : 1));
  const keys = [...first.filter((key) => Object.hasOwn(value, key)), ...others];
  return Object.fromEntries(keys.map((key) => [key, value[key as keyof T]])) as T;
}
