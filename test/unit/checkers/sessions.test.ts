import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

/** Offsets 0, 1 and 2 of t/0 acknowledged, by process 0. */
function threeSends(header = {}) {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'the missing one' })
    .send(0, 't/0', 12, { at: [5, 6], ok: 2 });
}

const all = [
  [0, 10],
  [1, 11],
  [2, 12],
] as const;

describe('nonmonotonic-poll', () => {
  it('is found where an epoch goes back', () => {
    const h = threeSends()
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': [all[0], all[1]] }, { at: [9, 10], as: 'first' })
      .poll(5, { 't/0': [all[0]] }, { at: [11, 12], as: 'second' });
    const result = resultOf(h, 'nonmonotonic-poll');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('first'), h.index('second')],
      log: 't/0',
      offset: 0,
      value: 10,
    });
    expect(result.witnesses[0]?.explanation).toContain('process 5');
    expect(resultOf(h, 'int-nonmonotonic-poll').outcome).toBe('absent');
  });

  it('is found where a record is delivered twice in one epoch', () => {
    const h = threeSends()
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
      .poll(5, { 't/0': [all[0]] }, { at: [11, 12] });
    expect(resultOf(h, 'nonmonotonic-poll')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is absent in the twin where the reader was assigned anew in between', () => {
    const h = threeSends()
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': [all[0], all[1]] }, { at: [9, 10] })
      .assign(5, ['t/0'], 'beginning', { at: [10.2, 10.4] })
      .poll(5, { 't/0': [all[0]] }, { at: [11, 12] });
    expect(resultOf(h, 'nonmonotonic-poll')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it.each([
    ['a failed poll', { fail: 'OFFSET_OUT_OF_RANGE' }],
    ['a failed poll without a code', { fail: true }],
  ] as const)('is not judged across %s', (_name, ending) => {
    const h = threeSends()
      .poll(5, { 't/0': [all[1]] }, { at: [9, 10] })
      .poll(5, null, { at: [10.2, 10.4], ...ending })
      .poll(5, { 't/0': [all[0]] }, { at: [11, 12] });
    expect(resultOf(h, 'nonmonotonic-poll').outcome).toBe('not-exercised');
  });

  it('is legal where an info operation ended the epoch: the next process begins its own', () => {
    const h = threeSends()
      .poll(5, { 't/0': [all[1]] }, { at: [9, 10] })
      .poll(5, null, { at: [10.2, 10.4], info: true })
      .poll(6, { 't/0': [all[0]] }, { at: [11, 12], session: 's' });
    expect(resultOf(h, 'nonmonotonic-poll').outcome).toBe('not-exercised');
  });

  it('is judged by process and log, not across them', () => {
    const h = threeSends()
      .poll(5, { 't/0': [all[1]], 't/1': [[7, 'x']] }, { at: [9, 10] })
      .poll(6, { 't/0': [all[0]] }, { at: [11, 12] })
      .poll(5, { 't/1': [[8, 'y']] }, { at: [13, 14] });
    expect(resultOf(h, 'nonmonotonic-poll')).toMatchObject({ outcome: 'absent', checked: 1 });
  });
});

describe('int-nonmonotonic-poll', () => {
  const backwards = () =>
    threeSends().poll(5, { 't/0': [all[1], all[0]] }, { at: [9, 10], as: 'the poll' });

  it('is found within one operation', () => {
    const h = backwards();
    const result = resultOf(h, 'int-nonmonotonic-poll');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]?.operations).toEqual([h.index('the poll')]);
  });

  it('is absent in the twin whose records rise', () => {
    const h = threeSends().poll(5, { 't/0': [all[0], all[1]] }, { at: [9, 10] });
    expect(resultOf(h, 'int-nonmonotonic-poll')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('sees the records of an info poll all the same: they were read', () => {
    const h = threeSends().poll(5, { 't/0': [all[1], all[0]] }, { at: [9, 10], info: true });
    expect(resultOf(h, 'int-nonmonotonic-poll').outcome).toBe('found');
  });

  it('knows no order within a transaction during which the assignment changed', () => {
    const polls = [
      ['poll', { 't/0': [all[1]] }],
      ['poll', { 't/0': [all[0]] }],
    ];
    const with_ = (rebalance: boolean) => {
      const h = threeSends().op(5, 'txn', [['poll'], ['poll']], { at: [9, 12], completed: polls });
      return rebalance ? h.event('rebalance', changed, { at: 10, process: 5 }) : h;
    };
    const changed = { generation: 2, member: 'm', assigned: ['t/0'], revoked: ['t/0'], lost: [] };
    expect(resultOf(with_(false), 'int-nonmonotonic-poll').outcome).toBe('found');
    expect(resultOf(with_(true), 'int-nonmonotonic-poll').outcome).toBe('not-exercised');
  });
});

describe('poll-skip', () => {
  const skipping = (header = {}) =>
    threeSends(header)
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10], as: 'before' })
      .poll(5, { 't/0': [all[2]] }, { at: [11, 12], as: 'after' });

  it('is found where an acknowledged record between two reads is missing', () => {
    const h = skipping().scan(9, 't/0', all, { at: [20, 21] });
    const result = resultOf(h, 'poll-skip');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(result.witnesses[0]).toMatchObject({ log: 't/0', offset: 1, value: 11 });
    expect(result.witnesses[0]?.operations).toHaveLength(3);
    expect(result.witnesses[0]?.operations).toEqual(
      expect.arrayContaining([h.index('before'), h.index('after')]),
    );
    expect(resultOf(h, 'int-poll-skip').outcome).toBe('not-exercised');
  });

  it('is absent in the twin that reads all', () => {
    const h = threeSends()
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': all }, { at: [9, 10] })
      .scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'absent', checked: 3 });
  });

  it('is found for a subscriber that jumps from 0 to 2 with no rebalance (probe 4)', () => {
    const h = threeSends()
      .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [7, 7.5] })
      .event(
        'rebalance',
        { generation: 1, member: 'm', assigned: ['t/0'], revoked: [], lost: [] },
        { at: 8, process: 5 },
      )
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
      .poll(5, { 't/0': [all[2]] }, { at: [11, 12] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const audited = h.scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(audited, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('is not judged across a rebalance that took the log away and gave it back', () => {
    const rebalance = { generation: 2, member: 'm', assigned: ['t/0'], revoked: ['t/0'], lost: [] };
    const h = threeSends()
      .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [7, 8] })
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
      .event('rebalance', rebalance, { at: 10.5, process: 5 })
      .poll(5, { 't/0': [all[2]] }, { at: [11, 12] })
      .scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(h, 'poll-skip').outcome).toBe('not-exercised');
  });

  it('is judged across a rebalance that left the log alone', () => {
    const rebalance = { generation: 2, member: 'm', assigned: ['t/1'], revoked: [], lost: [] };
    const h = threeSends()
      .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [7, 8] })
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
      .event('rebalance', rebalance, { at: 10.5, process: 5 })
      .poll(5, { 't/0': [all[2]], 't/1': [[0, 'x']] }, { at: [11, 12] })
      .scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(h, 'poll-skip').outcome).toBe('found');
  });

  it('keeps records of a poll during which the assignment changed apart', () => {
    const rebalance = { generation: 2, member: 'm', assigned: ['t/0'], revoked: ['t/0'], lost: [] };
    const h = threeSends()
      .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [7, 8] })
      .poll(5, { 't/0': [all[0]] }, { at: [9, 10] })
      .poll(5, { 't/0': [all[2]] }, { at: [11, 13] })
      .event('rebalance', rebalance, { at: 12, process: 5 })
      .poll(5, { 't/0': [all[0]] }, { at: [14, 15] })
      .scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(h, 'poll-skip').outcome).toBe('not-exercised');
    expect(resultOf(h, 'nonmonotonic-poll').outcome).toBe('not-exercised');
  });

  it('counts the position that an epoch began at as read', () => {
    const from = (start: 'beginning' | 'end' | Record<string, number>) =>
      threeSends()
        .assign(5, ['t/0'], start, { at: [7, 8] })
        .poll(5, { 't/0': [all[2]] }, { at: [9, 10] })
        .scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(from('beginning'), 'poll-skip')).toMatchObject({ outcome: 'found', count: 2 });
    expect(resultOf(from({ 't/0': 1 }), 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(from({ 't/0': 2 }), 'poll-skip')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
    expect(resultOf(from('end'), 'poll-skip').outcome).toBe('not-exercised');
  });

  const uncertain = () =>
    history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [3, 4], info: true })
      .send(0, 't/0', 12, { at: [5, 6], ok: 2 })
      .poll(5, { 't/0': [all[0], all[2]] }, { at: [9, 10] });

  it('is legal where only an uncertain send can have stood there, and a scan shows that none did', () => {
    const h = uncertain().scan(9, 't/0', [all[0], all[2]], { at: [20, 21] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('is unknown where no scan covers the gap', () => {
    const result = resultOf(uncertain(), 'poll-skip');
    expect(result.outcome).toBe('unknown');
    expect(result.reason).toContain('no scan covers the offsets between');
    const cut = uncertain().scan(9, 't/0', [all[0]], { at: [20, 21], end: 3, upTo: 1 });
    expect(resultOf(cut, 'poll-skip').outcome).toBe('unknown');
  });

  it('is found once the uncertain send is seen there', () => {
    const h = uncertain().scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('leaves a record that a complete scan proves lost to lost-write', () => {
    const h = skipping().scan(9, 't/0', [all[0], all[2]], { at: [20, 21] });
    expect(resultOf(h, 'poll-skip').outcome).toBe('absent');
    expect(resultOf(h, 'lost-write').outcome).toBe('found');
  });

  it('owes nothing of aborted transactions', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .op(1, 'txn', [['send', 't/0', 11]], { at: [3, 4], fail: 'ABORTED' })
      .send(0, 't/0', 12, { at: [5, 6], ok: 2 })
      .poll(5, { 't/0': [all[0], all[2]] }, { at: [9, 10] })
      .scan(9, 't/0', all, { at: [20, 21], view: 'uncommitted' });
    expect(resultOf(h, 'poll-skip')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('owes nothing below a log start that retention may have raised', () => {
    const config = { 'retention.ms': 1000 };
    const raised = skipping({ config }).scan(9, 't/0', [all[2]], { at: [20, 21], start: 2 });
    expect(resultOf(raised, 'poll-skip').outcome).toBe('absent');
    const kept = skipping({ config }).scan(9, 't/0', all, { at: [20, 21] });
    expect(resultOf(kept, 'poll-skip').outcome).toBe('found');
    const unaudited = resultOf(skipping({ config }), 'poll-skip');
    expect(unaudited.outcome).toBe('unknown');
    expect(unaudited.reason).toContain('retention');
  });

  it('owes nothing on a compacted log', () => {
    const topics = { t: { cleanup: 'compact' } };
    const removed = skipping({ topics }).scan(9, 't/0', [all[0], all[2]], { at: [20, 21] });
    expect(resultOf(removed, 'poll-skip').outcome).toBe('absent');
    expect(resultOf(skipping({ topics }), 'poll-skip').outcome).toBe('unknown');
  });
});

describe('int-poll-skip', () => {
  it('is found within one operation, absent in its twin, unknown without a scan', () => {
    const skip = threeSends().poll(5, { 't/0': [all[0], all[2]] }, { at: [9, 10] });
    expect(resultOf(skip, 'int-poll-skip')).toMatchObject({ outcome: 'found', count: 1 });
    const twin = threeSends().poll(5, { 't/0': all }, { at: [9, 10] });
    expect(resultOf(twin, 'int-poll-skip')).toMatchObject({ outcome: 'absent', checked: 2 });
    const gap = history().poll(
      5,
      {
        't/0': [
          [0, 'a'],
          [2, 'c'],
        ],
      },
      { at: [9, 10] },
    );
    expect(resultOf(gap, 'int-poll-skip').outcome).toBe('unknown');
  });
});

describe('nonmonotonic-send', () => {
  it('is found where a session is written against its own order', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5, as: 'a' })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 4, as: 'b' });
    const result = resultOf(h, 'nonmonotonic-send');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('a'), h.index('b')],
      log: 't/0',
      offset: 4,
      value: 'b',
    });
  });

  it('is absent in the twin whose offsets rise', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 4 })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 5 });
    expect(resultOf(h, 'nonmonotonic-send')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('goes by session, whatever the process, in order of invocation', () => {
    const two = (second: string) =>
      history()
        .send(0, 't/0', 'a', { at: [1, 4], ok: 5, session: 's' })
        .send(1, 't/0', 'b', { at: [2, 3], ok: 4, session: second });
    expect(resultOf(two('s'), 'nonmonotonic-send').outcome).toBe('found');
    expect(resultOf(two('other'), 'nonmonotonic-send').outcome).toBe('not-exercised');
  });

  it('is legal where the earlier send is uncertain: it may have taken effect later', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], info: true, session: 's' })
      .send(1, 't/0', 'b', { at: [3, 4], ok: 4, session: 's' })
      .poll(5, { 't/0': [[5, 'a']] }, { at: [9, 10] });
    expect(resultOf(h, 'nonmonotonic-send').outcome).toBe('not-exercised');
  });

  it('is found where the later send is uncertain, and was seen', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5, session: 's' })
      .send(1, 't/0', 'b', { at: [3, 4], info: true, session: 's' });
    expect(resultOf(h, 'nonmonotonic-send').outcome).toBe('not-exercised');
    const seen = h.poll(5, { 't/0': [[4, 'b']] }, { at: [9, 10] });
    expect(resultOf(seen, 'nonmonotonic-send')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('leaves out an offset that a scan proves lost, and counts the least of copies', () => {
    const sends = () =>
      history()
        .send(0, 't/0', 'a', { at: [1, 2], ok: 5 })
        .send(0, 't/0', 'b', { at: [3, 4], ok: 4 });
    const lost = sends().scan(9, 't/0', [[4, 'b']], { at: [20, 21], end: 6 });
    expect(resultOf(lost, 'nonmonotonic-send').outcome).toBe('not-exercised');
    const copied = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5 })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 6 })
      .scan(
        9,
        't/0',
        [
          [3, 'a'],
          [4, 'b'],
          [5, 'a'],
          [6, 'b'],
        ],
        { at: [20, 21] },
      );
    expect(resultOf(copied, 'nonmonotonic-send').outcome).toBe('absent');
  });

  it('is permitted by requests in flight without idempotence', () => {
    const config = {
      'enable.idempotence': false,
      'max.in.flight.requests.per.connection': 5,
    };
    const h = history({ config })
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5 })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 4 });
    expect(resultOf(h, 'nonmonotonic-send').permittedBy).toBe(
      'max.in.flight.requests.per.connection',
    );
  });
});

