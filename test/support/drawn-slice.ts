/** Slices of histories by drawn numbers, for properties: any operations, any records left out, any logs. */
import fc from 'fast-check';
import { checkHistory } from '../../checkers/index.ts';
import { loadHistoryText, type RawHistory } from '../../src/history/load-text.ts';
import { Slicer } from '../../src/history/slice.ts';
import { anomalyNames, type AnomalyName, type ResultDocument } from '../../src/spi/verdict.ts';
import { textOfHistory } from './correct-model.ts';

export interface SliceDraw {
  /** Share of the events to keep, and of the records to leave out, percent. */
  readonly keptPercent: number;
  readonly droppedPercent: number;
  /** Where the window of events begins and ends, percent of all. */
  readonly window: readonly [number, number];
  readonly someLogs: number | null;
  readonly salt: number;
}

export const sliceDraw: fc.Arbitrary<SliceDraw> = fc.record({
  keptPercent: fc.constantFrom(2, 20, 60, 100),
  droppedPercent: fc.constantFrom(0, 0, 20, 60, 95),
  window: fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 })),
  someLogs: fc.option(fc.integer({ min: 1, max: 7 })),
  salt: fc.nat({ max: 10_000 }),
});

export function drawnSlice(slicer: Slicer, draw: SliceDraw): RawHistory {
  const { records, history } = slicer.index;
  const chosen = (number: number, percent: number) => mix(number, draw.salt) % 100 < percent;
  const bounds = draw.window.map((percent) => (percent * history.events.length) / 100);
  const [from, to] = [Math.min(...bounds), Math.max(...bounds)];
  const keep = [...history.events.keys()].filter(
    (position) => position >= from && position <= to && chosen(position, draw.keptPercent),
  );
  const logs = [...new Set(records.map(({ log }) => log))].sort();
  const some = logs.filter((_, i) => ((draw.someLogs ?? 0) & (1 << (i % 3))) !== 0);
  return slicer.slice({
    ...slicer.select(keep),
    dropped: new Set(records.map(({ id }) => id).filter((id) => chosen(~id, draw.droppedPercent))),
    logs: draw.someLogs === null ? null : new Set(some),
  });
}

/** Loads a slice as a file would be, and judges it. */
export function judgeRaw(history: Omit<RawHistory, 'warnings'>): ResultDocument {
  return checkHistory(loadHistoryText(textOfHistory(history), 'slice.jsonl'));
}

export function foundIn({ anomalies }: ResultDocument): readonly AnomalyName[] {
  return anomalyNames.filter((name) => anomalies[name].outcome === 'found');
}

function mix(a: number, b: number): number {
  let h = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 7, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 1;
}
