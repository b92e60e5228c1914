import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../checkers/certify/index.ts';
import { readEvents, type RawHistory } from '../../../src/history/load-text.ts';
import { shrinkHistory, shrinkHistoryLimits } from '../../../src/run/shrink-history.ts';
import type { AnomalyName } from '../../../src/spi/verdict.ts';
import { corpusRoots, readBytes, savedHistories } from '../../corpus/corpus.ts';
import { judgeRaw } from '../../support/drawn-slice.ts';

const bad = corpusRoots.flatMap(savedHistories).filter(({ anomaly }) => anomaly !== null);
const lostWrite = bad.find(({ name }) => name === 'bad/lost-write/kafka-4.1.1-acks-one')!;
const shows = (anomaly: AnomalyName) => (history: RawHistory) =>
  judgeRaw(history).anomalies[anomaly].outcome === 'found';

/** What its group was told and committed stays with a member: it says where each had to begin. */
function operationsOfGroups({ events }: RawHistory): number {
  const kinds = new Set(['subscribe', 'commit', 'committed']);
  return events.filter(({ f, type }) => type === 'invoke' && kinds.has(f)).length;
}

describe('shrinkHistory', () => {
  it.each(bad)(
    'shrinks $name to twelve operations beside what a group did',
    async ({ file, anomaly }) => {
      const whole = readEvents(readBytes(file), file);
      const { history, before, after, finished } = await shrinkHistory(whole, shows(anomaly!));
      expect(finished).toBe(true);
      expect(before.events).toBe(whole.events.length);
      expect(after.events).toBe(history.events.length);
      // A scan keeps all of its chunks, and the one of a compacted log that shows a key has several.
      expect(after.operations - operationsOfGroups(history)).toBeLessThanOrEqual(12);
      const result = judgeRaw(history).anomalies[anomaly!];
      expect(result.witnesses).not.toEqual([]);
      for (const witness of result.witnesses) {
        const certificate = certifyWitness(history.header, history.events, anomaly!, witness);
        expect(certificate).toMatchObject({ holds: true });
      }
    },
  );

  it('begins with what a witness names, and needs fewer checks then', async () => {
    const whole = readEvents(readBytes(lostWrite.file), lostWrite.file);
    const hint = judgeRaw(whole).anomalies['lost-write'].witnesses[0]!;
    const hinted = await shrinkHistory(whole, shows('lost-write'), { hint });
    const alone = await shrinkHistory(whole, shows('lost-write'));
    expect(hinted.after.operations).toBeLessThanOrEqual(10);
    expect(hinted.checks).toBeLessThan(alone.checks);
  });

  it('keeps what its judge asks for, such as the layer', async () => {
    const whole = readEvents(readBytes(lostWrite.file), lostWrite.file);
    const layers = (history: RawHistory) =>
      judgeRaw(history).anomalies['lost-write'].witnesses.map(({ layer }) => layer);
    const { history, after } = await shrinkHistory(whole, (candidate) =>
      layers(candidate).includes('broker'),
    );
    expect(layers(history)).toEqual(['broker']);
    expect(after.operations).toBeLessThanOrEqual(10);
  });

  it('stops at its bound, with what it has', async () => {
    const whole = readEvents(readBytes(lostWrite.file), lostWrite.file);
    const limits = { ...shrinkHistoryLimits, checksMax: 3 };
    const shrunk = await shrinkHistory(whole, shows('lost-write'), { limits });
    expect(shrunk).toMatchObject({ checks: 3, finished: false });
    expect(shows('lost-write')(shrunk.history)).toBe(true);
  });

  it('stops when it is interrupted, with what it has', async () => {
    const whole = readEvents(readBytes(lostWrite.file), lostWrite.file);
    const stop = new AbortController();
    let judged = 0;
    const shrunk = await shrinkHistory(
      whole,
      (candidate) => {
        judged += 1;
        if (judged === 3) stop.abort();
        return shows('lost-write')(candidate);
      },
      { interrupt: stop.signal },
    );
    expect(shrunk).toMatchObject({ checks: 3, finished: false });
    expect(shows('lost-write')(shrunk.history)).toBe(true);
  });

  it('gives the history back where nothing smaller is accepted', async () => {
    const { file } = bad.find(({ name }) => name === 'bad/poll-skip/smallest')!;
    const whole = readEvents(readBytes(file), file);
    const { history, before, after } = await shrinkHistory(whole, () => false);
    expect(history).toBe(whole);
    expect(after).toEqual(before);
  });
});
