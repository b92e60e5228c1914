/**
 * Swarm testing: every knob of a simulated run is drawn from its seed, so that many short runs see many kinds of
 * environments, settings and faults, and combinations that nobody would think of. Pure.
 *
 * Promising settings are those under which Kafka promises durability, order and no duplicates: whatever is found there
 * is a defect. Permissive ones lack at least one of them: what is found is permitted, and shows that checkers see it.
 */
import { randomStream, type Random } from '../core/random.ts';
import type { ScheduledFault } from '../spi/nemesis.ts';
import { quietProfile, type Defect, type SimulatedProfile } from '../spi/simulation.ts';
import type { SendStyle } from '../spi/workload.ts';
import type { Decision } from './decision.ts';
import { needsOf, withNeeds, type Needs } from './defect-needs.ts';
import type { ScenarioSettings } from './scenarios/index.ts';

const dayMs = 86_400_000;

export const swarmKinds = ['promising', 'permissive', 'any'] as const;
export type SwarmKind = (typeof swarmKinds)[number];

/** Bounds that no draw changes: far beyond what a whole cluster needs, in time that costs nothing. */
const bounds = {
  setUpMs: 120_000,
  healMs: 60_000,
  recoveryMs: 60_000,
  drainMs: 30_000,
  auditMs: 120_000,
  tearDownMs: 60_000,
} as const;

/**
 * @param nemeses names that may be drawn, at least one.
 * @param defects their needs win over what was drawn; without them a defect never shows.
 */
export function swarmDecision(
  seed: string,
  kind: SwarmKind,
  nemeses: readonly string[],
  defects: readonly Defect[],
): Decision {
  // One stream per subject: a new knob of one does not change what the others draw.
  const stream = (name: string): Random => randomStream(seed, `swarm:${name}`);
  const promising = kind === 'any' ? stream('kind').chance(2, 3) : kind === 'promising';
  const needs = needsOf(defects);
  const workload = needs.workload ?? drawWorkload(stream('workload'), promising, defects);
  const load = stream('load');
  const drawnSettings = {
    ...drawSettings(stream('settings'), promising),
    sends: drawSends(stream('sends')),
  };
  const settings = keepsTombstones(workload, withNeeds(drawnSettings, needs));
  const drawn = [
    ...drawFaults(stream('faults'), nemeses, needs),
    ...drawMemberFaults(stream('member-faults'), workload, needs),
  ];
  const schedule = drawLastReplica(stream('last-replica'), settings, nemeses);
  const faultsMs =
    load.between(12_000, 24_000) + (drawn.includes('freeze-member') ? memberFaultsMs : 0);
  const overlapPercent = stream('overlap').pick([0, 0, 30, 60]);
  return {
    test: `swarm-${kind}`,
    workload,
    faults: schedule === null ? drawn : schedule.map(({ nemesis }) => nemesis),
    nemesisIntervalMs: load.between(500, 3_000),
    limits: { ...bounds, faultsMs: schedule === null ? faultsMs : lastReplicaMs },
    ratePerSecond: load.between(10, 30),
    concurrency: load.between(2, 5),
    topics: load.between(1, 2),
    partitions: load.between(1, 4),
    claims: null,
    settings,
    defects: [],
    profile: drawProfile(stream('profile')),
    // What a group commits is promised whatever the settings of the topics are.
    overlapPercent:
      (promising || workload === 'groups') && losesByDesign(drawn) ? 0 : overlapPercent,
    schedule,
  };
}

/**
 * Defects that need nothing else are looked for where most of them are. Nothing permits the loss of a key to compaction, so
 * compacted logs are written where nothing permits the loss of a record.
 */
function drawWorkload(random: Random, promising: boolean, defects: readonly Defect[]): string {
  const drawn = random.pick(['log', 'log', 'groups', 'compaction']);
  if (defects.length > 0 || (drawn === 'compaction' && !promising)) return 'log';
  return drawn;
}

/** Where a tombstone goes soon, a replica that was away serves what it deleted: a defect of Kafka's, and of the model. */
function keepsTombstones(workload: string, settings: ScenarioSettings): ScenarioSettings {
  if (workload !== 'compaction') return settings;
  const topicConfig = { ...settings.topicConfig, 'delete.retention.ms': String(dayMs) };
  return { ...settings, topicConfig };
}

/** Faults that only members of groups have; they are no part of what `all` stands for. */
function drawMemberFaults(
  random: Random,
  workload: string,
  { nemeses = [] }: Needs,
): readonly string[] {
  const isDrawn = random.chance(2, 3);
  if (workload !== 'groups') return [];
  return isDrawn || nemeses.includes('freeze-member') ? ['freeze-member'] : [];
}

