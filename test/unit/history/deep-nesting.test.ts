import { describe, expect, test } from 'vitest';
import { header, lines, refusal } from '../../support/refusals.ts';

const depth = 100_000;
const deepList = '['.repeat(depth) + ']'.repeat(depth);
const deepObject = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

describe('a hundred thousand brackets deep', () => {
  test.each([
    [
      'a list for a value',
      `"process":0,"type":"invoke","f":"send","value":${deepList}`,
      'value[0]',
    ],
    [
      'an object for a value',
      `"process":0,"type":"invoke","f":"send","value":${deepObject}`,
      'value',
    ],
    [
      'a list for a process',
      `"process":${deepList},"type":"invoke","f":"poll","value":[["poll"]]`,
      'process',
    ],
    [
      'a list for a sent value',
      `"process":0,"type":"invoke","f":"send","value":[["send","t/0",${deepList}]]`,
      'value[0][2]',
    ],
  ])('%s is refused with its place', (_, event, field) => {
    expect(refusal(lines(event))).toContain(`history.jsonl:2: ${field}`);
  });

  test('an extra field is kept and ignored', () => {
    const event = `"process":0,"type":"invoke","f":"poll","value":[["poll"]],"extra":${deepList}`;
    expect(refusal(lines(event))).toBe('accepted');
  });

  test('a header is read or refused, and never a crash', () => {
    const refused = refusal(`{"ordeal":1,"topics":${deepList}}\n`);
    expect(refused).toContain('history.jsonl:1: topics');
    expect(refusal(`${header.slice(0, -1)},"note":${deepObject}}\n`)).toBe('accepted');
    expect(refusal(`{"ordeal":1,"config":${deepObject}}\n`)).toMatch(
      /accepted|history.jsonl:1: config/,
    );
  });
});