describe('int-nonmonotonic-send', () => {
  const two = (offsets: readonly [number, number], ending: object) =>
    history().op(
      0,
      'send',
      [
        ['send', 't/0', 'a'],
        ['send', 't/0', 'b'],
      ],
      {
        at: [1, 2],
        completed: [
          ['send', 't/0', [offsets[0], 'a']],
          ['send', 't/0', [offsets[1], 'b']],
        ],
        ...ending,
      },
    );

  it('is found within one operation, and absent in its twin', () => {
    expect(resultOf(two([5, 4], {}), 'int-nonmonotonic-send')).toMatchObject({
      outcome: 'found',
      count: 1,
    });
    expect(resultOf(two([4, 5], {}), 'int-nonmonotonic-send')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
  });

  it('knows no order within an info operation', () => {
    const h = two([5, 4], { info: true }).poll(
      5,
      {
        't/0': [
          [4, 'b'],
          [5, 'a'],
        ],
      },
      { at: [9, 10] },
    );
    expect(resultOf(h, 'int-nonmonotonic-send').outcome).toBe('not-exercised');
    expect(resultOf(h, 'nonmonotonic-send').outcome).toBe('not-exercised');
  });
});

describe('key-reordered', () => {
  const keyed = (second: string, header = {}) =>
    history(header)
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5, meta: { key: 'k' } })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 4, meta: { key: second } });

  it('is found within a key, and not across keys', () => {
    expect(resultOf(keyed('k'), 'key-reordered')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(keyed('other'), 'key-reordered').outcome).toBe('not-exercised');
  });

  it('is legal where the earlier send is uncertain', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], info: true, session: 's', meta: { key: 'k' } })
      .send(1, 't/0', 'b', { at: [3, 4], ok: 4, session: 's', meta: { key: 'k' } })
      .poll(5, { 't/0': [[5, 'a']] }, { at: [9, 10] });
    expect(resultOf(h, 'key-reordered').outcome).toBe('not-exercised');
  });

  it('tells the number 1 from the text "1"', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5, meta: { key: 1 } })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 4, meta: { key: '1' } });
    expect(resultOf(h, 'key-reordered').outcome).toBe('not-exercised');
  });
});

