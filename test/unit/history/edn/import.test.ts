/** Histories of jepsen.tests.kafka: what each kind of operation becomes, and what of it checkers find. */
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../../checkers/index.ts';
import { OrdealError } from '../../../../src/core/errors.ts';
import { EdnHistoryReader, readEdnEvents } from '../../../../src/history/edn/import.ts';
import { loadHistoryEvents } from '../../../../src/history/load-events.ts';
import type { RawHistory } from '../../../../src/history/load-text.ts';
import { foundIn } from '../../../support/drawn-slice.ts';

/** Operations with index and time filled in. */
function edn(...operations: readonly string[]): string {
  return operations.map((rest, i) => `{:index ${i}, :time ${i * 10}, ${rest}}\n`).join('');
}

function read(...operations: readonly string[]): RawHistory {
  return readEdnEvents(edn(...operations), 'history.edn');
}

/** Events without index and time. */
function events(...operations: readonly string[]): readonly unknown[] {
  return read(...operations).events.map((event) => {
    const rest: Partial<Record<string, unknown>> = { ...event };
    delete rest['index'];
    delete rest['time'];
    return rest;
  });
}

function found(...operations: readonly string[]): readonly string[] {
  const { header, events } = read(...operations);
  return foundIn(checkHistory(loadHistoryEvents(header, events)));
}

function refusal(text: string): string {
  try {
    readEdnEvents(text, 'history.edn');
  } catch (error) {
    if (!(error instanceof OrdealError)) throw error;
    expect(error.code).toBe('BAD_HISTORY');
    return error.message;
  }
  return 'accepted';
}

const invoke = (process: number, value: string, f = 'send') =>
  `:process ${process}, :type :invoke, :f :${f}, :value ${value}`;
const ok = (process: number, value: string, f = 'send') =>
  `:process ${process}, :type :ok, :f :${f}, :value ${value}`;

describe('client operations', () => {
  test('sends and polls are ours, key k in the log jepsen/k', () => {
    expect(
      events(
        invoke(0, '[[:send 0 5]]'),
        ok(0, '[[:send 0 [17 5]]]'),
        invoke(1, '[[:poll]]', 'poll'),
        ok(1, '[[:poll {0 [[17 5]], 12 []}]]', 'poll'),
      ),
    ).toEqual([
      { process: 0, type: 'invoke', f: 'send', value: [['send', 'jepsen/0', 5]] },
      { process: 0, type: 'ok', f: 'send', value: [['send', 'jepsen/0', [17, 5]]] },
      { process: 1, type: 'invoke', f: 'poll', value: [['poll']] },
      {
        process: 1,
        type: 'ok',
        f: 'poll',
        value: [['poll', { 'jepsen/0': [[17, 5]], 'jepsen/12': [] }]],
      },
    ]);
  });

  test('an offset that was not learned is null, however the client says so', () => {
    const value = (sent: string) =>
      (events(invoke(0, '[[:send 0 5]]'), ok(0, `[[:send 0 ${sent}]]`))[1] as { value: unknown })
        .value;
    expect(value('[nil 5]')).toEqual([['send', 'jepsen/0', [null, 5]]]);
    expect(value('5')).toEqual([['send', 'jepsen/0', [null, 5]]]);
  });

  test('fail and info keep what they hold, with an error in any form', () => {
    const failed = (error: string) =>
      (
        events(
          invoke(0, '[[:send 0 5]]'),
          `:process 0, :type :info, :f :send, :value [[:send 0 5]], :error ${error}`,
        )[1] as { error: unknown }
      ).error;
    expect(failed(':timeout')).toEqual({ code: 'timeout', message: 'timeout' });
    expect(failed('[:unknown "no answer"]')).toEqual({ code: 'unknown', message: 'no answer' });
    expect(failed('"lost"')).toEqual({ code: 'error', message: 'lost' });
    expect(failed('{:type :kafka, :n 1}')).toEqual({
      code: 'kafka',
      message: '{:type :kafka, :n 1}',
    });
    expect(
      events(invoke(0, '[[:poll]]', 'poll'), ':process 0, :type :fail, :f :poll, :value nil')[1],
    ).toMatchObject({ type: 'fail', value: null });
  });

  test('with a txn among them, sends and polls are transactions too', () => {
    const history = read(
      invoke(0, '[[:send 0 5]]'),
      ok(0, '[[:send 0 [0 5]]]'),
      invoke(1, '[[:send 0 6] [:poll]]', 'txn'),
      ok(1, '[[:send 0 [2 6]] [:poll {0 [[0 5]]}]]', 'txn'),
    );
    expect(history.events.map(({ f }) => f)).toEqual(['txn', 'txn', 'txn', 'txn']);
    expect(history.events[0]).toMatchObject({ jepsen: { f: 'send' } });
    expect(history.header).toEqual({ ordeal: 1, jepsen: { transactional: true } });
  });

  test('assign begins where it says, else nowhere that is known', () => {
    const assign = (more: string) => `:process 0, :type :invoke, :f :assign, :value [0 1]${more}`;
    expect(events(assign(', :seek-to-beginning? true'))[0]).toMatchObject({
      value: { logs: ['jepsen/0', 'jepsen/1'], from: 'beginning' },
    });
    expect(events(assign(''))[0]).toMatchObject({ value: { from: {} } });
  });

  test('subscribe takes a set, and a rebalance log becomes events before the completion', () => {
    const history = events(
      ':process 3, :type :invoke, :f :subscribe, :value #{0}',
      ':process 3, :type :ok, :f :subscribe, :value #{0}, :rebalance-log [{:keys [0 2]} {:type :lost, :keys []}]',
    );
    expect(history).toMatchObject([
      { f: 'subscribe', value: { group: 'jepsen', topics: ['jepsen'], logs: ['jepsen/0'] } },
      {
        process: 3,
        type: 'event',
        f: 'rebalance',
        value: { revoked: ['jepsen/0', 'jepsen/2'], jepsen: { ':keys': [0, 2] } },
      },
      { f: 'rebalance', value: { revoked: [] } },
      { type: 'ok', f: 'subscribe' },
    ]);
  });

  test('what is known besides is kept and ignored', () => {
    const more = ', :final? true, :node "n1"';
    expect(events(invoke(0, `[[:poll]]${more}`, 'poll'))[0]).toMatchObject({
      jepsen: { 'final?': true, node: 'n1' },
    });
  });
});

