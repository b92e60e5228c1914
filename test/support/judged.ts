/**
 * What the checkers say of a hand-written history; every witness that comes out is certified on the way, and where nothing is found
 * the certifier believes no claim either, though it names every operation.
 */
import { expect } from 'vitest';
import { certifiable, certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory, type CheckOptions } from '../../checkers/index.ts';
import type { HistoryEvent, Process } from '../../src/history/event.ts';
import type { AnomalyName, AnomalyResult, ResultDocument } from '../../src/spi/verdict.ts';
import type { HistoryBuilder } from './history-builder.ts';

interface Lenience {
  /** Anomalies of which the certifier believes more than the checkers find: it knows less of why nothing is owed. */
  readonly believes?: readonly AnomalyName[];
}

function judged(
  builder: HistoryBuilder,
  { believes = [], ...options }: CheckOptions & Lenience = {},
): ResultDocument {
  const result = checkHistory(builder.load(), options);
  const events = builder.events();
  const whole = { operations: named(events), layer: 'unknown', explanation: '' } as const;
  for (const name of certifiable) {
    const { outcome } = result.anomalies[name];
    const claim = certifyWitness(builder.header, events, name, whole);
    if (believes.includes(name)) continue;
    expect([name, claim.holds]).toEqual([name, outcome === 'found']);
    for (const witness of result.anomalies[name].witnesses) {
      const certificate = certifyWitness(builder.header, events, name, witness);
      expect(certificate, `${name}: ${witness.explanation}`).toMatchObject({ holds: true });
    }
  }
  return result;
}

export function resultOf(
  builder: HistoryBuilder,
  anomaly: AnomalyName,
  lenience: Lenience = {},
): AnomalyResult {
  return judged(builder, lenience).anomalies[anomaly];
}

/** Every operation by the index that witnesses name: of its completion, of its invocation where there is none. */
function named(events: readonly HistoryEvent[]): readonly number[] {
  const indexes = new Set<number>();
  const open = new Map<Process, number>();
  for (const { index, type, process } of events) {
    if (type === 'event') continue;
    indexes.delete(open.get(process) ?? -1);
    open.delete(process);
    if (type === 'invoke') open.set(process, index);
    indexes.add(index);
  }
  return [...indexes];
}
