/** Sends that left the partition to the client: judged in all partitions together, or where they were seen. */
import { describe, expect, it } from 'vitest';
import { history, type ScanRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const two = { topics: { t: { partitions: 2 } } };

/** 10, acknowledged without a word on where it is; then a scan of each partition, without it unless given. */
function unplaced(first: ScanRow, second: ScanRow, header: object = two) {
  return history(header)
    .send(0, 't', 10, { at: [1, 2], ok: null, as: 'the send' })
    .scan(8, 't/0', [[3, 99]], { end: 5, as: 'of t/0', ...first })
    .scan(9, 't/1', [], { end: 5, as: 'of t/1', ...second });
}

describe('lost-write of a send whose partition nobody told', () => {
  it('found: it is in no partition, by a complete scan of each', () => {
    const h = unplaced({ at: [5, 6] }, { at: [7, 8] });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the send'), h.index('of t/0'), h.index('of t/1')],
      evidence: 'nowhere',
      value: 10,
      layer: 'client',
    });
    const text = result.witnesses[0]!.explanation;
    expect(text).toContain('(offsets 0 to 4) and the committed scan');
    expect(text).toContain('The send was acknowledged, so no uncertain outcome explains this.');
  });

  it.each<readonly [string, ScanRow, ScanRow]>([
    ['one scan was invoked before the acknowledgement', { at: [1.5, 6] }, { at: [7, 8] }],
    ['the other one was', { at: [5, 6] }, { at: [1.5, 8] }],
    ['one scan is not complete', { at: [5, 6] }, { at: [7, 8], upTo: 4 }],
    ['one log does not start at 0', { at: [5, 6], start: 1 }, { at: [7, 8] }],
  ])('unknown: %s', (_why, first, second) => {
    const result = resultOf(unplaced(first, second), 'lost-write');
    expect(result).toMatchObject({ outcome: 'unknown', count: 0, checked: 1 });
    expect(result.reason).toContain(
      'no complete audit of t after that covers it; one, from offset 0',
    );
  });

  it.each([
    ['nobody says how many partitions there are', {}],
    ['there is one more than was audited', { topics: { t: { partitions: 3 } } }],
    ['there are none', { topics: { t: { partitions: 0 } } }],
  ])('unknown: %s', (_why, header) => {
    const h = unplaced({ at: [5, 6] }, { at: [7, 8] }, header);
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });

  it('found: the latest scan of each partition counts, in whatever order they ended', () => {
    const again = unplaced({ at: [0.2, 0.4], scan: 'early' }, { at: [7, 8] }).scan(7, 't/0', [], {
      at: [5, 6],
      end: 5,
      scan: 'late',
    });
    expect(resultOf(again, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    const across = unplaced({ at: [1.5, 20], scan: 'long' }, { at: [7, 8] }).scan(7, 't/0', [], {
      at: [5, 6],
      end: 5,
      scan: 'short',
    });
    expect(resultOf(across, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('absent: on a compacted topic absence is legal', () => {
    const compacted = { topics: { t: { partitions: 2, cleanup: 'compact' } } };
    const h = unplaced({ at: [5, 6] }, { at: [7, 8] }, compacted);
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('absent: a reader saw it in one of them, and the scan of that one holds it', () => {
    const h = history(two)
      .send(0, 't', 10, { at: [1, 2], ok: null })
      .poll(5, { 't/1': [[4, 10]] }, { at: [3, 4] })
      .scan(8, 't/0', [], { at: [5, 6], end: 5 })
      .scan(9, 't/1', [[4, 10]], { at: [7, 8] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('found: seen in two partitions, and gone from both; open while one of them was not audited', () => {
    const seen = () =>
      history(two)
        .send(0, 't', 10, { at: [1, 2], ok: null })
        .poll(5, { 't/0': [[3, 10]], 't/1': [[4, 10]] }, { at: [3, 4] })
        .scan(8, 't/0', [], { at: [5, 6], end: 5 });
    expect(resultOf(seen(), 'lost-write')).toMatchObject({ outcome: 'unknown', checked: 1 });
    const gone = seen().scan(9, 't/1', [], { at: [7, 8], end: 5 });
    expect(resultOf(gone, 'lost-write')).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    const kept = seen().scan(9, 't/1', [[4, 10]], { at: [7, 8], end: 5 });
    expect(resultOf(kept, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('is judged once where its answer named a partition, wherever else it was seen', () => {
    const h = history(two)
      .send(0, 't', 10, { at: [1, 2], ok: 4, to: 't/1' })
      .poll(5, { 't/0': [[3, 10]] }, { at: [3, 4] })
      .scan(8, 't/0', [[3, 10]], { at: [5, 6] })
      .scan(9, 't/1', [[4, 10]], { at: [7, 8] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('not-exercised: an uncertain one that nobody saw', () => {
    const h = history(two)
      .send(0, 't', 10, { at: [1, 2], info: true })
      .scan(8, 't/0', [], { at: [5, 6], end: 5 })
      .scan(9, 't/1', [], { at: [7, 8], end: 5 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('counts once among what other checkers oblige themselves to', () => {
    const h = history(two).send(0, 't', 10, { at: [1, 2], ok: null });
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({ outcome: 'unknown', checked: 1 });
    const seen = h.poll(5, { 't/1': [[4, 10]] }, { at: [3, 4] });
    expect(resultOf(seen, 'inconsistent-offsets')).toMatchObject({
      outcome: 'unknown',
      checked: 1,
    });
    expect(resultOf(seen, 'duplicate')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });
});

/** 10 acknowledged without an offset; 11, sent after that, acknowledged below the place where 10 was seen later. */
function overtaken(log: string, seen: Readonly<Record<string, readonly [number, number][]>>) {
  return history()
    .send(0, log, 10, { at: [1, 2], ok: null })
    .send(1, 't/0', 11, { at: [3, 4], ok: 1 })
    .poll(5, seen, { at: [20, 21] });
}

describe('a send that was acknowledged without an offset and seen at one place alone', () => {
  it('stood there when it was acknowledged: real-time-inversion is found', () => {
    for (const log of ['t/0', 't']) {
      const result = resultOf(overtaken(log, { 't/0': [[3, 10]] }), 'real-time-inversion');
      expect([log, result.outcome, result.count]).toEqual([log, 'found', 1]);
    }
  });

  it.each([
    ['seen at a second place', 't/0', { 't/0': [[3, 10], [5, 10]] }], // prettier-ignore
    ['seen in a second partition', 't', { 't/0': [[3, 10]], 't/1': [[3, 10]] }],
  ] as const)('but not where it was %s', (_why, log, seen) => {
    const h = overtaken(log, seen as never);
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ count: 0 });
  });

  it('and the twin below the other is no inversion', () => {
    const h = overtaken('t/0', { 't/0': [[0, 10]] });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 2 });
  });
});
