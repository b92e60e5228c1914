/**
 * Cuts as iptables rules in chains of our own, two per cut: ORDEAL-I-<cut> for packets that arrive, ORDEAL-O-<cut> for
 * packets that leave. Pure: text in, text out.
 */
import { assert } from '../../core/assert.ts';
import type { CutCounters, CutRule, NodeId } from '../../spi/cluster.ts';
import { planePorts } from './environment.ts';

type Direction = 'in' | 'out';

/** iptables allows 28 characters in the name of a chain. */
const cutName = /^[A-Za-z0-9._-]{1,18}$/;
const prefixes: Readonly<Record<Direction, string>> = { in: 'ORDEAL-I-', out: 'ORDEAL-O-' };
const hooks: Readonly<Record<Direction, string>> = { in: 'INPUT', out: 'OUTPUT' };

export function chainOf(cut: string, direction: Direction): string {
  assert(cutName.test(cut), `cut name "${cut}" does not match ${cutName.source}`);
  return prefixes[direction] + cut;
}

/**
 * The input of one `iptables-restore --noflush` that applies all rules of a cut at one node, atomically.
 * @param rules of this node only.
 * @param addresses of all nodes: who is not among them is a client.
 */
export function restoreText(
  cut: string,
  rules: readonly CutRule[],
  addresses: ReadonlyMap<NodeId, string>,
): string {
  const directions = (['in', 'out'] as const).filter((direction) =>
    rules.some((rule) => rule.directions.includes(direction)),
  );
  const lines = ['*filter'];
  for (const direction of directions) lines.push(`:${chainOf(cut, direction)} - [0:0]`);
  for (const direction of directions) {
    const mine = rules.filter((rule) => rule.directions.includes(direction));
    lines.push(...chainRules(chainOf(cut, direction), direction, mine, addresses));
    lines.push(`-I ${hooks[direction]} 1 -j ${chainOf(cut, direction)}`);
  }
  lines.push('COMMIT', '');
  return lines.join('\n');
}

/** A shell command that removes a cut's chains, whatever part of them stands; it succeeds if nothing is left. */
export function removeCommand(cut: string): string {
  const steps = (['in', 'out'] as const).map((direction) => {
    const chain = chainOf(cut, direction);
    return (
      `while iptables -w 5 -D ${hooks[direction]} -j ${chain} 2>/dev/null; do :; done; ` +
      `iptables -w 5 -F ${chain} 2>/dev/null; iptables -w 5 -X ${chain} 2>/dev/null; `
    );
  });
  // The holder's sh has no pipefail, and rules that cannot be read are not gone; grep finding one is the other failure.
  const read = 'saved="$(iptables-save -t filter)" || exit 1; ';
  return `${steps.join('')}${read}! printf '%s\\n' "$saved" | grep -q -e '^:ORDEAL-[IO]-${cut.replaceAll('.', '\\.')} '`;
}

/** Names of the cuts whose chains `iptables-save` shows. */
export function standingCuts(saved: string): string[] {
  const names = new Set<string>();
  for (const match of saved.matchAll(/^:ORDEAL-[IO]-(\S+) /gm)) names.add(match[1] ?? '');
  return [...names].sort();
}

/** Packets that a cut dropped at one node, from `iptables-save -c`: "[packets:bytes] -A CHAIN … -j DROP". */
export function droppedPackets(saved: string, cut: string): { in: number; out: number } {
  const dropped = { in: 0, out: 0 };
  for (const match of saved.matchAll(/^\[(\d+):\d+\] -A (\S+) .*-j DROP$/gm)) {
    if (match[2] === chainOf(cut, 'in')) dropped.in += Number(match[1]);
    if (match[2] === chainOf(cut, 'out')) dropped.out += Number(match[1]);
  }
  return dropped;
}

/** Counters of a cut from the saved rules of each node. */
export function cutCounters(cut: string, saved: ReadonlyMap<NodeId, string>): CutCounters {
  const byNode: Record<string, { in: number; out: number }> = {};
  let packets = 0;
  for (const [node, text] of saved) {
    const dropped = droppedPackets(text, cut);
    byNode[`node-${node}`] = dropped;
    packets += dropped.in + dropped.out;
  }
  return { packets, byNode };
}

function chainRules(
  chain: string,
  direction: Direction,
  rules: readonly CutRule[],
  addresses: ReadonlyMap<NodeId, string>,
): string[] {
  const peerFlag = direction === 'in' ? '-s' : '-d';
  const lines: string[] = [];
  for (const rule of rules) {
    if (rule.peer === 'clients') continue;
    const address = addresses.get(rule.peer);
    assert(address !== undefined, `cut names node ${rule.peer}, which the cluster lacks`);
    // Both ports of each flow: a connection that the other side opened has the plane's port on its other end.
    for (const port of rule.planes.map((plane) => planePorts[plane])) {
      lines.push(`-A ${chain} ${peerFlag} ${address} -p tcp -m tcp --dport ${port} -j DROP`);
      lines.push(`-A ${chain} ${peerFlag} ${address} -p tcp -m tcp --sport ${port} -j DROP`);
    }
  }
  const ofClients = rules.filter((rule) => rule.peer === 'clients');
  if (ofClients.length === 0) return lines;
  // Whoever is no node is a client: nodes, the node itself among them, leave the chain before its last rules.
  lines.push(`-A ${chain} ${direction === 'in' ? '-i' : '-o'} lo -j RETURN`);
  for (const address of addresses.values())
    lines.push(`-A ${chain} ${peerFlag} ${address} -j RETURN`);
  const portFlag = direction === 'in' ? '--dport' : '--sport';
  for (const plane of new Set(ofClients.flatMap((rule) => rule.planes))) {
    lines.push(`-A ${chain} -p tcp -m tcp ${portFlag} ${planePorts[plane]} -j DROP`);
  }
  return lines;
}
