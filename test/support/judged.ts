/** What the checkers say of a hand-written history; every witness that comes out is certified on the way. */
import { expect } from 'vitest';
import { certifiable, certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory, type CheckOptions } from '../../checkers/index.ts';
import type { AnomalyName, AnomalyResult, ResultDocument } from '../../src/spi/verdict.ts';
import type { HistoryBuilder } from './history-builder.ts';

function judged(builder: HistoryBuilder, options: CheckOptions = {}): ResultDocument {
  const result = checkHistory(builder.load(), options);
  const events = builder.events();
  for (const name of certifiable) {
    for (const witness of result.anomalies[name].witnesses) {
      const certificate = certifyWitness(builder.header, events, name, witness);
      expect(certificate, `${name}: ${witness.explanation}`).toMatchObject({ holds: true });
    }
  }
  return result;
}

export function resultOf(builder: HistoryBuilder, anomaly: AnomalyName): AnomalyResult {
  return judged(builder).anomalies[anomaly];
}
