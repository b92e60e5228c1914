/** The flags of `ordeal test`: texts outside, complete and checked inside. Parsed once; nothing later has defaults. */
import { z } from 'zod';
import { OrdealError } from '../core/errors.ts';
import { formatDurationMs, parseDurationMs } from '../core/units.ts';
import { claimNames } from '../spi/verdict.ts';
import { unknownName } from '../core/suggestion.ts';
import type { ClusterKind } from '../run/options.ts';
import { swarmKinds } from './swarm.ts';

/** The clusters that DESIGN.md names; external is not built. */
const clusters = ['simulated', 'docker', 'external'] as const;
const reporters = ['text', 'json'];

/** Seeds that are drawn stay short enough to read aloud. */
export const drawnSeedsMax = 1_000_000_000;

/** What is taken where a flag is absent, as one would type it. */
export const flagDefaults = {
  cluster: 'simulated',
  workload: 'log',
  nemesis: 'all',
  nemesisInterval: '10s',
  timeLimit: '60s',
  rate: '100',
  concurrency: '5',
  topics: '1',
  partitions: '3',
  brokerVersion: '4.1.1',
  operationTimeout: '5s',
  recoveryTimeout: '60s',
  store: 'store',
  reporter: 'text',
  testCount: '1',
} as const;

/** Flags whose values a scenario fixes: giving both is a contradiction. */
const fixedByScenario = [
  'workload',
  'nemesis',
  'nemesisInterval',
  'timeLimit',
  'rate',
  'concurrency',
  'topics',
  'partitions',
  'claims',
  'operationTimeout',
] as const;

/** A swarm's seed decides what a scenario does, and the bounds too. */
const fixedBySwarm = [...fixedByScenario, 'recoveryTimeout', 'scenario', 'control'] as const;

/** What only containers have, and what only the model has. */
const dockerOnly = ['image', 'brokerVersion', 'leaveRunning'] as const;
const simulatedOnly = ['defect', 'swarm'] as const;

const text = z.string();
/** A week: the schedule of faults is drawn for the whole length before the start. */
export const durationMsMax = 7 * 24 * 3_600_000;
const duration = (flag: string) =>
  text.transform((given) => {
    const durationMs = parseDurationMs(given, flag);
    if (durationMs <= durationMsMax) return durationMs;
    throw new OrdealError(
      'BAD_ARGUMENT',
      `${flag}: ${given} is longer than ${formatDurationMs(durationMsMax)}`,
      'write at most 168h; for longer tests use --test-count',
    );
  });
/** Both ends included. Options that are read from a file have them too. */
export const integerBounds = {
  rate: [1, 100_000],
  concurrency: [1, 1_000],
  topics: [1, 100],
  partitions: [1, 100],
} as const;
const integer = (flag: string, low: number, high: number) =>
  text.transform((given) => parseInteger(given, flag, low, high));
const choice = <T extends string>(flag: string, known: readonly T[]) =>
  text.transform((given): T => {
    const found = known.find((name) => name === given);
    if (found === undefined) throw unknownName(flag, given, known);
    return found;
  });

const notEmpty = text.min(1, 'is empty: name something, or leave the flag out');
const nemesisNames = text.transform((given) => parseNames(given, '--nemesis'));

const flagSchema = z.strictObject({
  cluster: text.default(flagDefaults.cluster).transform(parseCluster),
  workload: text.default(flagDefaults.workload),
  scenario: text.nullable().default(null),
  control: z.boolean().default(false),
  swarm: choice('--swarm', swarmKinds).nullable().default(null),
  defect: text.transform((given) => parseNames(given, '--defect')).default([]),
  nemesis: nemesisNames.prefault(flagDefaults.nemesis),
  nemesisInterval: duration('--nemesis-interval').prefault(flagDefaults.nemesisInterval),
  timeLimit: duration('--time-limit').prefault(flagDefaults.timeLimit),
  rate: integer('--rate', ...integerBounds.rate).prefault(flagDefaults.rate),
  concurrency: integer('--concurrency', ...integerBounds.concurrency).prefault(
    flagDefaults.concurrency,
  ),
  topics: integer('--topics', ...integerBounds.topics).prefault(flagDefaults.topics),
  partitions: integer('--partitions', ...integerBounds.partitions).prefault(
    flagDefaults.partitions,
  ),
  seed: text.transform(parseSeed).optional(),
  claims: text
    .transform((given) => parseClaims(given))
    .nullable()
    .default(null),
  image: notEmpty.nullable().default(null),
  brokerVersion: text.prefault(flagDefaults.brokerVersion).transform(parseVersion),
  operationTimeout: duration('--operation-timeout').prefault(flagDefaults.operationTimeout),
  recoveryTimeout: duration('--recovery-timeout').prefault(flagDefaults.recoveryTimeout),
  store: notEmpty.default(flagDefaults.store),
  json: z.boolean().default(false),
  reporter: choice('--reporter', reporters).prefault(flagDefaults.reporter),
  leaveRunning: z.boolean().default(false),
  testCount: integer('--test-count', 1, 10_000).prefault(flagDefaults.testCount),
});

export type TestFlags = z.output<typeof flagSchema>;

