/**
 * Randomness as a parameter: one seed, split into named streams, so that adding a fault (its own stream) does not
 * change what the workload (another stream) draws. Integers only: the same seed gives the same draws on any machine.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { assert } from './assert.ts';

export interface Random {
  /** A uniform integer in [0, bound); bound is in [1, 2^53). */
  below(bound: number): number;
  /** A uniform integer in [low, high], both included. */
  between(low: number, high: number): number;
  /** True with probability `numerator` / `denominator`. */
  chance(numerator: number, denominator: number): boolean;
  /** A uniform element of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
  /** A uniformly shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

/** The stream called `name` of `seed`: a pure function of both strings. */
export function randomStream(seed: string, name: string): Random {
  const generator = xoroshiro128plus(hash32(`${seed}\u0000${name}`));
  const between = (low: number, high: number): number => {
    assert(
      Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high,
      'random range is not a range of safe integers',
    );
    return uniformInt(generator, low, high);
  };
  const below = (bound: number): number => between(0, bound - 1);
  return {
    below,
    between,
    chance: (numerator, denominator) => below(denominator) < numerator,
    pick: (items) => {
      assert(items.length > 0, 'cannot pick from an empty list');
      return items[below(items.length)] as (typeof items)[number];
    },
    shuffle: (items) => {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j] as (typeof copy)[number], copy[i] as (typeof copy)[number]];
      }
      return copy;
    },
  };
}

/** FNV-1a over UTF-16 code units, then a finalizer (murmur3's), so that near seeds start far apart. */
function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
