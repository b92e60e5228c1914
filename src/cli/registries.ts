/** Every name that the command line takes, with what stands behind it. Nothing here loads Docker's or Kafka's libraries. */
import { nemeses } from '../../nemeses/index.ts';
import { clientDefects } from '../clients/simulated/index.ts';
import { effectiveConfig } from '../clusters/docker/environment.ts';
import {
  brokerDefects,
  simulatedBrokerConfig,
  simulatedNodes,
} from '../clusters/simulated/index.ts';
import { assert } from '../core/assert.ts';
import { unknownName } from '../core/suggestion.ts';
import type { ClusterKind, RunOptions } from '../run/options.ts';
import type { NodeId, PortName } from '../spi/cluster.ts';
import type { Nemesis } from '../spi/nemesis.ts';
import type { Defect } from '../spi/simulation.ts';
import type { Workload, WorkloadOptions } from '../spi/workload.ts';
import { workloads } from '../workloads/index.ts';

/** What is known of a cluster before it exists. */
export interface ClusterFacts {
  readonly summary: string;
  /** What a schedule may aim at. */
  readonly nodes: readonly NodeId[];
  /** What faults can be done through. */
  readonly ports: readonly PortName[];
  /** Kafka's configuration of the brokers, for the header; settings of topics and clients win over it. */
  readonly brokerConfig: Readonly<Record<string, unknown>>;
}

/** What the names in the flags may refer to. */
export interface Registries {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly nemeses: ReadonlyMap<string, Nemesis>;
  readonly clusters: Readonly<Record<ClusterKind, ClusterFacts>>;
  readonly defects: ReadonlyMap<string, Defect>;
}

/** Nodes of a Docker cluster: known before it starts, so that a schedule can be drawn first. */
const dockerNodes: readonly NodeId[] = [1, 2, 3];

export const registries: Registries = {
  workloads,
  nemeses,
  clusters: {
    simulated: {
      summary: 'a model of three Kafka brokers in this process, on virtual time; a seed fixes all',
      nodes: simulatedNodes,
      ports: ['process', 'network', 'disk', 'storage', 'admin', 'clients'],
      brokerConfig: simulatedBrokerConfig,
    },
    docker: {
      summary: 'three Kafka brokers in containers on this machine',
      nodes: dockerNodes,
      ports: ['process', 'network', 'storage', 'admin', 'clients'],
      brokerConfig: effectiveConfig(dockerNodes.length, {}),
    },
  },
  defects: new Map([...brokerDefects, ...clientDefects].map((defect) => [defect.name, defect])),
};

/** @throws if there is none: names are checked when options are made. */
export function workloadNamed(name: string): Workload {
  const workload = workloads.get(name);
  assert(workload !== undefined, `workload ${name} was checked and is gone`);
  return workload;
}

/** The topics that a run has, in the order of its workload: what a schedule may aim at. */
export function topicsOf(
  options: Pick<RunOptions, 'workload' | 'cluster'> & Omit<WorkloadOptions, 'nodes'>,
): readonly { readonly name: string; readonly partitions: number }[] {
  const { nodes } = registries.clusters[options.cluster];
  return workloadNamed(options.workload)
    .topics({ ...options, nodes })
    .map(({ name, replicas }) => ({ name, partitions: replicas.length }));
}

/** The names of the nemeses that a cluster can carry out. */
export function nemesesOf(
  { nemeses: all, clusters }: Registries,
  cluster: ClusterKind,
): readonly string[] {
  const { ports } = clusters[cluster];
  return [...all.values()]
    .filter(({ needs }) => needs.every((port) => ports.includes(port)))
    .map(({ name }) => name);
}

/** Those of them that `all` stands for and that a swarm may draw. */
export function drawnNemesesOf(given: Registries, cluster: ClusterKind): readonly string[] {
  return nemesesOf(given, cluster).filter((name) => given.nemeses.get(name)?.onlyByName !== true);
}

/** @throws OrdealError BAD_ARGUMENT for a name that no defect has. */
export function defectsNamed({ defects }: Registries, names: readonly string[]): readonly Defect[] {
  return names.map((name) => {
    const defect = defects.get(name);
    if (defect === undefined) throw unknownName('--defect', name, [...defects.keys()]);
    return defect;
  });
}
