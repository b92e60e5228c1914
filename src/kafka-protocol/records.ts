/**
 * The records that a message carries: bytes as they came from the wire, or batches that never were bytes (the simulated
 * cluster passes those on). Only bytes travel: the codec encodes what is not.
 */
import { nullableBytes, type Codec } from './codec.ts';
import { decodeBatches, type RecordBatch } from './record-batch.ts';
import { encodeBatch } from './record-encoding.ts';

export type Records = Buffer | readonly RecordBatch[];

export const nullableRecords: Codec<Records | null> = {
  write: (sink, value) => {
    const isBytes = value === null || Buffer.isBuffer(value);
    nullableBytes.write(sink, isBytes ? value : Buffer.concat(value.map(encodeBatch)));
  },
  read: (source) => nullableBytes.read(source),
};

/**
 * The whole batches that a message carries, in the order in which they stand there.
 * @param where names the log in errors, as `topic/partition`.
 * @throws OrdealError WIRE on bytes that are no batches of format 2.
 */
export function batchesOf(records: Records | null, where: string): readonly RecordBatch[] {
  if (records === null) return [];
  return Buffer.isBuffer(records) ? decodeBatches(records, where) : records;
}
