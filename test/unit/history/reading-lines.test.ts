/** The header, and bytes to lines: what is refused, with file, line and field, and the twin that is not. */
import { describe, expect, test } from 'vitest';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { cases, header, invoke, lines, ok, pollInvoke, refusal } from '../../support/refusals.ts';

cases('the header', [
  {
    name: 'an empty file is refused',
    text: '',
    says: 'history.jsonl:1: ordeal: the file holds no whole header; nothing can be read from it',
  },
  {
    name: 'a torn header is refused',
    text: '{"ordeal":1,"ru',
    says: 'history.jsonl:1: ordeal: the file holds no whole header; nothing can be read from it',
  },
  { name: 'a whole header without its newline is read', text: '{"ordeal":1}', says: 'accepted' },
  {
    name: 'an event first is refused',
    text: `{"index":0,"time":0,${invoke}}\n`,
    says: 'history.jsonl:1: ordeal: missing: the first line must be the header of a history',
  },
  {
    name: 'another format is refused',
    text: '{"ordeal":2}\n',
    says: 'history.jsonl:1: ordeal: expected format 1, got 2',
  },
  {
    name: 'a list is refused',
    text: '[1]\n',
    says: 'history.jsonl:1: expected the header, an object, got [1]',
  },
  {
    name: 'an unknown claim is refused',
    text: '{"ordeal":1,"claims":["durability","durabilty"]}\n',
    says:
      'history.jsonl:1: claims[1]: expected "durability" or "integrity" or "no-duplicates" or "ordering" or ' +
      '"isolation" or "atomicity" or "group-delivery" or "exactly-once" or "compaction" or "completeness" or ' +
      '"recovery", got "durabilty"',
  },
  {
    name: 'known claims, and none, are read',
    text: '{"ordeal":1,"claims":["durability"]}\n',
    says: 'accepted',
  },
  { name: 'an empty list of claims is read', text: '{"ordeal":1,"claims":[]}\n', says: 'accepted' },
  {
    name: 'an unknown word in writers is refused',
    text: '{"ordeal":1,"topics":{"t":{"writers":"someone"}}}\n',
    says: 'history.jsonl:1: topics.t.writers: expected "recorded" or "external", got "someone"',
  },
  {
    name: 'known writers are read',
    text: '{"ordeal":1,"topics":{"t":{"writers":"external","partitions":3}}}\n',
    says: 'accepted',
  },
  {
    name: 'an unknown word in owes is refused',
    text: '{"ordeal":1,"transforms":[{"group":"g","input":"a","output":"b","owes":"twice"}]}\n',
    says: 'history.jsonl:1: transforms[0].owes: expected another form, got "twice"',
  },
  {
    name: 'an unknown fold in owes is refused',
    text: '{"ordeal":1,"transforms":[{"group":"g","input":"a","output":"b","owes":{"fold":"avg"}}]}\n',
    says: 'history.jsonl:1: transforms[0].owes.fold: expected "count" or "sum" or "max", got "avg"',
  },
  {
    name: 'known owes are read',
    text:
      '{"ordeal":1,"transforms":[{"group":"g","input":"a","output":"b","owes":"filter"},' +
      '{"group":"g","input":"a","output":"c","owes":{"fold":"sum","mode":"final","windowMs":5}}]}\n',
    says: 'accepted',
  },
  {
    name: 'a clock error that is not exact is refused',
    text: '{"ordeal":1,"clock":{"errorNs":9007199254740993}}\n',
    says: 'history.jsonl:1: clock.errorNs: a double does not hold 9007199254740993 exactly',
  },
  {
    name: 'a configuration may hold any number',
    text: '{"ordeal":1,"config":{"ratio":0.1}}\n',
    says: 'accepted',
  },
]);

cases('lines', [
  {
    name: 'a blank line is refused',
    text: `${lines(invoke)}\n`,
    says: 'history.jsonl:3: the line is blank',
  },
  {
    name: 'a line of white space is refused',
    text: `${header}\n \t\r\n`,
    says: 'history.jsonl:2: the line is blank',
  },
  {
    name: 'a carriage return is white space',
    text: lines(invoke, ok).replaceAll('\n', '\r\n'),
    says: 'accepted',
  },
  {
    name: 'a byte order mark is refused',
    text: `\ufeff${lines(invoke)}`,
    says: 'history.jsonl:1: the line starts with a byte order mark',
  },
  {
    name: 'an event must be an object',
    text: `${header}\n17\n`,
    says: 'history.jsonl:2: expected an object, got 17',
  },
  {
    name: 'key order, spacing and escapes say nothing',
    text: `${header}\n { "value" : [ [ "\\u0073end","t\\/0",17 ] ] ,"f":"send",\t"type":"invoke","process":0,"time":5,"index":0 } \n`,
    says: 'accepted',
  },
  {
    name: 'extra fields are ignored',
    text: lines(`${invoke},"note":{"ratio":0.1}`),
    says: 'accepted',
  },
]);

