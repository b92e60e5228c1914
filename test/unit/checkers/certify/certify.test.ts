/** The certifier says no: to witnesses that name too little, something else, or what a good history explains. */
import { describe, expect, it } from 'vitest';
import { certifiable, certifyWitness } from '../../../../checkers/certify/index.ts';
import { checkHistory } from '../../../../checkers/index.ts';
import { loadHistoryText, readEvents } from '../../../../src/history/load-text.ts';
import type { Witness } from '../../../../src/spi/verdict.ts';
import { corpusRoots, readBytes, savedHistories } from '../../../corpus/corpus.ts';
import { history } from '../../../support/history-builder.ts';

const smallest = corpusRoots
  .flatMap(savedHistories)
  .filter(({ name }) => name.endsWith('/smallest'))
  .map(({ file, anomaly }) => ({ anomaly: anomaly!, bytes: readBytes(file), file }));

describe.each(smallest)('a witness of $anomaly', ({ anomaly, bytes, file }) => {
  const { header, events } = readEvents(bytes, file);
  const { witnesses } = checkHistory(loadHistoryText(bytes, file)).anomalies[anomaly];
  const witness = witnesses[0]!;

  it('holds', () => {
    expect(certifyWitness(header, events, anomaly, witness)).toMatchObject({ holds: true });
  });

  it('does not hold when it names nothing, an invocation that has a completion, or no event', () => {
    for (const operations of [[], [0], [events.length]]) {
      const claim = { ...witness, operations };
      expect(certifyWitness(header, events, anomaly, claim).holds).toBe(false);
    }
  });

  it('does not hold in the name of an anomaly that the history has not got', () => {
    const { anomalies } = checkHistory(loadHistoryText(bytes, file));
    const others = certifiable.filter((name) => anomalies[name].outcome !== 'found');
    const all = { ...bare, operations: ends(events) };
    for (const name of others) {
      expect([name, certifyWitness(header, events, name, all).holds]).toEqual([name, false]);
    }
  });

  it('does not hold by just any one of its operations', () => {
    const alone = witness.operations.map((index) => {
      const claim = { ...witness, operations: [index] };
      return certifyWitness(header, events, anomaly, claim).holds;
    });
    if (alone.length > 1) expect(alone).toContain(false);
    else expect(alone).toEqual([true]);
  });
});

const bare: Witness = { operations: [], layer: 'unknown', explanation: '' };

describe('the certifier', () => {
  it('covers every anomaly that has a smallest history here', () => {
    expect(smallest.map(({ anomaly }) => anomaly).sort()).toEqual([...certifiable].sort());
  });

  it('says so of an anomaly that it does not know', () => {
    const { header, events } = readEvents(history().send(0, 't/0', 1).text(), 'by-hand.jsonl');
    const claim = { ...bare, operations: [1] };
    expect(certifyWitness(header, events, 'G0', claim)).toEqual({
      holds: false,
      reason: 'G0 has no certifier',
    });
  });

  it('does not take an uncertain send for a lost one, until somebody saw it', () => {
    const unseen = history()
      .send(0, 't/0', 17, { at: [1, 2], info: true, as: 'send' })
      .scan(20, 't/0', [], { at: [5, 6], end: 1, as: 'scan' });
    const seen = history()
      .send(0, 't/0', 17, { at: [1, 2], info: true, as: 'send' })
      .poll(10, { 't/0': [[0, 17]] }, { at: [3, 4] })
      .scan(20, 't/0', [], { at: [5, 6], end: 1, as: 'scan' });
    for (const [builder, holds] of [
      [unseen, false],
      [seen, true],
    ] as const) {
      const claim = { ...bare, operations: [builder.index('send'), builder.index('scan')] };
      expect(certifyWitness(builder.header, builder.events(), 'lost-write', claim).holds).toBe(
        holds,
      );
    }
  });

  it('does not take a scan that began before the acknowledgement as a proof of loss', () => {
    const builder = history()
      .send(0, 't/0', 17, { at: [1, 5], ok: 0, as: 'send' })
      .scan(20, 't/0', [], { at: [4, 6], end: 1, as: 'scan' });
    const claim = { ...bare, operations: [builder.index('send'), builder.index('scan')] };
    expect(certifyWitness(builder.header, builder.events(), 'lost-write', claim).holds).toBe(false);
  });

  it('does not order operations of two processes whose distance is within the error of the clock', () => {
    for (const [errorNs, holds] of [
      [0, true],
      [1_000_000, false],
    ] as const) {
      const builder = history({ clock: { errorNs } })
        .send(0, 't/0', 17, { at: [1, 2], ok: 1, as: 'a' })
        .send(1, 't/0', 18, { at: [3, 4], ok: 0, as: 'b' });
      const claim = { ...bare, operations: [builder.index('a'), builder.index('b')] };
      const { header } = builder;
      expect(certifyWitness(header, builder.events(), 'real-time-inversion', claim).holds).toBe(
        holds,
      );
    }
  });
});

/** Every index that a witness may name. */
function ends(events: readonly { index: number; process: unknown; type: string }[]): number[] {
  const open = new Map<unknown, number>();
  const found: number[] = [];
  for (const { index, process, type } of events) {
    if (type === 'invoke') open.set(process, index);
    else if (type !== 'event') {
      open.delete(process);
      found.push(index);
    }
  }
  return [...found, ...open.values()];
}
