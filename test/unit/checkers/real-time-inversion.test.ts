import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

describe('real-time-inversion', () => {
  it('found: b was invoked after a was acknowledged, and got the lower offset (probe 2)', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'a' })
      .send(1, 't/0', 11, { at: [3, 4], ok: 4, as: 'b' });
    const result = resultOf(h, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('a'), h.index('b')],
        log: 't/0',
        offset: 5,
        otherOffset: 4,
        layer: 'unknown',
      },
    ]);
  });

  it('absent: the twin b overlaps a', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 3], ok: 5 })
      .send(1, 't/0', 11, { at: [2, 4], ok: 4 });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('absent: on a tie nothing precedes; and logs are judged apart', () => {
    const tie = history()
      .send(0, 't/0', 10, { at: [1, 3], ok: 5 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 4 });
    expect(resultOf(tie, 'real-time-inversion').outcome).toBe('absent');
    const apart = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/1', 11, { at: [3, 4], ok: 4 });
    expect(resultOf(apart, 'real-time-inversion').outcome).toBe('absent');
  });

  it('absent: b is an info send that nobody saw; found once somebody did', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/0', 11, { at: [3, 4], info: true, offset: 4 });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 1 });
    h.poll(5, { 't/0': [[4, 11]] }, { at: [5, 6] });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'found', checked: 1 });
  });

  it('found: an info send had happened when it was first seen', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, as: 'a' })
      .poll(5, { 't/0': [[5, 10]] }, { at: [3, 4], as: 'the sight' })
      .send(1, 't/0', 11, { at: [5, 6], ok: 4, as: 'b' });
    const result = resultOf(h, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('a'), h.index('b')],
      seenBy: h.index('the sight'),
    });
  });

  it('found: a sight before the acknowledgement tightens it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 9], ok: 5 })
      .poll(5, { 't/0': [[5, 10]] }, { at: [3, 4] })
      .send(1, 't/0', 11, { at: [5, 6], ok: 4 });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('unknown: an acknowledged send whose offset never became known', () => {
    const h = history().send(0, 't/0', 10, { ok: null }).send(0, 't/0', 11, { ok: 3 });
    const result = resultOf(h, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'unknown', checked: 2, count: 0 });
    expect(result.reason).toContain('offset never became known');
    h.poll(5, { 't/0': [[2, 10]] });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('honours the clock’s error across processes, and program order within one', () => {
    const header = { clock: { errorNs: 5e5 } };
    const across = history(header)
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 4 });
    expect(resultOf(across, 'real-time-inversion').outcome).toBe('absent');
    const later = history(header)
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/0', 11, { at: [3.1, 4], ok: 4 });
    expect(resultOf(later, 'real-time-inversion').outcome).toBe('found');
    const within = history(header)
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 4 });
    expect(resultOf(within, 'real-time-inversion').outcome).toBe('found');
    const seen = history(header)
      .send(0, 't/0', 10, { at: [1, 9], ok: 5 })
      .poll(1, { 't/0': [[5, 10]] }, { at: [2, 3] })
      .send(1, 't/0', 11, { at: [3.5, 4], ok: 4 });
    expect(resultOf(seen, 'real-time-inversion').outcome).toBe('found');
  });

  it('found: a linearizable end that lies above what was sent only later', () => {
    const h = history()
      .scan(9, 't/0', [], { at: [1, 2], end: 1, as: 'the end' })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0, as: 'the send' });
    // The scan contradicts the acknowledged offset, so the append is no element here.
    expect(resultOf(h, 'real-time-inversion').count).toBe(0);
    const partial = history()
      .scan(9, 't/0', [], { at: [1, 2], end: 1, upTo: 0, as: 'the end' })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0, as: 'the send' });
    const result = resultOf(partial, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]?.operations).toEqual([
      partial.index('the end'),
      partial.index('the send'),
    ]);
    const unmarked = history()
      .scan(9, 't/0', [], { at: [1, 2], end: 1, upTo: 0, linearizable: false })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(unmarked, 'real-time-inversion').outcome).toBe('absent');
    const acksOne = history({ config: { acks: 1 } })
      .scan(9, 't/0', [], { at: [1, 2], end: 1, upTo: 0 })
      .send(0, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(acksOne, 'real-time-inversion').outcome).toBe('absent');
  });

  it('absent: what is proved lost, or contradicted by a scan, is no element', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 4 })
      .scan(9, 't/0', [[4, 11]], { at: [5, 6], end: 6 });
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 2 });
    expect(resultOf(h, 'lost-write').outcome).toBe('found');
  });

  it('absent: a surplus copy ends only when it is seen', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 3 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 4 })
      .scan(
        9,
        't/0',
        [
          [3, 10],
          [4, 11],
          [5, 10],
        ],
        { at: [5, 6] },
      );
    expect(resultOf(h, 'real-time-inversion')).toMatchObject({ outcome: 'absent', checked: 2 });
    expect(resultOf(h, 'duplicate').outcome).toBe('found');
  });

  it('counts inverted elements, each with the latest that stands below it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 6 })
      .send(1, 't/0', 12, { at: [5, 6], ok: 3 })
      .send(1, 't/0', 13, { at: [7, 8], ok: 4, as: 'latest' });
    const result = resultOf(h, 'real-time-inversion');
    expect(result).toMatchObject({ outcome: 'found', count: 2, checked: 4 });
    expect(result.witnesses.map(({ operations }) => operations[1])).toEqual([
      h.index('latest'),
      h.index('latest'),
    ]);
  });

  it('blames the broker where the raw log itself stands so, and names the permitting setting', () => {
    const raw = (base: number) => ({
      base,
      last: base,
      leaderEpoch: 0,
      producerId: 1,
      epoch: 0,
      sequence: 0,
      transactional: false,
      control: null,
    });
    const h = history({ config: { 'min.insync.replicas': 1 } })
      .send(0, 't/0', 10, { at: [1, 2], ok: 1 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 0 })
      .rawScan(9, 't/0', [raw(0), raw(1)], { at: [5, 6] });
    const result = resultOf(h, 'real-time-inversion');
    expect(result.permittedBy).toBe('min.insync.replicas');
    expect(result.witnesses[0]).toMatchObject({ layer: 'broker' });
  });
});
