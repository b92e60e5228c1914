/** Reads back what a run directory says was decided: the same options again, checked as strictly as flags. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { OrdealError, describeError } from '../core/errors.ts';
import { closestName } from '../core/suggestion.ts';
import { optionsFile, scheduleFile } from '../run/decisions.ts';
import type { RunOptions } from '../run/options.ts';
import type { Role, ScheduledFault } from '../spi/nemesis.ts';
import { nemesesOf, registries, topicsOf } from './registries.ts';
import { headerConfig } from './resolve.ts';
import { optionKeys, optionsSchema, scheduleSchema } from './saved-shape.ts';

/**
 * The options of a run directory. Where options.json and schedule.json differ, the schedule is that of schedule.json, and
 * the kinds of fault are those that it holds.
 * @throws OrdealError NO_SUCH_FILE; BAD_ARGUMENT naming file and field; UNSUPPORTED for a nemesis that the cluster cannot
 * carry out.
 */
export async function readSavedOptions(directory: string): Promise<RunOptions> {
  const optionsPath = join(directory, optionsFile);
  const options = parse(optionsSchema, await readJson(optionsPath), optionsPath);
  refuseUnknown(options, optionsPath);
  const schedulePath = join(directory, scheduleFile);
  const schedule = parse(scheduleSchema, await readJson(schedulePath), schedulePath);
  if (isDeepStrictEqual(schedule, options.schedule)) return options;
  refuseFaults(options, schedule, schedulePath);
  return { ...options, schedule, faults: [...new Set(schedule.map(({ nemesis }) => nemesis))] };
}

/**
 * Whether a path is the directory of a simulated run, which can be done again. One whose options cannot be read, or of
 * another cluster, has a history all the same.
 */
export async function isSimulatedRun(path: string): Promise<boolean> {
  try {
    const options: unknown = JSON.parse(await readFile(join(path, optionsFile), 'utf8'));
    return (options as { readonly cluster?: unknown } | null)?.cluster === 'simulated';
  } catch {
    return false;
  }
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
  const closest = field === '' ? closestName(key, optionKeys) : null;
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
  const { workload, cluster, simulated: model } = options;
  if (!registries.workloads.has(workload)) throw unfit(path, `no workload is called "${workload}"`);
  if ((cluster === 'simulated') !== (model !== null)) {
    throw unfit(path, `simulated: given for the simulated cluster, and only for that`);
  }
  const strange = model?.defects.find((name) => !registries.defects.has(name));
  if (strange !== undefined) {
    throw unfit(path, `simulated.defects: no defect is called "${strange}"`);
  }
  for (const name of options.faults) refuseNemesis(options, name, `${path}: faults`);
  refuseFaults(options, options.schedule, path);
  refuseContradiction(options, path);
}

function refuseFaults(
  options: RunOptions,
  schedule: readonly ScheduledFault[],
  path: string,
): void {
  for (const { id, nemesis, plan } of schedule) {
    const place = `${path}: fault ${id}`;
    refuseNemesis(options, nemesis, place);
    refuseTarget(options, plan.target, place);
  }
}

function refuseNemesis({ cluster }: RunOptions, name: string, place: string): void {
  const offered = nemesesOf(registries, cluster);
  if (offered.includes(name)) return;
  if (!registries.nemeses.has(name)) throw unfit(place, `no nemesis is called "${name}"`);
  throw new OrdealError(
    'UNSUPPORTED',
    `${place}: the ${cluster} cluster cannot carry out ${name}`,
    `use nemeses out of ${offered.join(', ')}`,
  );
}

/** A fault that aims at what is not there would be recorded as one that found nobody. */
function refuseTarget(options: RunOptions, target: Role, place: string): void {
  if (target.role === 'node') {
    const { nodes } = registries.clusters[options.cluster];
    if (!nodes.includes(target.node)) throw unfit(place, `there is no node ${target.node}`);
  }
  if (target.role !== 'leader' && target.role !== 'follower') return;
  const topic = topicsOf(options).find(({ name }) => name === target.topic);
  if (topic === undefined || target.partition >= topic.partitions) {
    throw unfit(place, `there is no log ${target.topic}/${target.partition}`);
  }
}

/** What permits what is judged by `config`: it must say what clients and topics are told. */
function refuseContradiction(
  { config, producer, topicConfig, sends }: RunOptions,
  path: string,
): void {
  for (const [key, told] of Object.entries(headerConfig({ producer, topicConfig, sends }))) {
    const said = config[key];
    if (said === undefined || said === told) continue;
    const texts = [said, told].map((value) => JSON.stringify(value));
    throw unfit(
      path,
      `config.${key} is ${texts[0] ?? ''}, and producer, sends and topicConfig make it ${texts[1] ?? ''}`,
    );
  }
}
