/** The EDN reader: what Clojure prints is read, what is no EDN is named with its line. */
import { describe, expect, test } from 'vitest';
import { FormSplitter } from '../../../../src/history/edn/forms.ts';
import { looseJsonOf } from '../../../../src/history/edn/json.ts';
import { printEdn } from '../../../../src/history/edn/print.ts';
import { Problem } from '../../../../src/history/problem.ts';
import type { Edn } from '../../../../src/history/edn/values.ts';

interface Forms {
  readonly forms: readonly Edn[];
  readonly lines: readonly number[];
  readonly cutAt: number | null;
}

/** @param chunkBytes sizes of the pieces in which the text comes. */
function read(text: string, chunkBytes = Infinity): Forms {
  const forms: Edn[] = [];
  const lines: number[] = [];
  let cutAt: number | null = null;
  const splitter = new FormSplitter({
    form: (form, line) => {
      forms.push(form);
      lines.push(line);
    },
    cut: (line) => {
      cutAt = line;
    },
  });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    splitter.push(bytes.subarray(at, Math.min(bytes.length, at + chunkBytes)));
  }
  splitter.end();
  return { forms, lines, cutAt };
}

function refusal(text: string): string {
  const splitter = new FormSplitter({ form: () => undefined, cut: () => undefined });
  try {
    splitter.push(new TextEncoder().encode(text));
    splitter.end();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return `${splitter.lineNumber}: ${problem.text}`;
  }
  return 'accepted';
}

const only = (text: string): unknown => looseJsonOf(read(text).forms[0]!);

describe('forms', () => {
  test.each([
    ['nil', null],
    ['true', true],
    ['-17', -17],
    ['+17', 17],
    ['0', 0],
    ['17N', 17],
    ['17.0', 17],
    ['1.5M', 1.5],
    ['1E3', 1000],
    ['0x1F', 31],
    ['-0xff', -255],
    ['0.1', 0.1],
    ['9007199254740993', '9007199254740993'],
    ['22/7', '22/7'],
    ['##Inf', '##Inf'],
    ['"a\\n\\"\\u00e9\\101"', 'a\n"éA'],
    [':a/b', ':a/b'],
    ['a.b$c/d', 'a.b$c/d'],
    ['\\a', 'a'],
    ['\\newline', '\n'],
    ['\\u0041', 'A'],
    ['\\(', '('],
    ['#{1 2}', [1, 2]],
    ['(1, 2)', null],
    ['#inst "2020-01-01"', { '#inst': '2020-01-01' }],
    ['#jepsen.history.Op{:index 0}', { '#jepsen.history.Op': { ':index': 0 } }],
    ['#:a{:b 1 :_/c 2 :d/e 3 "f" 4}', { ':a/b': 1, ':c': 2, ':d/e': 3, f: 4 }],
    ['#"a\\"b"', { '#regex': 'a\\"b' }],
    ["#'user/x", "#'user/x"],
    ['{"__proto__" {"a" 1}}', JSON.parse('{"__proto__":{"a":1}}') as unknown],
    ['{nil 1 2 3}', { nil: 1, '2': 3 }],
  ])('%s', (text, value) => {
    // A list or vector that comes first holds the operations.
    if (value === null && text !== 'nil') expect(read(text).forms).toEqual([1, 2]);
    else expect(only(text)).toEqual(value);
  });

  test('comments, commas, discarded forms and nested sets are passed over or kept', () => {
    const text = '; first\n#_ {:a [1}] #_#_ 1 2 {:b, #{#{1}}} ;x\n';
    expect(refusal(text)).toMatch(/^2: "\}" closes nothing/);
    const right = '; first\n#_ {:a [1]} #_#_ 1 2 {:b, #{#{1}}} ;x';
    expect(read(right).forms.map(looseJsonOf)).toEqual([{ ':b': [[1]] }]);
  });

  test('one per line, in a vector or in a list: the same forms, with the lines where they begin', () => {
    const lines = '{:a 1}\n\n{:a\n 2} {:a 3}\n';
    for (const text of [lines, `[${lines}]`, `(${lines}) ; end\n`]) {
      const { forms, lines: at, cutAt } = read(text);
      expect(forms.map(looseJsonOf)).toEqual([{ ':a': 1 }, { ':a': 2 }, { ':a': 3 }]);
      expect(at).toEqual([1, 3, 4]);
      expect(cutAt).toBeNull();
    }
  });

  test('chunks of any size give the same', () => {
    const text =
      '[{:f :send, :value [[:send 0 [17 "é;"]]]} ; c\n #_x {:time 123456 :p \\u0041}\n#{1 2}]\n';
    const whole = read(text);
    expect(whole.forms).toHaveLength(3);
    for (let size = 1; size < 20; size++) expect(read(text, size)).toEqual(whole);
    // Cut within a comment after the bracket: the bracket is not taken twice.
    expect(read('[ ; c\n {:a 1}]', 3)).toEqual(read('[ ; c\n {:a 1}]'));
    // Cut after the "#" of a discarded first form: the vector after it is still the first.
    expect(read('#_ {:b 1} [{:a 1}]', 1)).toEqual(read('#_ {:b 1} [{:a 1}]'));
    expect(read('#_ {:b 1} [{:a 1}]').forms).toHaveLength(1);
  });

  test('a text that ends within a form, or within the vector, is cut', () => {
    expect(read('{:a 1}\n{:a [1').cutAt).toBe(2);
    expect(read('{:a 1}\n{:a "x').forms).toHaveLength(1);
    expect(read('[{:a 1}\n').cutAt).toBe(2);
    expect(read('{:a 1}\n#_').cutAt).toBe(2);
  });

  test.each([
    ['{:a 1}\n{:a}', '2: the map has a key without a value'],
    ['}', '1: "}" closes nothing'],
    ['{:a 1]}', '1: "]" closes nothing'],
    ['[1]\n2', '2: "2" after the end of the history'],
    ['08', '1: "08" is no number'],
    ['1a', '1: "1a" is no number'],
    ['::a', '1: "::a" is no keyword'],
    [': ', '1: ":" is no keyword'],
    ['"\\q"', '1: "\\q" is no escape of a string'],
    ['\\xy', '1: "\\xy" is no character'],
    ['#=(eval)', '1: "#=" is not the start of a form'],
    ['##x', '1: "##x" is no number'],
    ['#::a{}', '1: a namespaced map without a namespace'],
    ['#:a[]', '1: "#:a" without a map'],
  ])('%j is refused', (text, says) => {
    expect(refusal(text)).toBe(says);
  });

  test.each(['{', '[1 ', '#_ ', '#a '])('%j over and over is refused', (part) => {
    expect(refusal(part.repeat(100_000))).toBe('1: nested deeper than 500 levels');
  });

  test('invalid UTF-8 is refused', () => {
    const splitter = new FormSplitter({ form: () => undefined, cut: () => undefined });
    expect(() => {
      splitter.push(Uint8Array.of(123, 10, 255));
      splitter.end();
    }).toThrow('not valid UTF-8');
  });
});

describe('printing', () => {
  test.each([
    '{:a 1, "b" [nil true -1.5]}',
    '#{:a b}',
    '#inst "2020-01-01"',
    '[\\a \\newline \\u0000]',
    '[22/7 ##Inf 0.1 9007199254740993]',
    '9007199254740992',
    '9223372036854775808N',
    '"a\\n\\"é"',
  ])('%s comes back as it was', (text) => {
    expect(printEdn(read(`{} ${text}`).forms[1]!)).toBe(text);
  });
});
