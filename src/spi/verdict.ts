/** Verdicts as data (DESIGN.md section 5): outcomes of anomalies, claims, and the result document. */

import type { AuditView, RawBatch, Scalar } from '../history/event.ts';

/** Every claim and its anomalies; each anomaly stands in one claim. Order is the order of reports. */
export const claims = {
  durability: ['lost-write', 'truncated-read', 'scan-divergence'],
  integrity: ['inconsistent-offsets', 'phantom', 'future-read', 'corrupt-record'],
  'no-duplicates': ['duplicate'],
  ordering: [
    'real-time-inversion',
    'nonmonotonic-send',
    'int-nonmonotonic-send',
    'nonmonotonic-poll',
    'int-nonmonotonic-poll',
    'poll-skip',
    'int-poll-skip',
    'key-moved',
    'key-reordered',
  ],
  isolation: [
    'aborted-read',
    'precommitted-read',
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
  ],
  atomicity: ['torn-transaction', 'offsets-not-atomic', 'zombie-commit', 'hanging-transaction'],
  'group-delivery': [
    'commit-regression',
    'group-skip',
    'stale-commit',
    'double-ownership',
    'key-processed-out-of-order',
  ],
  'exactly-once': [
    'processed-twice',
    'processed-never',
    'processed-early',
    'output-reordered',
    'wrong-fold',
    'wrong-state',
  ],
  compaction: ['compaction-lost-key', 'compaction-resurrected-key'],
  completeness: ['incomplete-final', 'final-twice', 'wrong-revision'],
  recovery: ['not-recovered'],
} as const;

export type ClaimName = keyof typeof claims;
export type AnomalyName = (typeof claims)[ClaimName][number];

export const claimNames = Object.keys(claims) as ClaimName[];
export const anomalyNames: readonly AnomalyName[] = Object.values(claims).flat();

export type AnomalyOutcome = 'found' | 'absent' | 'unknown' | 'not-exercised';
export type ClaimOutcome = 'refuted' | 'proved' | 'unknown' | 'not-exercised';
export type Layer = 'client' | 'broker' | 'processor' | 'unknown';
export type Valid = boolean | 'unknown';

/**
 * The smallest set of operations that shows an anomaly. `operations` are event indexes: of the completion, or of the
 * invocation where there is none. Witness kinds may carry more data for certify and for the explanation.
 */
export interface Witness {
  readonly operations: readonly number[];
  readonly log?: string;
  readonly offset?: number;
  readonly value?: string | number | boolean | null;
  readonly layer: Layer;
  /** Plain English: who wrote what when, who saw what, why no completion of an uncertain operation explains it. */
  readonly explanation: string;
  /** What stands around it; absent where it names no offset. */
  readonly surroundings?: Surroundings;
  readonly [detail: string]: unknown;
}

/** The raw log beside the delivered view at a witness's offset, and what nobody knows of its log. */
export interface Surroundings {
  /** Batches near the offset in the last raw scan that speaks of it; null: none does. `replica` null: the leader. */
  readonly raw: { readonly replica: number | null; readonly batches: readonly RawBatch[] } | null;
  /** Records near the offset in the last committed scan (else uncommitted) that speaks of it. */
  readonly delivered: {
    readonly view: AuditView;
    readonly scan: string;
    readonly replica: number | null;
    readonly records: readonly (readonly [offset: number, value: Scalar])[];
  } | null;
  /** Uncertain sends to the log, invoked before the witness ended, that nobody ever saw: how many, and the first. */
  readonly uncertain: { readonly count: number; readonly operations: readonly number[] };
}

export interface AnomalyResult {
  readonly outcome: AnomalyOutcome;
  /** Exact number of instances found. */
  readonly count: number;
  /** Number of obligations that arose (discharged and open). */
  readonly checked: number;
  /** Why it is unknown and what would decide it; null otherwise. */
  readonly reason: string | null;
  /** The setting that permits what was found, or null. */
  readonly permittedBy: string | null;
  /** At most `witnessesMax` of them, the earliest first. */
  readonly witnesses: readonly Witness[];
}

export interface ClaimResult {
  readonly outcome: ClaimOutcome;
  readonly demanded: boolean;
  readonly anomalies: readonly AnomalyName[];
}

export interface ResultDocument {
  readonly format: 1;
  readonly valid: Valid;
  /** Why `valid` is not true, in one or a few sentences; empty when it is. */
  readonly reasons: readonly string[];
  readonly claims: Readonly<Record<ClaimName, ClaimResult>>;
  readonly anomalies: Readonly<Record<AnomalyName, AnomalyResult>>;
  readonly coverage: Coverage;
}

export interface SendCoverage {
  readonly invoked: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Info and open. */
  readonly uncertain: number;
  /** Of the uncertain ones, those that a reader or scan saw, those a complete later scan proves absent, and the rest. */
  readonly resolvedWritten: number;
  readonly resolvedAbsent: number;
  readonly unresolved: number;
  /** Acknowledged sends that a complete scan invoked after the acknowledgement covered. */
  readonly audited: number;
}

export interface FaultCoverage {
  readonly injected: number;
  readonly tookEffect: number;
  readonly healed: number;
}

/** What the run exercised: without it a green verdict means nothing. */
export interface Coverage {
  readonly operations: number;
  readonly events: number;
  readonly durationMs: number;
  readonly sends: SendCoverage;
  readonly polls: {
    readonly ok: number;
    readonly failed: number;
    readonly uncertain: number;
    readonly records: number;
  };
  readonly audits: {
    readonly chunks: number;
    readonly scans: number;
    readonly completeScans: number;
    readonly records: number;
  };
  readonly transactions: {
    readonly committed: number;
    readonly aborted: number;
    readonly uncertain: number;
    readonly fenced: number;
  };
  readonly rebalances: number;
  readonly leaderChanges: number;
  /** By kind of fault: the f of its operation. */
  readonly faults: Readonly<Record<string, FaultCoverage>>;
  /** The harness's own event-loop delay, ms, as recorded on real clusters; null where it was not. */
  readonly eventLoopDelayMs: { readonly max: number; readonly p99: number } | null;
  /** Producers retired with calls still open, and how many of those calls had not settled when the drain's bound passed. */
  readonly abandonedCalls: { readonly total: number; readonly unsettled: number } | null;
  readonly warnings: readonly string[];
}
