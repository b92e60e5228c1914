import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

describe('phantom', () => {
  it('found: a poll returned what nobody sent, and nothing throws (probe 1)', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .poll(
        5,
        {
          't/0': [
            [0, 10],
            [1, 99],
          ],
        },
        { at: [3, 4], as: 'the poll' },
      );
    const result = resultOf(h, 'phantom');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      { operations: [h.index('the poll')], log: 't/0', offset: 1, value: 99, layer: 'unknown' },
    ]);
  });

  it('absent: the twin was sent; so was what an info or failed send may have left', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [1, 2], info: true })
      .send(2, 't/0', 12, { at: [1, 2], fail: true })
      .poll(
        5,
        {
          't/0': [
            [0, 10],
            [1, 11],
            [2, 12],
          ],
        },
        { at: [3, 4] },
      );
    expect(resultOf(h, 'phantom')).toMatchObject({ outcome: 'absent', checked: 3 });
  });

  it('found: it was sent to another log', () => {
    const h = history()
      .send(0, 't/1', 10, { at: [1, 2], ok: 0, as: 'the send' })
      .scan(9, 't/0', [[0, 10]], { at: [3, 4], as: 'the scan' });
    const result = resultOf(h, 'phantom');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]?.operations).toEqual([h.index('the send'), h.index('the scan')]);
  });

  it('absent: the send left the partition to the client, and never learned it', () => {
    const h = history()
      .send(0, 't', 10, { at: [1, 2], info: true })
      .poll(5, { 't/7': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(h, 'phantom')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('not-exercised: in topics with external writers everything may appear', () => {
    const h = history({ topics: { t: { writers: 'external' } } }).poll(5, { 't/0': [[0, 99]] });
    expect(resultOf(h, 'phantom')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('counts values, not sights', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 99]] })
      .poll(6, { 't/0': [[0, 99]], 't/1': [[0, 99]] })
      .scan(9, 't/0', [[0, 99]]);
    expect(resultOf(h, 'phantom')).toMatchObject({ outcome: 'found', count: 2, checked: 2 });
  });

  it('names the layer by the raw log: the client’s if nothing is there', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 99]] })
      .rawScan(9, 't/0', [], { end: 1 });
    expect(resultOf(h, 'phantom').witnesses[0]?.layer).toBe('client');
  });

  it('takes names and values from the input without harm', () => {
    const h = history()
      .send(0, '__proto__/0', 'constructor', { ok: 0 })
      .poll(5, {
        '__proto__/0': [
          [0, 'constructor'],
          [1, '__proto__'],
        ],
      });
    expect(resultOf(h, 'phantom')).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
  });
});

describe('future-read', () => {
  it('found: a poll returned before the send was invoked (probe 3)', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2], as: 'the poll' })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0, as: 'the send' });
    const result = resultOf(h, 'future-read');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the poll'), h.index('the send')],
      log: 't/0',
      offset: 0,
      value: 10,
      layer: 'unknown',
    });
    expect(resultOf(h, 'real-time-inversion').count).toBe(0);
  });

  it('absent: the twin poll overlaps the send', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 4] })
      .send(0, 't/0', 10, { at: [3, 5], ok: 0 });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('absent on a tie, and where the clocks may have erred; found again within one process', () => {
    const tie = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 3] })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(tie, 'future-read').outcome).toBe('absent');
    const header = { clock: { errorNs: 5e5 } };
    const erring = history(header)
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2] })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(erring, 'future-read').outcome).toBe('absent');
    const own = history(header)
      .poll(0, { 't/0': [[0, 10]] }, { at: [1, 2] })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(own, 'future-read').outcome).toBe('found');
  });

  it('found for an info send too: no completion of it makes the read legal', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2] })
      .send(0, 't/0', 10, { at: [3, 4], info: true });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('counts from the attempt where the send was recorded in the middle of its operation', () => {
    const h = history()
      .op(0, 'txn', [['poll']], {
        at: [1, 9],
        completed: [
          ['poll', {}],
          ['send', 't/0', [0, 10]],
        ],
        as: 'the transaction',
      })
      .poll(5, { 't/0': [[0, 10]] }, { at: [2, 3] })
      .attempt(0, [['send', 't/0', 10]], { at: 5 });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('counts what a poll that ended in info had returned', () => {
    const h = history()
      .poll(5, { 't/0': [[0, 10]] }, { at: [1, 2], info: true })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(h, 'future-read')).toMatchObject({ outcome: 'found', count: 1 });
  });
});

