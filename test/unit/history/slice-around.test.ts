/** Slices around the operations of witnesses, as `ordeal slice` cuts them. */
import { describe, expect, test } from 'vitest';
import { certifiable, certifyWitness } from '../../../checkers/certify/index.ts';
import { checkHistory } from '../../../checkers/index.ts';
import { loadHistoryEvents } from '../../../src/history/load-events.ts';
import { readEvents } from '../../../src/history/load-text.ts';
import { sliceAroundEvents } from '../../../src/history/slice-around.ts';
import { Slicer } from '../../../src/history/slice.ts';
import { anomalyNames } from '../../../src/spi/verdict.ts';
import { corpusRoots, goldenRoot, readBytes, savedHistories } from '../../corpus/corpus.ts';
import { judgeRaw } from '../../support/drawn-slice.ts';
import { history } from '../../support/history-builder.ts';

const bad = [...corpusRoots, goldenRoot]
  .flatMap(savedHistories)
  .filter(({ anomaly }) => anomaly !== null);

describe.each(bad)('slices of $name', ({ file }) => {
  test('around the operations of a witness show the same anomaly', () => {
    const whole = readEvents(readBytes(file), file);
    const slicer = new Slicer(whole);
    const { anomalies } = checkHistory(loadHistoryEvents(whole.header, whole.events));
    for (const name of anomalyNames) {
      for (const witness of anomalies[name].witnesses.slice(0, 2)) {
        const slice = sliceAroundEvents(slicer, witness.operations, []);
        const judged = judgeRaw(slice).anomalies[name];
        expect(judged.outcome, `${name}: ${witness.explanation}`).toBe('found');
        if (!certifiable.includes(name)) continue;
        const [again] = judged.witnesses;
        const certificate = certifyWitness(slice.header, slice.events, name, again!);
        expect(certificate).toMatchObject({ holds: true });
      }
    }
  });
});

describe('a slice', () => {
  const built = history()
    .send(0, 't/0', 1, { ok: 0 })
    .send(0, 't/0', 2, { info: true, as: 'unknown' })
    .send(1, 't/0', 3, { ok: 2 })
    .poll(2, {
      't/0': [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    })
    .scan(
      3,
      't/0',
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      { end: 3, as: 'the scan' },
    );
  const slicer = new Slicer(readEvents(built.text(), 'by-hand.jsonl'));
  const kinds = (slice: { readonly events: readonly { readonly f: string }[] }) =>
    [...new Set(slice.events.map(({ f }) => f))].sort();

  test('around a send without an offset holds who saw where it stands', () => {
    const slice = sliceAroundEvents(slicer, [built.index('unknown')], []);
    expect(kinds(slice)).toEqual(['poll', 'send']);
    expect(slice.events.filter(({ f }) => f === 'send')).toHaveLength(2);
  });

  test('around a record holds its send and whoever saw it, with the records around it left out', () => {
    const slice = sliceAroundEvents(slicer, [], slicer.standingAt('t/0', 2));
    expect(kinds(slice)).toEqual(['audit', 'poll', 'send']);
    expect(JSON.stringify(slice.events.at(-1))).toContain('"records":[[2,3]]');
    expect(slice.events.map(({ origin }) => origin)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  test('around an audit alone holds all that it read', () => {
    const slice = sliceAroundEvents(slicer, [built.index('the scan')], []);
    expect(JSON.stringify(slice.events.at(-1))).toContain('[[0,1],[1,2],[2,3]]');
  });
});