/**
 * Parses what the command line gave: only the flags that were typed, by their names in camel case.
 * @throws OrdealError BAD_ARGUMENT or UNSUPPORTED naming the flag.
 */
export function parseFlags(given: Readonly<Record<string, unknown>>): TestFlags {
  const flags = parseWith(flagSchema, given, 'test');
  refuseForeign(given, flags.cluster);
  return flags;
}

/** The flags of `ordeal explore`. */
export const exploreFlagShape = {
  seed: text.transform(parseSeed).optional(),
  runs: integer('--runs', 1, 100_000_000).prefault('100'),
  swarm: choice('--swarm', swarmKinds).prefault('promising'),
  defect: text.transform((given) => parseNames(given, '--defect')).default([]),
  threads: integer('--threads', 1, 256).optional(),
  stopFirst: z.boolean().default(false),
  countAll: z.boolean().default(false),
  keep: notEmpty.nullable().default(null),
  hash: z.boolean().default(false),
  json: z.boolean().default(false),
};

/** @throws OrdealError BAD_ARGUMENT naming the flag. */
export function parseWith<T extends z.ZodObject>(
  schema: T,
  given: Readonly<Record<string, unknown>>,
  command: string,
): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    throw unknownName('option', issue.keys[0] ?? '', Object.keys(schema.shape));
  }
  const flag = flagName(String(issue?.path[0] ?? ''));
  throw new OrdealError(
    'BAD_ARGUMENT',
    `${flag}: ${issue?.message ?? 'not understood'}`,
    `see ordeal ${command} --help`,
  );
}

/** Flags that the chosen cluster cannot follow are refused, not ignored. */
function refuseForeign(given: Readonly<Record<string, unknown>>, cluster: ClusterKind): void {
  const foreign = (cluster === 'simulated' ? dockerOnly : simulatedOnly).find(
    (flag) => given[flag] !== undefined,
  );
  if (foreign === undefined) return;
  const other = cluster === 'simulated' ? 'docker' : 'simulated';
  throw new OrdealError(
    'BAD_ARGUMENT',
    `${flagName(foreign)} is for --cluster ${other}, and this run is on the ${cluster} one`,
    `add --cluster ${other}, or leave ${flagName(foreign)} out`,
  );
}

/**
 * @param name which scenario, or which kind of swarm.
 * @throws OrdealError BAD_ARGUMENT if a flag was typed whose value is decided by `by`.
 */
export function refuseFixed(
  given: readonly string[],
  by: 'scenario' | 'swarm',
  name: string,
): void {
  const flags: readonly string[] = by === 'scenario' ? fixedByScenario : fixedBySwarm;
  const fixed = flags.find((flag) => given.includes(flag));
  if (fixed === undefined) return;
  const why = by === 'scenario' ? `the scenario ${name} fixes it` : 'the seed decides it';
  throw new OrdealError(
    'BAD_ARGUMENT',
    `${flagName(fixed)} cannot be given with ${flagName(by)}: ${why}`,
    `leave ${flagName(fixed)} out, or leave ${flagName(by)} out`,
  );
}

/** `timeLimit` as it is typed: `--time-limit`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A comma-separated list of claims. */
export function parseClaims(given: string): readonly string[] {
  const names = parseNames(given, '--claims');
  for (const name of names) {
    if (!(claimNames as readonly string[]).includes(name)) {
      throw unknownName('--claims', name, claimNames);
    }
  }
  return names;
}

function parseNames(given: string, flag: string): readonly string[] {
  const names = given.split(',').map((name) => name.trim());
  if (names.includes('')) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `${flag}: "${given}" has an empty name`,
      'write names with commas between them, for example a,b',
    );
  }
  return [...new Set(names)];
}

function parseInteger(given: string, flag: string, low: number, high: number): number {
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isNaN(value) || value < low || value > high) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `${flag}: "${given}" is not a whole number from ${low} to ${high}`,
      `give a whole number from ${low} to ${high}`,
    );
  }
  return value;
}

/** Seeds are decimal integers, so that `--test-count` can count up from one. */
function parseSeed(given: string): string {
  if (/^\d{1,18}$/.test(given)) return BigInt(given).toString();
  throw new OrdealError(
    'BAD_ARGUMENT',
    `--seed: "${given}" is not a whole number of at most 18 digits`,
    'give a whole number, or leave --seed out to have one drawn',
  );
}

function parseVersion(given: string): string {
  if (/^\d+\.\d+\.\d+$/.test(given)) return given;
  throw new OrdealError(
    'BAD_ARGUMENT',
    `--broker-version: "${given}" is not a version`,
    'write three numbers, for example 4.1.1; use --image for anything else',
  );
}

/** @throws OrdealError BAD_ARGUMENT, or UNSUPPORTED for one that is not built. */
export function parseCluster(given: string): ClusterKind {
  const found = clusters.find((name) => name === given);
  if (found === undefined) throw unknownName('--cluster', given, clusters);
  if (found !== 'external') return found;
  throw new OrdealError(
    'UNSUPPORTED',
    `--cluster ${found} is not built yet: it comes with a later step of this project`,
    'use --cluster simulated, the default, or --cluster docker',
  );
}
