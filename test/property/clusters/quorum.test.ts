/**
 * What Raft promises, whatever is killed, frozen and cut: one leader a term, and what was committed is on every later leader
 * (both are checked by ModelQuorum as they happen); logs that agree in a term agree before it; and once all is well again,
 * one leader, and everything that was committed on every disk.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planes, type NodeId } from '../../../src/spi/cluster.ts';
import { ModelQuorum } from '../../support/model-quorum.ts';

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'propose' }
  | { readonly do: 'kill' | 'start' | 'freeze' | 'thaw'; readonly node: number }
  | {
      readonly do: 'cut';
      readonly from: number;
      readonly to: number;
    }
  | { readonly do: 'heal' };

const node = fc.nat();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 4_000 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('propose' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('kill' as const, 'start' as const, 'freeze' as const, 'thaw' as const),
      node,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), from: node, to: node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const) }) },
);

function carryOut(quorum: ModelQuorum, one: Step, ids: readonly NodeId[]): void {
  const idOf = (drawn: number): NodeId => ids[drawn % ids.length] ?? 0;
  switch (one.do) {
    case 'wait':
      quorum.advance(one.ms);
      return;
    case 'propose':
      quorum.propose();
      return;
    case 'kill':
      quorum.kill(idOf(one.node));
      return;
    case 'start':
      quorum.start(idOf(one.node));
      return;
    case 'freeze':
      quorum.voter(idOf(one.node)).process.freeze();
      return;
    case 'thaw':
      quorum.voter(idOf(one.node)).process.thaw();
      return;
    case 'cut':
      // One way only: two of them make a whole cut.
      quorum.network.cut(`${idOf(one.from)}>${idOf(one.to)}`, [
        { at: idOf(one.from), peer: idOf(one.to), planes, directions: ['out'] },
      ]);
      return;
    case 'heal':
      healAll(quorum);
  }
}

function healAll(quorum: ModelQuorum): void {
  for (const cut of quorum.network.standing()) quorum.network.heal(cut);
}

it.each([
  ['three', [1, 2, 3]],
  ['five', [1, 2, 3, 4, 5]],
])('of %s voters', (_name, ids) => {
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { minLength: 5, maxLength: 40 }), (seed, steps) => {
      const quorum = new ModelQuorum(String(seed), ids);
      quorum.advance(2_500);
      for (const one of steps) {
        carryOut(quorum, one, ids);
        quorum.checkLogs();
      }
      healAll(quorum);
      for (const id of ids) {
        quorum.voter(id).process.thaw();
        quorum.start(id);
      }
      quorum.until(() => quorum.leading().length === 1, 60_000);
      quorum.advance(20_000);
      quorum.propose();
      quorum.advance(2_000);
      quorum.checkLogs();
      expect(quorum.leading()).toHaveLength(1);
      for (const id of ids) expect(quorum.voter(id).disk.log).toEqual(quorum.committed);
    }),
    { numRuns: 60 },
  );
});
