/** The shape of the result document (DESIGN.md section 5): what is written or printed is parsed by this first. */
import { z } from 'zod';
import { OrdealError } from '../core/errors.ts';
import { anomalyNames, claimNames } from '../spi/verdict.ts';
import type { AnomalyName, ClaimName, ResultDocument } from '../spi/verdict.ts';

const count = z.number().int().nonnegative();

const witness = z.looseObject({
  operations: z.array(count).min(1),
  log: z.string().optional(),
  offset: count.optional(),
  value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  layer: z.enum(['client', 'broker', 'processor', 'unknown']),
  explanation: z.string().min(1),
});

const anomaly = z
  .strictObject({
    outcome: z.enum(['found', 'absent', 'unknown', 'not-exercised']),
    count,
    checked: count,
    reason: z.string().min(1).nullable(),
    permittedBy: z.string().min(1).nullable(),
    witnesses: z.array(witness),
  })
  .superRefine((result, context) => {
    const say = (message: string): void => {
      context.addIssue({ code: 'custom', message });
    };
    if ((result.outcome === 'found') !== result.count > 0) say('count is positive iff found');
    if (result.witnesses.length > result.count) say('more witnesses than instances');
    if (result.outcome === 'found' && result.witnesses.length === 0) say('found without a witness');
    if (result.outcome === 'unknown' && result.reason === null) say('unknown without a reason');
    if (result.outcome === 'absent' && result.checked === 0) say('absent without an obligation');
  });

const claim = z.strictObject({
  outcome: z.enum(['refuted', 'proved', 'unknown', 'not-exercised']),
  demanded: z.boolean(),
  anomalies: z.array(z.enum(anomalyNames as [AnomalyName, ...AnomalyName[]])).min(1),
});

const sends = z.strictObject({
  invoked: count,
  acknowledged: count,
  failed: count,
  uncertain: count,
  resolvedWritten: count,
  resolvedAbsent: count,
  unresolved: count,
  audited: count,
});

const coverage = z.strictObject({
  operations: count,
  events: count,
  durationMs: z.number().nonnegative(),
  sends,
  polls: z.strictObject({ ok: count, failed: count, uncertain: count, records: count }),
  audits: z.strictObject({ chunks: count, scans: count, completeScans: count, records: count }),
  transactions: z.strictObject({
    committed: count,
    aborted: count,
    uncertain: count,
    fenced: count,
  }),
  rebalances: count,
  leaderChanges: count,
  faults: z.record(
    z.string(),
    z.strictObject({ injected: count, tookEffect: count, healed: count }),
  ),
  eventLoopDelayMs: z
    .strictObject({ max: z.number().nonnegative(), p99: z.number().nonnegative() })
    .nullable(),
  abandonedCalls: z.strictObject({ total: count, unsettled: count }).nullable(),
  warnings: z.array(z.string()),
});

/** Every claim and every anomaly is present, whatever the history exercised. */
export const resultSchema = z.strictObject({
  format: z.literal(1),
  valid: z.union([z.boolean(), z.literal('unknown')]),
  reasons: z.array(z.string().min(1)),
  claims: z.strictObject(
    Object.fromEntries(claimNames.map((name) => [name, claim])) as Record<ClaimName, typeof claim>,
  ),
  anomalies: z.strictObject(
    Object.fromEntries(anomalyNames.map((name) => [name, anomaly])) as Record<
      AnomalyName,
      typeof anomaly
    >,
  ),
  coverage,
});

/**
 * Checks a document against the schema before anything is written or printed.
 * @throws OrdealError INTERNAL naming the first offending field.
 */
export function assertResultDocument(document: ResultDocument): void {
  const parsed = resultSchema.safeParse(document);
  if (parsed.success) return;
  const issue = parsed.error.issues[0];
  throw new OrdealError(
    'INTERNAL',
    `the result document breaks its own schema at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? '?'}`,
    'this is a defect of ordeal: please report it with the history file',
  );
}