/**
 * Where all nodes are away at once, one without its page cache and one killed, Kafka 4.1 elects whoever led last, whatever its
 * disk holds and whatever the settings say: a killed node is no eligible leader any more (KIP-966). No checker may find
 * a fault in what no setting promises.
 */
function losesByDesign(faults: readonly string[]): boolean {
  return faults.includes('kill') && faults.includes('power-loss');
}

/** A member's freeze, which would be cut below its session in a phase that is too short, and a rebalance behind it. */
const memberFaultsMs = 15_000;

/** The phase of faults in which the last replica in sync dies. */
const lastReplicaMs = 24_000;

/**
 * What unclean elections and a minimum of one replica in sync permit needs two faults in a row: the followers of a leader
 * are cut off for longer than replica.lag.time.max.ms, and then the leader, alone in sync, dies. Null: drawn as always.
 */
function drawLastReplica(
  random: Random,
  { topicConfig }: ScenarioSettings,
  nemeses: readonly string[],
): readonly ScheduledFault[] | null {
  const unclean = topicConfig['unclean.leader.election.enable'] === 'true';
  const alone = topicConfig['min.insync.replicas'] === '1';
  const deadly = random.pick(unclean ? ['kill', 'power-loss'] : ['power-loss']);
  const atMs = random.between(1_000, 3_000);
  const dieAtMs = atMs + random.between(6_000, 8_500);
  const isDrawn = random.chance(1, 2);
  const canBe = ['partition', deadly].every((name) => nemeses.includes(name));
  if (!isDrawn || !canBe || !(unclean || alone)) return null;
  const target = { role: 'leader', topic: 'orders', partition: 0 } as const;
  const death =
    deadly === 'kill' ? { variant: 'SIGKILL' } : { variant: 'power-off', sparesNobody: true };
  return [
    {
      ...{ id: 'f1', nemesis: 'partition', atMs, durationMs: random.between(9_000, 11_000) },
      plan: { target, variant: 'replication-only' },
    },
    {
      ...{ id: 'f2', nemesis: deadly, atMs: dieAtMs, durationMs: random.between(4_000, 7_000) },
      plan: { target, ...death },
    },
  ];
}

/** At least two kinds where there are two: the first round of a schedule then always fits, and has two faults. */
function drawFaults(
  random: Random,
  nemeses: readonly string[],
  { nemeses: needed = [] }: Needs,
): readonly string[] {
  const count = random.between(Math.min(2, nemeses.length), nemeses.length);
  const drawn = random.shuffle(nemeses).slice(0, count);
  return nemeses.filter((name) => drawn.includes(name) || needed.includes(name));
}

function drawSettings(random: Random, promising: boolean): Omit<ScenarioSettings, 'sends'> {
  const weakness = random.pick(['acks', 'in-sync', 'unclean', 'idempotence'] as const);
  const weak = (what: typeof weakness): boolean => {
    const also = random.chance(1, 3);
    return !promising && (what === weakness || also);
  };
  const acks = weak('acks') ? random.pick([1, 1, 0] as const) : 'all';
  const minInSync = weak('in-sync') ? '1' : '2';
  const unclean = String(weak('unclean'));
  const idempotent = !weak('idempotence') && acks === 'all';
  return {
    producer: {
      acks,
      idempotent,
      requestTimeoutMs: random.pick([500, 1_000, 2_000, 3_000]),
      operationTimeoutMs: random.pick([3_000, 5_000, 8_000]),
      retriesMax: random.pick([0, 3, 50, 50]),
    },
    topicConfig: {
      'min.insync.replicas': minInSync,
      'unclean.leader.election.enable': unclean,
    },
  };
}

/** Mostly what applications do: one record at a time, or a few; a client of one's own, or a shared one. */
function drawSends(random: Random): SendStyle {
  return {
    recordsPerSendMax: random.pick([1, 1, 3]),
    partition: random.pick(['explicit', 'explicit', 'client']),
    afterFailure: random.pick(['replace', 'continue']),
    sharedBy: random.pick([1, 1, 2]),
  };
}

function drawProfile(random: Random): SimulatedProfile {
  const latencyUs = random.between(50, 1_000);
  const serviceUs = random.between(20, 500);
  const startMs = random.between(300, 2_500);
  return {
    latencyUs: [latencyUs, latencyUs + random.pick([200, 2_000, 20_000])],
    lossPerMillion: random.pick([0, 0, 500, 10_000]),
    driftPpmMax: random.pick([0, quietProfile.driftPpmMax, 500]),
    serviceUs: [serviceUs, serviceUs + random.pick([200, 2_000, 10_000])],
    startMs: [startMs, startMs + random.between(0, 2_000)],
    flushMs: random.pick([500, 2_000, quietProfile.flushMs, 30_000]),
  };
}
