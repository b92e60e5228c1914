/** What witnesses say: layers, texts and positions, where a word more or less would be wrong. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import type { RawBatch } from '../../../src/history/event.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

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

const inTransaction = { transactional: true };
const abort = (base: number) => batch(base, { ...inTransaction, control: 'abort' });
const commit = (base: number) => batch(base, { ...inTransaction, control: 'commit' });

describe('aborted-read', () => {
  it('is none of a transaction that read its own send, whatever became of it', () => {
    const micro = ['poll', { 't/0': [[0, 10]] }];
    const h = history().op(0, 'txn', [['send', 't/0', 10], ['poll']], {
      at: [1, 2],
      fail: true,
      completed: [['send', 't/0', [0, 10]], micro],
    });
    expect(resultOf(h, 'aborted-read')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
    const other = h.poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(other, 'aborted-read')).toMatchObject({ outcome: 'found', count: 1 });
  });

  const failed = (header: object = {}) =>
    history(header)
      .send(0, 't/0', 10, { at: [1, 2], fail: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });

  it('says that the send failed, or that the raw log holds an abort', () => {
    const { explanation } = resultOf(failed(), 'aborted-read').witnesses[0]!;
    expect(explanation).toContain('What failed certainly did not take effect');
    const uncertain = history()
      .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], info: true, as: 'txn' })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4], as: 'poll' })
      .rawScan(9, 't/0', [batch(0, inTransaction), abort(1)], { at: [5, 6], end: 2, as: 'raw' });
    const result = checkHistory(uncertain.load()).anomalies['aborted-read'];
    expect(result.witnesses[0]).toMatchObject({
      operations: ['txn', 'poll', 'raw'].map((label) => uncertain.index(label)),
      layer: 'client',
    });
    expect(result.witnesses[0]!.explanation).toContain(
      'The raw log holds its abort marker (at 0.006s (event 5)).',
    );
  });

  it('is the processor’s in topics with external writers', () => {
    const external = { topics: { t: { writers: 'external' as const } } };
    expect(resultOf(failed(external), 'aborted-read').witnesses[0]?.layer).toBe('processor');
  });
});

describe('an uncertain transaction', () => {
  const seen = (batches: readonly RawBatch[], offset = 1) => {
    const { outcome, reason } = checkHistory(
      history()
        .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], info: true })
        .scan(8, 't/0', [[offset, 10]], { at: [3, 4], end: 4, view: 'uncommitted' })
        .rawScan(9, 't/0', batches, { at: [5, 6], end: 4 })
        .load(),
    ).anomalies['aborted-read'];
    return reason?.includes('crashed') === true ? 'crashed' : outcome;
  };

  it('is resolved by the first marker of its producer behind it, and by no other', () => {
    const mine = batch(1, inTransaction);
    expect(seen([commit(0), mine, abort(2), commit(3)])).toBe('absent');
    expect(seen([mine])).toBe('unknown');
    expect(seen([commit(0), mine])).toBe('unknown');
    expect(seen([mine, { ...commit(2), producerId: 8 }])).toBe('unknown');
    expect(seen([commit(2)])).toBe('unknown');
    expect(seen([batch(1), commit(2)])).toBe('unknown');
    expect(seen([mine, commit(2)])).toBe('absent');
    const committed = checkHistory(
      history()
        .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], info: true })
        .poll(5, { 't/0': [[3, 10]] }, { at: [3, 4] })
        .rawScan(9, 't/0', [commit(0), abort(1), commit(2), batch(3, inTransaction), abort(4)], {
          at: [5, 6],
          end: 5,
        })
        .load(),
    );
    expect(committed.anomalies['aborted-read'].outcome).toBe('found');
  });
});

describe('the layer of a phantom', () => {
  const phantom = (batches: readonly RawBatch[]) =>
    history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2] })
      .rawScan(9, 't/0', batches, { at: [3, 4], end: 1 });
  it.each([
    ['the broker’s, if the raw log holds a batch there', [batch(0)], 'broker'],
    ['the client’s, if it holds a marker', [commit(0)], 'client'],
    ['the client’s, if it holds nothing', [], 'client'],
  ])('is %s', (_name, batches, layer) => {
    expect(resultOf(phantom(batches), 'phantom').witnesses[0]?.layer).toBe(layer);
  });
});

describe('the text of a witness', () => {
  const lost = (h: HistoryBuilder) => resultOf(h, 'lost-write').witnesses[0]!;

  it('says where a send was acknowledged, and who saw one that was not', () => {
    const acknowledged = lost(
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .scan(9, 't/0', [], { at: [3, 4], end: 1 }),
    );
    expect(acknowledged.explanation).toMatch(
      /^process 0 sent 10 to t\/0, acknowledged at 0\.002s \(event 1\), at offset 0\. The committed scan/,
    );
    const seen = lost(
      history()
        .poll(5, { 't/0': [[0, 10]] }, { at: [1, 4] })
        .send(0, 't/0', 10, { at: [2, 3], info: true })
        .scan(9, 't/0', [], { at: [5, 6], end: 1 }),
    );
    expect(seen.explanation).toContain('It did happen: process 5 saw it at 0.004s (event 3).');
  });

  it('names the key of key-reordered, and none of nonmonotonic-send', () => {
    const h = history()
      .send(0, 't/0', 'a', { at: [1, 2], ok: 5, meta: { key: 'k' } })
      .send(0, 't/0', 'b', { at: [3, 4], ok: 4, meta: { key: 'k' } });
    const text = (anomaly: 'key-reordered' | 'nonmonotonic-send') =>
      resultOf(h, anomaly).witnesses[0]!.explanation;
    expect(text('key-reordered')).toContain('two records of key "k" in this order');
    expect(text('nonmonotonic-send')).toContain('two records in this order');
  });

  it('says what each scan holds, be it the first value of all or nothing', () => {
    const h = history()
      .scan(8, 't/0', [[0, 10]], { scan: 'a' })
      .scan(9, 't/0', [], { scan: 'b', end: 1 });
    const { explanation } = resultOf(h, 'scan-divergence').witnesses[0]!;
    expect(explanation).toContain('scan a of the leader by process 8 holds 10;');
    expect(explanation).toContain('scan b of the leader by process 9 holds nothing,');
  });

  it('of a reader that went back says so, or that it read a record again, and when', () => {
    const read = (second: number, apart: boolean) => {
      const h = history().assign(5, ['t/0'], 'beginning');
      if (apart) h.poll(5, { 't/0': [[1, 'a']] }).poll(5, { 't/0': [[second, 'b']] });
      else h.poll(5, { 't/0': [[1, 'a'], [second, 'b']] }); // prettier-ignore
      return resultOf(h, 'nonmonotonic-poll').witnesses[0]!.explanation;
    };
    expect(read(1, true)).toContain('and again "b" at offset 1 of t/0, in its next read');
    expect(read(0, true)).toContain(
      'and then, going back, "b" at offset 0 of t/0, in its next read',
    );
    expect(read(0, false)).toContain('"b" at offset 0 of t/0, in one operation');
  });
});

describe('the position of a lost record', () => {
  it('counts as surviving what nothing decides', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .send(0, 't/0', 12, { at: [5, 6], ok: 2 })
      .scan(9, 't/0', [[0, 10]], { at: [7, 8], upTo: 2, end: 3 });
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 11, position: 'middle' });
  });
});

describe('an acknowledged offset on a compacted log', () => {
  it('is contradicted by another record there, and not by silence', () => {
    const sent = (held: readonly (readonly [number, number])[]) =>
      history({ topics: { t: { cleanup: 'compact' } } })
        .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 4 })
        .scan(9, 't/0', held, { at: [5, 6], end: 6 });
    expect(resultOf(sent([[4, 11]]), 'nonmonotonic-send').count).toBe(1);
    expect(resultOf(sent([[4, 11], [5, 99]]), 'nonmonotonic-send').count).toBe(0); // prettier-ignore
  });
});

describe('changes of assignment', () => {
  it('count in order of their events: a rebalance before a close that was still to come', () => {
    const back = (rebalanced: boolean) => {
      const h = history()
        .op(5, 'subscribe', { group: 'g', topics: ['t'] }, { at: [1, 2] })
        .event('rebalance', { assigned: ['t/0'] }, { at: 2.5, process: 5 })
        .poll(5, { 't/0': [[5, 10]] }, { at: [3, 4] });
      const again = { revoked: ['t/0'], assigned: ['t/0'] };
      if (rebalanced) h.event('rebalance', again, { at: 5, process: 5 });
      h.poll(5, { 't/0': [[3, 8]] }, { at: [6, 7] }).close(5, { at: [8, 9] });
      return resultOf(h, 'nonmonotonic-poll').count;
    };
    expect(back(false)).toBe(1);
    expect(back(true)).toBe(0);
  });
});

describe('what ends an epoch', () => {
  const between = (config: object, f: 'poll' | 'txn') => {
    const h = history({ config: { ...config } })
      .send(0, 't/0', 12, { at: [0.1, 0.2], ok: 2 })
      .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
      .poll(5, { 't/0': [[0, 10], [1, 11]] }, { at: [3, 4] }); // prettier-ignore
    if (f === 'poll') h.poll(5, null, { at: [5, 6], fail: true });
    else h.op(5, 'txn', [['poll']], { at: [5, 6], fail: true, completed: [['poll']] });
    return resultOf(h.poll(5, { 't/0': [[3, 13]] }, { at: [7, 8] }), 'poll-skip').count;
  };

  it('is a failed operation, but no aborted transaction of a client that rewinds', () => {
    const rewound = { positionAfterAbort: 'rewound' };
    expect(between({}, 'poll')).toBe(0);
    expect(between({}, 'txn')).toBe(0);
    expect(between(rewound, 'poll')).toBe(0);
    const h = history({ config: rewound })
      .send(0, 't/0', 12, { at: [0.1, 0.2], ok: 2 })
      .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
      .poll(
        5,
        {
          't/0': [
            [0, 10],
            [1, 11],
          ],
        },
        { at: [3, 4] },
      ) // prettier-ignore
      .op(5, 'txn', [['poll']], { at: [5, 6], fail: true, completed: [['poll']] })
      .poll(5, { 't/0': [[3, 13]] }, { at: [7, 8] });
    expect(checkHistory(h.load()).anomalies['poll-skip'].count).toBe(1);
  });
});
