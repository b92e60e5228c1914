/**
 * Freezes a client that is a process of its own, the member of a group above all: longer than its session, so that the group gives it up
 * and gives what it had to others, and it wakes as a zombie that knows nothing of that.
 *
 * Evidence: the freezer's own word, before and after. Of the heal: the same; a client that ended meanwhile (its worker may have
 * given it up) has nothing to be thawed.
 */
import type { Evidence, TookEffect } from '../src/history/event.ts';
import type { ClientPort, Cluster } from '../src/spi/cluster.ts';
import type { FaultContext, Nemesis } from '../src/spi/nemesis.ts';

export const freezeMember: Nemesis = {
  name: 'freeze-member',
  needs: ['clients'],
  onlyByName: true,
  summary: 'Freezes a member of a consumer group beyond its session, and thaws it as a zombie.',
  timing: { durationsMs: [[7_500, 9_500]], settleMs: 4_000 },
  draw: (random) => ({ target: { role: 'client', position: random.below(16) }, variant: 'freeze' }),
  inject,
  heal,
};

/** Which one it was: of those that run when the fault begins, in order of name. */
const frozen = new WeakMap<Cluster, Map<string, string>>();

async function inject(context: FaultContext): Promise<Evidence> {
  const { cluster, fault, plan } = context;
  const port = clientPort(cluster);
  const names = [...port.names()].sort();
  const position = plan.target.role === 'client' ? plan.target.position : 0;
  const client = names[position % Math.max(1, names.length)];
  if (client === undefined) return { tookEffect: false, reason: 'no client runs' };
  const faults = frozen.get(cluster) ?? new Map<string, string>();
  frozen.set(cluster, faults.set(fault, client));
  const before = await port.state(client);
  await port.pause(client);
  const after = await port.state(client);
  return { tookEffect: judge(before, after), client, before, after };
}

function judge(
  before: { readonly frozen: boolean } | null,
  after: { readonly frozen: boolean } | null,
): TookEffect {
  return before?.frozen === false && after?.frozen === true;
}

async function heal(context: FaultContext): Promise<Evidence> {
  const { cluster, fault } = context;
  const port = clientPort(cluster);
  const client = frozen.get(cluster)?.get(fault);
  if (client === undefined) return { tookEffect: true, reason: 'nothing was frozen' };
  await port.resume(client);
  const after = await port.state(client);
  return { tookEffect: after?.frozen !== true, client, after };
}

function clientPort(cluster: Cluster): ClientPort {
  const port = cluster.ports.clients;
  if (port === undefined) throw new Error('the cluster offers no clients port');
  return port;
}
