/** A complete result document in which nothing was exercised, and ways to vary it. */
import { anomalyNames, claimNames, claims } from '../../../src/spi/verdict.ts';
import type {
  AnomalyName,
  AnomalyResult,
  ClaimName,
  ClaimResult,
  Coverage,
  ResultDocument,
} from '../../../src/spi/verdict.ts';

const emptyCoverage: Coverage = {
  operations: 0,
  events: 0,
  durationMs: 0,
  sends: {
    invoked: 0,
    acknowledged: 0,
    failed: 0,
    uncertain: 0,
    resolvedWritten: 0,
    resolvedAbsent: 0,
    unresolved: 0,
    audited: 0,
  },
  polls: { ok: 0, failed: 0, uncertain: 0, records: 0 },
  audits: { chunks: 0, scans: 0, completeScans: 0, records: 0 },
  transactions: { committed: 0, aborted: 0, uncertain: 0, fenced: 0 },
  rebalances: 0,
  leaderChanges: 0,
  faults: {},
  eventLoopDelayMs: null,
  abandonedCalls: null,
  warnings: [],
};

const untouched: AnomalyResult = {
  outcome: 'not-exercised',
  count: 0,
  checked: 0,
  reason: null,
  permittedBy: null,
  witnesses: [],
};

export interface Variation {
  readonly valid?: ResultDocument['valid'];
  readonly reasons?: readonly string[];
  readonly anomalies?: Partial<Record<AnomalyName, Partial<AnomalyResult>>>;
  readonly claims?: Partial<Record<ClaimName, Partial<ClaimResult>>>;
  readonly coverage?: Partial<Coverage>;
}

export function sampleDocument(variation: Variation = {}): ResultDocument {
  return {
    format: 1,
    valid: variation.valid ?? 'unknown',
    reasons: variation.reasons ?? ['nothing in this history exercises any claim'],
    claims: Object.fromEntries(
      claimNames.map((name) => [
        name,
        {
          outcome: 'not-exercised',
          demanded: false,
          anomalies: claims[name],
          ...variation.claims?.[name],
        },
      ]),
    ) as unknown as ResultDocument['claims'],
    anomalies: Object.fromEntries(
      anomalyNames.map((name) => [name, { ...untouched, ...variation.anomalies?.[name] }]),
    ) as unknown as ResultDocument['anomalies'],
    coverage: { ...emptyCoverage, ...variation.coverage },
  };
}

/** A run that lost three acknowledged sends under acks=1. */
export const lossyDocument = sampleDocument({
  valid: false,
  reasons: ['durability is refuted: lost-write found 3 times, which the setting acks permits'],
  claims: { durability: { outcome: 'refuted', demanded: true } },
  anomalies: {
    'lost-write': {
      outcome: 'found',
      count: 3,
      checked: 18_202,
      permittedBy: 'acks',
      witnesses: [
        {
          operations: [417, 90_211],
          log: 'orders/0',
          offset: 412,
          value: 17,
          layer: 'broker',
          explanation: 'p0#17 was acknowledged at offset 412 and is in no scan.',
        },
      ],
    },
    'scan-divergence': { outcome: 'absent', checked: 9 },
    'truncated-read': { outcome: 'unknown', checked: 4, reason: 'no complete scan of orders/1' },
  },
  coverage: {
    events: 1_234_567,
    operations: 2,
    durationMs: 61_000,
    faults: { kill: { injected: 3, tookEffect: 2, healed: 3 } },
    eventLoopDelayMs: { max: 12.34, p99: 3.1 },
    abandonedCalls: { total: 3, unsettled: 1 },
    warnings: ['the last line was torn'],
  },
});
