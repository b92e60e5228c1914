/** Whose fault: which producer wrote what stands where a lost record should be, and what the raw log says of aborted ones. */
import { describe, expect, it } from 'vitest';
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

/** The send of 12 was answered with the offset of 11, which another process of the same session had sent before. */
const reused = (h: HistoryBuilder): HistoryBuilder =>
  h
    .send(1, 't/0', 11, { at: [3, 4], ok: 1, session: 'c1' })
    .send(0, 't/0', 12, { at: [5, 6], ok: 1, session: 'c1', as: 'the lost one' });

const held = [
  [0, 10],
  [1, 11],
  [2, 13],
] as const;

/** 10 or 13, of the process that sent 12, tells with which producer id that process wrote. */
function deduplicated(neighbour: 'before' | 'after', batches: readonly RawBatch[]) {
  const own = { session: 'c1' };
  const h = history();
  if (neighbour === 'before') h.send(0, 't/0', 10, { at: [1, 2], ok: 0, ...own });
  reused(h);
  if (neighbour === 'after') h.send(0, 't/0', 13, { at: [7, 8], ok: 2, ...own });
  const seen = neighbour === 'before' ? held.slice(0, 2) : held.slice(1);
  return h.scan(9, 't/0', seen, { at: [10, 11], end: 3 }).rawScan(9, 't/0', batches, {
    at: [12, 13],
  });
}

describe('the layer of a lost-write whose offset holds another record of the session', () => {
  it.each(['before', 'after'] as const)(
    'client: the process wrote with that producer id and epoch, by its send %s',
    (neighbour) => {
      const h = deduplicated(neighbour, [batch(0), batch(1), batch(2)]);
      expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ value: 12, layer: 'client' });
    },
  );

  it.each(['before', 'after'] as const)(
    'broker: it wrote with another producer id or epoch, by its send %s',
    (neighbour) => {
      for (const other of [{ producerId: 8 }, { epoch: 1 }]) {
        const h = deduplicated(neighbour, [batch(0, other), batch(1), batch(2, other)]);
        expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({
          value: 12,
          layer: 'broker',
        });
      }
    },
  );

  it('broker: the batch there has no producer id', () => {
    const none = { producerId: -1 };
    const h = deduplicated('before', [batch(0, none), batch(1, none)]);
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ layer: 'broker' });
  });

  it('client: nothing tells the producer of the process, but the session is the same', () => {
    const h = deduplicated('before', [batch(1)]);
    expect(resultOf(h, 'lost-write').witnesses[0]).toMatchObject({ layer: 'client' });
  });
});

describe('the layer of inconsistent-offsets', () => {
  it.each([
    [10, 11],
    [11, 10],
  ])('is that of the record which is not there: %i stands there, not %i', (standing, missing) => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 0 })
      .scan(9, 't/0', [[0, standing]], { at: [5, 6] })
      .rawScan(9, 't/0', [batch(0)], { at: [7, 8] });
    expect(resultOf(h, 'inconsistent-offsets').witnesses[0]?.layer).toBe('broker');
    expect(resultOf(h, 'lost-write').witnesses[0]?.value).toBe(missing);
  });
});

describe('the layer of an aborted-read', () => {
  const failed = (batches: readonly RawBatch[]) =>
    history()
      .send(0, 't/0', 10, { at: [1, 2], fail: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .rawScan(9, 't/0', batches, { at: [5, 6], end: 1 });
  const aborted = (batches: readonly RawBatch[]) =>
    history()
      .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], fail: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] })
      .rawScan(9, 't/0', batches, { at: [5, 6], end: 2 });
  const marker = batch(1, { transactional: true, control: 'abort' });

  it.each([
    ['client: the raw log holds nothing of a failed send', failed([]), 'client'],
    ['broker: it does', failed([batch(0)]), 'broker'],
    [
      'broker: also in a transactional batch',
      failed([batch(0, { transactional: true })]),
      'broker',
    ],
    ['client: it holds the abort', aborted([batch(0, { transactional: true }), marker]), 'client'],
    ['broker: it was written outside the transaction', aborted([batch(0)]), 'broker'],
    ['client: a marker stands there', aborted([{ ...marker, base: 0, last: 0 }]), 'client'],
  ])('%s', (_name, h, layer) => {
    expect(resultOf(h, 'aborted-read').witnesses[0]).toMatchObject({ value: 10, layer });
  });
});
