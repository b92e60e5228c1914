/** commit-regression and group-skip: what their witnesses name and say, and which record of a poll counts as the first. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

/** Offsets 0 to 3 of t/0, the first by the first operation of all; all audited at the end. */
function written(config: object = {}): HistoryBuilder {
  const h = history({ config: { ...config } });
  ['a', 'b', 'c', 'd'].forEach((value, offset) =>
    h.send(0, 't/0', value, { at: [offset, offset + 0.5], ok: offset, as: value }),
  );
  return h.scan(99, 't/0', [[0, 'a'], [1, 'b'], [2, 'c'], [3, 'd']], { at: [900, 901] }); // prettier-ignore
}

/** Process 2 of group g is assigned t/0 and reads it. */
const reads = (h: HistoryBuilder, records: [number, string][], rebalance: object = {}) =>
  h
    .subscribe(2, 'g', { at: [90, 91] })
    .rebalance(2, { assigned: ['t/0'], ...rebalance }, { at: 100, as: 'rebalance' })
    .poll(2, { 't/0': records }, { at: [110, 111], as: 'poll' });
const committed = (h: HistoryBuilder, next: number, row: object = {}) =>
  h.commit(1, 'g', { 't/0': next }, { at: [30, 31], as: 'commit', ...row });

describe('the witness of a commit-regression', () => {
  it('tells the generation where the client does, and what came of the commit', () => {
    const told = reads(committed(written(), 2), [[0, 'a']], { generation: 7 });
    const { explanation } = resultOf(told, 'commit-regression').witnesses[0]!;
    expect(explanation).toContain('was assigned t/0 in generation 7 at');
    expect(explanation).toMatch(/committed 2, acknowledged/);
    const untold = reads(committed(written(), 2), [[0, 'a']]);
    expect(resultOf(untold, 'commit-regression').witnesses[0]!.explanation).toContain(
      'was assigned t/0 at',
    );
  });

  it('names an uncertain commit where that is the least', () => {
    const h = reads(committed(written(), 2), [[0, 'a']]).commit(
      3,
      'g',
      { 't/0': 1 },
      { at: [40, 41], info: true, as: 'uncertain' },
    );
    const [witness] = resultOf(h, 'commit-regression').witnesses;
    expect(witness).toMatchObject({ operations: [h.index('uncertain'), h.index('poll')] });
    expect(witness!.explanation).toMatch(/committed 1, with uncertain outcome/);
  });
});

describe('the witness of a group-skip', () => {
  it('names the send that was acknowledged, the commit and the poll, in order', () => {
    const h = reads(committed(written(), 2), [[3, 'd']]);
    const [witness] = resultOf(h, 'group-skip').witnesses;
    expect(witness!.operations).toEqual([h.index('c'), h.index('commit'), h.index('poll')]);
    expect(witness!.explanation).toContain('So it never read "c"');
    expect(witness!.explanation).toMatch(/: it was acknowledged .*, and no scan shows it lost\.$/);
  });

  it('counts what was skipped where that is more', () => {
    const h = reads(written(), [[2, 'c']]);
    const [witness] = resultOf(h, 'group-skip').witnesses;
    expect(witness!.operations).toEqual([h.index('a'), h.index('poll')]);
    expect(witness!.explanation).toContain('So it never read 2 records, the first of them "a"');
    expect(witness!.explanation).toContain('No commit of the group was possible by then');
    expect(witness!.explanation).toContain('it was acknowledged');
  });

  it('names who saw a record whose send is uncertain, or that nobody here sent', () => {
    const seen = (h: HistoryBuilder) =>
      reads(
        committed(h, 0)
          .poll(7, { 't/0': [[0, 'x']] }, { at: [10, 11], as: 'sight' })
          .scan(99, 't/0', [[0, 'x'], [1, 'y']], { at: [900, 901] }), // prettier-ignore
        [[1, 'y']],
      );
    const uncertain = seen(history().send(0, 't/0', 'x', { at: [1, 2], info: true }));
    const stranger = seen(history({ topics: { t: { writers: 'external' } } }));
    for (const h of [uncertain, stranger]) {
      const [witness] = resultOf(h, 'group-skip').witnesses;
      expect(witness!.operations).toEqual(['sight', 'commit', 'poll'].map((as) => h.index(as)));
      expect(witness!.explanation).toContain('process 7 saw it');
    }
  });

  it('says that a setting permits it, where nothing was committed', () => {
    const latest = { 'auto.offset.reset': 'latest' };
    const permits = 'auto.offset.reset=latest permits this.';
    const text = (h: HistoryBuilder) => resultOf(h, 'group-skip').witnesses[0]!.explanation;
    expect(text(reads(written(latest), [[2, 'c']]))).toContain(permits);
    expect(text(reads(committed(written(latest), 1), [[2, 'c']]))).not.toContain('permits this');
    expect(text(reads(written(), [[2, 'c']]))).not.toContain('permits this');
  });
});

describe('the first record of an assignment', () => {
  it('is of its poll the one at the lowest offset, and of two there the one that came first', () => {
    const unsorted = reads(committed(written(), 2), [[3, 'd'], [2, 'c']]); // prettier-ignore
    expect(resultOf(unsorted, 'group-skip').outcome).toBe('absent');
    const low = reads(committed(written(), 2), [[1, 'b'], [0, 'a'], [0, 'z']]); // prettier-ignore
    expect(resultOf(low, 'commit-regression').witnesses[0]).toMatchObject({
      offset: 0,
      value: 'a',
    });
  });

  it('skips nothing at the committed offset, though retention may have removed what lay below', () => {
    const kept = { 'retention.ms': 1000 };
    const from = (offset: number, config: object) =>
      reads(committed(history({ config: { ...config } }), 2), [[offset, 'x']]);
    expect(resultOf(from(2, kept), 'group-skip')).toMatchObject({ outcome: 'absent', checked: 1 });
    const behind = resultOf(from(3, kept), 'group-skip');
    expect(behind).toMatchObject({ outcome: 'unknown' });
    expect(behind.reason).toContain('began to read t/0 at offset 3, behind 2, and retention');
    expect(resultOf(from(3, {}), 'group-skip').reason).toContain(
      'at offset 3, behind 2, and no scan covers',
    );
  });

  it('is unknown, and said to be, for a member of no group and where an operation was not ok', () => {
    const stranger = written()
      .rebalance(1, { assigned: ['t/0'] }, { at: 12 })
      .poll(1, { 't/0': [[0, 'a']] }, { at: [13, 14] });
    for (const anomaly of ['commit-regression', 'group-skip'] as const) {
      const result = resultOf(stranger, anomaly);
      expect(result).toMatchObject({ outcome: 'unknown', checked: 1 });
      expect(result.reason).toContain('and never subscribed: its group is not known');
    }
    const torn = committed(written(), 2)
      .subscribe(1, 'g', { at: [40, 41] })
      .rebalance(1, { assigned: ['t/0'] }, { at: 42 })
      .poll(1, null, { at: [43, 44], fail: true })
      .poll(1, { 't/0': [[0, 'a']] }, { at: [45, 46] });
    expect(resultOf(torn, 'commit-regression').reason).toContain('which record it read first');
  });
});
