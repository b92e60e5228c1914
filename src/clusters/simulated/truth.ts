/** What the model itself knows at the end of a run: the logs as their leaders hold them, and what was ever appended. */
import type { RecordBatch } from '../../kafka-protocol/record-batch.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { SimulatedNode } from './node.ts';

export interface TrueRecord {
  readonly offset: number;
  /** The bytes of the record's value, as text. */
  readonly value: string;
}

export interface GroundTruth {
  /** By `topic/partition`: what the leader's log holds below its high watermark; null while no node leads it. */
  log(name: string): readonly TrueRecord[] | null;
}

export function createGroundTruth(nodes: ReadonlyMap<NodeId, SimulatedNode>): GroundTruth {
  return {
    log: (name) => {
      for (const { broker } of nodes.values()) {
        const replica = broker?.replicas.get(name);
        if (replica?.leads === true) return recordsOf(replica.log.batches, replica.highWatermark);
      }
      return null;
    },
  };
}

function recordsOf(batches: readonly RecordBatch[], end: number): readonly TrueRecord[] {
  return batches
    .flatMap((batch) => batch.records ?? [])
    .filter(({ offset }) => offset < end)
    .map(({ offset, value }) => ({ offset, value: value?.toString('utf8') ?? '' }));
}
