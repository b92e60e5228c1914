/** Turns a role into node numbers: pure, by one picture of the cluster. */
import { assertNever } from '../core/assert.ts';
import type { NodeId } from '../spi/cluster.ts';
import type { Role } from '../spi/nemesis.ts';
import type { Picture } from './picture.ts';

/** Either the targets, or why there is none at this moment (a log without leader, no controller known …). */
export type Resolution =
  { readonly targets: readonly NodeId[] } | { readonly targets: null; readonly reason: string };

/**
 * Where several nodes would do (a follower, a minority without the controller), the lowest number that fits is taken:
 * the same picture gives the same target.
 */
export function resolveRole(role: Role, picture: Picture, nodes: readonly NodeId[]): Resolution {
  const sorted = [...nodes].sort((a, b) => a - b);
  switch (role.role) {
    case 'node':
      return sorted.includes(role.node)
        ? { targets: [role.node] }
        : { targets: null, reason: `the cluster has no node ${role.node}` };
    case 'leader':
    case 'follower':
      return resolveReplica(role, picture);
    case 'controller':
      return picture.controller === null ? noController : { targets: [picture.controller] };
    case 'minority':
      return resolveMinority(role.controller, picture, sorted);
    case 'majority':
      return { targets: sorted.slice(0, Math.floor(sorted.length / 2) + 1) };
    case 'all':
      return { targets: sorted };
    // No node is hurt; the nemesis finds the client.
    case 'client':
      return { targets: [] };
    case 'group-coordinator':
    case 'transaction-coordinator':
      return { targets: null, reason: `${role.role} is not a role of assigned readers` };
    default:
      return assertNever(role);
  }
}

const noController: Resolution = { targets: null, reason: 'no node names an active controller' };

function resolveReplica(
  role: Extract<Role, { role: 'leader' | 'follower' }>,
  picture: Picture,
): Resolution {
  const log = `${role.topic}/${role.partition}`;
  const view = picture.partitions.get(log);
  if (view === undefined) return { targets: null, reason: `no healthy node knows ${log}` };
  if (view.leader < 0) return { targets: null, reason: `${log} has no leader` };
  if (role.role === 'leader') return { targets: [view.leader] };
  const follower = view.replicas.find(
    (replica) => replica !== view.leader && view.inSync.includes(replica),
  );
  return follower === undefined
    ? { targets: null, reason: `${log} has no follower in sync` }
    : { targets: [follower] };
}

function resolveMinority(
  controller: 'with' | 'without',
  picture: Picture,
  sorted: readonly NodeId[],
): Resolution {
  const active = picture.controller;
  if (active === null) return noController;
  const size = Math.floor((sorted.length - 1) / 2);
  if (size === 0) {
    return { targets: null, reason: `${sorted.length} nodes have no minority of one or more` };
  }
  const others = sorted.filter((node) => node !== active);
  const targets =
    controller === 'with' ? [active, ...others.slice(0, size - 1)] : others.slice(0, size);
  return { targets: targets.sort((a, b) => a - b) };
}
