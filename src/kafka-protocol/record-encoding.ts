/** Record batches of format 2, encoded: for producers, and for whoever plays the broker. */
import {
  createSink,
  reserve,
  type Sink,
  sinkBytes,
  writeInt64,
  writeSlice,
  writeVarint,
} from './bytes.ts';
import { int16, int32, int8 } from './codec.ts';
import { crc32c } from './crc32c.ts';
import {
  batchBits,
  batchPrefixBytes,
  checksumAt,
  type LogRecord,
  type RecordBatch,
  type RecordHeader,
  compressions,
} from './record-batch.ts';

/** A record before it has an offset. */
export interface RecordDraft {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly RecordHeader[];
  /** Where it stands in the batch; by default its index. Compacted batches have gaps. */
  readonly offsetDelta?: number;
}

export interface BatchDraft {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly records: readonly RecordDraft[];
}

/** A plain batch as a producer without idempotence writes it; for tests and drafts to start from. */
export const plainBatch: Omit<BatchDraft, 'records'> = {
  baseOffset: 0,
  leaderEpoch: -1,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  transactional: false,
};

/** One uncompressed data batch. Timestamps are create times; the base is the first record's. */
export function encodeRecords(draft: BatchDraft): Buffer {
  return encodeBatch(batchOf(draft, false));
}

/** A transaction's end marker: one control record in a batch of its own. */
export function encodeMarker(
  draft: Omit<BatchDraft, 'records' | 'transactional' | 'baseSequence'>,
  marker: 'commit' | 'abort',
  timestamp: number,
): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(marker === 'commit' ? 1 : 0, 2);
  // The value names the coordinator's epoch, which no reader of ours needs: version 0, epoch 0.
  const records: RecordDraft[] = [{ timestamp, key, value: Buffer.alloc(6) }];
  return encodeBatch(batchOf({ ...draft, transactional: true, baseSequence: -1, records }, true));
}

/** The bytes of a batch whose payload is encoded already, or whose records never were: the inverse of decodeBatches. */
export function encodeBatch(batch: RecordBatch): Buffer {
  const payload = batch.records === undefined ? batch.payload : payloadOf(batch, batch.records);
  const sink = createSink(payload.length + 64);
  writeInt64(sink, batch.baseOffset);
  const lengthAt = reserve(sink, 4);
  int32.write(sink, batch.leaderEpoch);
  int8.write(sink, 2);
  const crcAt = reserve(sink, 4);
  int16.write(sink, attributesOf(batch));
  int32.write(sink, batch.lastOffset - batch.baseOffset);
  writeInt64(sink, batch.baseTimestamp);
  writeInt64(sink, batch.maxTimestamp);
  writeInt64(sink, batch.producerId);
  int16.write(sink, batch.producerEpoch);
  int32.write(sink, batch.baseSequence);
  int32.write(sink, batch.recordCount);
  writeSlice(sink, payload);
  sink.bytes.writeInt32BE(sink.at - batchPrefixBytes, lengthAt);
  sink.bytes.writeUInt32BE(crc32c(sink.bytes.subarray(checksumAt + 4, sink.at)), crcAt);
  return sinkBytes(sink);
}

function batchOf(draft: BatchDraft, control: boolean): RecordBatch {
  const baseTimestamp = draft.records[0]?.timestamp ?? -1;
  const deltas = draft.records.map((record, index) => record.offsetDelta ?? index);
  const sink = createSink();
  draft.records.forEach((record, index) => {
    writeRecord(sink, record, record.timestamp - baseTimestamp, deltas[index] ?? index);
  });
  return {
    baseOffset: draft.baseOffset,
    lastOffset: draft.baseOffset + Math.max(0, ...deltas),
    leaderEpoch: draft.leaderEpoch,
    compression: 'none',
    timestampType: 'create',
    transactional: draft.transactional,
    control,
    baseTimestamp,
    maxTimestamp: Math.max(-1, ...draft.records.map((record) => record.timestamp)),
    producerId: draft.producerId,
    producerEpoch: draft.producerEpoch,
    baseSequence: draft.baseSequence,
    recordCount: draft.records.length,
    payload: sinkBytes(sink),
  };
}

function payloadOf(batch: RecordBatch, records: readonly LogRecord[]): Buffer {
  const sink = createSink();
  for (const record of records) {
    const timestampDelta = record.timestamp - batch.baseTimestamp;
    writeRecord(sink, record, timestampDelta, record.offset - batch.baseOffset);
  }
  return sinkBytes(sink);
}

function attributesOf(batch: RecordBatch): number {
  return (
    compressions.indexOf(batch.compression) |
    (batch.timestampType === 'append' ? batchBits.appendTime : 0) |
    (batch.transactional ? batchBits.transactional : 0) |
    (batch.control ? batchBits.control : 0)
  );
}

function writeRecord(
  sink: Sink,
  record: RecordDraft,
  timestampDelta: number,
  offsetDelta: number,
): void {
  const body = createSink();
  int8.write(body, 0);
  writeVarint(body, timestampDelta);
  writeVarint(body, offsetDelta);
  writeNullable(body, record.key);
  writeNullable(body, record.value);
  const headers = record.headers ?? [];
  writeVarint(body, headers.length);
  for (const header of headers) {
    writeNullable(body, Buffer.from(header.key, 'utf8'));
    writeNullable(body, header.value);
  }
  writeVarint(sink, body.at);
  writeSlice(sink, body.bytes.subarray(0, body.at));
}

function writeNullable(sink: Sink, bytes: Buffer | null): void {
  if (bytes === null) {
    writeVarint(sink, -1);
    return;
  }
  writeVarint(sink, bytes.length);
  writeSlice(sink, bytes);
}
