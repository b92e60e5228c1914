/** From flags, a seed and the registries to one run, completely decided. Pure. */
import { assert } from '../core/assert.ts';
import { OrdealError } from '../core/errors.ts';
import { drawSchedule, overlapFaults } from '../run/schedule.ts';
import type { PhaseLimits, RunOptions } from '../run/options.ts';
import type { ProducerSettings } from '../spi/client.ts';
import type { ScheduledFault } from '../spi/nemesis.ts';
import { quietProfile, type Defect } from '../spi/simulation.ts';
import type { SendStyle } from '../spi/workload.ts';
import type { Decision } from './decision.ts';
import { needsOf, withNeeds, type Needs } from './defect-needs.ts';
import { refuseFixed } from './flags.ts';
import type { TestFlags } from './flags.ts';
import {
  defectsNamed,
  drawnNemesesOf,
  nemesesOf,
  topicsOf,
  type Registries,
} from './registries.ts';
import { scenarios, soundSettings } from './scenarios/index.ts';
import type { Scenario, ScenarioSettings } from './scenarios/index.ts';
import { swarmDecision } from './swarm.ts';
import { unknownName } from '../core/suggestion.ts';

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
  const { cluster } = flags;
  const defects = defectsNamed(registries, flags.defect);
  const decision = decide(flags, given, seed, defects, registries);
  const workload = registries.workloads.get(decision.workload);
  if (workload === undefined) {
    throw unknownName('--workload', decision.workload, [...registries.workloads.keys()]);
  }
  const { settings, schedule, profile, overlapPercent, defects: brought, ...rest } = decision;
  const simulated = {
    profile,
    defects: [...new Set([...brought, ...defects.map(({ name }) => name)])],
  };
  return {
    ...rest,
    cluster,
    seed,
    schedule:
      schedule ?? overlapFaults(seed, draw(decision, flags, seed, registries), overlapPercent),
    producer: settings.producer,
    sends: settings.sends,
    topicConfig: settings.topicConfig,
    config: {
      ...registries.clusters[cluster].brokerConfig,
      ...(workload.groups.length > 0
        ? { 'auto.offset.reset': settings.offsetReset ?? 'earliest' }
        : {}),
      ...headerConfig(settings),
    },
    simulated: cluster === 'simulated' ? simulated : null,
    image: flags.image,
    brokerVersion: flags.brokerVersion,
    leaveRunning: flags.leaveRunning,
  };
}

function decide(
  flags: TestFlags,
  given: readonly string[],
  seed: string,
  defects: readonly Defect[],
  registries: Registries,
): Decision {
  if (flags.swarm !== null) {
    refuseFixed(given, 'swarm', flags.swarm);
    return swarmDecision(seed, flags.swarm, drawnNemesesOf(registries, flags.cluster), defects);
  }
  if (flags.scenario !== null) return decideByScenario(flags, given, flags.scenario, registries);
  return decideByFlags(flags, needsOf(defects), registries);
}

/** A defect brings the settings without which it never shows: no flag sets them. */
function decideByFlags(flags: TestFlags, needs: Needs, registries: Registries): Decision {
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
    test: needs.workload ?? flags.workload,
    workload: needs.workload ?? flags.workload,
    faults: faultsOf(flags, registries),
    nemesisIntervalMs: flags.nemesisInterval,
    limits: limitsOf(flags, flags.timeLimit),
    ratePerSecond: flags.rate,
    concurrency: flags.concurrency,
    topics: flags.topics,
    partitions: flags.partitions,
    claims: flags.claims,
    settings: withNeeds({ ...soundSettings, producer }, needs),
    defects: [],
    profile: quietProfile,
    overlapPercent: 0,
    schedule: null,
  };
}

/** `all` and `none` stand alone; anything else is a list of known names. */
function faultsOf(flags: TestFlags, registries: Registries): readonly string[] {
  const { nemesis: asked, cluster } = flags;
  const known = [...registries.nemeses.keys()];
  const drawn = drawnNemesesOf(registries, cluster);
  for (const word of ['all', 'none']) {
    if (!asked.includes(word)) continue;
    if (asked.length === 1) return word === 'all' ? drawn : [];
    throw new OrdealError(
      'BAD_ARGUMENT',
      `--nemesis: "${word}" stands beside other names`,
      `give ${word} alone, or names out of ${known.join(', ')}`,
    );
  }
  for (const name of asked) {
    if (!known.includes(name)) throw unknownName('--nemesis', name, [...known, 'all', 'none']);
  }
  requireOffered(asked, flags, registries);
  return asked;
}

