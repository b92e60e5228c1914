/**
 * Faults of implementation that the simulated brokers and controllers can be given. Each one is an `if` at the place where
 * its real twin was wrong; docs/defects.md is generated from this table.
 */
import type { AnomalyName } from '../../spi/verdict.ts';
import type { Defect } from '../../spi/simulation.ts';

/** What any loss of acknowledged records brings with it: the offset is given out again, and readers had seen it. */
const afterLoss: readonly AnomalyName[] = [
  'lost-write',
  'truncated-read',
  'inconsistent-offsets',
  'real-time-inversion',
  'scan-divergence',
];

function broker(
  name: string,
  primary: AnomalyName,
  consequences: readonly AnomalyName[],
  text: { readonly summary: string; readonly twin: string | null },
  needs: Defect['needs'] = {},
): Defect {
  const others = [...new Set(consequences)].filter((anomaly) => anomaly !== primary);
  return { name, layer: 'broker', primary, consequences: others, ...text, needs };
}

export const brokerDefects: readonly Defect[] = [
  broker('ack-before-replication', 'lost-write', afterLoss, {
    summary: 'acks=all is answered as soon as the leader has appended',
    twin: 'acks=1 by mistake; Redpanda and Kafka with a misread request',
  }),
];
