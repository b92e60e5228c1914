/** Slices of the saved histories of real runs. */
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../src/history/load-text.ts';
import { Slicer } from '../../../src/history/slice.ts';
import { sliceAround } from '../../../src/run/shrink-history.ts';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { corpusRoots, readBytes, savedHistories } from '../../corpus/corpus.ts';
import { drawnSlice, foundIn, judgeRaw, type SliceDraw } from '../../support/drawn-slice.ts';

const saved = corpusRoots.flatMap(savedHistories);
const good = saved.filter(({ anomaly }) => anomaly === null);
const bad = saved.filter(({ anomaly }) => anomaly !== null);

/** Windows, shares, records left out, with and without a restriction to some logs. */
const draws: readonly SliceDraw[] = [
  { keptPercent: 100, droppedPercent: 0, window: [0, 50], someLogs: null, salt: 1 },
  { keptPercent: 100, droppedPercent: 0, window: [50, 100], someLogs: 2, salt: 2 },
  { keptPercent: 100, droppedPercent: 60, window: [0, 100], someLogs: null, salt: 3 },
  { keptPercent: 20, droppedPercent: 20, window: [20, 80], someLogs: null, salt: 4 },
  { keptPercent: 2, droppedPercent: 0, window: [0, 100], someLogs: 1, salt: 5 },
  { keptPercent: 2, droppedPercent: 95, window: [0, 100], someLogs: 6, salt: 6 },
  { keptPercent: 60, droppedPercent: 20, window: [70, 75], someLogs: 5, salt: 7 },
];

describe.each(good)('slices of $name', ({ file }) => {
  const slicer = new Slicer(readEvents(readBytes(file), file));

  it.each(draws)('hold no anomaly: $keptPercent %, salt $salt', (draw) => {
    const slice = drawnSlice(slicer, draw);
    expect(foundIn(judgeRaw(slice))).toEqual([]);
  });
});

describe.each(bad)('slices of $name', ({ file, anomaly }) => {
  const whole = readEvents(readBytes(file), file);
  const { anomalies } = judgeRaw(whole);

  it('around each witness are smaller and show the same anomaly', () => {
    for (const witness of anomalies[anomaly!].witnesses) {
      const slice = sliceAround(whole, witness);
      expect(slice.events.length).toBeLessThanOrEqual(whole.events.length);
      const judged = judgeRaw(slice).anomalies[anomaly!];
      expect(judged.outcome, witness.explanation).toBe('found');
      for (const again of judged.witnesses) {
        const certificate = certifyWitness(slice.header, slice.events, anomaly!, again);
        expect(certificate).toMatchObject({ holds: true });
      }
    }
  });

  it('hold no anomaly that the whole does not', () => {
    const known = foundIn(judgeRaw(whole));
    const slicer = new Slicer(whole);
    for (const draw of draws) {
      const found = foundIn(judgeRaw(drawnSlice(slicer, draw)));
      expect(found.filter((name) => !known.includes(name))).toEqual([]);
    }
  });
});
