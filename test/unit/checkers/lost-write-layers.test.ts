/** Whose fault a lost write is, which setting permits it, where it stood, and what transactions owe. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header, RawBatch } from '../../../src/history/event.ts';

/** 10, 11 and 12 acknowledged at offsets 0, 1 and 2 of t/0, one after the other. */
function threeSends(header: Partial<Header> = {}) {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'the lost one' })
    .send(0, 't/0', 12, { at: [5, 6], ok: 2 });
}

function batch(base: number, fields: Partial<RawBatch> = {}): RawBatch {
  return {
    base,
    last: base,
    leaderEpoch: 0,
    producerId: 7,
    epoch: 0,
    sequence: base,
    transactional: false,
    control: null,
    ...fields,
  };
}

const without11 = [
  [0, 10],
  [2, 12],
] as const;

describe('the layer of a lost-write', () => {
  it('broker: the raw log is empty there', () => {
    const h = threeSends()
      .scan(9, 't/0', without11, { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0), batch(2)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]?.layer).toBe('broker');
  });

  it('client: the raw log has a batch there that the view did not deliver', () => {
    const h = threeSends()
      .scan(9, 't/0', without11, { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0), batch(1), batch(2)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]?.layer).toBe('client');
  });

  it('client: the same of a batch without a producer id', () => {
    const plain = { producerId: -1, epoch: -1, sequence: -1 };
    const h = threeSends()
      .scan(9, 't/0', without11, { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0, plain), batch(1, plain), batch(2, plain)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]?.layer).toBe('client');
  });

  it('client: acknowledged without an offset, and in no place; unknown if it was not acknowledged', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: null })
      .scan(9, 't/0', [], { at: [3, 4], end: 0 });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 10, layer: 'client' });
  });

  const reused = (first: number, second: number) =>
    history()
      .send(0, 't/0', first, { at: [1, 2], info: true, session: 'c1' })
      .send(1, 't/0', second, { at: [3, 4], ok: 0, session: 'c1' });

  it('client: the offset holds what the same producer had invoked before (deduplicated)', () => {
    const h = reused(10, 11)
      .scan(9, 't/0', [[0, 10]], { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 11, layer: 'client' });
  });

  it('broker: it holds what the same producer invoked later', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, session: 'c1' })
      .send(0, 't/0', 11, { at: [3, 4], ok: 0, session: 'c1' })
      .scan(9, 't/0', [[0, 11]], { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 10, layer: 'broker' });
  });

  it('broker: it holds what another producer sent before', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 0 })
      .scan(9, 't/0', [[0, 10]], { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0)], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 11, layer: 'broker' });
  });

  /** 10 leaves the partition to the client and ends up in both: acknowledged in t/1, and found at offset 0 of t/0. */
  const retriedElsewhere = (order: readonly (10 | 11)[]) => {
    const h = history();
    order.forEach((value, i) => {
      const row = { at: [1 + 2 * i, 2 + 2 * i], ok: 0 } as const;
      if (value === 10) h.send(0, 't', 10, { ...row, to: 't/1' });
      else h.send(0, 't/0', 11, row);
    });
    return h
      .send(0, 't/0', 12, { at: [5, 6], ok: 1 })
      .scan(
        9,
        't/0',
        [
          [0, 10],
          [1, 12],
        ],
        { at: [10, 11] },
      )
      .rawScan(9, 't/0', [batch(0), batch(1)], { at: [12, 13] });
  };

  it('client: the deduplicated one had left the partition to the client, and was acknowledged in another', () => {
    const { witnesses } = resultOf(retriedElsewhere([10, 11]), 'lost-write');
    expect(witnesses).toMatchObject([{ value: 11, layer: 'client' }]);
  });

  it('broker: the same, but invoked later than the lost one', () => {
    const { witnesses } = resultOf(retriedElsewhere([11, 10]), 'lost-write');
    expect(witnesses).toMatchObject([{ value: 11, layer: 'broker' }]);
  });
});

describe('the settings that permit a lost-write', () => {
  it.each([
    [{ acks: 1 }, 'acks'],
    [{ acks: '1', 'min.insync.replicas': 1 }, 'acks'],
    [{ acks: 'all', 'unclean.leader.election.enable': true }, 'unclean.leader.election.enable'],
    [{ acks: -1, 'min.insync.replicas': '1' }, 'min.insync.replicas'],
    [{ acks: 'all', 'min.insync.replicas': 2, 'unclean.leader.election.enable': false }, null],
    [{}, null],
  ])('%j: %s', (config, permittedBy) => {
    const h = threeSends({ config }).scan(9, 't/0', without11, { at: [10, 11] });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', permittedBy });
    const said = result.witnesses[0]?.explanation.includes('permits this');
    expect(said).toBe(permittedBy !== null);
  });
});

