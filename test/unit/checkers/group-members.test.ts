/** stale-commit and double-ownership: what a generation of a consumer group forbids. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

/** Process 1 is given t/0 in generation 1 at 10 ms, process 2 in generation 2 at 20 ms. */
function twoGenerations(errorNs = 0): HistoryBuilder {
  return history({ clock: { errorNs } })
    .subscribe(1, 'g', { at: [1, 2], as: 'first' })
    .subscribe(2, 'g', { at: [3, 4], as: 'second' })
    .rebalance(1, { generation: 1, member: 'm1', assigned: ['t/0'] }, { at: 10 })
    .rebalance(2, { generation: 2, member: 'm2', assigned: ['t/0'] }, { at: 20, as: 'newer' });
}

describe('stale-commit', () => {
  const of1 = { generation: 1, member: 'm1' };

  it('is found where a member of an old generation succeeds', () => {
    const h = twoGenerations().commit(1, 'g', { 't/0': 3 }, { at: [30, 31], ...of1, as: 'commit' });
    const result = resultOf(h, 'stale-commit');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('commit')],
      events: [h.index('newer')],
      log: 't/0',
      committed: 3,
    });
    expect(result.witnesses[0]!.explanation).toContain('as of generation 1');
  });

  it.each([
    ['refused', { at: [30, 31], fail: 'ILLEGAL_GENERATION' }, 0],
    ['uncertain', { at: [30, 31], info: true }, 0],
    ['invoked before the newer generation was told', { at: [15, 31] }, 1],
    ['invoked at that very moment', { at: [20, 31] }, 1],
    ['of the newer generation', { at: [30, 31], generation: 2 }, 1],
  ] as const)('is absent where the commit was %s', (_how, row, checked) => {
    const h = twoGenerations().commit(1, 'g', { 't/0': 3 }, { ...of1, ...row });
    expect(resultOf(h, 'stale-commit')).toMatchObject({
      outcome: checked === 0 ? 'not-exercised' : 'absent',
      checked,
    });
  });

  it('is unknown where a member tells no generation, and asks nothing of who is no member', () => {
    const silent = (process: number) =>
      twoGenerations().commit(process, 'g', { 't/0': 3 }, { at: [30, 31] });
    expect(resultOf(silent(1), 'stale-commit')).toMatchObject({ outcome: 'unknown', checked: 1 });
    expect(resultOf(silent(1), 'stale-commit').reason).toContain('tells no generation');
    expect(resultOf(silent(9), 'stale-commit')).toMatchObject({ outcome: 'not-exercised' });
    const minusOne = twoGenerations().commit(1, 'g', {}, { at: [30, 31], generation: -1 });
    expect(resultOf(minusOne, 'stale-commit')).toMatchObject({ outcome: 'unknown' });
  });

  it('is of another member: one that goes on under its own id is not stale', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .rebalance(1, { generation: 1, member: 'm', assigned: ['t/0'] }, { at: 10 })
      .rebalance(1, { generation: 2, member: 'm', assigned: ['t/0'] }, { at: 20 })
      .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], generation: 1, member: 'm' });
    expect(resultOf(h, 'stale-commit').outcome).toBe('absent');
    const rejoined = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .rebalance(1, { generation: 1, member: 'm', assigned: ['t/0'] }, { at: 10 })
      .rebalance(1, { generation: 2, member: 'n', assigned: ['t/0'] }, { at: 20 })
      .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], generation: 1, member: 'm' });
    expect(resultOf(rejoined, 'stale-commit').outcome).toBe('found');
  });

  it('goes by the process where not both tell their member', () => {
    const near = (process: number, member: string | undefined) =>
      history()
        .subscribe(1, 'g', { at: [1, 2] })
        .subscribe(2, 'g', { at: [3, 4] })
        .rebalance(process, { generation: 2, member, assigned: ['t/0'] }, { at: 20 })
        .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], generation: 1, member: 'm1' });
    expect(resultOf(near(1, undefined), 'stale-commit').outcome).toBe('absent');
    expect(resultOf(near(1, ''), 'stale-commit').outcome).toBe('absent');
    expect(resultOf(near(1, 'm9'), 'stale-commit').outcome).toBe('found');
    expect(resultOf(near(2, undefined), 'stale-commit').outcome).toBe('found');
  });

  it('asks nothing of events that tell no generation, or of no known group', () => {
    const told = (process: number, generation: number | undefined) =>
      history()
        .subscribe(1, 'g', { at: [1, 2] })
        .subscribe(2, 'g', { at: [3, 4] })
        .rebalance(process, { generation, assigned: ['t/0'] }, { at: 20 })
        .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], generation: 0 });
    expect(resultOf(told(2, 1), 'stale-commit').outcome).toBe('found');
    expect(resultOf(told(2, 0), 'stale-commit').outcome).toBe('absent');
    expect(resultOf(told(2, undefined), 'stale-commit').outcome).toBe('absent');
    expect(resultOf(told(77, 1), 'stale-commit').outcome).toBe('absent');
  });

  it('is found whatever older generations are told after the newer one', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] });
    [1, 3, 2, 2, 2].forEach((generation, i) =>
      h.rebalance(2, { generation, assigned: ['t/0'] }, { at: 10 + i, as: `${generation}` }),
    );
    h.commit(1, 'g', {}, { at: [30, 31], generation: 2, as: 'commit' });
    const result = resultOf(h, 'stale-commit');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]).toMatchObject({ events: [h.index('3')] });
    expect(result.witnesses[0]).not.toHaveProperty('log');
  });

  it('needs another member in a newer generation, not in the same', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .rebalance(2, { generation: 2, member: 'm2', assigned: ['t/0'] }, { at: 20 })
      .rebalance(1, { generation: 3, member: 'm1', assigned: ['t/1'] }, { at: 21 })
      .commit(1, 'g', { 't/1': 3 }, { at: [30, 31], generation: 2, member: 'm1' });
    expect(resultOf(h, 'stale-commit')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('reckons with twice the error of the clock, and within a process with none', () => {
    const near = (ms: number) =>
      twoGenerations(5e6).commit(1, 'g', { 't/0': 3 }, { at: [ms, ms + 1], ...of1 });
    expect(resultOf(near(30), 'stale-commit').outcome).toBe('absent');
    expect(resultOf(near(30.5), 'stale-commit').outcome).toBe('found');
    const rejoined = (ms: number) =>
      history({ clock: { errorNs: 5e6 } })
        .subscribe(1, 'g', { at: [1, 2] })
        .rebalance(1, { generation: 2, member: 'n', assigned: ['t/0'] }, { at: 20 })
        .commit(1, 'g', { 't/0': 3 }, { at: [ms, ms + 5], generation: 1, member: 'm' });
    expect(resultOf(rejoined(21), 'stale-commit').outcome).toBe('found');
    expect(resultOf(rejoined(19), 'stale-commit').outcome).toBe('absent');
  });

  it('keeps groups apart, and reckons with the clock', () => {
    const other = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'h', { at: [3, 4] })
      .rebalance(2, { generation: 2, member: 'm2', assigned: ['t/0'] }, { at: 20 })
      .commit(1, 'g', { 't/0': 3 }, { at: [30, 31], ...of1 });
    expect(resultOf(other, 'stale-commit').outcome).toBe('absent');
    const near = twoGenerations(5e6).commit(1, 'g', { 't/0': 3 }, { at: [30, 31], ...of1 });
    expect(resultOf(near, 'stale-commit').outcome).toBe('absent');
  });
});

