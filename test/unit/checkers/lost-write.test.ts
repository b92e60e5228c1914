import { describe, expect, it } from 'vitest';
import { history } from '../../support/history-builder.ts';
import { resultOf } from '../../support/judged.ts';
import type { Header } from '../../../src/history/event.ts';

const p3 = 3 * 2 ** 32;

/** 10, 11 and 12 acknowledged at offsets 0, 1 and 2 of t/0, one after the other. */
function threeSends(header: Partial<Header> = {}) {
  return history(header)
    .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
    .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'the lost one' })
    .send(0, 't/0', 12, { at: [5, 6], ok: 2 });
}

const without11 = [
  [0, 10],
  [2, 12],
] as const;

describe('lost-write below the audited end', () => {
  it('found: a complete scan invoked after the acknowledgement does not hold it', () => {
    const h = threeSends().scan(9, 't/0', without11, { at: [10, 11], as: 'the scan' });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 3, permittedBy: null });
    expect(result.witnesses).toMatchObject([
      {
        operations: [h.index('the lost one'), h.index('the scan')],
        log: 't/0',
        offset: 1,
        value: 11,
        layer: 'unknown',
        position: 'middle',
      },
    ]);
  });

  it('absent: the twin scan holds it', () => {
    const h = threeSends().scan(
      9,
      't/0',
      [
        [0, 10],
        [1, 11],
        [2, 12],
      ],
      { at: [10, 11] },
    );
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', count: 0, checked: 3 });
  });

  it('unknown: the scan was invoked before the acknowledgement', () => {
    const h = threeSends().scan(9, 't/0', [[0, 10]], { at: [3.5, 7], end: 1 });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'unknown', count: 0, checked: 3 });
    expect(result.reason).toContain('11');
    expect(result.reason).toContain('t/0');
  });

  it('unknown: nothing was audited', () => {
    const result = resultOf(threeSends(), 'lost-write');
    expect(result).toMatchObject({ outcome: 'unknown', checked: 3 });
    expect(result.reason).toContain('audit');
  });

  it('found in part of a scan too: below where it stopped; and nothing is said beyond', () => {
    const h = threeSends().scan(9, 't/0', [[0, 10]], { at: [10, 11], upTo: 2, end: 3 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
    const shorter = threeSends().scan(9, 't/0', [[0, 10]], { at: [10, 11], upTo: 1, end: 3 });
    expect(resultOf(shorter, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('found by the chunk of a longer scan that covers it: the witness names that chunk alone', () => {
    const h = threeSends()
      .audit(
        9,
        { log: 't/0', view: 'committed', from: 0, scan: 's' },
        {
          log: 't/0',
          view: 'committed',
          from: 0,
          scan: 's',
          next: 1,
          start: 0,
          end: 3,
          records: [[0, 10]],
        },
        { at: [10, 11] },
      )
      .audit(
        9,
        { log: 't/0', view: 'committed', from: 1, scan: 's' },
        {
          log: 't/0',
          view: 'committed',
          from: 1,
          scan: 's',
          next: 3,
          start: 0,
          end: 3,
          records: [[2, 12]],
        },
        { at: [12, 13], as: 'second chunk' },
      );
    const result = resultOf(h, 'lost-write');
    expect(result.witnesses[0]?.operations).toEqual([
      h.index('the lost one'),
      h.index('second chunk'),
    ]);
  });

  it('found of what was acknowledged above the end of a scan, by its last chunk', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 9 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 0 })
      .send(0, 't/0', 12, { at: [5, 6], ok: 1 })
      .poll(5, { 't/0': [[4, 10]] }, { at: [7, 8] })
      .scan(9, 't/0', [[0, 11], [1, 12]], { at: [9, 12], chunk: 1, end: 7 }); // prettier-ignore
    const { count, witnesses } = resultOf(h, 'lost-write');
    expect(count).toBe(1);
    expect(witnesses[0]!.operations.at(-1)).toBe(h.events().length - 1);
  });

  it('unknown: a scan that does not tile from the start is none', () => {
    const h = threeSends().scan(9, 't/0', [[2, 12]], { at: [10, 11], from: 1, end: 3 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('found: one complete scan without it counts, though a later one holds it', () => {
    const h = threeSends()
      .scan(9, 't/0', without11, { at: [10, 11], scan: 'a', replica: 2 })
      .scan(
        9,
        't/0',
        [
          [0, 10],
          [1, 11],
          [2, 12],
        ],
        { at: [12, 13], scan: 'b' },
      );
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('unknown: behind the last stable offset a committed scan says nothing', () => {
    const h = threeSends().scan(9, 't/0', [[0, 10]], { at: [10, 11], end: 3, lastStable: 1 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
    const uncommitted = threeSends().scan(9, 't/0', without11, {
      at: [10, 11],
      end: 3,
      lastStable: 1,
      view: 'uncommitted',
    });
    expect(resultOf(uncommitted, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });

  it('unknown where the clocks may have erred by more than lies between', () => {
    const header = { clock: { errorNs: 3e6 } };
    const h = threeSends(header).scan(9, 't/0', without11, { at: [10, 11] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
    const own = threeSends(header).scan(0, 't/0', without11, { at: [10, 11] });
    expect(resultOf(own, 'lost-write')).toMatchObject({ outcome: 'found', count: 1 });
  });
});

describe('lost-write of uncertain sends', () => {
  it('not-exercised: an info send that nobody saw owes nothing', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true })
      .scan(9, 't/0', [], { at: [10, 11], end: 5 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('not-exercised: nor one whose completion names an offset that nobody confirms', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, offset: 0 })
      .scan(9, 't/0', [], { at: [10, 11], end: 5 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });

  it('found: a poll saw it, and a later scan is without it; the poll is part of the witness', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, as: 'the send' })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4], as: 'the sight' })
      .scan(9, 't/0', [], { at: [10, 11], end: 5, as: 'the scan' });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]?.operations).toEqual(
      ['the send', 'the sight', 'the scan'].map((label) => h.index(label)),
    );
  });

  it('unknown: the scan was invoked before that first sight', () => {
    const h = history()
      .send(0, 't/0', 10, { at: 1 })
      .scan(9, 't/0', [], { at: [2, 3], end: 0 })
      .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });

  it('not-exercised: a failed send owes nothing', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], fail: 'MESSAGE_TOO_LARGE' })
      .scan(9, 't/0', [], { at: [10, 11], end: 5 });
    expect(resultOf(h, 'lost-write').outcome).toBe('not-exercised');
  });
});

describe('lost-write by a tail that was cut off', () => {
  const cut = { at: [10, 11], end: 1, as: 'the scan' } as const;

  it('found: a linearizable end measured later lies below it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'the lost one' })
      .scan(9, 't/0', [[0, 10]], cut);
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the lost one'), h.index('the scan')],
      position: 'tail',
    });
  });

  it('unknown: the twin end is not marked linearizable; what is missing is named (probe 7)', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', p3 + 17, { at: [3, 4], ok: 1 })
      .scan(9, 't/0', [[0, 10]], { ...cut, linearizable: false });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'unknown', count: 0, checked: 2 });
    expect(result.reason).toContain('p3#17');
    expect(result.reason).toContain('offset 1');
  });

  it('with acks=1: found once the log was calm for replica.lag.time.max.ms, else unknown', () => {
    const config = { acks: 1, 'replica.lag.time.max.ms': 5 };
    const h = history({ config })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .scan(9, 't/0', [], { at: [10, 11], end: 0 });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'found', permittedBy: 'acks' });
    const soon = history({ config })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .scan(9, 't/0', [], { at: [8, 9], end: 0 });
    expect(resultOf(soon, 'lost-write').outcome).toBe('unknown');
    const open = history({ config })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
      .send(1, 't/0', 12, { at: 4 })
      .scan(9, 't/0', [], { at: [10, 11], end: 0 });
    expect(resultOf(open, 'lost-write').outcome).toBe('unknown');
  });
});

