/** commit-regression and group-skip: where a member begins, against what its group may have committed. */
import { describe, expect, it } from 'vitest';
import type { RecordSeen } from '../../../src/history/event.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const values = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
/** Six records in t/0, all acknowledged, all audited. */
function written(config: object = {}): HistoryBuilder {
  const h = history({ config: { ...config } });
  values.forEach((value, offset) =>
    h.send(0, 't/0', value, { at: [offset, offset + 0.5], ok: offset }),
  );
  return h.scan(99, 't/0', values.map((value, offset): RecordSeen => [offset, value]), { at: [900, 901] }); // prettier-ignore
}
const from = (offset: number): RecordSeen[] =>
  values.slice(offset).map((value, i): RecordSeen => [offset + i, value]);

/** Process 1 reads 0 to 3 and may commit; process 2 is then assigned the log at 100 ms, and begins at `first`. */
function handedOver(
  first: number,
  commits: (h: HistoryBuilder) => void,
  config?: object,
): HistoryBuilder {
  const h = written(config)
    .subscribe(1, 'g', { at: [10, 11] })
    .rebalance(1, { generation: 1, member: 'm1', assigned: ['t/0'] }, { at: 12 })
    .poll(1, { 't/0': from(0).slice(0, 4) }, { at: [20, 21] });
  commits(h);
  return h
    .subscribe(2, 'g', { at: [90, 91] })
    .rebalance(2, { generation: 2, member: 'm2', assigned: ['t/0'] }, { at: 100, as: 'rebalance' })
    .poll(2, { 't/0': from(first) }, { at: [110, 111], as: 'poll' });
}

const committed2 = (h: HistoryBuilder) =>
  h.commit(1, 'g', { 't/0': 2 }, { at: [30, 31], as: 'commit' });

describe('commit-regression', () => {
  it('is found where a member begins below what was committed', () => {
    const h = handedOver(0, committed2);
    const result = resultOf(h, 'commit-regression');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('commit'), h.index('poll')],
      events: [h.index('rebalance')],
      log: 't/0',
      offset: 0,
      value: 'a',
      committed: 2,
      layer: 'unknown',
    });
    expect(result.witnesses[0]!.explanation).toContain('may have committed by then is 2');
  });

  it('is absent where it goes on at the committed offset', () => {
    expect(resultOf(handedOver(2, committed2), 'commit-regression')).toMatchObject({
      outcome: 'absent',
      checked: 2,
    });
  });

  it('is absent where the only commit is uncertain: nothing may have been committed', () => {
    const h = handedOver(0, (b) => b.commit(1, 'g', { 't/0': 2 }, { at: [30, 31], info: true }));
    expect(resultOf(h, 'commit-regression')).toMatchObject({ outcome: 'absent' });
  });

  it('takes an uncertain lower commit for possible, however late it lands', () => {
    const h = handedOver(1, (b) => {
      b.commit(3, 'g', { 't/0': 1 }, { at: [25, 26], info: true });
      b.commit(1, 'g', { 't/0': 2 }, { at: [30, 31] });
    });
    expect(resultOf(h, 'commit-regression')).toMatchObject({ outcome: 'absent' });
  });

  it('takes a commit under way at the assignment for possible, not for certain', () => {
    const late = (at: readonly [number, number]) =>
      handedOver(2, (b) => {
        committed2(b);
        b.commit(1, 'g', { 't/0': 4 }, { at });
      });
    expect(resultOf(late([95, 105]), 'commit-regression').outcome).toBe('absent');
    expect(resultOf(late([95, 99]), 'commit-regression')).toMatchObject({
      outcome: 'found',
      count: 1,
    });
    expect(resultOf(late([101, 105]), 'commit-regression').outcome).toBe('absent');
  });

  it('forgets a commit only for one that began after it returned', () => {
    const two = (at: readonly [number, number]) =>
      handedOver(1, (b) => {
        b.commit(1, 'g', { 't/0': 1 }, { at: [30, 40] });
        b.commit(3, 'g', { 't/0': 3 }, { at });
      });
    expect(resultOf(two([41, 42]), 'commit-regression').outcome).toBe('found');
    expect(resultOf(two([40, 42]), 'commit-regression').outcome).toBe('absent');
    expect(resultOf(two([35, 42]), 'commit-regression').outcome).toBe('absent');
  });

  it('asks nothing of another group, of another log, or of what failed', () => {
    for (const commit of [
      (b: HistoryBuilder) => b.commit(1, 'other', { 't/0': 2 }, { at: [30, 31] }),
      (b: HistoryBuilder) => b.commit(1, 'g', { 't/1': 2 }, { at: [30, 31] }),
      (b: HistoryBuilder) => b.commit(1, 'g', { 't/0': 2 }, { at: [30, 31], fail: true }),
    ]) {
      expect(resultOf(handedOver(0, commit), 'commit-regression').outcome).toBe('absent');
    }
  });

  it('reckons with the clock between processes, not within one', () => {
    const near = (errorNs: number, process: number) => {
      const h = history({ clock: { errorNs } })
        .subscribe(1, 'g', { at: [1, 2] })
        .commit(process, 'g', { 't/0': 2 }, { at: [10, 20] })
        .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 21 })
        .poll(1, { 't/0': [[0, 'x']] }, { at: [30, 31] });
      return resultOf(h, 'commit-regression').outcome;
    };
    expect(near(0, 5)).toBe('found');
    expect(near(1e6, 5)).toBe('absent');
    expect(near(1e6, 1)).toBe('found');
  });
});