/** What a schedule would do must be possible before anything starts. */
function requireOffered(
  asked: readonly string[],
  { cluster }: TestFlags,
  registries: Registries,
): void {
  const { ports } = registries.clusters[cluster];
  for (const name of asked) {
    const needs = registries.nemeses.get(name)?.needs ?? [];
    const lacking = needs.filter((port) => !ports.includes(port));
    if (lacking.length === 0) continue;
    throw new OrdealError(
      'UNSUPPORTED',
      `--nemesis ${name}: the ${cluster} cluster offers no ${lacking.join(', ')} port, which it needs`,
      `choose another --cluster, or nemeses out of ${nemesesOf(registries, cluster).join(', ')}`,
    );
  }
}

function limitsOf(flags: TestFlags, faultsMs: number): PhaseLimits {
  return { ...phaseLimits, faultsMs, recoveryMs: flags.recoveryTimeout };
}

function decideByScenario(
  flags: TestFlags,
  given: readonly string[],
  name: string,
  registries: Registries,
): Decision {
  const scenario = scenarios.get(name);
  if (scenario === undefined) throw unknownName('--scenario', name, [...scenarios.keys()]);
  refuseFixed(given, 'scenario', name);
  requireOffered(kindsOf(scenario), flags, registries);
  const { workload, faultsMs, ratePerSecond, concurrency, topics, partitions, claims } = scenario;
  return {
    test: flags.control ? `${name}-control` : name,
    workload,
    faults: kindsOf(scenario),
    nemesisIntervalMs: flags.nemesisInterval,
    limits: limitsOf(flags, faultsMs),
    ratePerSecond,
    concurrency,
    topics,
    partitions,
    claims,
    settings: flags.control ? scenario.control : scenario.settings,
    defects: scenario.clientDefects,
    profile: quietProfile,
    overlapPercent: 0,
    schedule: scenario.schedule,
  };
}

function kindsOf(scenario: Scenario): readonly string[] {
  return [...new Set(scenario.schedule.map(({ nemesis }) => nemesis))];
}

function draw(
  decision: Decision,
  { cluster }: TestFlags,
  seed: string,
  { nemeses, clusters }: Registries,
): readonly ScheduledFault[] {
  const { nodes } = clusters[cluster];
  const { topicConfig, sends } = decision.settings;
  const topics = topicsOf({ ...decision, topicConfig, sends, cluster });
  return drawSchedule({
    seed,
    nemeses: decision.faults.map((name) => {
      const nemesis = nemeses.get(name);
      assert(nemesis !== undefined, `nemesis ${name} was checked and is gone`);
      return nemesis;
    }),
    faultsMs: decision.limits.faultsMs,
    intervalMs: decision.nemesisIntervalMs,
    context: { topics, nodes },
  });
}

/** Kafka's default, which bounds nothing where nobody waits for answers. */
const inFlightUnbounded = 5;

/** An idempotent producer has one request in flight; another as many as sends of it are open, and with acks=0 any number. */
function inFlightMax({ idempotent, acks }: ProducerSettings, { sharedBy }: SendStyle): number {
  if (idempotent) return 1;
  return acks === 0 ? inFlightUnbounded : sharedBy;
}

/** How long a tombstone stays decides what may be gone of a compacted log. */
function compactionConfig(topicConfig: ScenarioSettings['topicConfig']): object {
  const retention = topicConfig['delete.retention.ms'];
  return retention === undefined ? {} : { 'delete.retention.ms': Number(retention) };
}

/** The keys by which checkers decide what the configuration permits (table in CHECKERS.md). */
export function headerConfig(settings: ScenarioSettings): Readonly<Record<string, unknown>> {
  const { producer, topicConfig, sends } = settings;
  return {
    acks: String(producer.acks),
    'enable.idempotence': producer.idempotent,
    'max.in.flight.requests.per.connection': inFlightMax(producer, sends),
    'request.timeout.ms': producer.requestTimeoutMs,
    'isolation.level': 'read_committed',
    'min.insync.replicas': Number(topicConfig['min.insync.replicas']),
    'unclean.leader.election.enable': topicConfig['unclean.leader.election.enable'] === 'true',
    ...compactionConfig(topicConfig),
  };
}
