/** key-moved: between which changes of the number of partitions a send lies, and whose fault the move is. */
import { describe, expect, it } from 'vitest';
import type { RawBatch } from '../../../src/history/event.ts';
import { history, type HistoryBuilder, type SendRow } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';

const k = { meta: { key: 'k' } };
const first = (h = history()): HistoryBuilder =>
  h.send(0, 't', 'a', { at: [1, 2], ok: 0, to: 't/0', as: 'first', ...k });

describe('key-moved and the number of partitions', () => {
  const changes = (at: readonly number[], row: object = {}) => {
    const h = first().send(1, 't', 'b', { at: [10, 20], ok: 0, to: 't/1', ...k, ...row });
    at.forEach((ms, i) => h.event('partitions', { topic: 't', count: 4 + i }, { at: ms }));
    return resultOf(h, 'key-moved');
  };

  it.each<readonly [string, readonly number[], number]>([
    ['never', [], 1],
    ['before both', [0.5], 1],
    ['after both', [30], 1],
    ['before and after', [0.5, 30], 1],
    ['between them', [5], 0],
    ['during the second', [15], 0],
    ['before, between and after', [0.5, 5, 30], 0],
  ])('changed %s: %j', (_when, at, count) => {
    expect(changes(at)).toMatchObject({ count, checked: 2 });
  });

  it('of another topic says nothing', () => {
    const h = first()
      .event('partitions', { topic: 'u', count: 4 }, { at: 5 })
      .send(1, 't', 'b', { at: [10, 20], ok: 0, to: 't/1', ...k });
    expect(resultOf(h, 'key-moved')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it.each<readonly [string, SendRow]>([
    ['info', { at: [10, 20], info: true }],
    ['no answer at all', { at: 10 }],
  ])('may have changed at any time before an uncertain send took effect: %s', (_how, row) => {
    const uncertain = (ms: number) =>
      first()
        .send(1, 't', 'b', { ...row, ...k })
        .event('partitions', { topic: 't', count: 4 }, { at: ms })
        .poll(5, { 't/1': [[0, 'b']] }, { at: [40, 41] });
    expect(resultOf(uncertain(30), 'key-moved')).toMatchObject({ count: 0 });
    expect(resultOf(uncertain(0.5), 'key-moved')).toMatchObject({ count: 1 });
  });
});

describe('key-moved, send by send', () => {
  it('keeps to the first home of a key in its topic, and keeps keys apart', () => {
    const h = first()
      .send(0, 't', 'b', { at: [3, 4], ok: 0, to: 't/1', ...k, as: 'second' })
      .send(0, 't', 'c', { at: [5, 6], ok: 1, to: 't/1', ...k, as: 'third' })
      .send(0, 't', 'd', { at: [7, 8], ok: 2, to: 't/1', meta: { key: 'l' } })
      .send(0, 'u', 'e', { at: [9, 10], ok: 0, to: 'u/1', ...k })
      .send(0, 't', 'f', { at: [11, 12], ok: 3, to: 't/1' });
    const result = resultOf(h, 'key-moved');
    expect(result).toMatchObject({ outcome: 'found', count: 2, checked: 5 });
    expect(result.witnesses).toMatchObject([
      { operations: [h.index('first'), h.index('second')], log: 't/1', value: 'b' },
      { operations: [h.index('first'), h.index('third')], log: 't/1', value: 'c' },
    ]);
    expect(result.witnesses[0]!.explanation).toContain('different partitions, t/0 and t/1');
  });

  it('names the two in order of events, whichever partition is known first', () => {
    const h = history()
      .poll(5, {}, { at: [0.1, 0.2] })
      .send(1, 't/0', 'x', { at: [0.3, 0.4], ok: 9 })
      .send(0, 't', 'b', { at: [1, 2], ok: 0, to: 't/1', ...k, as: 'first' })
      .send(0, 't', 'a', { at: [3, 4], ok: 0, to: 't/0', ...k, as: 'second' });
    expect(resultOf(h, 'key-moved').witnesses[0]?.operations).toEqual([
      h.index('first'),
      h.index('second'),
    ]);
  });

  it('asks nothing of what failed though it was seen, nor of what nobody proved', () => {
    const failed = first()
      .send(1, 't', 'b', { at: [3, 4], fail: true, ...k })
      .poll(5, { 't/1': [[0, 'b']] }, { at: [5, 6] });
    expect(resultOf(failed, 'key-moved')).toMatchObject({ outcome: 'absent', checked: 1 });
    const unproved = first().send(1, 't', 'b', { at: [3, 4], info: true, ...k });
    expect(resultOf(unproved, 'key-moved')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('goes by where an unanswered send was seen, and by an answer before any sight', () => {
    const seen = first()
      .send(1, 't', 'b', { at: [3, 4], ok: null, ...k })
      .poll(5, { 't/1': [[0, 'b']] }, { at: [5, 6] });
    expect(resultOf(seen, 'key-moved')).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    const answered = first()
      .send(1, 't', 'b', { at: [3, 4], ok: 1, to: 't/0', ...k })
      .poll(5, { 't/1': [[0, 'b']] }, { at: [5, 6] });
    expect(resultOf(answered, 'key-moved')).toMatchObject({ outcome: 'absent', checked: 2 });
  });
});

describe('the layer of key-moved', () => {
  const batch: RawBatch = {
    base: 0,
    last: 0,
    leaderEpoch: 0,
    producerId: 7,
    epoch: 0,
    sequence: 0,
    transactional: false,
    control: null,
  };
  const moved = (offset: number | null) =>
    first()
      .send(1, 't', 'b', { at: [3, 4], ok: offset, to: 't/1', ...k })
      .rawScan(9, 't/0', [batch], { at: [5, 6], end: 1 });
  const layer = (h: HistoryBuilder) => resultOf(h, 'key-moved').witnesses[0]!.layer;

  it('is the client where the raw logs hold both, and unknown where one does not tell', () => {
    expect(layer(moved(0).rawScan(9, 't/1', [batch], { at: [7, 8], end: 1 }))).toBe('client');
    expect(layer(moved(0).rawScan(9, 't/1', [], { at: [7, 8], end: 1 }))).toBe('unknown');
    expect(layer(moved(0))).toBe('unknown');
    const unseen = moved(null).rawScan(9, 't/1', [batch], { at: [7, 8], end: 1 });
    expect(layer(unseen)).toBe('unknown');
  });

  it('is the processor in topics with external writers', () => {
    const header = { topics: { t: { writers: 'external' as const } } };
    const h = first(history(header)).send(1, 't', 'b', { at: [3, 4], ok: 0, to: 't/1', ...k });
    expect(layer(h)).toBe('processor');
  });
});

describe('key-moved and what else is observed', () => {
  it('is told by events about partitions alone', () => {
    const h = first()
      .event('note', { topic: 't', count: 9 }, { at: 5 })
      .send(1, 't', 'b', { at: [10, 20], ok: 0, to: 't/1', ...k });
    expect(resultOf(h, 'key-moved')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('says nothing of two sends during which the number changed', () => {
    const h = history()
      .send(0, 't', 'a', { at: [1, 8], ok: 0, to: 't/0', ...k })
      .send(1, 't', 'b', { at: [2, 9], ok: 0, to: 't/1', ...k })
      .event('partitions', { topic: 't', count: 4 }, { at: 5 });
    expect(resultOf(h, 'key-moved')).toMatchObject({ count: 0 });
  });
});
