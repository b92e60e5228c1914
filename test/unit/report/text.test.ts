import { describe, expect, it } from 'vitest';
import { plainPaint, renderText } from '../../../src/report/text.ts';
import { formatCount, viewOf } from '../../../src/report/view.ts';
import type { ResultDocument } from '../../../src/spi/verdict.ts';
import { lossyDocument, sampleDocument } from './sample.ts';

function linesOf(document: ResultDocument, title: string | null = null): string[] {
  return renderText(viewOf(document, title), plainPaint).split('\n');
}

describe('the text report', () => {
  it('has a line for each claim, and for each anomaly that was exercised', () => {
    const lines = linesOf(lossyDocument);
    expect(lines.find((line) => line.startsWith('durability'))).toMatch(
      /^durability +refuted +demanded$/,
    );
    expect(lines.find((line) => line.startsWith('  lost-write'))).toMatch(
      /^ {2}lost-write +found +3 +18,202 {2}permitted by acks$/,
    );
    expect(lines.find((line) => line.startsWith('  scan-divergence'))).toMatch(/absent +0 +9$/);
    expect(lines.find((line) => line.startsWith('recovery'))).toMatch(/^recovery +not-exercised$/);
    expect(lines.some((line) => line.startsWith('  phantom'))).toBe(false);
  });

  it('explains what was found, where, and how much of it is shown', () => {
    const text = linesOf(lossyDocument).join('\n');
    expect(text).toContain('lost-write: 3 found, permitted by acks; 1 shown');
    expect(text).toContain('1. orders/0, offset 412, layer broker, events 417, 90211');
    expect(text).toContain('p0#17 was acknowledged at offset 412 and is in no scan.');
  });

  it('shows three witnesses at most, and says where more are', () => {
    const witnesses = Array.from({ length: 5 }, (_, operation) => ({
      operations: [operation],
      layer: 'broker' as const,
      explanation: `explanation ${operation}`,
    }));
    const document = sampleDocument({
      anomalies: { duplicate: { outcome: 'found', count: 9, checked: 9, witnesses } },
    });
    const text = linesOf(document).join('\n');
    expect(text).toContain('duplicate: 9 found; 3 shown, 5 in the JSON');
    expect(text).toContain('explanation 2');
    expect(text).not.toContain('explanation 3');
  });

  it('gives the reason of what is unknown, once for all that share it', () => {
    const reason = 'no log was audited';
    const document = sampleDocument({
      anomalies: {
        'lost-write': { outcome: 'unknown', checked: 1, reason },
        duplicate: { outcome: 'unknown', checked: 2, reason },
      },
    });
    const text = linesOf(document).join('\n');
    expect(text).toContain(`lost-write, duplicate: unknown, because\n  ${reason}`);
    expect(text.split(reason)).toHaveLength(2);
  });

  it('sums up what was exercised, with the faults that bit and healed', () => {
    const text = linesOf(lossyDocument).join('\n');
    expect(text).toMatch(/faults +kill: 3 injected, 2 bit, 3 healed/);
    expect(text).toMatch(/history +1,234,567 events, 2 operations, 1m01s/);
    expect(text).toMatch(/event-loop delay +at most 12.3 ms, p99 3.1 ms/);
    expect(text).toMatch(/abandoned calls +3, 1 never settled/);
    expect(text).toContain('warning: the last line was torn');
  });

  it.each([
    [
      lossyDocument,
      'INVALID: durability is refuted: lost-write found 3 times, which the setting acks permits',
    ],
    [sampleDocument(), 'UNKNOWN: nothing in this history exercises any claim'],
    [
      sampleDocument({
        reasons: ['durability is unknown: lost-write: no audit', 'no kill took effect'],
      }),
      'UNKNOWN: durability is unknown; no kill took effect',
    ],
    [
      sampleDocument({
        valid: true,
        reasons: [],
        claims: { durability: { outcome: 'proved', demanded: true } },
      }),
      'VALID: the demanded claim is proved (durability)',
    ],
    [
      sampleDocument({
        valid: true,
        reasons: [],
        claims: {
          durability: { outcome: 'proved', demanded: true },
          integrity: { outcome: 'proved', demanded: true },
        },
      }),
      'VALID: every demanded claim is proved (durability, integrity)',
    ],
  ])('ends with the conclusion', (document, conclusion) => {
    expect(linesOf(document).slice(-2)).toEqual([conclusion, '']);
  });

  it('keeps explanations within 100 columns, and words whole', () => {
    const word = 'word'.repeat(40);
    const explanation = `${'some words '.repeat(30)}${word} end`;
    const document = sampleDocument({
      anomalies: {
        duplicate: {
          outcome: 'found',
          count: 1,
          checked: 1,
          witnesses: [{ operations: [1], layer: 'broker', explanation }],
        },
      },
    });
    const lines = linesOf(document);
    const tooLong = lines.filter((line) => line.length > 100 && !line.startsWith('UNKNOWN'));
    expect(tooLong).toEqual([`     ${word}`]);
    expect(lines.map((line) => line.trim()).join(' ')).toContain(explanation);
  });

  it('begins with the title, if there is one', () => {
    expect(linesOf(sampleDocument(), 'store/latest, seed 7')[0]).toBe('store/latest, seed 7');
  });

  it('marks tones by the given paint only', () => {
    const painted = renderText(viewOf(lossyDocument, 'title'), (tone, text) => `<${tone}:${text}>`);
    expect(painted).toContain('<strong:title>');
    expect(painted).toMatch(/<bad:INVALID: /);
  });
});

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('%d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
});
