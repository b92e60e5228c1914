/** Histories as EDN and back: every saved one comes back as it was, and to Jepsen it looks like one of its own. */
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../../checkers/index.ts';
import { ednLines } from '../../../../src/history/edn/export.ts';
import { EdnHistoryReader, readEdnEvents } from '../../../../src/history/edn/import.ts';
import { loadHistoryText, readEvents, type RawHistory } from '../../../../src/history/load-text.ts';
import { eventLine, headerLine } from '../../../../src/history/write.ts';
import { corpusRoots, goldenRoot, readBytes, savedHistories } from '../../../corpus/corpus.ts';

const textOf = ({ header, events }: RawHistory) => [...ednLines(header, events)].join('');
const linesOf = ({ header, events }: RawHistory) => [headerLine(header), ...events.map(eventLine)];

function history(...events: readonly string[]): RawHistory {
  const lines = events.map((rest, i) => `{"index":${i},"time":${i * 10},${rest}}\n`);
  return readEvents(`{"ordeal":1,"config":{"x":0.1}}\n${lines.join('')}`, 'by-hand.jsonl');
}

const saved = corpusRoots.flatMap(savedHistories);

describe.each([...saved, ...savedHistories(goldenRoot)])('$name', ({ file }) => {
  test('comes back as it was', () => {
    const whole = readEvents(readBytes(file), file);
    const again = readEdnEvents(textOf(whole), 'history.edn');
    expect(linesOf(again)).toEqual(linesOf(whole));
  });
});

describe.each(saved)('$name', ({ file }) => {
  test('has the same verdict as EDN', () => {
    const bytes = readBytes(file);
    const reader = new EdnHistoryReader('history.edn');
    reader.push(new TextEncoder().encode(textOf(readEvents(bytes, file))));
    expect(checkHistory(reader.finish())).toEqual(checkHistory(loadHistoryText(bytes, file)));
  });
});

describe('what Jepsen reads', () => {
  test('sends, polls and assignments in its own words, the rest beside them', () => {
    const text = textOf(
      history(
        '"process":0,"type":"invoke","f":"send","value":[["send","b/1",5,{"key":"k"}]]',
        '"process":0,"type":"ok","f":"send","value":[["send","b/1",[0,5]]]',
        '"process":1,"type":"invoke","f":"assign","value":{"logs":["b/1","a/0"],"from":"beginning"}',
        '"process":1,"type":"ok","f":"assign","value":{"logs":["b/1","a/0"],"from":"beginning"}',
        '"process":1,"type":"invoke","f":"poll","value":[["poll"]],"session":"s"',
        '"process":1,"type":"info","f":"poll","value":[["poll",{"b/1":[[0,5,{"key":"k"}]]}]],"session":"s","error":{"code":"DEADLINE","message":"late"}',
      ),
    );
    expect(text.split('\n')).toEqual([
      '{:index 0, :time 0, :process 0, :type :invoke, :f :send, :value [[:send 1 5]], :ordeal/metas [{"key" "k"}], :ordeal/header {"ordeal" 1, "config" {"x" 0.1}}, :ordeal/logs {0 "a/0", 1 "b/1"}}',
      '{:index 1, :time 10, :process 0, :type :ok, :f :send, :value [[:send 1 [0 5]]]}',
      '{:index 2, :time 20, :process 1, :type :invoke, :f :assign, :value [1 0], :seek-to-beginning? true}',
      '{:index 3, :time 30, :process 1, :type :ok, :f :assign, :value [1 0], :seek-to-beginning? true}',
      '{:index 4, :time 40, :process 1, :type :invoke, :f :poll, :value [[:poll]], :ordeal/session "s"}',
      '{:index 5, :time 50, :process 1, :type :info, :f :poll, :value [[:poll {1 [[0 5]]}]], :ordeal/metas [{"key" "k"}], :error [:DEADLINE "late"], :ordeal/session "s"}',
      '',
    ]);
  });

  test('a send that the client placed has the key of where it went', () => {
    const text = textOf(
      history(
        '"process":0,"type":"invoke","f":"send","value":[["send","b",5]]',
        '"process":0,"type":"ok","f":"send","value":[["send","b/1",[0,5]]]',
      ),
    );
    expect(text).toMatch(/:value \[\[:send 1 5\]\], :ordeal\/event \{.*\["send" "b" 5\]/);
  });

  test('what it has no word for is a deed of the nemesis, whole beside it', () => {
    const whole = history(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"a/0","view":"committed","from":0}',
      '"process":"nemesis:kill","type":"invoke","f":"kill","value":{"fault":"f1","targets":["n1"],"plan":{"a b":0.3}}',
      '"process":2,"type":"invoke","f":"txn","value":[["offsets","g",{"a/0":1}]]',
      '"process":"observer","type":"event","f":"strange word","value":[":a",-1.5,{"__proto__":1}]',
    );
    const text = textOf(whole);
    expect(text.split('\n')[1]).toBe(
      '{:index 1, :time 10, :process :nemesis, :type :info, :f :kill, :value nil, :ordeal/event {"process" "nemesis:kill", "type" "invoke", "f" "kill", "value" {"fault" "f1", "targets" ["n1"], "plan" {"a b" 0.3}}}}',
    );
    expect(linesOf(readEdnEvents(text, 'history.edn'))).toEqual(linesOf(whole));
  });

  test('keys of a topic called jepsen stay as they are, and others do not meet them', () => {
    const text = textOf(
      history(
        '"process":0,"type":"invoke","f":"send","value":[["send","jepsen/0",5],["send","a/0",5],["send","a/7",5]]',
      ),
    );
    expect(text).toContain('[[:send 0 5] [:send 1 5] [:send 2 5]]');
    expect(text).toContain(':ordeal/logs {1 "a/0", 2 "a/7"}');
  });

  test('a history without events keeps its header', () => {
    const whole = history();
    const text = textOf(whole);
    expect(text.split('\n')).toHaveLength(2);
    expect(linesOf(readEdnEvents(text, 'history.edn'))).toEqual(linesOf(whole));
  });

  test('what is nested too deeply is refused by its index', () => {
    const deep = `${'['.repeat(900)}${']'.repeat(900)}`;
    expect(() => textOf(history(`"process":"o","type":"event","f":"x","value":${deep}`))).toThrow(
      'event 0: nested deeper than 500 levels',
    );
  });
});

