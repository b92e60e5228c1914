/** Whatever a text holds, the EDN reader answers with a history or a coded error, and it does not matter how it comes in. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrdealError } from '../../../src/core/errors.ts';
import { ednLines } from '../../../src/history/edn/export.ts';
import { FormSplitter } from '../../../src/history/edn/forms.ts';
import { EdnHistoryReader, readEdnEvents } from '../../../src/history/edn/import.ts';
import { ednOf, jsonOf } from '../../../src/history/edn/json.ts';
import { printEdn } from '../../../src/history/edn/print.ts';
import type { Edn } from '../../../src/history/edn/values.ts';
import { eventLine } from '../../../src/history/write.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';

/** A coded error by its message, or the events. */
function answer(text: string, chunkBytes = Infinity): string {
  const events: string[] = [];
  try {
    const reader = new EdnHistoryReader('x.edn', {
      onEvent: (event) => events.push(eventLine(event)),
    });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      reader.push(bytes.subarray(at, Math.min(at + chunkBytes, bytes.length)));
    }
    const { warnings } = reader.finish();
    return JSON.stringify([events, warnings]);
  } catch (error) {
    if (!(error instanceof OrdealError)) throw error;
    expect(error.code).toBe('BAD_HISTORY');
    expect(error.message).toMatch(/^x\.edn:\d+: /);
    return error.message;
  }
}

/** Pieces of operations: what is drawn from them is often nearly one. */
const pieces = [
  ...['{', '}', '[', ']', '(', ')', '#{', '#_', '#', '##', '#:', '"', '\\', ';', '\n', ' ', ','],
  ...[':index', ':time', ':process', ':type', ':f', ':value', ':error', ':rebalance-log', ':keys'],
  ...[':invoke', ':ok', ':fail', ':info', ':send', ':poll', ':txn', ':assign', ':subscribe'],
  ...[':crash', ':nemesis', ':ordeal/event', ':ordeal/header', ':ordeal/logs', ':ordeal/metas'],
  ...['nil', 'true', '0', '1', '17', '-1', '0.1', '1/2', '9007199254740993', '1e400', 'a', ':b'],
  ...['[[:send 0 1]]', '[[:poll]]', '[[:poll {0 [[0 1]]}]]', '{"ordeal" 1}', '"f" "send"'],
  ...['{:process 0, :type :invoke, :f :send, :value [[:send 0 1]]}\n', '\u0000', '😀', '__proto__'],
];
const soup = fc
  .array(fc.constantFrom(...pieces), { maxLength: 40 })
  .map((parts) => parts.join(' '));

const valid = [
  '{:index 0, :time 5, :process :nemesis, :type :info, :f :kill, :value {"n1" #{:a \\b}}}',
  '{:index 1, :time 6, :process 0, :type :invoke, :f :txn, :value [[:send 0 1] [:poll]]}',
  '#jepsen.history.Op{:index 2, :time 7, :process 0, :type :ok, :f :txn, :value [[:send 0 [3 1]] [:poll {0 [[1 "x"]]}] [:send 1 [nil 2]]], :rebalance-log [{:keys [0]}]}',
  '{:index 3, :time 8, :process 0, :type :invoke, :f :assign, :value #{0}, :seek-to-beginning? true}',
  '{:index 4, :time 9, :process 0, :type :info, :f :assign, :value nil, :error [:x 1.5]} ; end',
].join('\n');

describe('any text', () => {
  test('is a history or a coded error, in chunks as in one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), soup),
        fc.integer({ min: 1, max: 9 }),
        (text, chunkBytes) => {
          expect(answer(text, chunkBytes)).toBe(answer(text));
        },
      ),
      propertyRuns(3_000),
    );
  });

  test('a history with a part cut out, doubled or replaced likewise', () => {
    const place = fc.nat({ max: valid.length });
    fc.assert(
      fc.property(
        place,
        place,
        fc.oneof(fc.constantFrom(...pieces), fc.string()),
        (a, b, piece) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          for (const middle of ['', piece, valid.slice(from, to).repeat(2)]) {
            answer(valid.slice(0, from) + middle + valid.slice(to));
          }
        },
      ),
      propertyRuns(3_000),
    );
  });

  test('what was read comes back from EDN and is read the same', () => {
    expect(answer(valid)).toMatch(/^\[\[/);
    fc.assert(
      fc.property(soup, (text) => {
        let read;
        try {
          read = readEdnEvents(`${valid}\n${text}`, 'x.edn');
        } catch {
          return;
        }
        const again = readEdnEvents([...ednLines(read.header, read.events)].join(''), 'y.edn');
        expect(again.events.map(eventLine)).toEqual(read.events.map(eventLine));
      }),
      propertyRuns(1_000),
    );
  });
});

describe('JSON', () => {
  test('written as EDN comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json: unknown = JSON.parse(JSON.stringify(value));
        const forms: Edn[] = [];
        const splitter = new FormSplitter({
          form: (form) => forms.push(form),
          cut: () => undefined,
        });
        // The first vector of a file is the one around its operations.
        splitter.push(new TextEncoder().encode(`{} ${printEdn(ednOf(json))} `));
        splitter.end();
        expect(JSON.stringify(jsonOf(forms[1]!, 'value'))).toBe(JSON.stringify(json));
      }),
      propertyRuns(2_000),
    );
  });
});
