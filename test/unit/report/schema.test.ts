import { describe, expect, it } from 'vitest';
import { assertResultDocument, resultSchema } from '../../../src/report/schema.ts';
import { lossyDocument, sampleDocument } from './sample.ts';
import type { Variation } from './sample.ts';

describe('the schema of result documents', () => {
  it('accepts a document with every claim and anomaly', () => {
    expect(() => {
      assertResultDocument(sampleDocument());
      assertResultDocument(lossyDocument);
    }).not.toThrow();
  });

  it('keeps what witnesses carry beside the named fields', () => {
    const witness = {
      operations: [1],
      layer: 'client' as const,
      explanation: 'x',
      scan: 'final/orders/0',
    };
    const anomalies = {
      duplicate: { outcome: 'found' as const, count: 1, checked: 1, witnesses: [witness] },
    };
    const parsed = resultSchema.parse(sampleDocument({ anomalies }));
    expect(parsed.anomalies.duplicate.witnesses[0]).toEqual(witness);
  });

  const broken: readonly (readonly [string, Variation])[] = [
    ['found without an instance', { anomalies: { phantom: { outcome: 'found', checked: 1 } } }],
    ['a count without a finding', { anomalies: { phantom: { count: 1, checked: 1 } } }],
    [
      'found without a witness',
      { anomalies: { phantom: { outcome: 'found', count: 1, checked: 1 } } },
    ],
    ['unknown without a reason', { anomalies: { phantom: { outcome: 'unknown', checked: 1 } } }],
    ['absent without an obligation', { anomalies: { phantom: { outcome: 'absent' } } }],
    ['a negative number', { anomalies: { phantom: { checked: -1 } } }],
    ['an empty reason', { reasons: [''] }],
  ];
  it.each(broken)('refuses %s', (_name, variation) => {
    expect(() => {
      assertResultDocument(sampleDocument(variation));
    }).toThrow(/breaks its own schema at (anomalies\.phantom|reasons)/);
  });

  it('refuses a document that lacks an anomaly', () => {
    const document = sampleDocument();
    const anomalies = Object.fromEntries(
      Object.entries(document.anomalies).filter(([name]) => name !== 'phantom'),
    );
    expect(resultSchema.safeParse({ ...document, anomalies }).success).toBe(false);
  });
});
