import { describe, expect, it } from 'vitest';
import {
  eachPlacement,
  firstReadOp,
  firstSightOp,
  recordsOf,
} from '../../../../checkers/facts/records.ts';
import { history, type HistoryBuilder } from '../../../support/history-builder.ts';

/** Every placement of every record of a log, as the tests name them: value, offset, and whether the answer gave it. */
function placementsOf(h: HistoryBuilder, log: string) {
  const loaded = h.load();
  const records = recordsOf(loaded)[loaded.logByName.get(log)!]!;
  const found: [unknown, number, string][] = [];
  for (let record = 0; record < records.count; record++) {
    eachPlacement(records, record, (placement) => {
      const value = loaded.values[records.value[record]!];
      const told = records.answered[placement] === 1 ? 'answered' : 'seen';
      found.push([value, records.offset[placement]!, told]);
    });
  }
  return found;
}

describe('the records of a log', () => {
  it('stand where their answers say and where they were seen', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: null })
      .send(0, 't/0', 12, { at: [5, 6], fail: true })
      .poll(5, {
        't/0': [
          [0, 10],
          [4, 11],
          [5, 99],
        ],
      });
    expect(placementsOf(h, 't/0')).toEqual([
      [10, 0, 'answered'],
      [11, 4, 'seen'],
      [99, 5, 'seen'],
    ]);
  });

  it('stand at further places too, in a log where others have one', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .poll(5, {
        't/0': [
          [3, 10],
          [4, 11],
          [5, 10],
          [6, 10],
        ],
      });
    expect(placementsOf(h, 't/0')).toEqual([
      [10, 0, 'answered'],
      [10, 3, 'seen'],
      [10, 5, 'seen'],
      [10, 6, 'seen'],
      [11, 1, 'answered'],
      [11, 4, 'seen'],
    ]);
  });

  it('count the answer of an uncertain send once its value was seen, wherever that was', () => {
    const uncertain = () => history().send(0, 't/0', 10, { at: [1, 2], info: true, offset: 7 });
    expect(placementsOf(uncertain(), 't/0')).toEqual([]);
    expect(placementsOf(uncertain().poll(5, { 't/0': [[7, 10]] }), 't/0')).toEqual([
      [10, 7, 'answered'],
    ]);
    const elsewhere = uncertain().poll(5, {
      't/0': [
        [3, 10],
        [5, 10],
      ],
    });
    expect(placementsOf(elsewhere, 't/0')).toEqual([
      [10, 3, 'seen'],
      [10, 5, 'seen'],
      [10, 7, 'answered'],
    ]);
    // The second place that it was seen at is the one that the answer had named.
    const later = uncertain().poll(5, {
      't/0': [
        [3, 10],
        [7, 10],
      ],
    });
    expect(placementsOf(later, 't/0')).toEqual([
      [10, 3, 'seen'],
      [10, 7, 'answered'],
    ]);
  });

  it('know who saw them first, and which consumer did', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [1.5, 2], ok: 1 })
      .scan(9, 't/0', [[0, 10]], { at: [3, 4], end: 1 })
      .poll(5, { 't/0': [[6, 10]] }, { at: [3.5, 8] })
      .poll(6, { 't/0': [[0, 10]] }, { at: [5, 7] })
      .load();
    const [records] = recordsOf(h);
    const name = (op: number) => (op < 0 ? null : h.processes[h.ops.process[op]!]);
    expect(name(firstSightOp(h, records!, 0))).toBe(9);
    expect(name(firstReadOp(h, records!, 0))).toBe(6);
    expect(name(firstSightOp(h, records!, 1))).toBe(null);
    expect(name(firstReadOp(h, records!, 1))).toBe(null);
  });

  it('of sends that left the partition to the client know in how many logs they were seen', () => {
    const located = (logs: readonly string[]) => {
      const h = history().send(0, 't', 10, { at: [1, 2], ok: null });
      const loaded = h
        .poll(5, Object.fromEntries(logs.map((log) => [log, [[0, 10]] as const])))
        .load();
      return recordsOf(loaded)[loaded.logByName.get('t')!]!.located[0];
    };
    expect(located([])).toBe(0);
    expect(located(['t/0'])).toBe(1);
    expect(located(['t/0', 't/1'])).toBe(2);
    expect(located(['t/0', 't/1', 't/2'])).toBe(2);
    expect(located(['u/0'])).toBe(0);
  });

  it('belong to the send whose answer named another log, where the client chose it', () => {
    const writerIn = (log: string, chosen: boolean) => {
      const loaded = history()
        .send(0, chosen ? 't' : 't/1', 10, { at: [1, 2], ok: 0, to: 't/1' })
        .poll(5, { [log]: [[0, 10]] })
        .load();
      return recordsOf(loaded)[loaded.logByName.get(log)!]!.writerOp[0];
    };
    expect(writerIn('t/1', true)).toBe(0);
    expect(writerIn('t/0', true)).toBe(0);
    expect(writerIn('t/0', false)).toBe(-1);
    expect(writerIn('u/0', true)).toBe(-1);
  });
});