describe('group-skip', () => {
  it('is found where a member begins beyond what was committed', () => {
    const h = handedOver(5, committed2);
    const result = resultOf(h, 'group-skip');
    expect(result).toMatchObject({ outcome: 'found', count: 3, checked: 2, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({ log: 't/0', offset: 2, value: 'c', skipped: 3 });
    expect(result.witnesses[0]!.operations).toContain(h.index('commit'));
    expect(result.witnesses[0]!.operations).toContain(h.index('poll'));
  });

  it('is absent where it begins at the greatest offset that may be committed', () => {
    const h = handedOver(4, (b) => {
      committed2(b);
      b.commit(3, 'g', { 't/0': 4 }, { at: [40, 41], info: true });
    });
    expect(resultOf(h, 'group-skip')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('is unknown where no scan covers the gap and nothing is known in it', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 })
      .poll(1, { 't/0': [[4, 'x']] }, { at: [5, 6] });
    const result = resultOf(h, 'group-skip');
    expect(result).toMatchObject({ outcome: 'unknown', checked: 1 });
    expect(result.reason).toContain('a complete scan of the log would decide it');
  });

  it('with no commit is bounded by the log start, and permitted by auto.offset.reset latest alone', () => {
    const nothing = () => undefined;
    expect(resultOf(handedOver(3, nothing), 'group-skip')).toMatchObject({
      count: 3,
      permittedBy: null,
    });
    const latest = { 'auto.offset.reset': 'latest' };
    expect(resultOf(handedOver(3, nothing, latest), 'group-skip')).toMatchObject({
      outcome: 'found',
      count: 3,
      permittedBy: 'auto.offset.reset',
    });
    expect(resultOf(handedOver(3, committed2, latest), 'group-skip')).toMatchObject({
      count: 1,
      permittedBy: null,
    });
  });

  it('names the client where the raw log holds what was skipped', () => {
    const h = handedOver(5, committed2).rawScan(98, 't/0', [
      { base: 0, last: 5, leaderEpoch: 0, producerId: 1, epoch: 0, sequence: 0, transactional: false, control: null },
    ], { at: [910, 911] }); // prettier-ignore
    expect(resultOf(h, 'group-skip').witnesses[0]?.layer).toBe('client');
  });
});

describe('the start of an assignment', () => {
  const begins = (build: (h: HistoryBuilder) => void) => {
    const h = written()
      .commit(7, 'g', { 't/0': 2 }, { at: [8, 9] })
      .subscribe(1, 'g', { at: [10, 11] });
    build(h);
    return [resultOf(h, 'commit-regression'), resultOf(h, 'group-skip')] as const;
  };

  const outcomes = (results: readonly { readonly outcome: string }[]) =>
    results.map(({ outcome }) => outcome);

  it.each([
    [0, ['unknown', 'absent']],
    [2, ['absent', 'absent']],
    [4, ['absent', 'unknown']],
  ])(
    'proves nothing in a poll during which the assignment came, at offset %i',
    (first, expected) => {
      const results = begins((h) =>
        h
          .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 15 })
          .poll(1, { 't/0': from(first) }, { at: [12, 20] }),
      );
      expect(outcomes(results)).toEqual(expected);
      for (const result of results) expect(result.checked).toBe(1);
    },
  );

  it.each([
    [0, ['unknown', 'absent']],
    [2, ['absent', 'absent']],
    [4, ['absent', 'unknown']],
  ])('proves nothing behind an operation that was not ok, at offset %i', (first, expected) => {
    const results = begins((h) =>
      h
        .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 12 })
        .poll(1, null, { at: [13, 14], fail: true })
        .poll(1, { 't/0': from(first) }, { at: [15, 20] }),
    );
    expect(outcomes(results)).toEqual(expected);
  });

  it('looks at what followed such a poll too', () => {
    const results = (second: number) =>
      begins((h) =>
        h
          .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 15 })
          .poll(1, { 't/0': from(2).slice(0, 1) }, { at: [12, 20] })
          .poll(1, { 't/0': from(second) }, { at: [21, 22] }),
      );
    expect(outcomes(results(3))).toEqual(['absent', 'unknown']);
    expect(outcomes(results(2))).toEqual(['absent', 'absent']);
    expect(outcomes(results(1))).toEqual(['found', 'absent']);
  });

  it('counts again after each assignment, and the first record of each alone', () => {
    const [regression, skip] = begins((h) =>
      h
        .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 12 })
        .poll(1, { 't/0': from(2).slice(0, 1) }, { at: [13, 14] })
        .poll(1, { 't/0': from(3) }, { at: [15, 16] })
        .rebalance(1, { generation: 2, revoked: ['t/0'] }, { at: 17 })
        .rebalance(1, { generation: 3, assigned: ['t/0'] }, { at: 18 })
        .poll(1, { 't/0': from(1) }, { at: [19, 20] }),
    );
    expect(regression).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(skip).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it("is nobody's business where the log was assigned by hand, or nothing was read", () => {
    const [regression, skip] = begins((h) =>
      h
        .assign(1, ['t/0'], 'beginning', { at: [12, 13] })
        .poll(1, { 't/0': from(0) }, { at: [14, 15] })
        .subscribe(2, 'g', { at: [20, 21] })
        .rebalance(2, { generation: 1, assigned: ['t/0'] }, { at: 22 })
        .poll(2, {}, { at: [23, 24] }),
    );
    expect(regression.outcome).toBe('not-exercised');
    expect(skip.outcome).toBe('not-exercised');
  });

  it('is unknown for a member of no known group', () => {
    const h = written()
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 12 })
      .poll(1, { 't/0': from(0) }, { at: [13, 14] });
    expect(resultOf(h, 'group-skip')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });
});