describe('lost-write of a send whose offset was never learned', () => {
  it('found, by the client: absent from a complete scan from 0', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: null, as: 'the send' })
      .scan(9, 't/0', [[0, 99]], { at: [10, 11], as: 'the scan' });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 1 });
    expect(result.witnesses[0]).toMatchObject({
      operations: [h.index('the send'), h.index('the scan')],
      layer: 'client',
    });
  });

  it('absent: it stands somewhere', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: null })
      .scan(9, 't/0', [[4, 10]], { at: [10, 11] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });

  it.each([
    ['the scan is not complete', { upTo: 1, end: 3 }],
    ['the log does not start at 0', { start: 1, end: 3 }],
  ])('unknown: %s', (_name, row) => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: null })
      .scan(9, 't/0', [], { at: [10, 11], ...row });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', checked: 1 });
  });

  it('with the partition unknown too: found once every partition was audited', () => {
    const header = { topics: { t: { partitions: 2 } } };
    const one = history(header)
      .send(0, 't', 10, { at: [1, 2], ok: null })
      .scan(9, 't/0', [], { at: [10, 11], end: 3 });
    expect(resultOf(one, 'lost-write')).toMatchObject({ outcome: 'unknown', checked: 1 });
    const seen = history(header)
      .send(0, 't', 10, { at: [1, 2], ok: null })
      .scan(9, 't/0', [], { at: [10, 11], end: 3 })
      .scan(9, 't/1', [[0, 10]], { at: [12, 13] });
    expect(resultOf(seen, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 1 });
  });
});

