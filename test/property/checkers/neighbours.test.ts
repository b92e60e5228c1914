/**
 * What stands elsewhere changes nothing: a log with a reader and an audit of its own, before all the rest, shifts every
 * index, operation, process, value and log number, and no answer. An id of 0 is an id like any other.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import type { Header, HistoryEvent } from '../../../src/history/event.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import {
  anomalyNames,
  type ResultDocument,
  type Surroundings,
  type Witness,
} from '../../../src/spi/verdict.ts';
import { correctHistory } from '../../support/correct-model.ts';
import { history } from '../../support/history-builder.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';
import { randomModel, textOf } from '../../support/random-history.ts';

interface Events {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
}

const shiftMs = 100;

const neighbour = history()
  .send(900, 'elsewhere/0', 'there', { at: [1, 2], ok: 0 })
  .poll(901, { 'elsewhere/0': [[0, 'there']] }, { at: [3, 4] })
  .scan(902, 'elsewhere/0', [[0, 'there']], { at: [5, 6] })
  .events();

describe.each([
  ['random tiny histories', randomModel as fc.Arbitrary<Events>, propertyRuns(600)],
  ['histories of a correct broker', correctHistory as fc.Arbitrary<Events>, propertyRuns(60)],
])('%s', (_name, histories, runs) => {
  it('are judged as if nothing stood beside them', () => {
    fc.assert(
      fc.property(histories, ({ header, events }) => {
        const alone = judge({ header, events });
        const together = judge({ header, events: [...neighbour, ...events.map(shifted)] });
        const added = judge({ header, events: neighbour });
        for (const name of anomalyNames) {
          expect([name, together[name].count]).toEqual([name, alone[name].count]);
          const checked = alone[name].checked + added[name].checked;
          expect([name, together[name].checked]).toEqual([name, checked]);
          const decided = ['found', 'unknown'].includes(alone[name].outcome);
          if (decided) expect(together[name].outcome).toBe(alone[name].outcome);
          expect(together[name].witnesses.map(withoutText)).toEqual(
            alone[name].witnesses.map((witness) => withoutText(moved(witness))),
          );
        }
      }),
      runs,
    );
  });
});

function judge(events: Events): ResultDocument['anomalies'] {
  return checkHistory(loadHistoryText(textOf(events), 'neighbours.jsonl')).anomalies;
}

function shifted(event: HistoryEvent): HistoryEvent {
  return {
    ...event,
    index: event.index + neighbour.length,
    time: event.time + shiftMs * 1_000_000,
  };
}

function moved(witness: Witness): Witness {
  const seenBy = witness['seenBy'];
  const { surroundings } = witness;
  return {
    ...witness,
    ...(surroundings === undefined ? {} : { surroundings: movedSurroundings(surroundings) }),
    operations: witness.operations.map((index) => index + neighbour.length),
    ...(typeof seenBy === 'number' ? { seenBy: seenBy + neighbour.length } : {}),
  };
}

function movedSurroundings(surroundings: Surroundings): Surroundings {
  const { count, operations } = surroundings.uncertain;
  const shiftedOperations = operations.map((index) => index + neighbour.length);
  return { ...surroundings, uncertain: { count, operations: shiftedOperations } };
}

function withoutText(witness: Witness): object {
  return { ...witness, explanation: '' };
}