describe('where in its producer’s sequence the lost record stood', () => {
  it.each([
    [
      'prefix',
      [
        [1, 11],
        [2, 12],
      ],
    ],
    [
      'middle',
      [
        [0, 10],
        [2, 12],
      ],
    ],
    [
      'tail',
      [
        [0, 10],
        [1, 11],
      ],
    ],
  ] as const)('%s', (position, records) => {
    const h = threeSends().scan(9, 't/0', records, { at: [10, 11], end: 3 });
    expect(resultOf(h, 'lost-write').witnesses[0]?.['position']).toBe(position);
  });
});

describe('lost-write in numbers', () => {
  it('counts exactly and keeps the earliest witnesses only', () => {
    const h = history();
    for (let i = 0; i < 40; i++) h.send(0, 't/0', i, { ok: i });
    h.scan(9, 't/0', [[0, 0]], { end: 40 });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 39, checked: 40 });
    expect(result.witnesses.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('lost-write in transactions', () => {
  const txn = (ending: object) =>
    history().op(0, 'txn', [['send', 't/0', 10]], {
      at: [1, 2],
      completed: [['send', 't/0', [0, 10]]],
      ...ending,
    });

  it('found: a committed transaction owes its sends', () => {
    const h = txn({}).scan(9, 't/0', [], { at: [10, 11], end: 2 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('not-exercised: an unresolved one and an aborted one owe nothing', () => {
    const info = txn({ info: true }).scan(9, 't/0', [], { at: [10, 11], end: 2 });
    expect(resultOf(info, 'lost-write').outcome).toBe('not-exercised');
    const fail = txn({ fail: true, completed: [['send', 't/0', 10]] }).scan(9, 't/0', [], {
      at: [10, 11],
      end: 2,
    });
    expect(resultOf(fail, 'lost-write').outcome).toBe('not-exercised');
  });

  it('absent: what only an uncommitted view saw of an unresolved one is not owed to committed views', () => {
    const h = txn({ info: true })
      .scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 2, view: 'uncommitted', scan: 'u' })
      .scan(9, 't/0', [], { at: [12, 13], end: 2, scan: 'c' })
      .scan(9, 't/0', [[0, 10]], { at: [14, 15], end: 2, view: 'uncommitted', scan: 'v' });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1, count: 0 });
  });

  it('found: a commit marker in the raw log resolves an uncertain one, and then it is owed', () => {
    const h = txn({ info: true })
      .scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 2, view: 'uncommitted', scan: 'u' })
      .rawScan(
        9,
        't/0',
        [batch(0, { transactional: true }), batch(1, { transactional: true, control: 'commit' })],
        { at: [12, 13] },
      )
      .scan(9, 't/0', [], { at: [14, 15], end: 2, scan: 'c' });
    // Its certifier knows no transactions yet, so this witness is not certified: `checkHistory` alone.
    const result = checkHistory(h.load()).anomalies['lost-write'];
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('not-exercised: an abort marker resolves it as failed', () => {
    const h = txn({ info: true })
      .scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 2, view: 'uncommitted', scan: 'u' })
      .rawScan(
        9,
        't/0',
        [batch(0, { transactional: true }), batch(1, { transactional: true, control: 'abort' })],
        { at: [12, 13] },
      )
      .scan(9, 't/0', [], { at: [14, 15], end: 2, scan: 'c' });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });
});

describe('lost-write, by who tells', () => {
  it('client: producer id 0 is one like any other', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, session: 'c1' })
      .send(0, 't/0', 11, { at: [3, 4], ok: 0, session: 'c1' })
      .scan(9, 't/0', [[0, 10]], { at: [10, 11] })
      .rawScan(9, 't/0', [batch(0, { producerId: 0 })], { at: [12, 13] });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 11, layer: 'client' });
  });

  it('found: a reader of committed records resolves an uncertain transaction, its own poll does not', () => {
    const sends = [
      ['send', 't/0', 10],
      ['send', 't/1', 11],
    ];
    const lost = (completed: readonly unknown[]) =>
      history()
        .op(0, 'txn', [...sends, ['poll']], { at: [1, 2], info: true, completed })
        .scan(9, 't/1', [], { at: [7, 8], end: 1 });
    const seen = lost(sends).poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    const uncertain = checkHistory(lost(sends).load()).coverage.transactions;
    expect(uncertain).toMatchObject({ uncertain: 1 });
    const owed = checkHistory(seen.load()).anomalies['lost-write'];
    expect(owed).toMatchObject({ outcome: 'found', count: 1 });
    const own = lost([...sends, ['poll', { 't/0': [[0, 10]] }]]);
    expect(checkHistory(own.load()).anomalies['lost-write']).toMatchObject({ count: 0 });
  });
});
