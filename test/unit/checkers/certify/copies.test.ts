/** Claims that rest on a record standing, or having stood, at several offsets. */
import { describe, expect, it } from 'vitest';
import { claims } from '../../../support/claims.ts';
import { history, type ScanRow } from '../../../support/history-builder.ts';

describe('a claim about a copy', () => {
  it('holds though a scan before it was without it: the answer named another place', () => {
    const h = (scanned: number) =>
      history()
        .scan(9, 't/0', [], { at: [3, 4], end: scanned })
        .send(0, 't/0', 10, { at: [10, 11], ok: 9, as: 'first' })
        .send(0, 't/0', 11, { at: [12, 13], ok: 6, as: 'later' })
        .poll(5, { 't/0': [[7, 10]] }, { at: [20, 21] });
    expect(claims(h(6), 'nonmonotonic-send', 'first later')).toBe(true);
    expect(claims(h(8), 'nonmonotonic-send', 'first later')).toBe(false);
    const aside = history()
      .scan(9, 't/0', [], { at: [3, 4], from: 7, start: 7, end: 8 })
      .send(0, 't/0', 10, { at: [10, 11], ok: 9, as: 'first' })
      .send(0, 't/0', 11, { at: [12, 13], ok: 6, as: 'later' })
      .poll(5, { 't/0': [[7, 10]] }, { at: [20, 21] });
    expect(claims(aside, 'nonmonotonic-send', 'first later')).toBe(true);
  });
});

describe('a claim about an order of copies', () => {
  it('is refused where the least of them is gone, or the answer is contradicted', () => {
    const h = (held: readonly number[]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 9, as: 'first' })
        .send(0, 't/0', 11, { at: [3, 4], ok: 6, as: 'later' })
        .poll(5, { 't/0': [[7, 10]] }, { at: [5, 6] })
        .scan(9, 't/0', [[6, 11], ...held.map((offset): [number, number] => [offset, 10])], { at: [7, 8], end: 10 }); // prettier-ignore
    expect(claims(h([7, 9]), 'nonmonotonic-send', 'first later')).toBe(true);
    expect(claims(h([9]), 'nonmonotonic-send', 'first later')).toBe(false);
    expect(claims(h([7]), 'nonmonotonic-send', 'first later')).toBe(false);
  });
});

describe('a claim of duplicate by a sight and a scan', () => {
  it('is refused where the scan shows that what was seen is gone', () => {
    const h = (held: ScanRow) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], info: true })
        .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4], as: 'poll' })
        .scan(9, 't/0', [[1, 10]], { at: [5, 6], as: 'scan', ...held });
    expect(claims(h({}), 'duplicate', 'poll scan')).toBe(false);
    expect(claims(h({ start: 1 }), 'duplicate', 'poll scan')).toBe(true);
  });
});

describe('a claim of duplicate by an uncommitted view', () => {
  it('is refused of what a transaction wrote, and holds of a plain send', () => {
    const copies = [[0, 10], [1, 10]] as const; // prettier-ignore
    const seen = (f: 'send' | 'txn', view: 'committed' | 'uncommitted') =>
      history()
        .op(0, f, [['send', 't/0', 10]], { at: [1, 2], completed: [['send', 't/0', [0, 10]]] })
        .scan(9, 't/0', copies, { at: [3, 4], view, as: 'scan' });
    expect(claims(seen('txn', 'uncommitted'), 'duplicate', 'scan')).toBe(false);
    expect(claims(seen('txn', 'committed'), 'duplicate', 'scan')).toBe(true);
    expect(claims(seen('send', 'uncommitted'), 'duplicate', 'scan')).toBe(true);
  });
});
