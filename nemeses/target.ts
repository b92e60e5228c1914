/** Draws whom to hurt; pure. Roles outnumber plain nodes: a fault on the leader or the controller teaches most. */
import type { Random } from '../src/core/random.ts';
import type { DrawContext, Role } from '../src/spi/nemesis.ts';

export function drawLog(
  random: Random,
  context: DrawContext,
): { readonly topic: string; readonly partition: number } {
  const topic = random.pick(context.topics);
  return { topic: topic.name, partition: random.below(topic.partitions) };
}

/** A leader half of the time, else the controller or a follower. */
export function drawReplicaRole(random: Random, context: DrawContext): Role {
  const log = drawLog(random, context);
  const draw = random.below(4);
  if (draw < 2) return { role: 'leader', ...log };
  return draw === 2 ? { role: 'controller' } : { role: 'follower', ...log };
}
