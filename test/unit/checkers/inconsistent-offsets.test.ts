import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header } from '../../../src/history/event.ts';

function bothAcknowledged(second: number, header: Partial<Header> = {}) {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'first' })
    .send(1, 't/0', 11, { at: [3, 4], ok: second, as: 'second' });
}

describe('inconsistent-offsets', () => {
  it('found: one offset was acknowledged to two sends', () => {
    const h = bothAcknowledged(5);
    const result = resultOf(h, 'inconsistent-offsets');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('first'), h.index('second')],
        log: 't/0',
        offset: 5,
        values: [10, 11],
        layer: 'unknown',
      },
    ]);
  });

  it('absent: the twin has another offset, and a complete scan covers both', () => {
    const h = bothAcknowledged(6).scan(
      9,
      't/0',
      [
        [5, 10],
        [6, 11],
      ],
      { at: [8, 9] },
    );
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it.each([
    ['nothing was audited', null],
    ['the scan is not complete', { at: [8, 9], end: 9, upTo: 7 }],
    ['the scan that was invoked too early does not hold it', { at: [3.5, 9], end: 9, held: 1 }],
  ] as const)('unknown: %s', (_name, row) => {
    const h = bothAcknowledged(6);
    const held = [
      [5, 10],
      [6, 11],
    ] as const;
    if (row !== null) h.scan(9, 't/0', held.slice(0, 'held' in row ? row.held : 2), row);
    const result = resultOf(h, 'inconsistent-offsets');
    expect(result).toMatchObject({ outcome: 'unknown', count: 0, checked: 2 });
    expect(result.reason).toContain('audit');
  });

  it('found: what a poll saw contradicts what was acknowledged', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'the send' })
      .send(1, 't/0', 11, { at: [1, 2], info: true })
      .poll(5, { 't/0': [[5, 11]] }, { at: [3, 4], as: 'the poll' });
    const result = resultOf(h, 'inconsistent-offsets');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(result.witnesses[0]?.operations).toEqual([h.index('the send'), h.index('the poll')]);
  });

  it('unknown, not found: an info send’s own word counts only once its value was seen', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5 })
      .send(1, 't/0', 11, { at: [3, 4], info: true, offset: 5 });
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({ outcome: 'unknown', checked: 1 });
    h.poll(5, { 't/0': [[7, 11]] }, { at: [5, 6] });
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({
      outcome: 'found',
      count: 1,
      checked: 2,
    });
  });

  it('counts offsets, not pairs, per log', () => {
    const h = history();
    for (let i = 0; i < 3; i++) h.send(i, 't/0', i, { ok: 5 }).send(i, 't/1', i, { ok: i });
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({
      outcome: 'found',
      count: 1,
      checked: 6,
    });
  });

  it('permitted by acks=1, and says so', () => {
    const result = resultOf(bothAcknowledged(5, { config: { acks: 1 } }), 'inconsistent-offsets');
    expect(result.permittedBy).toBe('acks');
    expect(result.witnesses[0]?.explanation).toContain('acks=1 permits this');
  });

  it('copes with offsets far apart', () => {
    const far = 2 ** 52;
    const h = history()
      .send(0, 't/0', 10, { ok: far })
      .send(0, 't/0', 11, { ok: far })
      .send(0, 't/0', 12, { ok: 0 });
    expect(resultOf(h, 'inconsistent-offsets')).toMatchObject({
      outcome: 'found',
      count: 1,
      checked: 3,
    });
  });
});
