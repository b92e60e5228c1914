/** The flags of `ordeal test`: texts outside, complete and checked inside. Parsed once; nothing later has defaults. */
import { z } from 'zod';
import { OrdealError } from '../core/errors.ts';
import { formatDurationMs, parseDurationMs } from '../core/units.ts';
import { claimNames } from '../spi/verdict.ts';
import { closestName, unknownName } from '../core/suggestion.ts';

/** The clusters that DESIGN.md names; only docker is built. */
const clusters = ['docker', 'simulated', 'external'];
const reporters = ['text', 'json'];

/** What is taken where a flag is absent, as one would type it. */
export const flagDefaults = {
  cluster: 'docker',
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
export const fixedByScenario = [
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

const text = z.string();
/** A week: the schedule of faults is drawn for the whole length before the start. */
const durationMsMax = 7 * 24 * 3_600_000;
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
const integer = (flag: string, low: number, high: number) =>
  text.transform((given) => parseInteger(given, flag, low, high));
const choice = <T extends string>(flag: string, known: readonly T[]) =>
  text.transform((given): T => {
    const found = known.find((name) => name === given);
    if (found === undefined) throw unknownName(flag, given, known);
    return found;
  });

const nemesisNames = text.transform((given) => parseNames(given, '--nemesis'));

const flagSchema = z.strictObject({
  cluster: text.default(flagDefaults.cluster).transform(parseCluster),
  workload: text.default(flagDefaults.workload),
  scenario: text.nullable().default(null),
  control: z.boolean().default(false),
  nemesis: nemesisNames.prefault(flagDefaults.nemesis),
  nemesisInterval: duration('--nemesis-interval').prefault(flagDefaults.nemesisInterval),
  timeLimit: duration('--time-limit').prefault(flagDefaults.timeLimit),
  rate: integer('--rate', 1, 100_000).prefault(flagDefaults.rate),
  concurrency: integer('--concurrency', 1, 1_000).prefault(flagDefaults.concurrency),
  topics: integer('--topics', 1, 100).prefault(flagDefaults.topics),
  partitions: integer('--partitions', 1, 100).prefault(flagDefaults.partitions),
  seed: text.transform(parseSeed).optional(),
  claims: text
    .transform((given) => parseClaims(given))
    .nullable()
    .default(null),
  image: text.min(1).nullable().default(null),
  brokerVersion: text.prefault(flagDefaults.brokerVersion).transform(parseVersion),
  operationTimeout: duration('--operation-timeout').prefault(flagDefaults.operationTimeout),
  recoveryTimeout: duration('--recovery-timeout').prefault(flagDefaults.recoveryTimeout),
  store: text.min(1).default(flagDefaults.store),
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
  const parsed = flagSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    throw unknownName('option', issue.keys[0] ?? '', Object.keys(flagSchema.shape));
  }
  const flag = flagName(String(issue?.path[0] ?? ''));
  throw new OrdealError(
    'BAD_ARGUMENT',
    `${flag}: ${issue?.message ?? 'not understood'}`,
    'see ordeal test --help',
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

function parseCluster(given: string): 'docker' {
  if (given === 'docker') return given;
  if (clusters.includes(given)) {
    throw new OrdealError(
      'UNSUPPORTED',
      `--cluster ${given} is not built yet: it comes with a later step of this project`,
      'use --cluster docker, the default until then',
    );
  }
  const closest = closestName(given, clusters);
  throw new OrdealError(
    'BAD_ARGUMENT',
    `--cluster: there is no "${given}"`,
    closest === null ? 'use --cluster docker' : `did you mean "${closest}"?`,
  );
}