describe('bytes', () => {
  const bytes = (text: string, ...more: number[]): Uint8Array =>
    Buffer.concat([Buffer.from(text), Buffer.from(more)]);

  test('invalid UTF-8 is refused, and the line is named', () => {
    const bad = lines(invoke, `${ok},"note":"?"`, pollInvoke);
    const text = Buffer.from(bad);
    text[bad.indexOf('?')] = 0xff;
    expect(refusal(text)).toBe('history.jsonl:3: the line is not valid UTF-8');
    expect(refusal(Buffer.from(bad))).toBe('accepted');
  });

  test('also in a whole last line without newline', () => {
    const text = Buffer.from(lines(invoke, `${ok},"note":"?"`).trimEnd());
    text[text.lastIndexOf('?')] = 0xff;
    expect(refusal(text)).toBe('history.jsonl:3: the line is not valid UTF-8');
  });

  test('a bad line that has its newline is refused', () => {
    expect(refusal(`${lines(invoke)}{"index":1,"ti\n`)).toMatch(
      /^history\.jsonl:3: the line is not JSON: /,
    );
  });

  test('a last line without newline is kept if it is whole JSON', () => {
    const history = loadHistoryText(lines(invoke, ok).trimEnd(), 'history.jsonl');
    expect(history.eventCount).toBe(2);
    expect(history.warnings).toEqual([]);
  });

  test('and judged like any other', () => {
    expect(refusal(`${lines(invoke)}17`)).toBe('history.jsonl:3: expected an object, got 17');
  });

  test('a torn last line is dropped with a warning, wherever it is torn', () => {
    const whole = lines(invoke, ok);
    const torn = lines(invoke);
    for (let end = torn.length + 1; end < whole.length - 1; end++) {
      const history = loadHistoryText(whole.slice(0, end), 'history.jsonl');
      expect(history.eventCount).toBe(1);
      const characters = end - torn.length;
      expect(history.warnings).toEqual([
        `line 3, the last, is torn and was dropped (${characters} characters)`,
      ]);
    }
  });

  test('also within a character', () => {
    const torn = bytes(`${lines(invoke)}{"index":1,"note":"`, 0xe2, 0x82);
    const history = loadHistoryText(torn, 'history.jsonl');
    expect(history.eventCount).toBe(1);
    expect(history.warnings).toHaveLength(1);
  });
});

describe('names from a file reach no prototype', () => {
  test('a key __proto__ is a field like any other', () => {
    const text = lines(`${invoke},"__proto__":{"session":"x"}`, ok);
    const history = loadHistoryText(text, 'history.jsonl');
    expect(history.sessions).toEqual(['process 0']);
    expect(({} as Record<string, unknown>)['session']).toBeUndefined();
  });

  test('in meta neither, when invocation and completion are joined', () => {
    const text = lines(
      '"process":0,"type":"invoke","f":"send","value":[["send","t/0",1,{"__proto__":{"key":"p"}}]]',
      '"process":0,"type":"ok","f":"send","value":[["send","t/0",[0,1],{"timestamp":5}]]',
    );
    const history = loadHistoryText(text, 'history.jsonl');
    const meta = history.metas[history.logs[0]!.sends.meta[0]!]!;
    expect(meta.timestamp).toBe(5);
    expect(meta.key).toBeUndefined();
    expect(Object.getPrototypeOf(meta)).toBe(Object.prototype);
  });

  test('it is no log', () => {
    const value = '[["poll",{"__proto__":[[0,1]]}]]';
    const text = lines(pollInvoke, `"process":1,"type":"ok","f":"poll","value":${value}`);
    expect(refusal(text)).toBe(
      'history.jsonl:3: value[0][1] key: expected a log, "topic/partition", got "__proto__"',
    );
    const assign = '{"logs":[],"from":{"__proto__":5}}';
    expect(refusal(lines(`"process":1,"type":"invoke","f":"assign","value":${assign}`))).toMatch(
      /^history\.jsonl:2: value\.from: /,
    );
  });

  test('a topic named like a method has only what the header says', () => {
    const text = `{"ordeal":1,"topics":{"t":{}},"config":{}}\n${lines(invoke).slice(header.length + 1)}`;
    const { header: read } = loadHistoryText(text, 'history.jsonl');
    expect(read.topics?.['constructor']).toBeUndefined();
    expect(read.config?.['toString']).toBeUndefined();
    expect(read.topics?.['t']).toEqual({});
  });

  test('of equal keys the last counts', () => {
    const text = lines('"process":7,"process":3,"type":"invoke","f":"poll","value":[["poll"]]');
    expect(loadHistoryText(text, 'history.jsonl').processes).toEqual([3]);
  });
});