describe('lost-write without an audit', () => {
  it('found: a reader began below its offset and went past it, and nobody saw it', () => {
    const h = threeSends()
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': without11 }, { at: [9, 10], as: 'the poll' });
    const result = resultOf(h, 'lost-write');
    expect(result).toMatchObject({ outcome: 'found', count: 1, checked: 3 });
    expect(result.witnesses[0]?.operations).toEqual([h.index('the lost one'), h.index('the poll')]);
  });

  it.each([
    ['the reader began above it', 't/0', { 't/0': 2 }, {}],
    [
      'retention may have moved the log start',
      't/0',
      'beginning',
      { config: { 'retention.ms': 1 } },
    ],
    ['the topic is compacted', 't/0', 'beginning', { topics: { t: { cleanup: 'compact' } } }],
  ] as const)('unknown: %s', (_name, log, from, header) => {
    const h = threeSends(header)
      .assign(5, [log], from, { at: [7, 8] })
      .poll(5, { 't/0': from === 'beginning' ? without11 : [[2, 12]] }, { at: [9, 10] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });

  it('unknown: the reader did not get past it', () => {
    const h = threeSends()
      .assign(5, ['t/0'], 'beginning', { at: [7, 8] })
      .poll(5, { 't/0': [[0, 10]] }, { at: [9, 10] });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'unknown', count: 0 });
  });
});

describe('lost-write and what is exempt', () => {
  it('absent: below the log start retention may have removed it', () => {
    const h = threeSends({ config: { 'retention.ms': 1000 } }).scan(9, 't/0', [[2, 12]], {
      at: [10, 11],
      start: 2,
    });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 3 });
  });

  it('absent: on a compacted topic a superseded value may be gone (probe 5)', () => {
    const h = threeSends({ topics: { t: { cleanup: 'compact' } } }).scan(9, 't/0', without11, {
      at: [10, 11],
    });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'absent', checked: 3 });
    expect(resultOf(h, 'truncated-read').outcome).toBe('not-exercised');
  });

  it('not-exercised: topics with external writers are not judged', () => {
    const h = threeSends({ topics: { t: { writers: 'external' } } }).scan(9, 't/0', without11, {
      at: [10, 11],
    });
    expect(resultOf(h, 'lost-write')).toMatchObject({ outcome: 'not-exercised', checked: 0 });
  });
});

describe('lost-write of what only an audit saw', () => {
  it('absent: the scan that proves an info send also holds it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [3, 4], info: true })
      .scan(9, 't/0', [
        [0, 10],
        [1, 11],
      ]);
    for (const anomaly of ['lost-write', 'duplicate', 'inconsistent-offsets'] as const) {
      expect(resultOf(h, anomaly)).toMatchObject({ outcome: 'absent', checked: 2 });
    }
  });
});
