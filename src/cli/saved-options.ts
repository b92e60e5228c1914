/** Reads back what a run directory says was decided: the same options again, checked as strictly as flags. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { OrdealError, describeError } from '../core/errors.ts';
import { closestName } from '../core/suggestion.ts';
import { optionsFile, scheduleFile } from '../run/decisions.ts';
import type { RunOptions } from '../run/options.ts';
import type { Role, ScheduledFault } from '../spi/nemesis.ts';
import { defectsNamed, registries } from './registries.ts';

const count = z.int().nonnegative();
const positive = z.int().positive();
const range = z.tuple([count, count]).readonly();
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
]);

const schedule: z.ZodType<readonly ScheduledFault[]> = z.array(
  z.strictObject({
    id: z.string().min(1),
    nemesis: z.string(),
    atMs: count,
    durationMs: count,
    // A nemesis may keep details of its own in the plan.
    plan: z.looseObject({ target: role, variant: z.string() }),
  }),
);

const simulated = z.strictObject({
  profile: z.strictObject({
    latencyUs: range,
    lossPerMillion: count.max(1_000_000),
    driftPpmMax: count,
    serviceUs: range,
    startMs: range,
    flushMs: count,
  }),
  defects: z.array(z.string()),
});

const optionsObject = z.strictObject({
  test: z.string().regex(/^[\w.-]+$/, 'expected letters, digits, ".", "_" and "-"'),
  cluster: z.enum(['simulated', 'docker']),
  workload: z.string(),
  seed: z.string(),
  faults: z.array(z.string()),
  nemesisIntervalMs: count,
  schedule,
  limits: z.strictObject({
    setUpMs: positive,
    faultsMs: count,
    healMs: positive,
    recoveryMs: positive,
    drainMs: positive,
    auditMs: positive,
    tearDownMs: positive,
  }),
  ratePerSecond: positive,
  concurrency: positive,
  topics: positive,
  partitions: positive,
  producer: z.strictObject({
    acks: z.union([z.literal('all'), z.literal(0), z.literal(1)]),
    idempotent: z.boolean(),
    requestTimeoutMs: positive,
    retriesMax: count,
    operationTimeoutMs: positive,
  }),
  sends: z.strictObject({
    recordsPerSendMax: positive,
    partition: z.enum(['explicit', 'client']),
    afterFailure: z.enum(['replace', 'continue']),
    sharedBy: positive,
  }),
  topicConfig: z.record(z.string(), z.string()),
  claims: z.array(z.string()).nullable(),
  config: z.record(z.string(), z.unknown()),
  simulated: simulated.nullable(),
  image: z.string().nullable(),
  brokerVersion: z.string(),
  leaveRunning: z.boolean(),
});

const optionsSchema: z.ZodType<RunOptions> = optionsObject;

/**
 * The options of a run directory. Where options.json and schedule.json differ, the schedule is that of schedule.json.
 * @throws OrdealError NO_SUCH_FILE; BAD_ARGUMENT naming file and field; UNSUPPORTED for a workload or nemesis that this
 * version does not know.
 */
export async function readSavedOptions(directory: string): Promise<RunOptions> {
  const optionsPath = join(directory, optionsFile);
  const options = parse(optionsSchema, await readJson(optionsPath), optionsPath);
  const schedulePath = join(directory, scheduleFile);
  const saved = {
    ...options,
    schedule: parse(schedule, await readJson(schedulePath), schedulePath),
  };
  refuseUnknown(saved, optionsPath);
  return saved;
}

/** Whether a path is a directory with options: those that sliced histories have hold none. */
export async function hasSavedOptions(path: string): Promise<boolean> {
  return stat(join(path, optionsFile)).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new OrdealError(
      'NO_SUCH_FILE',
      `${path}: cannot be opened: ${describeError(cause)}`,
      'name the directory of a run, store/<test>/<time>: it holds options.json and schedule.json',
      { cause },
    );
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw unfit(path, `not JSON: ${describeError(thrown)}`);
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  const place = field === '' ? path : `${path}: ${field}`;
  if (issue?.code !== 'unrecognized_keys') {
    throw unfit(place, issue?.message ?? 'not understood');
  }
  const key = issue.keys[0] ?? '';
  const closest = closestName(key, Object.keys(optionsObject.shape));
  const hint = closest === null ? '' : `; did you mean "${closest}"?`;
  throw unfit(place, `unknown key "${key}"${hint}`);
}

function unfit(place: string, what: string): OrdealError {
  return new OrdealError(
    'BAD_ARGUMENT',
    `${place}: ${what}`,
    'name a run directory that this version of ordeal wrote, or correct the file',
  );
}

/** Names are checked here, where they come in; later code relies on them. */
function refuseUnknown(options: RunOptions, path: string): void {
  const { workload, schedule: faults, cluster, simulated: model } = options;
  if (!registries.workloads.has(workload)) throw unfit(path, `no workload is called "${workload}"`);
  const strange = faults.find(({ nemesis }) => !registries.nemeses.has(nemesis));
  if (strange !== undefined) throw unfit(path, `no nemesis is called "${strange.nemesis}"`);
  if ((cluster === 'simulated') !== (model !== null)) {
    throw unfit(path, `simulated: given for the simulated cluster, and only for that`);
  }
  defectsNamed(registries, model?.defects ?? []);
}