describe('what our format forbids', () => {
  test('nemesis operations, crashes and unknown functions are observations', () => {
    const history = read(
      ':process :nemesis, :type :info, :f :kill, :value {"n1" :killed}',
      ':process :nemesis, :type :info, :f nil, :value nil',
      invoke(0, 'nil', 'crash'),
      ':process 0, :type :info, :f :crash, :value nil, :error "crashed"',
      invoke(1, '[0 1]', 'debug-topic-partitions'),
      ok(1, '{0 {:leader 1}}', 'debug-topic-partitions'),
      invoke(2, '3', 'write'),
    );
    expect(history.events).toMatchObject([
      { process: 'nemesis', type: 'event', f: 'jepsen:kill', value: { n1: ':killed' } },
      { process: 'nemesis', type: 'event', f: 'jepsen:nil', value: null },
      { process: 0, type: 'event', f: 'crash', jepsen: { type: 'invoke' } },
      { type: 'event', f: 'crash', jepsen: { type: 'info' }, error: { message: 'crashed' } },
      { type: 'event', f: 'debug-topic-partitions', value: [0, 1] },
      { type: 'event', f: 'debug-topic-partitions', value: { '0': { ':leader': 1 } } },
      { process: 2, type: 'event', f: 'jepsen:write', value: 3 },
    ]);
    expect(history.warnings).toEqual([
      '1 operations of clients with the function :write, which is none of jepsen.tests.kafka, were kept as observations',
    ]);
  });

  test('indexes with gaps or without any are counted anew; origin is that of the file', () => {
    const text = [
      '{:index 7, :process 0, :type :invoke, :f :send, :value [[:send 0 1]]}',
      '{:process 0, :type :ok, :f :send, :value [[:send 0 [0 1]]]}',
      '{:index 9, :time 50, :process 0, :type :invoke, :f :send, :value [[:send 0 2]]}',
      '{:index 3, :time 20, :process 0, :type :ok, :f :send, :value [[:send 0 [1 2]]]}',
    ].join('\n');
    const { events, warnings } = readEdnEvents(text, 'history.edn');
    expect(events.map(({ index, time, origin }) => [index, time, origin])).toEqual([
      [0, 0, 7],
      [1, 1, undefined],
      [2, 50, 9],
      [3, 50, undefined],
    ]);
    expect(warnings).toEqual(['1 times were earlier than the one before and were raised to it']);
  });

  test('a process that goes on after info is another one', () => {
    const history = read(
      invoke(0, '[[:send 0 1]]'),
      ':process 0, :type :info, :f :send, :value [[:send 0 1]]',
      invoke(1, '[[:poll]]', 'poll'),
      invoke(0, '[[:send 0 2]]'),
      ok(0, '[[:send 0 [0 2]]]'),
    );
    expect(history.events.map(({ process }) => process)).toEqual([0, 0, 1, 2, 2]);
    expect(history.warnings).toEqual(['1 processes acted after info and go on under new numbers']);
  });

  test('sends that only the completion lists were attempted since the invocation', () => {
    const history = read(
      invoke(0, '[[:send 0 1]]', 'txn'),
      invoke(1, '[[:poll]]', 'txn'),
      ok(1, '[[:poll {1 [[0 9]]}]]', 'txn'),
      ok(0, '[[:send 0 [0 1]] [:send 1 [0 9]]]', 'txn'),
    );
    expect(history.events[1]).toEqual({
      index: 1,
      time: 0,
      process: 0,
      type: 'event',
      f: 'attempt',
      value: [['send', 'jepsen/1', 9]],
      origin: 3,
    });
    expect(history.events.map(({ origin }) => origin)).toEqual([undefined, 3, 1, 2, 3]);
    expect(foundIn(checkHistory(loadHistoryEvents(history.header, history.events)))).toEqual([]);
  });

  test('records, one vector and a cut end are read', () => {
    const operations = edn(invoke(0, '[[:send 0 1]]'), ok(0, '[[:send 0 [0 1]]]')).split('\n');
    const records = operations.slice(0, 2).map((map) => `#jepsen.history.Op${map}`);
    const plain = readEdnEvents(operations.join('\n'), 'a').events;
    expect(readEdnEvents(records.join('\n'), 'a').events).toEqual(plain);
    expect(readEdnEvents(`[${operations.join(',')}]`, 'a').events).toEqual(plain);
    const cut = readEdnEvents(`${operations.join('\n')}{:index 2, :ti`, 'a');
    expect(cut.events).toEqual(plain);
    expect(cut.warnings).toEqual([
      'the file ends within the operation or vector of line 3: it was cut',
    ]);
  });
});

