import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header } from '../../../src/history/event.ts';

/** 10 and 11 acknowledged and read. */
function twoRead(header: Partial<Header> = {}) {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
    .poll(
      5,
      {
        't/0': [
          [0, 10],
          [1, 11],
        ],
      },
      { at: [5, 6], as: 'the poll' },
    );
}

describe('truncated-read', () => {
  it('found: a complete scan invoked after the poll is without what it returned', () => {
    const h = twoRead().scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 2, as: 'the scan' });
    const result = resultOf(h, 'truncated-read');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('the poll'), h.index('the scan')],
        log: 't/0',
        offset: 1,
        value: 11,
        layer: 'unknown',
      },
    ]);
    expect(result.witnesses[0]?.explanation).toContain('process 5 read 11 at offset 1 of t/0');
  });

  it('found: another value stands at that offset now', () => {
    const h = twoRead().scan(
      9,
      't/0',
      [
        [0, 10],
        [1, 12],
      ],
      { at: [10, 11] },
    );
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('found: the scan measured that the log ends below it', () => {
    const h = twoRead().scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 1 });
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'found', count: 1 });
    const unmarked = twoRead().scan(9, 't/0', [[0, 10]], {
      at: [10, 11],
      end: 1,
      linearizable: false,
    });
    expect(resultOf(unmarked, 'truncated-read')).toMatchObject({ outcome: 'unknown', checked: 2 });
  });

  it('absent: the twin scan holds both', () => {
    const h = twoRead().scan(
      9,
      't/0',
      [
        [0, 10],
        [1, 11],
      ],
      { at: [10, 11] },
    );
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it.each([
    ['the scan was invoked before the poll had returned', { at: [5.5, 11], end: 2 }],
    ['the scan is not complete', { at: [10, 11], end: 3, upTo: 2 }],
  ] as const)('unknown: %s', (_name, row) => {
    const result = resultOf(twoRead().scan(9, 't/0', [[0, 10]], row), 'truncated-read');
    expect(result).toMatchObject({ outcome: 'unknown', count: 0, checked: 2 });
    expect(result.reason).toContain('audit of t/0');
  });

  it('unknown: nothing was audited', () => {
    expect(resultOf(twoRead(), 'truncated-read')).toMatchObject({ outcome: 'unknown', checked: 2 });
  });

  it('found whatever became of the send: an info send that was read had been written', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .poll(5, { 't/0': [[0, 10]] }, { at: [5, 6] })
      .scan(9, 't/0', [], { at: [10, 11], end: 1 });
    expect(resultOf(h, 'truncated-read')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('not-exercised: nobody read', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .scan(9, 't/0', [], { at: [10, 11], end: 1 });
    expect(resultOf(h, 'truncated-read').outcome).toBe('not-exercised');
  });

  it('absent: below the log start, and on compacted topics', () => {
    const retained = twoRead({ config: { 'retention.ms': 5 } });
    retained.scan(9, 't/0', [[1, 11]], { at: [10, 11], start: 1 });
    expect(resultOf(retained, 'truncated-read')).toMatchObject({ outcome: 'absent', checked: 2 });
    const compacted = twoRead({ topics: { t: { cleanup: 'compact,delete' } } });
    compacted.scan(9, 't/0', [[1, 11]], { at: [10, 11] });
    expect(resultOf(compacted, 'truncated-read')).toMatchObject({ outcome: 'absent', checked: 2 });
  });

  it('permitted by unclean elections, and says so', () => {
    const h = twoRead({ config: { 'unclean.leader.election.enable': true } }).scan(
      9,
      't/0',
      [[0, 10]],
      {
        at: [10, 11],
        end: 2,
      },
    );
    const result = resultOf(h, 'truncated-read');
    expect(result.permittedBy).toBe('unclean.leader.election.enable');
    expect(result.witnesses[0]?.explanation).toContain(
      'unclean.leader.election.enable=true permits this',
    );
  });

  it('found in topics with external writers too, by the processor', () => {
    const h = history({ topics: { t: { writers: 'external' } } })
      .poll(5, { 't/0': [[0, 10]] }, { at: [5, 6] })
      .scan(9, 't/0', [], { at: [10, 11], end: 1 });
    expect(resultOf(h, 'truncated-read').witnesses[0]?.layer).toBe('processor');
  });
});
