/** Batches as clients of the model send them, and as its logs hold them. */
import type { RecordBatch } from '../../src/kafka-protocol/record-batch.ts';

interface BatchParts {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

export function batchOf(values: readonly string[], parts: BatchParts = {}): RecordBatch {
  const { baseOffset = 0, leaderEpoch = -1, producerId = -1, producerEpoch = -1 } = parts;
  return {
    baseOffset,
    lastOffset: baseOffset + values.length - 1,
    leaderEpoch,
    compression: 'none',
    timestampType: 'create',
    transactional: false,
    control: false,
    baseTimestamp: 0,
    maxTimestamp: 0,
    producerId,
    producerEpoch,
    baseSequence: parts.baseSequence ?? -1,
    recordCount: values.length,
    payload: Buffer.alloc(0),
    records: values.map((value, position) => ({
      offset: baseOffset + position,
      timestamp: 0,
      key: null,
      value: Buffer.from(value),
      headers: [],
    })),
  };
}

export function valuesOf(batches: readonly RecordBatch[]): readonly string[] {
  return batches.flatMap(({ records }) =>
    (records ?? []).map(({ value }) => value?.toString('utf8') ?? 'null'),
  );
}
