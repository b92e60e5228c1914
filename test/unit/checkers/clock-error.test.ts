/** Where clocks err, what one process saw still comes before what it did next. */
import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

/**
 * 10, uncertain, seen first by process 6 and then by `reader`; process 9 scans afterwards. Clocks err by 3 ms, so that
 * only what process 9 saw itself lies before its scan.
 */
function seenAndScanned(reader: number, errorNs = 3e6) {
  return history({ clock: { errorNs } })
    .send(0, 't/0', 10, { at: [1, 2], info: true })
    .poll(6, { 't/0': [[0, 10]] }, { at: [3, 4] })
    .poll(reader, { 't/0': [[0, 10]] }, { at: [4.2, 4.5], as: 'own sight' })
    .scan(9, 't/0', [], { at: [5, 6], end: 5, as: 'the scan' });
}

describe('a record that the process of a scan had seen itself', () => {
  it.each(['lost-write', 'truncated-read'] as const)('is proved lost: %s', (anomaly) => {
    const h = seenAndScanned(9);
    const result = resultOf(h, anomaly);
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    const { operations } = result.witnesses[0]!;
    expect(operations.slice(-2)).toEqual([h.index('own sight'), h.index('the scan')]);
  });

  it.each(['lost-write', 'truncated-read'] as const)('its twin is not: %s', (anomaly) => {
    expect(resultOf(seenAndScanned(7), anomaly)).toMatchObject({ outcome: 'unknown', count: 0 });
    expect(resultOf(seenAndScanned(7, 0), anomaly)).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('counts if an audit of that process saw it, for lost-write alone', () => {
    const h = history({ clock: { errorNs: 3e6 } })
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .poll(6, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .scan(9, 't/0', [[0, 10]], { at: [4.2, 4.5], scan: 'before' })
      .scan(9, 't/0', [], { at: [5, 6], end: 5, scan: 'after' });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('does not count if it saw it only during the scan, or never learned that it did', () => {
    const open = history({ clock: { errorNs: 3e6 } })
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .poll(6, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .scan(9, 't/0', [], { at: [5, 6], end: 5 })
      .poll(9, { 't/0': [[0, 10]] }, { at: [7, 8] });
    expect(resultOf(open, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });
});

describe('real-time-inversion where clocks err', () => {
  const inverted = (process: number, errorNs = 3e6) =>
    history({ clock: { errorNs } })
      .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'first' })
      .send(process, 't/0', 11, { at: [3, 4], ok: 1, as: 'second' });

  it('is found within one process, and between two only beyond twice the error', () => {
    expect(resultOf(inverted(0), 'real-time-inversion')).toMatchObject({ outcome: 'found' });
    expect(resultOf(inverted(1), 'real-time-inversion')).toMatchObject({ outcome: 'absent' });
    expect(resultOf(inverted(1, 0.4e6), 'real-time-inversion').outcome).toBe('found');
    expect(resultOf(inverted(1, 0.5e6), 'real-time-inversion').outcome).toBe('absent');
  });

  it('is found between an end and what the process that measured it sent afterwards', () => {
    const sent = (sender: number) =>
      history({ clock: { errorNs: 3e6 } })
        .scan(9, 't/0', [], { at: [1, 2], end: 1, upTo: 0 })
        .send(sender, 't/0', 10, { at: [3, 4], ok: 0 });
    expect(resultOf(sent(9), 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(sent(8), 'real-time-inversion')).toMatchObject({ outcome: 'absent' });
  });

  it('is found between ends that one process measured', () => {
    const ends = (second: number) =>
      history({ clock: { errorNs: 3e6 } })
        .send(0, 't/0', 10, { at: [0.1, 0.2], fail: true })
        .scan(8, 't/0', [], { at: [1, 2], end: 5, scan: 'a' })
        .scan(second, 't/0', [], { at: [3, 4], end: 3, scan: 'b' });
    expect(resultOf(ends(8), 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(ends(9), 'real-time-inversion').count).toBe(0);
  });

  it('is found where one process saw the first before it sent the second', () => {
    const saw = (process: number) =>
      history({ clock: { errorNs: 3e6 } })
        .send(0, 't/0', 10, { at: [1, 2], info: true })
        .poll(process, { 't/0': [[5, 10]] }, { at: [3, 4] })
        .send(1, 't/0', 11, { at: [5, 6], ok: 1 });
    expect(resultOf(saw(1), 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(saw(2), 'real-time-inversion')).toMatchObject({ outcome: 'absent' });
  });
});

describe('a record of an external writer that the process of a scan had seen itself', () => {
  it('is proved gone, though that was the first thing that happened', () => {
    const seen = (reader: number) =>
      history({ clock: { errorNs: 3e6 }, topics: { t: { partitions: 1, writers: 'external' } } })
        .poll(reader, { 't/0': [[0, 10]] }, { at: [1, 2] })
        .scan(9, 't/0', [], { at: [3, 4], end: 5, linearizable: false });
    expect(resultOf(seen(9), 'truncated-read')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(seen(8), 'truncated-read').count).toBe(0);
  });
});

describe('an end that was measured where clocks err', () => {
  it('proves a cut tail to the process that had sent, however soon, and to no other', () => {
    const h = (auditor: number) =>
      history({ clock: { errorNs: 5_000_000 } })
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .rawScan(auditor, 't/0', [], { at: [3, 4], end: 0 });
    expect(resultOf(h(0), 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h(9), 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });
});

describe('a sight by an audit where clocks err', () => {
  it('comes before what the auditing process sent afterwards', () => {
    const h = (sender: number) =>
      history({ clock: { errorNs: 1_000_000_000 } })
        .send(0, 't/0', 10, { at: [1, 2], info: true })
        .poll(5, { 't/0': [[1, 'other']] }, { at: [1, 2] })
        .scan(9, 't/0', [[5, 10]], { at: [3, 4], start: 5, linearizable: false })
        .send(sender, 't/0', 11, { at: [5, 6], ok: 3 });
    expect(resultOf(h(9), 'real-time-inversion')).toMatchObject({ outcome: 'found', count: 1 });
    expect(resultOf(h(8), 'real-time-inversion')).toMatchObject({ count: 0 });
  });
});
