import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { disagreements } from '../../../src/cli/ground-truth.ts';
import type { GroundTruth } from '../../../src/clusters/simulated/index.ts';
import { readEvents } from '../../../src/history/load-text.ts';
import { history } from '../../support/history-builder.ts';

/** What the model would say its only log holds. */
function truthOf(records: readonly (readonly [offset: number, value: number])[]): GroundTruth {
  return {
    log: () => records.map(([offset, value]) => ({ offset, value: JSON.stringify(value) })),
  };
}

function compared(
  table: ReturnType<typeof history>,
  records: readonly (readonly [offset: number, value: number])[],
): readonly string[] {
  const { header, events } = readEvents(table.text(), 'table');
  return disagreements(truthOf(records), header, events, checkHistory(table.load()));
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

  it('another value at an acknowledged offset', () => {
    expect(
      compared(kept, [
        [0, 17],
        [1, 99],
      ]),
    ).toContain('inconsistent-offsets: called absent, and by the model there are 1');
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
