/** Orders that measurements, copies and second sessions show, and how close in time two operations may be. */
import { describe, expect, it } from 'vitest';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

describe('real-time-inversion of measured ends', () => {
  it('is found where the end falls from one linearizable audit to the next', () => {
    const ends = (first: number, second: number) =>
      history()
        .scan(8, 't/0', [], { at: [1, 2], end: first, scan: 'a', as: 'first' })
        .scan(9, 't/0', [], { at: [3, 4], end: second, scan: 'b', as: 'second' });
    const falling = ends(5, 3);
    const result = resultOf(falling, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [falling.index('first'), falling.index('second')],
      offset: 5,
      otherOffset: 3,
    });
    expect(result.witnesses[0]!.explanation).toMatch(
      /^the end 5 measured by process 8 had happened when process 8 returned at 0.002s \(event 1\)\. Only later, at 0.003s \(event 2\), the end 3 measured by process 9 was begun/,
    );
    expect(resultOf(ends(3, 5), 'real-time-inversion').count).toBe(0);
    expect(resultOf(ends(5, 5), 'real-time-inversion').count).toBe(0);
  });

  it('is found where a record that was sent later stands below a measured end, not at it', () => {
    const sent = (offset: number, row: object = {}) =>
      history(row)
        .scan(9, 't/0', [], { at: [1, 2], end: 3, upTo: 0 })
        .send(0, 't/0', 10, { at: [3, 4], ok: offset });
    expect(resultOf(sent(2), 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(sent(3), 'real-time-inversion').outcome).toBe('absent');
    const acks = { config: { acks: 1 } };
    expect(resultOf(sent(2, acks), 'real-time-inversion').outcome).toBe('absent');
  });

  it('is found for a record seen before another was sent, and names who saw it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 9], ok: 5, as: 'a' })
      .poll(5, { 't/0': [[5, 10]] }, { at: [2, 3], as: 'sight' })
      .send(1, 't/0', 11, { at: [4, 5], ok: 1, as: 'b' });
    const result = resultOf(h, 'real-time-inversion');
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('a'), h.index('b')],
      seenBy: h.index('sight'),
    });
    expect(result.witnesses[0]!.explanation).toContain('was seen by process 5 at 0.003s');
    const own = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .poll(5, { 't/0': [[5, 10]] }, { at: [6, 7] })
      .send(1, 't/0', 11, { at: [4, 5], ok: 1 });
    const witness = resultOf(own, 'real-time-inversion').witnesses[0]!;
    expect(witness).not.toHaveProperty('seenBy');
    expect(witness.explanation).toContain('had happened when process 0 returned at 0.002s');
  });

  it('counts the answer of an uncertain send from the first sight of its value', () => {
    const answered = (sight: readonly [number, number]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], info: true, offset: 5 })
        .poll(5, { 't/0': [[7, 10]] }, { at: sight })
        .send(1, 't/0', 11, { at: [5, 6], ok: 1 });
    expect(resultOf(answered([3, 4]), 'real-time-inversion').count).toBe(2);
    expect(resultOf(answered([7, 8]), 'real-time-inversion').count).toBe(0);
  });
});

