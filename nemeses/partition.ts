/**
 * Cuts the network between nodes, as a whole, in one direction, or on one plane.
 *
 * Evidence: packets that the rules dropped (the only evidence of a one-way cut, for a TCP probe fails both ways), and
 * TCP probes from inside the target's network. Of the heal: no rule of the cut stands, and a probe connects again.
 */
import type { Evidence, TookEffect } from '../src/history/event.ts';
import type {
  Cluster,
  CutCounters,
  NetworkPort,
  NodeId,
  Plane,
  Probe,
} from '../src/spi/cluster.ts';
import type { DrawContext, FaultContext, FaultPlan, Nemesis } from '../src/spi/nemesis.ts';
import type { Random } from '../src/core/random.ts';
import { cutRules, cutShape, isPartitionVariant, partitionVariants } from './cut-rules.ts';
import type { PartitionVariant } from './cut-rules.ts';
import { allViews, leadership, leadersOf, measureUntil, movedLogs } from './measure.ts';
import { drawLog } from './target.ts';

const countersTimeoutMs = 2_500;
const probeOpenTimeoutMs = 10_000;
const viewTimeoutMs = 1_000;

export const partition: Nemesis = {
  name: 'partition',
  needs: ['network', 'admin'],
  summary:
    'Cuts nodes off: the leader or a minority, one way or both, one plane or all, clients too.',
  timing: { durationsMs: [[5_000, 12_000]], settleMs: 5_000 },
  draw,
  inject,
  heal,
};

function draw(random: Random, context: DrawContext): FaultPlan {
  const variant = random.pick(partitionVariants);
  const log = drawLog(random, context);
  switch (variant) {
    case 'halves':
      return {
        target: { role: 'minority', controller: random.chance(1, 2) ? 'with' : 'without' },
        variant,
      };
    case 'controller-only':
      return { target: { role: 'controller' }, variant };
    default:
      return { target: { role: 'leader', ...log }, variant };
  }
}

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, clock, targets, plan } = context;
  const port = networkPort(cluster);
  const variant = variantOf(plan);
  const nodes = cluster.nodes.map((node) => node.id);
  const rules = cutRules(variant, targets, nodes);
  const leaders = leadership(await allViews(cluster.ports.admin, viewTimeoutMs));
  await port.cut(context.fault, rules);
  // The counters are read before anything is probed, for a probe's own packets would count too.
  const counted = await measureUntil(
    clock,
    Math.min(countersTimeoutMs, context.evidenceTimeoutMs),
    () => port.counters(context.fault),
    (counters) => counters.packets > 0,
  );
  const probes = await probeAll(port, targets, nodes, cutShape(variant).planes);
  return {
    tookEffect: judgeCut(counted.answer, probes),
    counters: counted.answer,
    probes,
    leaders,
  };
}

function judgeCut(counters: CutCounters | null, probes: readonly Probe[]): TookEffect {
  if (counters !== null && counters.packets > 0) return true;
  return probes.some((probe) => probe.connected) ? false : 'unknown';
}

async function heal(context: FaultContext, injected: Evidence): Promise<Evidence> {
  const { cluster, clock, targets, plan } = context;
  const port = networkPort(cluster);
  const nodes = cluster.nodes.map((node) => node.id);
  const planes = cutShape(variantOf(plan)).planes;
  const counters = await readCounters(port, context.fault);
  await port.heal(context.fault);
  const standing = await port.standing();
  const probed = await measureUntil(
    clock,
    probeOpenTimeoutMs,
    () => probeAll(port, targets, nodes, planes),
    (probes) => planes.every((plane) => probes.some((p) => p.plane === plane && p.connected)),
  );
  const leaders = leadership(await allViews(cluster.ports.admin, viewTimeoutMs));
  return {
    tookEffect: judgeHeal(standing.includes(context.fault), probed.enough),
    counters,
    standing,
    probes: probed.answer ?? [],
    moved: movedLogs(leadersOf(injected), leaders, targets),
    leaders,
  };
}

function judgeHeal(stands: boolean, open: boolean): TookEffect {
  if (stands) return false;
  return open ? true : 'unknown';
}

/** Counters die with the rules, so they are read before; when they cannot be, the heal matters more. */
async function readCounters(port: NetworkPort, cut: string): Promise<CutCounters | null> {
  try {
    return await port.counters(cut);
  } catch {
    return null;
  }
}

/** One probe per target, other node and plane, from inside the target's network. */
async function probeAll(
  port: NetworkPort,
  targets: readonly NodeId[],
  nodes: readonly NodeId[],
  planes: readonly Plane[],
): Promise<readonly Probe[]> {
  const others = nodes.filter((node) => !targets.includes(node));
  const pairs = targets.flatMap((from) =>
    others.flatMap((to) => planes.map((plane) => ({ from, to, plane }))),
  );
  return Promise.all(pairs.map(({ from, to, plane }) => port.probe(from, to, plane)));
}

function variantOf(plan: FaultPlan): PartitionVariant {
  if (!isPartitionVariant(plan.variant)) {
    throw new Error(`partition has no variant "${plan.variant}"`);
  }
  return plan.variant;
}

function networkPort(cluster: Cluster): NetworkPort {
  const port = cluster.ports.network;
  if (port === undefined) throw new Error('the cluster offers no network port');
  return port;
}
