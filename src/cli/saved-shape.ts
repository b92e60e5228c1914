/** The shape of options.json and schedule.json, with the bounds that flags have: nobody's edit may go beyond them. */
import { z } from 'zod';
import type { RunOptions } from '../run/options.ts';
import type { Role, ScheduledFault } from '../spi/nemesis.ts';
import { claimNames } from '../spi/verdict.ts';
import { plainSends } from '../spi/workload.ts';
import { durationMsMax, integerBounds } from './flags.ts';

/** Far beyond what anything draws, and small enough to be borne. */
const timesMax = 1_000_000;
const recordsPerSendMaxMax = 1_000;
/** A minute on the way, or in a broker. */
const delayUsMax = 60_000_000;
/** A clock that gains or loses a tenth. */
const driftPpmMaxMax = 100_000;

const count = z.int().nonnegative();
const positive = z.int().positive();
const time = count.max(durationMsMax);
const duration = positive.max(durationMsMax);
const rangeUpTo = (high: number) =>
  z
    .tuple([count.max(high), count.max(high)])
    .readonly()
    .refine(([low, top]) => low <= top, 'expected the lower number first');
const within = (name: keyof typeof integerBounds) => {
  const [low, high] = integerBounds[name];
  return z.int().min(low).max(high);
};
const log = { topic: z.string(), partition: count };

const role: z.ZodType<Role> = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('node'), node: positive }),
  z.strictObject({ role: z.literal('leader'), ...log }),
  z.strictObject({ role: z.literal('follower'), ...log }),
  z.strictObject({ role: z.literal('controller') }),
  z.strictObject({ role: z.literal('group-coordinator'), key: z.string() }),
  z.strictObject({ role: z.literal('transaction-coordinator'), key: z.string() }),
  z.strictObject({ role: z.literal('minority'), controller: z.enum(['with', 'without']) }),
  z.strictObject({ role: z.literal('majority') }),
  z.strictObject({ role: z.literal('all') }),
  z.strictObject({ role: z.literal('client'), position: z.number().int().nonnegative() }),
]);

export const scheduleSchema: z.ZodType<readonly ScheduledFault[]> = z
  .array(
    z.strictObject({
      id: z.string().min(1),
      nemesis: z.string(),
      atMs: time,
      durationMs: time,
      // A nemesis may keep details of its own in the plan.
      plan: z.looseObject({ target: role, variant: z.string() }),
    }),
  )
  .refine((faults) => new Set(faults.map(({ id }) => id)).size === faults.length, {
    message: 'two faults have the same id',
  });

const simulated = z.strictObject({
  profile: z.strictObject({
    latencyUs: rangeUpTo(delayUsMax),
    lossPerMillion: count.max(1_000_000),
    driftPpmMax: count.max(driftPpmMaxMax),
    serviceUs: rangeUpTo(delayUsMax),
    startMs: rangeUpTo(durationMsMax),
    flushMs: time,
  }),
  defects: z.array(z.string()),
});

const optionsObject = z.strictObject({
  // It names a directory of the store: neither the store itself nor one above, nor the link to the last run.
  test: z
    .string()
    .regex(/^[\w-][\w.-]*$/, 'expected letters, digits, ".", "_" and "-", and no "." at first')
    .max(200)
    .refine((name) => name !== 'latest', '"latest" is the link to the last run'),
  cluster: z.enum(['simulated', 'docker']),
  workload: z.string(),
  // A digit more than flags take: runs count up from a seed.
  seed: z.string().regex(/^(0|[1-9]\d{0,18})$/, 'expected a whole number of at most 19 digits'),
  faults: z.array(z.string()),
  nemesisIntervalMs: duration,
  schedule: scheduleSchema,
  limits: z.strictObject({
    setUpMs: duration,
    faultsMs: time,
    healMs: duration,
    recoveryMs: duration,
    drainMs: duration,
    auditMs: duration,
    tearDownMs: duration,
  }),
  ratePerSecond: within('rate'),
  concurrency: within('concurrency'),
  topics: within('topics'),
  partitions: within('partitions'),
  producer: z.strictObject({
    acks: z.union([z.literal('all'), z.literal(0), z.literal(1)]),
    idempotent: z.boolean(),
    requestTimeoutMs: duration,
    retriesMax: count.max(timesMax),
    operationTimeoutMs: duration,
  }),
  // Version 0.1.0 knew one style of sends and one cluster, and wrote neither down.
  sends: z
    .strictObject({
      recordsPerSendMax: positive.max(recordsPerSendMaxMax),
      partition: z.enum(['explicit', 'client']),
      afterFailure: z.enum(['replace', 'continue']),
      sharedBy: within('concurrency'),
    })
    .default(plainSends),
  topicConfig: z
    .object({
      'min.insync.replicas': z.string().regex(/^[1-9]\d?$/, 'expected a number of replicas'),
      'unclean.leader.election.enable': z.enum(['true', 'false']),
    })
    .catchall(z.string()),
  claims: z.array(z.enum(claimNames)).nullable(),
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  simulated: simulated.nullable().default(null),
  image: z.string().min(1).nullable(),
  brokerVersion: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected three numbers, as in 4.1.1'),
  leaveRunning: z.boolean(),
});

export const optionsSchema: z.ZodType<RunOptions> = optionsObject;
export const optionKeys: readonly string[] = Object.keys(optionsObject.shape);
