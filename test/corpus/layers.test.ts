/** Runs on real Kafka whose losses are kafkajs's: the raw log and the answers say so, and so does every witness. */
import { expect, it } from 'vitest';
import { checkHistory } from '../../checkers/index.ts';
import { loadHistoryText } from '../../src/history/load-text.ts';
import { corpusRoots, readBytes, savedHistories } from './corpus.ts';

const layers = new Map([
  ['sequence-reuse', 'client'],
  ['concurrent-sends', 'client'],
  ['keyless-retry', 'client'],
  ['partial-acknowledgement', 'client'],
  ['acks-one', 'broker'],
  ['unclean-election', 'broker'],
  ['moved-acks-one', 'broker'],
  ['min-isr-one', 'broker'],
]);

it.each([...layers])('lost-write of %s: layer %s', (scenario, layer) => {
  const saved = corpusRoots
    .flatMap(savedHistories)
    .filter(({ name, anomaly }) => anomaly !== null && name.endsWith(`kafka-4.1.1-${scenario}`));
  expect(saved.map(({ name }) => name)).toHaveLength(1);
  for (const { file } of saved) {
    const { witnesses } = checkHistory(loadHistoryText(readBytes(file), file)).anomalies[
      'lost-write'
    ];
    expect(witnesses.length).toBeGreaterThan(0);
    expect(new Set(witnesses.map((witness) => witness.layer))).toEqual(new Set([layer]));
  }
});
