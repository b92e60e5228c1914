/** From flags, a seed and the registries to one run, completely decided. Pure. */
import { assert } from '../core/assert.ts';
import { OrdealError } from '../core/errors.ts';
import { drawSchedule } from '../run/schedule.ts';
import type { PhaseLimits, RunOptions } from '../run/options.ts';
import type { ProducerSettings } from '../spi/client.ts';
import type { NodeId } from '../spi/cluster.ts';
import type { Nemesis, ScheduledFault } from '../spi/nemesis.ts';
import { plainSends, type SendStyle, type Workload } from '../spi/workload.ts';
import { fixedByScenario, flagName } from './flags.ts';
import type { TestFlags } from './flags.ts';
import { scenarios, soundSettings } from './scenarios/index.ts';
import type { Scenario, ScenarioSettings } from './scenarios/index.ts';
import { unknownName } from '../core/suggestion.ts';

/** What the names in the flags may refer to. */
export interface Registries {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly nemeses: ReadonlyMap<string, Nemesis>;
  /** The cluster's nodes, known before it starts: what the schedule may aim at. */
  readonly nodes: readonly NodeId[];
  /** Kafka's configuration of the brokers, for the header; settings of topics and clients win over it. */
  readonly brokerConfig: Readonly<Record<string, unknown>>;
}

/** What a run does, wherever that was decided: by flags, or by a scenario. */
interface Decision {
  readonly test: string;
  readonly workload: string;
  readonly faults: readonly string[];
  readonly nemesisIntervalMs: number;
  readonly faultsMs: number;
  readonly ratePerSecond: number;
  readonly concurrency: number;
  readonly topics: number;
  readonly partitions: number;
  readonly claims: readonly string[] | null;
  readonly settings: ScenarioSettings;
  /** Null: drawn from the seed. */
  readonly schedule: readonly ScheduledFault[] | null;
}

/** An attempt may be answered late by a broker that is being hurt; a new one goes to whoever leads then. */
const requestTimeoutMsMax = 3_000;

/** Bounds that no flag sets. Set-up covers a cold start of three brokers, not the building of an image. */
const phaseLimits = {
  setUpMs: 180_000,
  healMs: 60_000,
  drainMs: 30_000,
  auditMs: 120_000,
  tearDownMs: 60_000,
} as const;

/**
 * @param given the names of the flags that were typed, in camel case.
 * @throws OrdealError BAD_ARGUMENT for an unknown name, or for a flag that the scenario fixes.
 */
export function resolveRun(
  flags: TestFlags,
  given: readonly string[],
  seed: string,
  registries: Registries,
): RunOptions {
  const decision =
    flags.scenario === null
      ? decideByFlags(flags, registries)
      : decideByScenario(flags, given, flags.scenario);
  const workload = registries.workloads.get(decision.workload);
  if (workload === undefined) {
    throw unknownName('--workload', decision.workload, [...registries.workloads.keys()]);
  }
  const { settings, schedule, faultsMs, ...rest } = decision;
  const limits: PhaseLimits = { ...phaseLimits, faultsMs, recoveryMs: flags.recoveryTimeout };
  return {
    ...rest,
    cluster: flags.cluster,
    seed,
    schedule: schedule ?? draw(decision, workload, seed, registries),
    limits,
    producer: settings.producer,
    sends: plainSends,
    topicConfig: settings.topicConfig,
    config: { ...registries.brokerConfig, ...headerConfig(settings, plainSends) },
    image: flags.image,
    brokerVersion: flags.brokerVersion,
    leaveRunning: flags.leaveRunning,
  };
}

