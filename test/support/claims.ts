import { certifyWitness } from '../../checkers/certify/index.ts';
import type { AnomalyName } from '../../src/spi/verdict.ts';
import type { HistoryBuilder } from './history-builder.ts';

/** Whether the certifier accepts the anomaly by the operations of these labels, with `more` of the witness. */
export function claims(h: HistoryBuilder, anomaly: AnomalyName, labels: string, more: object = {}) {
  const operations = labels.split(' ').map((label) => h.index(label));
  const witness = { operations, layer: 'unknown', explanation: '', ...more } as const;
  return certifyWitness(h.header, h.events(), anomaly, witness).holds;
}
