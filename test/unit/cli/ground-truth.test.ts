import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { compareWithModel } from '../../../src/cli/ground-truth.ts';
import type { GroundTruth } from '../../../src/clusters/simulated/index.ts';
import { readEvents } from '../../../src/history/load-text.ts';
import { history } from '../../support/history-builder.ts';

/** What the model would say its only log holds. */
function truthOf(
  records: readonly (readonly [offset: number, value: number])[],
  acknowledged: readonly number[] = [17, 18],
): GroundTruth {
  return {
    log: () => records.map(([offset, value]) => ({ offset, value: JSON.stringify(value) })),
    acknowledged: () => new Set(acknowledged.map((value) => JSON.stringify(value))),
  };
}

function compared(
  table: ReturnType<typeof history>,
  records: readonly (readonly [offset: number, value: number])[],
): readonly string[] {
  const { header, events } = readEvents(table.text(), 'table');
  const compared = compareWithModel(truthOf(records), header, events, checkHistory(table.load()));
  return compared.disagreements;
}

const header = { topics: { t: { partitions: 1 } } };

describe('disagreements with the model', () => {
  const kept = history(header)
    .send(0, 't/0', 17, { ok: 0 })
    .send(0, 't/0', 18, { ok: 1 })
    .scan(9, 't/0', [
      [0, 17],
      [1, 18],
    ]);

  it('none where the model holds what the scan holds', () => {
    expect(
      compared(kept, [
        [0, 17],
        [1, 18],
      ]),
    ).toEqual([]);
  });

  it('a loss that the scan hides is called absent, and the model knows better', () => {
    expect(compared(kept, [[0, 17]])).toEqual([
      'lost-write: called absent, and by the model there are 1',
    ]);
  });

  it('a copy that the scan hides', () => {
    const copies = [
      [0, 17],
      [1, 17],
    ] as const;
    expect(compared(kept, copies)).toContain(
      'duplicate: called absent, and by the model there are 1',
    );
  });

  it('none where a copy came between two scans, and the later one saw it', () => {
    const late = history({ ...header, config: { 'enable.idempotence': false } })
      .send(0, 't/0', 17, { ok: 0 })
      .send(0, 't/0', 18, { ok: 1 })
      .scan(9, 't/0', [
        [0, 17],
        [1, 18],
      ])
      .scan(
        9,
        't/0',
        [
          [0, 17],
          [1, 18],
          [2, 17],
        ],
        { view: 'uncommitted', scan: 'later' },
      );
    const held = [
      [0, 17],
      [1, 18],
      [2, 17],
    ] as const;
    expect(compared(late, held)).toEqual([]);
    expect(checkHistory(late.load()).anomalies.duplicate).toMatchObject({
      outcome: 'found',
      count: 1,
    });
  });

  it('another value at an acknowledged offset', () => {
    expect(
      compared(kept, [
        [0, 17],
        [1, 99],
      ]),
    ).toContain('inconsistent-offsets: called absent, and by the model there are 1');
  });

  it('an acknowledgement that no broker gave', () => {
    const { header: parsed, events } = readEvents(kept.text(), 'table');
    const truth = truthOf(
      [
        [0, 17],
        [1, 18],
      ],
      [17],
    );
    const verdict = checkHistory(kept.load());
    expect(compareWithModel(truth, parsed, events, verdict).disagreements).toEqual([
      '18 was recorded as acknowledged in t/0, and no broker did that',
    ]);
  });

  it('a read that is not there any more, though the value stands elsewhere', () => {
    const moved = history(header)
      .send(0, 't/0', 17, { info: true })
      .poll(1, { 't/0': [[1, 17]] })
      .scan(9, 't/0', [[0, 17]]);
    const { header: parsed, events } = readEvents(moved.text(), 'table');
    const { counts } = compareWithModel(
      truthOf([[0, 17]]),
      parsed,
      events,
      checkHistory(moved.load()),
    );
    expect(counts).toMatchObject({ 'lost-write': 0, 'truncated-read': 1 });
  });

  it('a loss that the model knows nothing of', () => {
    const lost = history(header)
      .send(0, 't/0', 17, { ok: 0 })
      .send(0, 't/0', 18, { ok: 1 })
      .scan(9, 't/0', [[0, 17]], { end: 2 });
    const held = [
      [0, 17],
      [1, 18],
    ] as const;
    expect(compared(lost, [[0, 17]])).toEqual([]);
    expect(compared(lost, held)).toEqual(['lost-write: 1 found, and by the model there are 0']);
  });

  it('what was appended after the audit is nobody’s business', () => {
    const late = [
      [0, 17],
      [1, 18],
      [2, 17],
    ] as const;
    expect(compared(kept, late)).toEqual([]);
  });
});
