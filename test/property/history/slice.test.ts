/** Closed slices raise no false alarm: what a slice shows, the whole shows too; a slice of what is correct shows nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Header, HistoryEvent } from '../../../src/history/event.ts';
import { Slicer } from '../../../src/history/slice.ts';
import { correctHistory, textOfHistory } from '../../support/correct-model.ts';
import { mutations } from '../../support/correct-model-mutations.ts';
import { drawnSlice, foundIn, judgeRaw, sliceDraw } from '../../support/drawn-slice.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomModel } from '../../support/random-history.ts';

interface Whole {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
}

const wrong = fc
  .tuple(fc.constantFrom(...mutations), correctHistory, fc.nat())
  .map(([mutation, correct, pick]) => mutation.apply(correct, pick))
  .filter((mutated) => mutated !== null);

describe('slices', () => {
  it('of a correct history hold no anomaly', () => {
    check(correctHistory, 300, () => []);
  });

  it('of a history with one fault hold no anomaly that the whole does not', () => {
    check(wrong, 300, (whole) => foundIn(judgeRaw(whole)));
  });

  it('of a history with many faults neither', () => {
    check(randomModel, 600, (whole) => foundIn(judgeRaw(whole)));
  });

  it('can be sliced again, and name the events of the whole', () => {
    fc.assert(
      fc.property(correctHistory, sliceDraw, sliceDraw, (whole, first, second) => {
        const once = drawnSlice(new Slicer({ ...whole, warnings: [] }), first);
        const twice = drawnSlice(new Slicer(once), second);
        expect(foundIn(judgeRaw(twice))).toEqual([]);
        for (const { origin, time, process, type, f } of twice.events) {
          expect(whole.events[origin!]).toMatchObject({ time, process, type, f });
        }
      }),
      propertyRuns(100),
    );
  });
});

function check(
  wholes: fc.Arbitrary<Whole>,
  count: number,
  allowed: (whole: Whole) => readonly string[],
): void {
  fc.assert(
    fc.property(wholes, sliceDraw, (whole, draw) => {
      const slice = drawnSlice(new Slicer({ ...whole, warnings: [] }), draw);
      const found = foundIn(judgeRaw(slice));
      if (found.length === 0) return;
      const known = allowed(whole);
      expect(
        found.filter((name) => !known.includes(name)),
        textOfHistory(slice),
      ).toEqual([]);
    }),
    propertyRuns(count),
  );
}
