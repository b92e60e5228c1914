/**
 * Which mutants are tried: one of every file, then the rest uniformly, by seed. Each draws its own rank from the seed and
 * from what it changes, so that a line that moves, or another file that changes, leaves the draw as it was.
 */
import { randomStream } from '../../src/core/random.ts';
import type { Mutant } from './mutants.ts';

/** In order of source. Fewer than `count` where there are not as many. */
export function drawMutants(
  all: readonly Mutant[],
  seed: string,
  count: number,
): readonly Mutant[] {
  const occurrences = new Map<string, number>();
  const ranked = all.map((mutant) => {
    const change = JSON.stringify([mutant.file, mutant.operator, mutant.before, mutant.after]);
    const occurrence = occurrences.get(change) ?? 0;
    occurrences.set(change, occurrence + 1);
    const rank = randomStream(seed, `mutation ${change} ${occurrence}`).below(2 ** 32);
    return { mutant, rank };
  });
  ranked.sort((a, b) => a.rank - b.rank);
  const ofEveryFile = new Map<string, Mutant>();
  for (const { mutant } of ranked) {
    if (!ofEveryFile.has(mutant.file)) ofEveryFile.set(mutant.file, mutant);
  }
  const order = new Set([...ofEveryFile.values(), ...ranked.map(({ mutant }) => mutant)]);
  const kept = new Set([...order].slice(0, count));
  return all.filter((mutant) => kept.has(mutant));
}
