import { describe, expect, it } from 'vitest';
import { measureCoverage } from '../../../checkers/coverage.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';

const coverageOf = (h: HistoryBuilder) => measureCoverage(h.load());

describe('coverage of sends', () => {
  const sends = () =>
    history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], fail: true })
      .send(1, 't/0', 12, { at: [3, 4], info: true })
      .send(2, 't/0', 13, { at: [3, 4], info: true })
      .send(3, 't/0', 14, { at: 5 });

  it('counts outcomes, and leaves uncertain sends unresolved without an audit', () => {
    expect(coverageOf(sends()).sends).toEqual({
      invoked: 5,
      acknowledged: 1,
      failed: 1,
      uncertain: 3,
      resolvedWritten: 0,
      resolvedAbsent: 0,
      unresolved: 3,
      audited: 0,
    });
  });

  const held = [
    [0, 10],
    [1, 12],
  ] as const;

  it('resolves by the final complete scan; what never completed stays open', () => {
    const h = sends().scan(9, 't/0', held, { at: [20, 21] });
    expect(coverageOf(h).sends).toMatchObject({
      resolvedWritten: 1,
      resolvedAbsent: 1,
      unresolved: 1,
      audited: 1,
    });
  });

  it.each([
    ['is incomplete', sends().scan(9, 't/0', held, { at: [20, 21], end: 5, upTo: 2 })],
    ['began before the send ended', sends().scan(9, 't/0', held, { at: [3, 21] })],
    [
      'began before the audit phase',
      sends()
        .scan(9, 't/0', held, { at: [20, 21] })
        .event('phase', { phase: 'audit' }, { at: 30 }),
    ],
    [
      'came while abandoned calls were open',
      sends()
        .event('abandoned', { total: 1, unsettled: 1 }, { at: 10 })
        .scan(9, 't/0', held, { at: [20, 21] }),
    ],
  ])('resolves nothing as absent by a scan that %s', (_why, h) => {
    expect(coverageOf(h).sends).toMatchObject({ resolvedWritten: 1, resolvedAbsent: 0 });
  });

  it('resolves nothing as absent where compaction may have removed it', () => {
    const h = history({ topics: { t: { cleanup: 'compact' } } })
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .scan(9, 't/0', [], { at: [20, 21] });
    expect(coverageOf(h).sends).toMatchObject({ resolvedAbsent: 0, unresolved: 1 });
  });

  it('takes a sight by an audit alone for one, but not of a value that another log holds', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .send(1, 't/1', 11, { at: [1, 2], info: true })
      .scan(9, 't/0', [[0, 10], [1, 11]], { at: [20, 21] }); // prettier-ignore
    expect(coverageOf(h).sends).toMatchObject({ resolvedWritten: 1, resolvedAbsent: 0 });
  });

  it('counts as audited what the latest complete scan covers, and no offset below its start', () => {
    const audited = (row: object) =>
      coverageOf(
        history()
          .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
          .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
          .send(0, 't/0', 12, { at: [5, 6], ok: null })
          .scan(9, 't/0', [], { at: [10, 11], end: 3, ...row })
          .scan(9, 't/0', [], { at: [12, 13], end: 5, upTo: 4, scan: 'incomplete' }),
      ).sends.audited;
    expect(audited({})).toBe(3);
    expect(audited({ start: 1 })).toBe(2);
    expect(audited({ start: 2 })).toBe(1);
    expect(audited({ at: [3.5, 11] })).toBe(1);
    expect(audited({ upTo: 2 })).toBe(0);
  });

  it.each([
    ['a committed scan of what was sent plainly', 'send', 'committed', 1],
    ['an uncommitted one', 'send', 'uncommitted', 1],
    ['no committed scan of what a transaction sent', 'txn', 'committed', 0],
    ['but by an uncommitted one', 'txn', 'uncommitted', 1],
  ] as const)('resolves as absent by %s', (_name, f, view, resolvedAbsent) => {
    const uncertain = { at: [1, 2], info: true } as const;
    const h =
      f === 'send'
        ? history().send(0, 't/0', 10, uncertain)
        : history().op(0, 'txn', [['send', 't/0', 10]], uncertain);
    h.scan(9, 't/0', [], { at: [20, 21], view, end: 1 });
    expect(coverageOf(h).sends).toMatchObject({ uncertain: 1, resolvedAbsent });
  });

  it('resolves nothing as absent by a scan that does not start at 0, or of another partition', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .send(1, 't', 11, { at: [1, 2], info: true })
      .scan(9, 't/0', [], { at: [20, 21], start: 1, end: 2 })
      .scan(9, 't/1', [], { at: [22, 23], end: 2 });
    expect(coverageOf(h).sends).toMatchObject({ resolvedAbsent: 0, unresolved: 2 });
  });

  it('finds uncertain sends whose partition nobody told wherever they were seen', () => {
    const h = history()
      .send(0, 't', 10, { at: [1, 2], info: true })
      .send(1, 't', 11, { at: [1, 2], info: true })
      .poll(5, { 't/3': [[0, 10]] }, { at: [5, 6] });
    expect(coverageOf(h).sends).toMatchObject({ resolvedWritten: 1, unresolved: 1 });
  });
});