describe('key-moved', () => {
  const moved = (to: string, at: readonly [number, number] = [5, 6]) =>
    history()
      .send(0, 't', 'a', { at: [1, 2], ok: 0, to: 't/0', meta: { key: 'k' } })
      .send(0, 't', 'b', { at, ok: 0, to, meta: { key: 'k' } });

  it('is found where a key changes its partition, and absent where it stays', () => {
    expect(resultOf(moved('t/1'), 'key-moved')).toMatchObject({
      outcome: 'found',
      count: 1,
      checked: 2,
    });
    const stays = history()
      .send(0, 't', 'a', { at: [1, 2], ok: 0, to: 't/0', meta: { key: 'k' } })
      .send(0, 't', 'b', { at: [3, 4], ok: 1, to: 't/0', meta: { key: 'k' } });
    expect(resultOf(stays, 'key-moved')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('is legal once the number of partitions changed, or might have for an uncertain send', () => {
    const grown = moved('t/1').event('partitions', { topic: 't', count: 4 }, { at: 3 });
    expect(resultOf(grown, 'key-moved').outcome).toBe('absent');
    const uncertain = history()
      .send(0, 't', 'a', { at: [1, 2], info: true, meta: { key: 'k' } })
      .event('partitions', { topic: 't', count: 4 }, { at: 3 })
      .send(1, 't', 'b', { at: [5, 6], ok: 0, to: 't/1', meta: { key: 'k' } })
      .poll(5, { 't/0': [[0, 'a']] }, { at: [9, 10] });
    expect(resultOf(uncertain, 'key-moved').outcome).toBe('absent');
  });

  it('is unknown where an acknowledgement names no partition and nobody saw the record', () => {
    const h = history().send(0, 't', 'a', { at: [1, 2], ok: null, meta: { key: 'k' } });
    expect(resultOf(h, 'key-moved').outcome).toBe('unknown');
  });

  it('asks nothing of sends that named their partition', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 0, meta: { key: 'k' } })
      .send(0, 't/1', 'b', { at: [3, 4], ok: 0, meta: { key: 'k' } });
    expect(resultOf(h, 'key-moved').outcome).toBe('not-exercised');
  });
});