describe('errors name file, line and field', () => {
  const send = ':process 0, :type :invoke, :f :send';
  test.each([
    ['', 'history.edn:1: the file holds no whole operation; nothing can be read from it'],
    ['17', 'history.edn:1: expected an operation, a map, got 17'],
    [
      '{:f :send}',
      'history.edn:1: process: expected an integer in [0, 2^53) or a keyword, got nothing',
    ],
    [
      '\n{:process 0, :f :send}',
      'history.edn:2: type: expected :invoke, :ok, :fail or :info, got nothing',
    ],
    [`{${send}, :time 1.5}`, /time: expected integer nanoseconds, .* got 1\.5$/],
    [`{${send}, :index -1}`, /:1: index: expected an integer in \[0, 2\^53\), got -1$/],
    [`{${send}, :value 5}`, /:1: value: expected a vector of micro-operations, got 5$/],
    [`{${send}, :value [[:append 0 1]]}`, /value\[0\]\[0\]: expected :send or :poll, got :append$/],
    [`{${send}, :value [[:send :a 1]]}`, /value\[0\]\[1\]: expected a key, .* got :a$/],
    [`{${send}, :value [[:send 0 :a]]}`, /value\[0\]\[2\]: expected a string, .* got :a$/],
    [`{${send}, :value [[:send 0]]}`, /value\[0\]: expected \[:send key value\], got \[:send 0\]$/],
    [
      `{${send}, :value [[:send 0 9007199254740993]]}`,
      'history.edn:1: value[0][2]: a double does not hold 9007199254740993 exactly',
    ],
    [`{${send}, :value [[:send 0 1/3]]}`, /value\[0\]\[2\]: a double does not hold 1\/3 exactly$/],
    [`{${send}, :value [[:poll]]}`, /value\[0\]\[0\]: expected "send", got "poll"$/],
    [`{${send}, :value [[:send 0 1]]}\n{${send}, :value [[:send 0 2]]}`, /:2: process: 0 already/],
    [
      `{${send}, :value [[:send 0 1]]}\n{:process 1, :type :invoke, :f :send, :value [[:send 0 1]]}`,
      /:2: value\[0\]\[2\]: 1 was already sent to log "jepsen\/0", at index 0/,
    ],
    [
      '{:process 0, :type :ok, :f :poll, :value [[:poll {0 [[nil 1]]}]]}',
      /:1: value\[0\]\[1\]\["jepsen\/0"\]\[0\]\[0\]: expected an offset, .*, got null$/,
    ],
    [
      '{:process 0, :type :ok, :f :poll, :value [[:poll {0 [[0 1]], 0 []}]]}',
      /value\[0\]\[1\]: key 0 stands twice$/,
    ],
    [
      '{:process 0, :type :ok, :f :poll, :value [], :rebalance-log [{:k 1}]}',
      /rebalance-log\[0\]\.keys: expected a vector of keys, got nothing$/,
    ],
  ])('%j', (text, says) => {
    if (typeof says === 'string') expect(refusal(text)).toBe(says);
    else expect(refusal(text)).toMatch(says);
  });
});

