/** Reading is the same in any chunks, the recorder and the reader have one set of rules, and columns lose nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrdealError } from '../../../src/core/errors.ts';
import type { History } from '../../../src/history/columns.ts';
import type { EventType, HistoryEvent, Scalar } from '../../../src/history/event.ts';
import { HistoryReader, loadHistoryText } from '../../../src/history/load-text.ts';
import { Problem } from '../../../src/history/problem.ts';
import { SequenceRules } from '../../../src/history/sequence-rules.ts';
import { eventLine } from '../../../src/history/write.ts';

/** Events of a few processes, logs and values, so that many break a rule and many do not. */
const value: fc.Arbitrary<Scalar> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  fc.constantFrom<Scalar>('1', true, null, 0.5, 2 ** 40 + 1, 'a'),
);
const log = fc.constantFrom('t/0', 't/1', 't', 'u/0');
const step = fc.record({
  process: fc.nat(3),
  type: fc.constantFrom<EventType>('invoke', 'invoke', 'ok', 'ok', 'fail', 'info', 'event'),
  log,
  value,
  offset: fc.option(fc.nat(9)),
  f: fc.constantFrom('send', 'send', 'send', 'poll'),
  to: fc.constantFrom('t/0', 't/1'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** An event that continues what its process has open, more often than not. */
function eventOf(draw: Step, open: Map<number, Step>, index: number): HistoryEvent {
  const head = { index, time: index * 10, process: draw.process, type: draw.type };
  const { process, type } = draw;
  const begun = open.get(process) ?? draw;
  if (type === 'event') {
    return { ...head, f: 'attempt', value: [['send', draw.log, draw.value]] };
  }
  const shape = type === 'invoke' ? draw : begun;
  if (shape.f === 'poll') {
    const done = [['poll', { [draw.to]: [[draw.offset ?? 0, draw.value]] }]];
    return { ...head, f: 'poll', value: type === 'ok' ? done : [['poll']] };
  }
  const place = type !== 'invoke' && shape.log === 't' ? draw.to : shape.log;
  const sent = type === 'ok' ? [draw.offset, shape.value] : shape.value;
  return { ...head, f: 'send', value: [['send', place, sent]] };
}

/** Keeps the events that a fresh set of rules accepts, renumbered; also says how many it refused. */
function accepted(draws: readonly Step[]): {
  readonly kept: HistoryEvent[];
  readonly refused: number;
} {
  const rules = new SequenceRules(false);
  const open = new Map<number, Step>();
  const kept: HistoryEvent[] = [];
  let refused = 0;
  for (const draw of draws) {
    const event = eventOf(draw, open, kept.length);
    // The reader must be of the same mind about each event after the same events.
    const text = textOf([...kept, event]);
    try {
      rules.accept(event);
      kept.push(event);
      if (draw.type === 'invoke') open.set(draw.process, draw);
      expect(loadable(text)).toBe(true);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refused++;
      expect(loadable(text)).toBe(false);
    }
  }
  return { kept, refused };
}

function textOf(events: readonly HistoryEvent[]): string {
  return ['{"ordeal":1}', ...events.map(eventLine)].map((line) => `${line}\n`).join('');
}

function loadable(text: string): boolean {
  try {
    loadHistoryText(text, 'f');
    return true;
  } catch (error) {
    if (error instanceof OrdealError) return false;
    throw error;
  }
}

const steps = fc.array(step, { minLength: 5, maxLength: 60 });

describe('the rules', () => {
  test('recorder and reader refuse the same events, and a refusal changes nothing', () => {
    let kept = 0;
    let refused = 0;
    fc.assert(
      fc.property(steps, (draws) => {
        const result = accepted(draws);
        kept += result.kept.length;
        refused += result.refused;
      }),
      { numRuns: 200 },
    );
    expect(kept).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });
});

describe('chunks', () => {
  test('any division of the bytes reads the same', () => {
    const tail = fc.constantFrom('', '{"index":', '{"index":0,"ü');
    fc.assert(
      fc.property(steps, tail, fc.array(fc.nat(), { maxLength: 12 }), (draws, torn, cuts) => {
        const bytes = new TextEncoder().encode(`${textOf(accepted(draws).kept)}${torn}`);
        const whole = loadHistoryText(bytes, 'f');
        const reader = new HistoryReader('f');
        const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        let from = 0;
        for (const to of [...places, bytes.length]) {
          reader.push(bytes.slice(from, to));
          from = to;
        }
        expect(plain(reader.finish())).toEqual(plain(whole));
      }),
      { numRuns: 100 },
    );
  });
});

describe('columns', () => {
  test('hold every send and every record as a naive reading has them', () => {
    fc.assert(
      fc.property(steps, (draws) => {
        const { kept } = accepted(draws);
        const loaded = loadHistoryText(textOf(kept), 'f');
        expect(sendsOf(loaded)).toEqual(naiveSends(kept));
        expect(readsOf(loaded)).toEqual(naiveReads(kept));
      }),
      { numRuns: 150 },
    );
  });
});

/** [log, value, offset, index of recording], sorted by the last. */
type Sent = readonly [string, Scalar, number, number];

function sendsOf(loaded: History): Sent[] {
  const rows = loaded.logs.flatMap(({ name, id, sends }) =>
    Array.from({ length: sends.count }, (_, row): Sent => {
      const valueId = sends.value[row]!;
      expect(loaded.findSend(id, valueId)).toEqual({ log: id, row });
      return [name, loaded.values[valueId]!, sends.offset[row]!, sends.recordedIndex[row]!];
    }),
  );
  return rows.sort((a, b) => a[3] - b[3]);
}

function naiveSends(events: readonly HistoryEvent[]): Sent[] {
  const sent: { log: string; value: Scalar; offset: number; index: number; process: unknown }[] =
    [];
  for (const { index, process, type, f, value: micros } of events) {
    if (f === 'poll') continue;
    for (const micro of micros as [string, string, Scalar | [number | null, Scalar]][]) {
      const [, place, what] = micro;
      const [offset, item] = Array.isArray(what) ? what : [null, what];
      if (type === 'invoke' || f === 'attempt') {
        sent.push({ log: place, value: item, offset: -1, index, process });
        continue;
      }
      const row = sent.find(
        (one) =>
          one.process === process &&
          one.value === item &&
          (one.log === place || (one.log === 't' && place.startsWith('t/'))),
      );
      row!.log = place;
      if (type !== 'fail' && offset !== null) row!.offset = offset;
    }
  }
  return sent.map((row): Sent => [row.log, row.value, row.offset, row.index]);
}

function readsOf(loaded: History): string[] {
  return loaded.logs
    .flatMap(({ name, reads }) =>
      Array.from({ length: reads.count }, (_, row) => {
        const index = loaded.ops.completeIndex[reads.op[row]!]!;
        const item = loaded.values[reads.value[row]!];
        return JSON.stringify([index, name, reads.offset[row], item]);
      }),
    )
    .sort();
}

function naiveReads(events: readonly HistoryEvent[]): string[] {
  return events
    .filter(({ f, type }) => f === 'poll' && type !== 'invoke')
    .flatMap(({ index, value: micros }) =>
      (micros as [string, Record<string, [number, Scalar][]>?][]).flatMap(([, records]) =>
        Object.entries(records ?? {}).flatMap(([name, list]) =>
          list.map(([offset, item]) => JSON.stringify([index, name, offset, item])),
        ),
      ),
    )
    .sort();
}

/** A history without its function, for comparison. */
function plain(loaded: History): object {
  const { findSend, ...data } = loaded;
  expect(findSend).toBeTypeOf('function');
  return data;
}