describe('one nanosecond', () => {
  it('is enough between the end of one operation and the beginning of the next', () => {
    const scanned = (ms: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .scan(9, 't/0', [], { at: [ms, 3], end: 1 });
    expect(resultOf(scanned(2.000001), 'lost-write').outcome).toBe('found');
    expect(resultOf(scanned(2), 'lost-write').outcome).toBe('unknown');
  });
});

describe('nonmonotonic-send', () => {
  const copies = (second: HistoryBuilder) => resultOf(second, 'nonmonotonic-send');

  it('goes by the least offset of copies, and by none that a scan speaks against', () => {
    const sent = () =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 2 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 5 });
    expect(copies(sent()).count).toBe(0);
    expect(copies(sent().poll(5, { 't/0': [[1, 11]] })).count).toBe(1);
    expect(copies(sent().poll(5, { 't/0': [[9, 11]] })).count).toBe(0);
    expect(copies(sent().poll(5, { 't/0': [[9, 11], [1, 11]] })).count).toBe(1); // prettier-ignore
    const gone = sent()
      .poll(5, { 't/0': [[1, 11]] }, { at: [5, 6] })
      .scan(9, 't/0', [[2, 10], [5, 11]], { at: [7, 8] }); // prettier-ignore
    expect(copies(gone).count).toBe(0);
  });

  it('asks nothing of a send whose answer a scan refutes: what stands elsewhere may be a late retry', () => {
    const after = (rows: Parameters<HistoryBuilder['scan']>[2]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 2 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
        .scan(9, 't/0', rows, { at: [7, 8], end: 9 });
    expect(copies(after([[1, 11], [2, 10], [8, 10]]))).toMatchObject({ count: 1, checked: 1 }); // prettier-ignore
    expect(copies(after([[1, 11], [2, 'other'], [8, 10]]))).toMatchObject({ count: 0, checked: 0 }); // prettier-ignore
    expect(
      copies(
        after([
          [1, 11],
          [8, 10],
        ]),
      ),
    ).toMatchObject({ count: 0, checked: 0 });
    // Nor where a copy below it stands: that one may have been written late as well.
    const below = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .scan(9, 't/0', [[1, 11], [3, 10]], { at: [7, 8], end: 9 }); // prettier-ignore
    expect(copies(below)).toMatchObject({ count: 0, checked: 0 });
    // A surplus copy that is gone says nothing of the one that was acknowledged.
    const surplus = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .poll(5, { 't/0': [[7, 10]] }, { at: [5, 6] })
      .scan(9, 't/0', [[1, 11], [5, 10]], { at: [7, 8], end: 9 }); // prettier-ignore
    expect(copies(surplus)).toMatchObject({ count: 1, checked: 1 });
  });

  it('asks nothing of a failed send, wherever it was seen', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(0, 't/0', 11, { at: [3, 4], fail: true })
      .poll(5, { 't/0': [[3, 11]] }, { at: [5, 6] });
    expect(copies(h)).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('of one key is found in any session, for any key', () => {
    const keyed = (process: number, key: string) =>
      history()
        .send(7, 't/0', 'x', { at: [0.1, 0.2], ok: 0, meta: { key: 'other' } })
        .send(process, 't/0', 'a', { at: [1, 2], ok: 5, meta: { key } })
        .send(process, 't/0', 'b', { at: [3, 4], ok: 4, meta: { key } });
    const cases = [[7, 'other'], [7, 'k'], [8, 'other'], [8, 'k']] as const; // prettier-ignore
    for (const [process, key] of cases) {
      const result = resultOf(keyed(process, key), 'key-reordered');
      expect([process, key, result.outcome]).toEqual([process, key, 'found']);
      expect(result.witnesses[0]!.explanation).toContain(`of key "${key}" in this order`);
    }
    const apart = history()
      .send(7, 't/0', 'a', { at: [1, 2], ok: 5, meta: { key: 'k' } })
      .send(8, 't/0', 'b', { at: [3, 4], ok: 4, meta: { key: 'k' } });
    expect(resultOf(apart, 'key-reordered').outcome).toBe('not-exercised');
  });
});

describe('ends that audits measured', () => {
  it('are in order of the invocation of audits, whichever ended first', () => {
    // The audit that was invoked first ends last, and only the other one came after the acknowledgement.
    const h = history()
      .send(0, 't/0', 10, { at: [1, 3], ok: 4, as: 'send' })
      .scan(8, 't/0', [], { at: [2, 9], end: 2, scan: 'long' })
      .scan(9, 't/0', [], { at: [5, 6], end: 3, scan: 'short', as: 'short' })
      .scan(7, 't/0', [], { at: [7, 8], end: 6, scan: 'late', upTo: 0 });
    const { witnesses } = resultOf(h, 'lost-write');
    expect(witnesses[0]?.operations).toEqual([h.index('send'), h.index('short')]);
  });
});

describe('inconsistent-offsets of an uncertain answer', () => {
  it('names its send, the sight that proves it, and the other send', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, offset: 0, as: 'uncertain' })
      .send(1, 't/0', 11, { at: [3, 4], ok: 0, as: 'acknowledged' })
      .poll(5, { 't/0': [[3, 10]] }, { at: [5, 6], as: 'sight' });
    const result = resultOf(h, 'inconsistent-offsets');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]?.operations).toEqual(
      ['uncertain', 'acknowledged', 'sight'].map((label) => h.index(label)),
    );
  });
});

describe('a reader of no known start', () => {
  it('proves a loss behind what it had read before, and none below', () => {
    const read = (first: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 4 })
        .poll(5, { 't/0': [[first, 8]] }, { at: [3, 4] })
        .poll(5, { 't/0': [[6, 9]] }, { at: [5, 6] });
    expect(resultOf(read(3), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(read(5), 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('is beside others that began higher or ended lower', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 4, as: 'send' })
      .assign(6, ['t/0'], { 't/0': 5 }, { at: [3, 4] })
      .poll(6, { 't/0': [[7, 9]] }, { at: [5, 6] })
      .assign(7, ['t/0'], 'beginning', { at: [3, 4] })
      .poll(7, { 't/0': [[3, 8]] }, { at: [5, 6] })
      .assign(5, ['t/0'], { 't/0': 4 }, { at: [7, 8] })
      .poll(5, { 't/0': [[7, 9]] }, { at: [9, 10], as: 'the poll' });
    expect(resultOf(h, 'lost-write').witnesses[0]?.operations).toEqual([
      h.index('send'),
      h.index('the poll'),
    ]);
  });
});