describe('verdicts on histories of Jepsen', () => {
  const sent = (value: number, offset: number) => [
    invoke(0, `[[:send 0 ${value}]]`),
    ok(0, `[[:send 0 [${offset} ${value}]]]`),
  ];
  const polled = (process: number, records: string) => [
    invoke(process, '[[:poll]]', 'poll'),
    ok(process, `[[:poll {0 ${records}}]]`, 'poll'),
  ];
  const fromBeginning = (process: number) =>
    (['invoke', 'ok'] as const).map(
      (type) =>
        `:process ${process}, :type :${type}, :f :assign, :value [0], :seek-to-beginning? true`,
    );

  test('a reader from the beginning that passes over an acknowledged record loses it', () => {
    const history = [...sent(1, 0), ...sent(2, 1), ...sent(3, 2), ...fromBeginning(1)];
    expect(found(...history, ...polled(1, '[[0 1] [1 2] [2 3]]'))).toEqual([]);
    expect(found(...history, ...polled(1, '[[0 1] [2 3]]'))).toEqual([
      'lost-write',
      'poll-skip',
      'int-poll-skip',
    ]);
  });

  test('a jump of a subscriber is legal with a rebalance, and where nobody logs any; else it is not', () => {
    const subscribes = (rebalance: string) => [
      ':process 1, :type :invoke, :f :subscribe, :value [0]',
      `:process 1, :type :ok, :f :subscribe, :value [0]${rebalance}`,
    ];
    const jump = (atStart: string, atJump: string, records = '[[2 3]]') => [
      ...sent(1, 0),
      ...sent(2, 1),
      ...sent(3, 2),
      ...polled(2, '[[0 1] [1 2] [2 3]]'),
      ...subscribes(atStart),
      ...polled(1, '[[0 1]]'),
      invoke(1, '[[:poll]]', 'poll'),
      `:process 1, :type :ok, :f :poll, :value [[:poll {0 ${records}}]]${atJump}`,
    ];
    const log = ', :rebalance-log [{:keys [0]}]';
    expect(found(...jump(log, ''))).toEqual(['poll-skip']);
    expect(found(...jump(log, log))).toEqual([]);
    expect(found(...jump('', ''))).toEqual([]);
    // Within one poll there is no rebalance.
    expect(found(...jump('', '', '[[0 1] [2 3]]'))).toContain('int-poll-skip');
    expect(read(...jump('', '')).warnings).toEqual([
      'no operation has a :rebalance-log, so what subscribers read is judged within each poll alone',
    ]);
  });

  test('a test that says it has no transactions has none', () => {
    const test = { transactional: false, header: {}, warnings: [] };
    const kinds = (...operations: readonly string[]) => {
      const kept: string[] = [];
      const reader = new EdnHistoryReader('x.edn', { test, onEvent: ({ f }) => kept.push(f) });
      reader.push(new TextEncoder().encode(edn(...operations)));
      reader.finish();
      return kept;
    };
    expect(
      kinds(
        invoke(0, '[[:send 0 5] [:send 0 6]]', 'txn'),
        ok(0, '[[:send 0 [0 5]] [:send 0 [1 6]]]', 'txn'),
        invoke(1, '[[:poll]]', 'txn'),
      ),
    ).toEqual(['send', 'send', 'poll']);
    expect(() => kinds(invoke(0, '[[:send 0 5] [:poll]]', 'txn'))).toThrow(
      'x.edn:1: value: sends and polls in one operation, of a test whose :txn? is not true',
    );
  });

  test('phantoms and conflicting offsets are found', () => {
    expect(found(...sent(1, 0), ...polled(1, '[[0 1] [1 7]]'))).toEqual(['phantom']);
    expect(found(...sent(1, 0), ...sent(2, 0), ...polled(1, '[[0 1]]'))).toContain(
      'inconsistent-offsets',
    );
  });
});
