import { describe, expect, it } from 'vitest';
import { renderJson } from '../../../src/report/json.ts';
import type { ResultDocument } from '../../../src/spi/verdict.ts';
import { lossyDocument, sampleDocument } from './sample.ts';

/** The same value with the keys of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe('renderJson', () => {
  it('gives the same bytes whatever the order of keys', () => {
    const scrambled = reversed(lossyDocument) as ResultDocument;
    expect(JSON.stringify(scrambled)).not.toBe(JSON.stringify(lossyDocument));
    expect(renderJson(scrambled)).toBe(renderJson(lossyDocument));
  });

  it('loses nothing', () => {
    expect(JSON.parse(renderJson(lossyDocument))).toEqual(lossyDocument);
  });

  it('puts the fields in the order of DESIGN.md and ends with one newline', () => {
    const text = renderJson(sampleDocument());
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'format',
      'valid',
      'reasons',
      'claims',
      'anomalies',
      'coverage',
    ]);
    expect(text.endsWith('}\n')).toBe(true);
    expect(text.endsWith('\n\n')).toBe(false);
  });

  it('puts the own fields of a witness last, sorted', () => {
    const witness = {
      zeta: 1,
      alpha: 2,
      explanation: 'x',
      layer: 'broker' as const,
      operations: [3],
    };
    const document = sampleDocument({
      anomalies: { duplicate: { outcome: 'found', count: 1, checked: 1, witnesses: [witness] } },
    });
    const parsed = JSON.parse(renderJson(document)) as ResultDocument;
    const [first] = parsed.anomalies.duplicate.witnesses;
    expect(Object.keys(first ?? {})).toEqual([
      'operations',
      'layer',
      'explanation',
      'alpha',
      'zeta',
    ]);
  });

  it('refuses a document that breaks the schema', () => {
    const broken = sampleDocument({ anomalies: { phantom: { outcome: 'absent' } } });
    expect(() => renderJson(broken)).toThrow(/absent without an obligation/);
  });
});
