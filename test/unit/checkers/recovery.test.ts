import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

/** A kill, healed at 10 ms; recovery may take 100 ms. */
const healed = (header = {}) =>
  history({ recoveryMs: 100, ...header })
    .fault('kill', 'f1', { at: [2, 3], as: 'the fault' })
    .heal('kill', 'f1', { at: [9, 10], as: 'the heal' });

describe('not-recovered', () => {
  it('is found where nothing on a log is acknowledged for recoveryMs after the last heal', () => {
    const h = healed()
      .send(0, 't/0', 1, { at: [11, 20], info: true, as: 'first' })
      .send(1, 't/0', 2, { at: [60, 70], fail: 'NOT_LEADER', as: 'last' })
      .event('phase', { phase: 'drain' }, { at: 120 });
    const result = resultOf(h, 'not-recovered');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the heal'), h.index('first'), h.index('last')],
      log: 't/0',
    });
    expect(result.witnesses[0]?.explanation).toContain('t/0 was attempted 2 times');
  });

  it('is absent in the twin where a later send is acknowledged and read', () => {
    const h = healed()
      .send(0, 't/0', 1, { at: [11, 20], info: true })
      .send(1, 't/0', 2, { at: [60, 70], ok: 0 })
      .poll(5, { 't/0': [[0, 2]] }, { at: [80, 90] })
      .event('phase', { phase: 'drain' }, { at: 120 });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('is absent once a committed scan holds what was acknowledged, however soon the history ends', () => {
    const h = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .scan(9, 't/0', [[0, 2]], { at: [13, 14] });
    expect(resultOf(h, 'not-recovered').outcome).toBe('absent');
    const uncommitted = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .scan(9, 't/0', [[0, 2]], { at: [13, 14], view: 'uncommitted' });
    expect(resultOf(uncommitted, 'not-recovered').outcome).toBe('unknown');
  });

  it('is found where reads went on for recoveryMs and never returned what was acknowledged', () => {
    const reading = (until: number) =>
      healed()
        .send(1, 't/0', 2, { at: [11, 12], ok: 0, as: 'the send' })
        .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
        .poll(5, {}, { at: [until, until + 1], as: 'the last poll' });
    const h = reading(113);
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h, 'not-recovered').witnesses[0]?.operations).toEqual([
      h.index('the heal'),
      h.index('the send'),
      h.index('the last poll'),
    ]);
    expect(resultOf(reading(100), 'not-recovered').outcome).toBe('unknown');
  });

  it('is unknown if the history ends before recoveryMs with a log unacknowledged', () => {
    const h = healed().send(0, 't/0', 1, { at: [11, 20], info: true });
    const result = resultOf(h, 'not-recovered');
    expect(result.outcome).toBe('unknown');
    expect(result.reason).toContain('ends less than 100 ms after it');
  });

  it('is unknown while a fault has no heal that is proved', () => {
    const standing = history({ recoveryMs: 10 })
      .fault('kill', 'f1', { at: [2, 3] })
      .send(0, 't/0', 1, { at: [4, 50], info: true });
    expect(resultOf(standing, 'not-recovered').outcome).toBe('unknown');
    const doubtful = history({ recoveryMs: 10 })
      .fault('kill', 'f1', { at: [2, 3] })
      .heal('kill', 'f1', { at: [4, 5], tookEffect: 'unknown' })
      .send(0, 't/0', 1, { at: [6, 50], info: true });
    const result = resultOf(doubtful, 'not-recovered');
    expect(result.outcome).toBe('unknown');
    expect(result.reason).toContain('kill f1');
  });

  it('is unknown for a fault of which the heal never came, even where nothing was attempted', () => {
    const h = history().fault('partition', 'f1', { at: [2, 3] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });

  it('names three standing faults, and how many more there are', () => {
    const standing = (count: number) => {
      const h = history({ recoveryMs: 10 });
      for (let i = 1; i <= count; i++) h.fault('kill', `f${i}`, { at: [i, i + 0.5] });
      return resultOf(h, 'not-recovered').reason;
    };
    expect(standing(1)).toContain('that kill f1 was undone');
    expect(standing(3)).toContain('that kill f1, kill f2, kill f3 were undone');
    expect(standing(5)).toContain('that kill f1, kill f2, kill f3 and 2 more were undone');
  });

  it('tells when it was attempted, in milliseconds after the heal', () => {
    const silent = (last: number) =>
      healed()
        .send(0, 't/0', 1, { at: [11, 20], info: true })
        .send(1, 't/0', 2, { at: [last, 150], fail: true })
        .event('phase', { phase: 'drain' }, { at: 220 });
    const { explanation } = resultOf(silent(60), 'not-recovered').witnesses[0]!;
    expect(explanation).toContain('(first 1 ms, last 50 ms after the heal)');
    const unread = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
      .poll(5, {}, { at: [113, 114] });
    const text = resultOf(unread, 'not-recovered').witnesses[0]!.explanation;
    expect(text).toContain('acknowledged a write 2 ms after the last heal');
    expect(text).toContain('Reads went on until 103 ms after the heal');
  });

  it('is found as soon as the history has reached the limit', () => {
    const until = (ms: number) =>
      healed()
        .send(0, 't/0', 1, { at: [11, 20], info: true })
        .event('phase', { phase: 'drain' }, { at: ms });
    expect(resultOf(until(110), 'not-recovered').outcome).toBe('found');
    expect(resultOf(until(109), 'not-recovered').outcome).toBe('unknown');
  });

  it('takes for recovery what was begun in time, to the millisecond', () => {
    const begun = (first: number, second: number) =>
      healed()
        .send(0, 't/0', 1, { at: [first, first + 1], fail: true })
        .send(1, 't/0', 2, { at: [second, second + 1], ok: 0 })
        .poll(5, { 't/0': [[0, 2]] }, { at: [180, 181] })
        .event('phase', { phase: 'drain' }, { at: 220 });
    expect(resultOf(begun(50, 110), 'not-recovered').outcome).toBe('absent');
    expect(resultOf(begun(50, 111), 'not-recovered').outcome).toBe('found');
    expect(resultOf(begun(110, 120), 'not-recovered').outcome).toBe('found');
    expect(resultOf(begun(111, 120), 'not-recovered').outcome).toBe('absent');
  });

  it('counts each log that was attempted, and no other', () => {
    const h = healed()
      .send(1, 't/0', 2, { at: [1, 1.5], ok: 0 })
      .send(1, 't/1', 3, { at: [11, 12], ok: 0 })
      .send(1, 't/2', 4, { at: [13, 14], ok: 0 })
      .poll(5, { 't/1': [[0, 3]], 't/2': [[0, 4]] }, { at: [20, 21] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('judges groups and transactional ids too', () => {
    const commit = { group: 'g', offsets: { 't/0': 1 } };
    const groups = (acknowledged: boolean) =>
      healed()
        .op(1, 'commit', commit, { at: [11, 12], ...(acknowledged ? {} : { fail: true }) })
        .op(1, 'committed', { group: 'g', logs: ['t/0'] }, { at: [13, 14], completed: commit })
        .event('phase', { phase: 'drain' }, { at: 120 });
    expect(resultOf(groups(true), 'not-recovered')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
    // The certifier re-proves logs alone.
    expect(checkHistory(groups(false).load()).anomalies['not-recovered']).toMatchObject({
      outcome: 'found',
      witnesses: [{ subject: 'group g' }],
    });
    const transactional = healed().op(
      1,
      'init',
      { id: 'x' },
      { at: [11, 12], completed: { id: 'x', producerId: 7, epoch: 0 } },
    );
    expect(resultOf(transactional, 'not-recovered')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
  });

  it('is not exercised without faults, nor where nothing was attempted after the last heal', () => {
    const quiet = history().send(0, 't/0', 1, { at: [1, 2], ok: 0 });
    expect(resultOf(quiet, 'not-recovered').outcome).toBe('not-exercised');
    expect(resultOf(healed(), 'not-recovered').outcome).toBe('not-exercised');
  });
});

describe('attempts to read after the last heal', () => {
  it('are polls, not what else the reader does', () => {
    const h = (last: 'poll' | 'committed') => {
      const reading = healed()
        .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
        .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
        .poll(5, {}, { at: [20, 21] });
      return last === 'poll'
        ? reading.poll(5, {}, { at: [120, 121] })
        : reading.op(5, 'committed', { group: 'g', logs: [] }, { at: [120, 121], fail: true });
    };
    expect(resultOf(h('poll'), 'not-recovered')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h('committed'), 'not-recovered')).toMatchObject({ outcome: 'unknown' });
  });

  it('are those of the reader that was assigned the log', () => {
    const h = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
      .assign(6, ['t/1'], 'beginning', { at: [15, 16] })
      .poll(6, {}, { at: [30, 31] })
      .poll(5, {}, { at: [120, 121] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('begin after the heal: what was sent in that very nanosecond may have gone before it', () => {
    const h = (at: number) =>
      healed()
        .send(0, 't/0', 1, { at: [at, 12], ok: 0 })
        .send(1, 't/0', 2, { at: [13, 20], info: true })
        .event('phase', { phase: 'drain' }, { at: 150 });
    expect(resultOf(h(10), 'not-recovered')).toMatchObject({ outcome: 'found' });
  });

  it('are not of a log that was assigned in passing and never polled', () => {
    const h = healed()
      .send(1, 't/1', 2, { at: [11, 12], ok: 0 })
      .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
      .poll(5, {}, { at: [113, 114] })
      .assign(5, ['t/1'], 'beginning', { at: [115, 116] })
      .assign(5, ['t/0'], 'beginning', { at: [117, 118] })
      .poll(5, {}, { at: [119, 120] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('count from the very start where no fault was healed', () => {
    const h = history({ recoveryMs: 100 })
      .send(0, 't/0', 1, { at: [0.000_001, 1], ok: 0 })
      .send(1, 't/1', 2, { at: [2, 3], ok: 0 })
      .fault('kill', 'f1', { at: [4, 5] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'unknown', checked: 2 });
  });

  it('go on after a poll that failed', () => {
    const h = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .assign(5, ['t/0'], 'beginning', { at: [13, 14] })
      .poll(5, null, { at: [20, 21], fail: true })
      .poll(5, {}, { at: [120, 121] });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('never came: what was acknowledged is open', () => {
    const h = healed()
      .send(1, 't/0', 2, { at: [11, 12], ok: 0 })
      .event('phase', { phase: 'drain' }, { at: 300 });
    expect(resultOf(h, 'not-recovered')).toMatchObject({ outcome: 'unknown', count: 0 });
  });
});