function decideByFlags(flags: TestFlags, { nemeses }: Registries): Decision {
  if (flags.control) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      '--control is the twin of a scenario, and no scenario was named',
      `add --scenario NAME; known are ${[...scenarios.keys()].join(', ')}`,
    );
  }
  const producer: ProducerSettings = {
    ...soundSettings.producer,
    requestTimeoutMs: Math.min(requestTimeoutMsMax, flags.operationTimeout),
    operationTimeoutMs: flags.operationTimeout,
  };
  return {
    test: flags.workload,
    workload: flags.workload,
    faults: faultsOf(flags.nemesis, [...nemeses.keys()]),
    nemesisIntervalMs: flags.nemesisInterval,
    faultsMs: flags.timeLimit,
    ratePerSecond: flags.rate,
    concurrency: flags.concurrency,
    topics: flags.topics,
    partitions: flags.partitions,
    claims: flags.claims,
    settings: { ...soundSettings, producer },
    schedule: null,
  };
}

/** `all` and `none` stand alone; anything else is a list of known names. */
function faultsOf(asked: readonly string[], known: readonly string[]): readonly string[] {
  for (const word of ['all', 'none']) {
    if (!asked.includes(word)) continue;
    if (asked.length === 1) return word === 'all' ? known : [];
    throw new OrdealError(
      'BAD_ARGUMENT',
      `--nemesis: "${word}" stands beside other names`,
      `give ${word} alone, or names out of ${known.join(', ')}`,
    );
  }
  for (const name of asked) {
    if (!known.includes(name)) throw unknownName('--nemesis', name, [...known, 'all', 'none']);
  }
  return asked;
}

function decideByScenario(flags: TestFlags, given: readonly string[], name: string): Decision {
  const scenario = scenarios.get(name);
  if (scenario === undefined) throw unknownName('--scenario', name, [...scenarios.keys()]);
  const fixed = fixedByScenario.find((flag) => given.includes(flag));
  if (fixed !== undefined) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `${flagName(fixed)} cannot be given with --scenario: the scenario ${name} fixes it`,
      `leave ${flagName(fixed)} out, or leave --scenario out`,
    );
  }
  const { workload, faultsMs, ratePerSecond, concurrency, topics, partitions, claims } = scenario;
  return {
    test: flags.control ? `${name}-control` : name,
    workload,
    faults: kindsOf(scenario),
    nemesisIntervalMs: flags.nemesisInterval,
    faultsMs,
    ratePerSecond,
    concurrency,
    topics,
    partitions,
    claims,
    settings: flags.control ? scenario.control : scenario.settings,
    schedule: scenario.schedule,
  };
}

function kindsOf(scenario: Scenario): readonly string[] {
  return [...new Set(scenario.schedule.map(({ nemesis }) => nemesis))];
}

function draw(
  decision: Decision,
  workload: Workload,
  seed: string,
  { nemeses, nodes }: Registries,
): readonly ScheduledFault[] {
  const topics = workload
    .topics({
      topics: decision.topics,
      partitions: decision.partitions,
      concurrency: decision.concurrency,
      ratePerSecond: decision.ratePerSecond,
      sends: plainSends,
      nodes,
      topicConfig: decision.settings.topicConfig,
    })
    .map(({ name, replicas }) => ({ name, partitions: replicas.length }));
  return drawSchedule({
    seed,
    nemeses: decision.faults.map((name) => {
      const nemesis = nemeses.get(name);
      assert(nemesis !== undefined, `nemesis ${name} was checked and is gone`);
      return nemesis;
    }),
    faultsMs: decision.faultsMs,
    intervalMs: decision.nemesisIntervalMs,
    context: { topics, nodes },
  });
}

/** The keys by which checkers decide what the configuration permits (table in CHECKERS.md). */
function headerConfig(
  settings: ScenarioSettings,
  sends: SendStyle,
): Readonly<Record<string, unknown>> {
  const { producer, topicConfig } = settings;
  return {
    acks: String(producer.acks),
    'enable.idempotence': producer.idempotent,
    // An idempotent producer has one request in flight; another as many as sends of it are open.
    'max.in.flight.requests.per.connection': producer.idempotent ? 1 : sends.sharedBy,
    'request.timeout.ms': producer.requestTimeoutMs,
    'isolation.level': 'read_committed',
    'min.insync.replicas': Number(topicConfig['min.insync.replicas']),
    'unclean.leader.election.enable': topicConfig['unclean.leader.election.enable'] === 'true',
  };
}