describe('coverage of the rest', () => {
  it('counts operations, polls, audits and time', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 'x']] }, { at: [1, 2] })
      .poll(5, null, { at: [3, 4], fail: true })
      .poll(5, null, { at: [5, 6], info: true })
      .scan(
        9,
        't/0',
        [
          [0, 'x'],
          [1, 'y'],
        ],
        { at: [7, 9], chunk: 1 },
      )
      .scan(9, 't/0', [[0, 'x']], { at: [10, 11], end: 2, upTo: 1, scan: 'cut' });
    expect(coverageOf(h)).toMatchObject({
      operations: 6,
      events: 12,
      durationMs: 11,
      polls: { ok: 1, failed: 1, uncertain: 1, records: 1 },
      audits: { chunks: 3, scans: 2, completeScans: 1, records: 3 },
    });
  });

  it('counts transactions by outcome, and those that were fenced', () => {
    const h = history()
      .op(1, 'txn', [['send', 't/0', 1]], { at: [1, 2], completed: [['send', 't/0', [0, 1]]] })
      .op(1, 'txn', [['send', 't/0', 2]], { at: [3, 4], fail: 'PRODUCER_FENCED' })
      .op(1, 'txn', [['send', 't/0', 3]], { at: [5, 6], info: true })
      .op(2, 'init', { id: 'x' }, { at: [5, 6], fail: 'INVALID_PRODUCER_EPOCH' });
    expect(coverageOf(h).transactions).toEqual({
      committed: 1,
      aborted: 1,
      uncertain: 1,
      fenced: 2,
    });
  });

  it('counts a leader change from the second word on a log', () => {
    const leader = (log: string, node: number, leaderEpoch: number) => ({
      log,
      leader: node,
      leaderEpoch,
    });
    const h = history()
      .event('leader', leader('t/0', 1, 0), { at: 1 })
      .event('leader', leader('t/1', 2, 0), { at: 1 })
      .event('leader', leader('t/0', 1, 0), { at: 2 })
      .event('leader', leader('t/0', 2, 1), { at: 3 })
      .event('leader', leader('t/0', 2, 2), { at: 4 });
    expect(coverageOf(h).leaderChanges).toBe(2);
  });

  it('counts faults by kind: injected, with effect, healed', () => {
    const h = history({ faults: ['kill', 'pause'] })
      .fault('kill', 'f1', { at: [1, 2] })
      .heal('kill', 'f1', { at: [3, 4] })
      .fault('kill', 'f2', { at: [5, 6], tookEffect: false })
      .heal('kill', 'f2', { at: [7, 8], tookEffect: 'unknown' })
      .fault('kill', 'f3', { at: [9, 10], fail: true });
    expect(coverageOf(h).faults).toEqual({
      kill: { injected: 2, tookEffect: 1, healed: 1 },
      pause: { injected: 0, tookEffect: 0, healed: 0 },
    });
  });

  it('takes the worst event-loop delay, the last word on abandoned calls, and interruptions', () => {
    const h = history()
      .event('delay', { maxMs: 12.5, p99Ms: 3, windowMs: 1000 }, { at: 1 })
      .event('delay', { maxMs: 4, p99Ms: 3.5, windowMs: 1000 }, { at: 2 })
      .event('abandoned', { total: 3, unsettled: 0 }, { at: 3 })
      .event('interrupted', { signal: 'SIGINT' }, { at: 4 });
    expect(coverageOf(h)).toMatchObject({
      eventLoopDelayMs: { max: 12.5, p99: 3.5 },
      abandonedCalls: { total: 3, unsettled: 0 },
      warnings: ['the run was interrupted by SIGINT'],
    });
    expect(coverageOf(history())).toMatchObject({ eventLoopDelayMs: null, abandonedCalls: null });
    const quick = history().event('delay', { maxMs: 0.5, p99Ms: 0.25 }, { at: 1 });
    expect(coverageOf(quick).eventLoopDelayMs).toEqual({ max: 0.5, p99: 0.25 });
    const odd = history().event('interrupted', null, { at: 1 }).event('delay', 'long', { at: 2 });
    expect(coverageOf(odd)).toMatchObject({
      eventLoopDelayMs: { max: 0, p99: 0 },
      warnings: ['the run was interrupted'],
    });
  });

  it('tells faults in order of their kinds, also those that nobody had asked for', () => {
    const h = history({ faults: ['pause', 'kill', 'delay'] }).fault('cut', 'f1', { at: [1, 2] });
    const { faults } = coverageOf(h);
    expect(Object.keys(faults)).toEqual(['cut', 'delay', 'kill', 'pause']);
    expect(faults['cut']).toEqual({ injected: 1, tookEffect: 1, healed: 0 });
  });

  it('counts rebalances', () => {
    const value = { generation: 1, member: 'm', assigned: [], revoked: [], lost: [] };
    const h = history()
      .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [1, 2] })
      .event('rebalance', value, { at: 3, process: 5 });
    expect(coverageOf(h).rebalances).toBe(1);
  });
});

describe('the scan that resolves as absent', () => {
  it('begins when no send is under way any more', () => {
    const sent = (last: readonly [number, number]) =>
      coverageOf(
        history()
          .send(0, 't/0', 10, { at: [1, 2], info: true })
          .scan(9, 't/0', [], { at: [5, 6], end: 1 })
          .send(1, 't/0', 11, { at: last, ok: 0 }),
      ).sends;
    expect(sent([3, 4])).toMatchObject({ resolvedAbsent: 1, unresolved: 0 });
    expect(sent([4, 7])).toMatchObject({ resolvedAbsent: 0, unresolved: 1 });
  });
});