describe('a Jepsen history by way of JSONL', () => {
  const jepsen = [
    '{:index 0, :time 0, :process :nemesis, :type :info, :f :kill, :value {"n1" :killed}}',
    '{:index 1, :time 5, :process 0, :type :invoke, :f :send, :value [[:send 0 5]], :final? true}',
    '{:index 2, :time 9, :process 0, :type :info, :f :send, :value [[:send 0 5]], :error [:unknown "x"]}',
    '{:index 3, :time 9, :process 1, :type :invoke, :f :crash, :value nil}',
    '{:index 4, :time 9, :process 1, :type :info, :f :crash, :value nil}',
    '{:index 5, :time 10, :process 2, :type :invoke, :f :subscribe, :value [0 1]}',
    '{:index 6, :time 11, :process 2, :type :ok, :f :subscribe, :value [0 1]}',
  ];

  test('keeps its words', () => {
    const read = readEdnEvents(jepsen.join('\n'), 'history.edn');
    const [first, ...others] = textOf(read).trimEnd().split('\n');
    expect(first).toBe(
      `${jepsen[0]!.slice(0, -1)}, :ordeal/header {"ordeal" 1, "jepsen" {"transactional" false}}, :ordeal/logs {}}`,
    );
    expect(others).toEqual(jepsen.slice(1));
  });

  test('is not derived from again', () => {
    const rebalance = [
      '{:index 0, :time 0, :process 0, :type :invoke, :f :txn, :value [[:poll]]}',
      '{:index 1, :time 9, :process 0, :type :ok, :f :txn, :value [[:poll {0 []}] [:send 1 [0 1]]], :rebalance-log [{:keys [0]}]}',
    ];
    const read = readEdnEvents(rebalance.join('\n'), 'history.edn');
    expect(read.events.map(({ f }) => f)).toEqual(['txn', 'attempt', 'rebalance', 'txn']);
    const text = textOf(read);
    expect(linesOf(readEdnEvents(text, 'history.edn'))).toEqual(linesOf(read));
    expect(text).toContain(':rebalance-log [{:keys [0]}]');
  });
});