describe('double-ownership', () => {
  const both = (second: object, first: object = {}) =>
    history()
      .subscribe(1, 'g', { at: [1, 2], as: 'first' })
      .subscribe(2, 'g', { at: [3, 4], as: 'second' })
      .rebalance(1, { generation: 3, member: 'm1', assigned: ['t/0', 't/1'], ...first }, { at: 10, as: 'one' })
      .rebalance(2, { generation: 3, member: 'm2', assigned: ['t/1', 't/2'], ...second }, { at: 20, as: 'two' }); // prettier-ignore

  it('is found where one generation gives a log to two members', () => {
    const h = both({});
    const result = resultOf(h, 'double-ownership');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 4 });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('first'), h.index('second')],
        events: [h.index('one'), h.index('two')],
        log: 't/1',
        layer: 'unknown',
      },
    ]);
    expect(result.witnesses[0]!.explanation).toContain('Generation 3 of group g gave t/1');
  });

  it.each([
    ['another generation', { generation: 4 }],
    ['other logs', { assigned: ['t/2', 't/3'] }],
    ['the same member', { member: 'm1' }],
  ])('is absent for %s', (_what, second) => {
    expect(resultOf(both(second), 'double-ownership')).toMatchObject({
      outcome: 'absent',
      checked: 4,
    });
  });

  it('is unknown where a generation is not told', () => {
    expect(resultOf(both({ generation: undefined }), 'double-ownership')).toMatchObject({
      outcome: 'unknown',
      checked: 4,
    });
  });

  it('is of generation 0 too, and says what is not told', () => {
    expect(resultOf(both({ generation: 0 }, { generation: 0 }), 'double-ownership')).toMatchObject({
      outcome: 'found',
      count: 1,
    });
    const untold = both({ generation: -1 }, { generation: -1 });
    expect(resultOf(untold, 'double-ownership')).toMatchObject({ outcome: 'unknown', count: 0 });
    expect(resultOf(untold, 'double-ownership').reason).toContain('but no generation is told');
    const stranger = both({}).rebalance(77, { generation: 4, assigned: ['t/0'] }, { at: 30 });
    expect(resultOf(stranger, 'double-ownership')).toMatchObject({ outcome: 'found', count: 1 });
    const alone = both({ generation: 4 }).rebalance(
      77,
      { generation: 4, assigned: ['t/1'] },
      { at: 30 },
    );
    expect(resultOf(alone, 'double-ownership')).toMatchObject({ outcome: 'unknown', checked: 5 });
    expect(resultOf(alone, 'double-ownership').reason).toContain('never subscribed to a group');
  });

  it('counts a log once, however many own it, and names them in order', () => {
    const h = history()
      .subscribe(2, 'g', { at: [1, 2], as: 'second' })
      .subscribe(1, 'g', { at: [3, 4], as: 'first' })
      .subscribe(3, 'g', { at: [5, 6] })
      .rebalance(1, { generation: 3, member: 'm1', assigned: ['t/0'] }, { at: 10, as: 'one' })
      .rebalance(2, { generation: 3, assigned: ['t/0'] }, { at: 20, as: 'two' })
      .rebalance(3, { generation: 3, assigned: ['t/0'] }, { at: 30 });
    const result = resultOf(h, 'double-ownership');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 3 });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('second'), h.index('first')],
        events: [h.index('one'), h.index('two')],
      },
    ]);
    expect(result.witnesses[0]!.explanation).toContain(
      'process 1 (member m1) by event 6 at 0.01s, and process 2 by event 7 at',
    );
  });

  it('keeps groups apart', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'h', { at: [3, 4] })
      .rebalance(1, { generation: 3, assigned: ['t/0'] }, { at: 10 })
      .rebalance(2, { generation: 3, assigned: ['t/0'] }, { at: 20 });
    expect(resultOf(h, 'double-ownership').outcome).toBe('absent');
  });

  /** Process 1 has t/0 and t/1 since generation 1; in generation 2 it is told `first`, and process 2 is given t/1. */
  const kept = (first: object) =>
    history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .rebalance(1, { generation: 1, assigned: ['t/0', 't/1'] }, { at: 10 })
      .rebalance(1, { generation: 2, ...first }, { at: 20 })
      .rebalance(2, { generation: 2, assigned: ['t/1'] }, { at: 21 });

  it('knows what an incremental client kept', () => {
    expect(resultOf(kept({ assigned: [], revoked: [] }), 'double-ownership')).toMatchObject({
      outcome: 'found',
      count: 1,
    });
    expect(resultOf(kept({ assigned: [], revoked: ['t/1'] }), 'double-ownership').outcome).toBe(
      'absent',
    );
    expect(
      resultOf(kept({ assigned: [], revoked: [], lost: ['t/1'] }), 'double-ownership').outcome,
    ).toBe('absent');
  });

  it('takes a client that lists what it had for eager, and one that tells no revocation for neither', () => {
    expect(resultOf(kept({ assigned: ['t/0'], revoked: [] }), 'double-ownership').outcome).toBe(
      'absent',
    );
    expect(resultOf(kept({ assigned: [] }), 'double-ownership')).toMatchObject({
      outcome: 'unknown',
      checked: 3,
    });
  });

  it('counts what was kept by the last event of the generation alone', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .subscribe(2, 'g', { at: [3, 4] })
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 10 })
      .rebalance(1, { generation: 2, assigned: ['t/2'], revoked: [] }, { at: 20 })
      .rebalance(1, { generation: 2, revoked: ['t/0'] }, { at: 21 })
      .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 22 });
    expect(resultOf(h, 'double-ownership').outcome).toBe('absent');
  });

  it('forgets what was owned before the first subscription', () => {
    const h = history()
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 1 })
      .subscribe(1, 'g', { at: [2, 3] })
      .subscribe(2, 'g', { at: [4, 5] })
      .rebalance(1, { generation: 2, assigned: [], revoked: [] }, { at: 20 })
      .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 22 });
    expect(resultOf(h, 'double-ownership')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('forgets what was owned before a new subscription', () => {
    const h = history()
      .subscribe(1, 'g', { at: [1, 2] })
      .rebalance(1, { generation: 1, assigned: ['t/0'] }, { at: 3 })
      .close(1, { at: [4, 5] })
      .subscribe(1, 'g', { at: [6, 7] })
      .subscribe(2, 'g', { at: [6, 7] })
      .rebalance(1, { generation: 2, assigned: [], revoked: [] }, { at: 20 })
      .rebalance(2, { generation: 2, assigned: ['t/0'] }, { at: 22 });
    expect(resultOf(h, 'double-ownership').outcome).toBe('absent');
  });
});