describe('offsets in transactions', () => {
  /** A transaction of process 5 commits offset 4; process 2 begins at `first`, and may ask for stable offsets. */
  const copied = (
    first: number,
    row: object,
    more: (h: HistoryBuilder) => void = () => undefined,
    stable = false,
  ) => {
    const h = written().commit(1, 'g', { 't/0': 2 }, { at: [20, 21] });
    h.op(5, 'txn', [['offsets', 'g', { 't/0': 4 }]], { at: [30, 40], txn: { id: 'x' }, ...row });
    more(h);
    h.subscribe(2, 'g', { at: [90, 91], stable })
      .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 100 })
      .poll(2, { 't/0': from(first) }, { at: [110, 111] });
    return resultOf(h, 'commit-regression').outcome;
  };
  const init = (at: readonly [number, number]) => (h: HistoryBuilder) =>
    h.op(6, 'init', { id: 'x' }, { at, completed: { id: 'x', producerId: 1, epoch: 1 } });

  it('displace older ones once somebody has read them or the id was taken again, not when the commit returns', () => {
    expect(copied(2, {})).toBe('absent');
    expect(copied(2, {}, init([50, 60]))).toBe('found');
    expect(copied(2, {}, init([95, 105]))).toBe('absent');
    expect(copied(2, {}, (h) => h.committed(7, 'g', { 't/0': 4 }, { at: [50, 60] }))).toBe('found');
    expect(copied(2, {}, (h) => h.committed(7, 'g', { 't/0': 2 }, { at: [50, 60] }))).toBe(
      'absent',
    );
  });

  it('displace them at the return for a reader of stable offsets', () => {
    expect(copied(2, {}, undefined, true)).toBe('found');
    expect(copied(4, {}, undefined, true)).toBe('absent');
    expect(copied(2, { info: true }, undefined, true)).toBe('absent');
    expect(copied(2, { fail: true }, undefined, true)).toBe('absent');
  });

  it('are possible from the attempt to commit on', () => {
    const skip = (attempt: number) => {
      const h = written()
        .op(5, 'txn', [['offsets', 'g', { 't/0': 4 }]], { at: [30, 140] })
        .attempt(5, [['commit']], { at: attempt })
        .subscribe(2, 'g', { at: [90, 91] })
        .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 100 })
        .poll(2, { 't/0': from(4) }, { at: [110, 111] });
      return resultOf(h, 'group-skip').outcome;
    };
    expect(skip(95)).toBe('absent');
    expect(skip(105)).toBe('found');
  });
});
