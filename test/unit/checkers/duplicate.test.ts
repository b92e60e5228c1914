import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header, RawBatch } from '../../../src/history/event.ts';

function sent(header: Partial<Header> = {}) {
  return history(header).send(0, 't/0', 10, { at: [1, 2], ok: 3 });
}

function batch(base: number, sequence: number, producerId = 7): RawBatch {
  const fixed = { leaderEpoch: 0, epoch: 0, transactional: false, control: null } as const;
  return { base, last: base, producerId, sequence, ...fixed };
}

describe('duplicate', () => {
  it('found: one value at two offsets of one scan', () => {
    const h = sent().scan(
      9,
      't/0',
      [
        [3, 10],
        [4, 10],
      ],
      { at: [5, 6], as: 'the scan' },
    );
    const result = resultOf(h, 'duplicate');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('the scan')],
        log: 't/0',
        offset: 3,
        otherOffset: 4,
        value: 10,
        layer: 'unknown',
      },
    ]);
  });

  it('absent: the twin scan holds it once', () => {
    const h = sent().scan(9, 't/0', [[3, 10]], { at: [5, 6] });
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'absent', count: 0, checked: 1 });
  });

  it('absent: an acknowledged offset alone is no copy', () => {
    const h = sent().scan(9, 't/0', [[4, 10]], { at: [5, 6] });
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it('unknown: nothing was audited', () => {
    expect(resultOf(sent(), 'duplicate')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });

  it('found: polls saw it at two offsets, and neither is proved lost', () => {
    const h = sent()
      .poll(5, { 't/0': [[3, 10]] }, { at: [5, 6], as: 'one' })
      .poll(6, { 't/0': [[4, 10]] }, { at: [7, 8], as: 'other' });
    const result = resultOf(h, 'duplicate');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]?.operations).toEqual([h.index('one'), h.index('other')]);
  });

  it('absent: the twin’s first place is proved lost before the second was seen', () => {
    const h = sent()
      .poll(5, { 't/0': [[3, 10]] }, { at: [5, 6] })
      .scan(9, 't/0', [[4, 10]], { at: [7, 8] });
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'absent', count: 0 });
    expect(resultOf(h, 'truncated-read').outcome).toBe('found');
  });

  it('found for an info send too: however often it was tried, it is one send', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .scan(
        9,
        't/0',
        [
          [3, 10],
          [4, 10],
          [7, 10],
        ],
        { at: [5, 6] },
      );
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'found', count: 2, checked: 1 });
  });

  it('not-exercised: an info send that nobody saw is not proved', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .scan(9, 't/0', [], { at: [5, 6], end: 1 });
    expect(resultOf(h, 'duplicate').outcome).toBe('not-exercised');
  });

  it('permitted without idempotence', () => {
    const h = sent({ config: { 'enable.idempotence': false } }).scan(
      9,
      't/0',
      [
        [3, 10],
        [4, 10],
      ],
      {
        at: [5, 6],
      },
    );
    const result = resultOf(h, 'duplicate');
    expect(result.permittedBy).toBe('enable.idempotence');
    expect(result.witnesses[0]?.explanation).toContain('enable.idempotence=false permits this');
  });

  it('not-exercised: topics with external writers are not judged', () => {
    const h = sent({ topics: { t: { writers: 'external' } } }).scan(9, 't/0', [
      [3, 10],
      [4, 10],
    ]);
    expect(resultOf(h, 'duplicate').outcome).toBe('not-exercised');
  });

  it('found across partitions where the client chose the partition, else it is another anomaly', () => {
    const h = history()
      .send(0, 't', 10, { at: [1, 2], ok: 3, to: 't/0' })
      .scan(9, 't/0', [[3, 10]], { at: [5, 6] })
      .scan(9, 't/1', [[8, 10]], { at: [7, 8] });
    const result = resultOf(h, 'duplicate');
    expect(result).toMatchObject({ outcome: 'found', count: 1 });
    expect(result.witnesses[0]).toMatchObject({ log: 't/0', otherLog: 't/1' });
    expect(resultOf(h, 'phantom').outcome).toBe('absent');
    const explicit = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 3 })
      .scan(9, 't/0', [[3, 10]], { at: [5, 6] })
      .scan(9, 't/1', [[8, 10]], { at: [7, 8] });
    expect(resultOf(explicit, 'duplicate').outcome).toBe('absent');
    expect(resultOf(explicit, 'phantom').outcome).toBe('found');
  });

  it.each([
    ['broker: one producer, epoch and sequence twice', [batch(3, 5), batch(4, 5)], 'broker'],
    ['client: sent again under the next sequence', [batch(3, 5), batch(4, 6)], 'client'],
    ['client: sent again without a producer id', [batch(3, -1, -1), batch(4, -1, -1)], 'client'],
    ['client: the raw log holds one of them alone', [batch(3, 5)], 'client'],
  ] as const)('layer, %s', (_name, batches, layer) => {
    const h = sent()
      .scan(
        9,
        't/0',
        [
          [3, 10],
          [4, 10],
        ],
        { at: [5, 6] },
      )
      .rawScan(9, 't/0', batches, { at: [7, 8], end: 5 });
    expect(resultOf(h, 'duplicate').witnesses[0]?.layer).toBe(layer);
  });

  it('absent: copies of an unresolved transaction in an uncommitted view are no committed data', () => {
    const h = history()
      .op(0, 'txn', [['send', 't/0', 10]], { at: [1, 2], info: true })
      .scan(
        9,
        't/0',
        [
          [3, 10],
          [4, 10],
        ],
        { at: [5, 6], view: 'uncommitted' },
      );
    expect(resultOf(h, 'duplicate')).toMatchObject({ outcome: 'absent', checked: 1 });
  });
});

describe('the copies that a witness of duplicate names', () => {
  it('are those of the first scan where several hold equally many', () => {
    const copies = [
      [0, 10],
      [1, 10],
    ] as const;
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .scan(8, 't/0', copies, { at: [3, 4], as: 'first' })
      .scan(9, 't/0', copies, { at: [5, 6], as: 'second' });
    const { operations } = resultOf(h, 'duplicate').witnesses[0]!;
    expect(operations).toContain(h.index('first'));
    expect(operations).not.toContain(h.index('second'));
  });
});