describe('corrupt-record', () => {
  const sent = { key: 'a', hash: 'x', timestamp: 1 };

  it('found: it was delivered with another key', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, meta: sent, as: 'the send' })
      .poll(5, { 't/0': [[0, 10, { key: 'b' }]] }, { at: [3, 4], as: 'the poll' });
    const result = resultOf(h, 'corrupt-record');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the send'), h.index('the poll')],
      offset: 0,
      value: 10,
      layer: 'unknown',
    });
    expect(result.witnesses[0]?.explanation).toContain('key "b" instead of "a"');
  });

  it('found: with another hash, by an audit', () => {
    const h = history()
      .send(0, 't/0', 10, { ok: 0, meta: sent })
      .scan(9, 't/0', [[0, 10, { key: 'a', hash: 'y' }]]);
    expect(resultOf(h, 'corrupt-record')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('absent: the twin has the same key; one side without a hash; timestamps never count', () => {
    const h = history()
      .send(0, 't/0', 10, { ok: 0, meta: sent })
      .poll(5, { 't/0': [[0, 10, { key: 'a', timestamp: 99 }]] });
    expect(resultOf(h, 'corrupt-record')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('absent: a reader that told no key said nothing about it', () => {
    const h = history()
      .send(0, 't/0', 10, { ok: 0, meta: sent })
      .poll(5, { 't/0': [[0, 10]] });
    expect(resultOf(h, 'corrupt-record')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('found whatever came of the send: an info send is sent once too', () => {
    const h = history()
      .send(0, 't/0', 10, { info: true, meta: sent })
      .poll(5, { 't/0': [[0, 10, { key: 'b' }]] });
    expect(resultOf(h, 'corrupt-record')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('absent: a phantom has nothing to differ from; not-exercised: nothing was seen', () => {
    expect(
      resultOf(history().poll(5, { 't/0': [[0, 1, { key: 'b' }]] }), 'corrupt-record'),
    ).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
    expect(resultOf(history().send(0, 't/0', 1, { ok: 0 }), 'corrupt-record').outcome).toBe(
      'not-exercised',
    );
  });
});

describe('aborted-read', () => {
  const failed = (header = {}) =>
    history(header).send(0, 't/0', 10, { at: [1, 2], fail: 'NOT_ENOUGH_REPLICAS', as: 'the send' });

  it('found: a poll returned what a failed send wrote', () => {
    const h = failed().poll(5, { 't/0': [[0, 10]] }, { at: [3, 4], as: 'the poll' });
    const result = resultOf(h, 'aborted-read');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the send'), h.index('the poll')],
      log: 't/0',
      offset: 0,
      value: 10,
      layer: 'unknown',
    });
  });

  it('not-exercised: the twin send ended in info, so the read is legal', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(h, 'aborted-read')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('found by an audit of the committed view; one of the uncommitted view never counts', () => {
    const committed = failed().scan(9, 't/0', [[0, 10]], { at: [3, 4] });
    expect(resultOf(committed, 'aborted-read')).toMatchObject({ outcome: 'found', count: 1 });
    const uncommitted = failed().scan(9, 't/0', [[0, 10]], { at: [3, 4], view: 'uncommitted' });
    expect(resultOf(uncommitted, 'aborted-read')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('permitted where that reader asked for uncommitted records, by header or by assignment', () => {
    const byHeader = failed({ config: { 'isolation.level': 'read_uncommitted' } }).poll(
      5,
      { 't/0': [[0, 10]] },
      { at: [3, 4] },
    );
    expect(resultOf(byHeader, 'aborted-read').permittedBy).toBe('isolation.level');
    const byAssign = failed()
      .assign(5, ['t/0'], 'beginning', { at: [2.2, 2.4], isolation: 'read_uncommitted' })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(byAssign, 'aborted-read').permittedBy).toBe('isolation.level');
    byAssign.poll(6, { 't/0': [[0, 10]] }, { at: [5, 6] });
    expect(resultOf(byAssign, 'aborted-read')).toMatchObject({ count: 1, permittedBy: null });
  });

  it('of transactions: found if aborted, absent if committed, unknown while unresolved', () => {
    const txn = (ending: object) =>
      history()
        .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], ...ending })
        .assign(5, ['t/0'], 'beginning', { at: [2.2, 2.4], isolation: 'read_uncommitted' })
        .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(txn({ fail: true }), 'aborted-read')).toMatchObject({
      outcome: 'found',
      permittedBy: 'isolation.level',
    });
    const committed = { completed: [['send', 't/0', [0, 10]]] };
    expect(resultOf(txn(committed), 'aborted-read')).toMatchObject({
      outcome: 'absent',
      checked: 1,
    });
    const unresolved = resultOf(txn({ info: true }), 'aborted-read');
    expect(unresolved).toMatchObject({ outcome: 'unknown', checked: 1 });
    expect(unresolved.reason).toContain('not resolved');
    const resolved = txn({ info: true }).scan(9, 't/0', [[0, 10]], { at: [5, 6] });
    expect(resultOf(resolved, 'aborted-read')).toMatchObject({ outcome: 'absent', checked: 1 });
  });
});

describe('what a witness of an integrity anomaly names', () => {
  it('is the first offset at which one poll saw the phantom twice', () => {
    const h = history().poll(5, { 't/0': [[3, 'x'], [4, 'x']] }, { at: [1, 2] }); // prettier-ignore
    expect(resultOf(h, 'phantom').witnesses).toMatchObject([{ offset: 3, value: 'x' }]);
  });

  it('is a value as it is, unless it is a whole number of a built-in producer', () => {
    const said = (value: number) =>
      resultOf(history().poll(5, { 't/0': [[0, value]] }), 'phantom').witnesses[0]!.explanation;
    expect(said(4_294_967_297)).toContain('p1#1');
    expect(said(4_294_967_296.5)).toContain('4294967296.5');
    expect(said(4_294_967_295)).toContain('4294967295');
  });

  it('is a hash that only the completion of the send told', () => {
    const h = (hash: string) =>
      history()
        .op(0, 'send', [['send', 't/0', 10]], {
          at: [1, 2],
          completed: [['send', 't/0', [0, 10], { hash: 'a' }]],
        })
        .poll(5, { 't/0': [[0, 10, { hash }]] }, { at: [3, 4] });
    expect(resultOf(h('a'), 'corrupt-record')).toMatchObject({ outcome: 'absent' });
    expect(resultOf(h('b'), 'corrupt-record')).toMatchObject({ outcome: 'found', count: 1 });
  });
});
