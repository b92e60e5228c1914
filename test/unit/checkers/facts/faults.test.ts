import { describe, expect, it } from 'vitest';
import { faultsOf } from '../../../../checkers/facts/faults.ts';
import { history } from '../../../support/history-builder.ts';

describe('the faults of a run', () => {
  it('have their id, whether they bit, and the last heal that proves their undoing', () => {
    const h = history()
      .fault('kill', 'f1', { at: [1, 2], as: 'f1' })
      .fault('kill', 'f2', { at: [3, 4], tookEffect: false, as: 'f2' })
      .heal('kill', 'f1', { at: [5, 6] })
      .heal('kill', 'f1', { at: [7, 8], as: 'heal' })
      .heal('kill', 'f1', { at: [9, 10], tookEffect: false });
    expect(faultsOf(h.load())).toEqual([
      {
        id: 'f1',
        kind: 'kill',
        index: h.index('f1'),
        tookEffect: true,
        evidence: { tookEffect: true },
        healed: { index: h.index('heal'), timeNs: 8e6 },
      },
      {
        ...{ id: 'f2', kind: 'kill', index: h.index('f2'), tookEffect: false, healed: null },
        evidence: { tookEffect: false },
      },
    ]);
  });

  it('that failed are none, and one that never completed took no proved effect', () => {
    const h = history()
      .fault('kill', 'f1', { at: [1, 2], fail: true })
      .fault('pause', 'f2', { at: 3, as: 'open' });
    expect(faultsOf(h.load())).toMatchObject([
      { id: 'f2', index: h.index('open'), tookEffect: false, evidence: null, healed: null },
    ]);
  });

  it('are not undone by what came before them, failed, or told nothing', () => {
    const h = history()
      .heal('kill', 'f1', { at: [1, 2] })
      .fault('kill', 'f1', { at: [3, 4] })
      .heal('kill', 'f1', { at: [5, 6], fail: true })
      .op('nemesis:kill', 'heal', { fault: 'f1' }, { at: [7, 8], info: true, completed: null })
      .heal('kill', 'f1', { at: 9 });
    expect(faultsOf(h.load())).toMatchObject([{ id: 'f1', tookEffect: true, healed: null }]);
  });

  it.each([
    ['true', { tookEffect: true }, true],
    ['unknown', { tookEffect: 'unknown' }, false],
    ['false', { tookEffect: false }, false],
    ['not at all', undefined, false],
  ])('took effect as their evidence says: %s', (_name, evidence, tookEffect) => {
    const value = { fault: 'f1', targets: [], plan: {} };
    const h = history().op('nemesis:kill', 'kill', value, {
      at: [1, 2],
      completed: { ...value, evidence },
    });
    expect(faultsOf(h.load())).toMatchObject([{ id: 'f1', tookEffect }]);
  });

  it('are nothing that a client did', () => {
    expect(faultsOf(history().send(0, 't/0', 1).load())).toEqual([]);
  });
});
