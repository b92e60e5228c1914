/** Which mutants are tried: one of every file, then the rest uniformly, by seed. */
import { randomStream } from '../../src/core/random.ts';
import type { Mutant } from './mutants.ts';

/** In order of source. Fewer than `count` where there are not as many. */
export function drawMutants(
  all: readonly Mutant[],
  seed: string,
  count: number,
): readonly Mutant[] {
  const shuffled = randomStream(seed, 'mutation').shuffle(all);
  const ofEveryFile = new Map<string, Mutant>();
  for (const mutant of shuffled) {
    if (!ofEveryFile.has(mutant.file)) ofEveryFile.set(mutant.file, mutant);
  }
  const order = new Set([...ofEveryFile.values(), ...shuffled]);
  const kept = new Set([...order].slice(0, count));
  return all.filter((mutant) => kept.has(mutant));
}
