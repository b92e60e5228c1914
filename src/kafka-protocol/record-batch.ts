/**
 * Record batches of format 2, decoded. The head of a batch (who wrote it, where it stands, whether it is a control
 * marker) is readable even where its records are compressed; records are decoded on demand, and compressed ones are
 * refused by name. Layout: Kafka's message format, "Record Batch".
 */
import {
  type Source,
  malformed,
  readInt64,
  readSlice,
  readVarint,
  remaining,
  sourceOf,
  take,
} from './bytes.ts';
import { crc32c } from './crc32c.ts';

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface RecordBatch {
  readonly baseOffset: number;
  /** The last offset that the batch covers, also where compaction took the record. */
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly compression: Compression;
  readonly timestampType: 'create' | 'append';
  readonly transactional: boolean;
  readonly control: boolean;
  /** Milliseconds since the epoch, as is `maxTimestamp`. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1: not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  /** The records as they stand in the batch; empty where `records` has them. */
  readonly payload: Buffer;
  /** Present in a batch that never was bytes; offsets are those of the log. */
  readonly records?: readonly LogRecord[];
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Of a record that never was bytes: what it carries, and what readers make of it. */
  readonly content?: Content;
  readonly shown?: object;
}

/** What a record that never was bytes carries. */
export interface Content {
  /** The bytes, made when they are asked for. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** What readers make of it where it stands at this offset. */
  shownAt(offset: number): object;
}

const noHeaders: readonly RecordHeader[] = [];
const noBytes = Buffer.alloc(0);

/** A record that never was bytes: in a simulated cluster nobody asks for them, and millions are sent. */
export class UnencodedRecord implements LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly content: Content;
  #shown: object | null = null;

  constructor(content: Content, timestamp: number, offset: number) {
    this.content = content;
    this.timestamp = timestamp;
    this.offset = offset;
  }

  get key(): Buffer | null {
    return this.content.key;
  }

  get value(): Buffer | null {
    return this.content.value;
  }

  get headers(): readonly RecordHeader[] {
    return noHeaders;
  }

  /** One and the same for every reader and every audit. */
  get shown(): object {
    this.#shown ??= this.content.shownAt(this.offset);
    return this.#shown;
  }

  /** The same record at another offset. */
  at(offset: number): UnencodedRecord {
    return new UnencodedRecord(this.content, this.timestamp, offset);
  }
}

/** What a producer says of a plain batch; every copy of it says the same. */
export interface BatchHead {
  /** Of all its records, milliseconds since the epoch. */
  readonly timestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** A plain batch that never was bytes. What all such batches have in common takes no room in them: logs keep millions. */
export class UnencodedBatch implements RecordBatch {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly records: readonly LogRecord[];
  readonly #head: BatchHead;

  constructor(
    head: BatchHead,
    baseOffset: number,
    leaderEpoch: number,
    records: readonly LogRecord[],
  ) {
    this.#head = head;
    this.baseOffset = baseOffset;
    this.leaderEpoch = leaderEpoch;
    this.records = records;
  }

  get lastOffset(): number {
    return this.baseOffset + this.records.length - 1;
  }

  get compression(): Compression {
    return 'none';
  }

  get timestampType(): 'create' {
    return 'create';
  }

  get transactional(): boolean {
    return false;
  }

  get control(): boolean {
    return false;
  }

  get baseTimestamp(): number {
    return this.#head.timestamp;
  }

  get maxTimestamp(): number {
    return this.#head.timestamp;
  }

  get producerId(): number {
    return this.#head.producerId;
  }

  get producerEpoch(): number {
    return this.#head.producerEpoch;
  }

  get baseSequence(): number {
    return this.#head.baseSequence;
  }

  get recordCount(): number {
    return this.#head.recordCount;
  }

  get payload(): Buffer {
    return noBytes;
  }

  /** The same batch elsewhere, with these of its records. */
  at(baseOffset: number, leaderEpoch: number, records: readonly LogRecord[]): UnencodedBatch {
    return new UnencodedBatch(this.#head, baseOffset, leaderEpoch, records);
  }
}

/** The same batch where a leader puts it: in its epoch, with these of its records at their offsets. */
export function batchAt(
  batch: RecordBatch,
  baseOffset: number,
  leaderEpoch: number,
  records: readonly LogRecord[],
): RecordBatch {
  if (batch instanceof UnencodedBatch) return batch.at(baseOffset, leaderEpoch, records);
  const lastOffset = baseOffset + records.length - 1;
  return { ...batch, baseOffset, lastOffset, leaderEpoch, records };
}

/** The same record at another offset. */
export function recordAt(record: LogRecord, offset: number): LogRecord {
  return record instanceof UnencodedRecord ? record.at(offset) : { ...record, offset };
}

/** Bits of a batch's attributes. */
export const batchBits = {
  compression: 0x07,
  appendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
};
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Bytes before the part that the batch's own length counts: base offset and length. */
export const batchPrefixBytes = 12;
/** Bytes of a batch's head, from base offset to record count. */
const batchHeadBytes = 61;
/** Where the checksum stands; it covers everything after itself. */
export const checksumAt = 17;

/**
 * The whole batches at the front of `bytes`. Brokers cut a fetch anywhere, so a partial last batch is normal and is left
 * out.
 * @param where names the log in errors, as `topic/partition`.
 * @throws OrdealError WIRE on an older format or a wrong checksum.
 */
export function decodeBatches(bytes: Buffer, where: string): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let at = 0;
  while (bytes.length - at > batchPrefixBytes + 4) {
    const source = sourceOf(bytes.subarray(at));
    const baseOffset = readInt64(source);
    const length = source.bytes.readInt32BE(take(source, 4));
    if (length < batchHeadBytes - batchPrefixBytes) {
      throw malformed(`the batch at offset ${baseOffset} of ${where} claims ${length} bytes`);
    }
    if (remaining(source) < length) break;
    batches.push(decodeBatch(source.bytes.subarray(0, batchPrefixBytes + length), where));
    at += batchPrefixBytes + length;
  }
  return batches;
}

function decodeBatch(bytes: Buffer, where: string): RecordBatch {
  const source = sourceOf(bytes);
  const baseOffset = readInt64(source);
  take(source, 4);
  const leaderEpoch = bytes.readInt32BE(take(source, 4));
  const magic = bytes.readInt8(take(source, 1));
  if (magic !== 2) {
    throw malformed(`the batch at offset ${baseOffset} of ${where} has format ${magic}, not 2`);
  }
  const expected = bytes.readUInt32BE(take(source, 4));
  const actual = crc32c(bytes.subarray(checksumAt + 4));
  if (actual !== expected) {
    throw malformed(
      `the batch at offset ${baseOffset} of ${where} has checksum ${actual}, but says ${expected}`,
    );
  }
  const attributes = bytes.readInt16BE(take(source, 2));
  const compression = compressions[attributes & batchBits.compression];
  if (compression === undefined) {
    throw malformed(`the batch at offset ${baseOffset} of ${where} has an unknown compression`);
  }
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(take(source, 4)),
    leaderEpoch,
    compression,
    timestampType: (attributes & batchBits.appendTime) === 0 ? 'create' : 'append',
    transactional: (attributes & batchBits.transactional) !== 0,
    control: (attributes & batchBits.control) !== 0,
    baseTimestamp: readInt64(source),
    maxTimestamp: readInt64(source),
    producerId: readInt64(source),
    producerEpoch: bytes.readInt16BE(take(source, 2)),
    baseSequence: bytes.readInt32BE(take(source, 4)),
    recordCount: bytes.readInt32BE(take(source, 4)),
    payload: bytes.subarray(source.at),
  };
}

/** Why the records of a batch cannot be read, or null if they can. */
export function compressionRefusal(batch: RecordBatch, where: string): string | null {
  if (batch.compression === 'none') return null;
  return `${batch.compression}-compressed batch at offset ${batch.baseOffset} of ${where}: only uncompressed records can be read`;
}

/**
 * The records of a batch, in offset order. Compaction may have left fewer than the batch's range, or none.
 * @throws OrdealError WIRE on a compressed batch, or on records that do not fill the batch exactly.
 */
export function decodeRecords(batch: RecordBatch, where: string): readonly LogRecord[] {
  if (batch.records !== undefined) return batch.records;
  const refusal = compressionRefusal(batch, where);
  if (refusal !== null) throw malformed(refusal);
  const source = sourceOf(batch.payload);
  const records: LogRecord[] = [];
  for (let i = 0; i < batch.recordCount; i++) records.push(decodeRecord(source, batch, where));
  if (remaining(source) > 0) {
    throw malformed(
      `${remaining(source)} bytes are left over in the batch at offset ${batch.baseOffset} of ${where}`,
    );
  }
  return records;
}

function decodeRecord(source: Source, batch: RecordBatch, where: string): LogRecord {
  const length = readVarint(source);
  const end = take(source, length) + length;
  source.at = end - length;
  take(source, 1);
  const timestamp = batch.baseTimestamp + readVarint(source);
  const offset = batch.baseOffset + readVarint(source);
  const key = readNullable(source);
  const value = readNullable(source);
  const headers: RecordHeader[] = [];
  const headerCount = readVarint(source);
  for (let i = 0; i < headerCount; i++) {
    const name = readSlice(source, readVarint(source)).toString('utf8');
    headers.push({ key: name, value: readNullable(source) });
  }
  if (source.at !== end || offset < batch.baseOffset || offset > batch.lastOffset) {
    throw malformed(
      `a record of the batch at offset ${batch.baseOffset} of ${where} contradicts its own length or range`,
    );
  }
  return {
    offset,
    timestamp: batch.timestampType === 'append' ? batch.maxTimestamp : timestamp,
    key,
    value,
    headers,
  };
}

function readNullable(source: Source): Buffer | null {
  const length = readVarint(source);
  return length < 0 ? null : readSlice(source, length);
}

/** What a batch marks: the end of a transaction, or nothing for clients (null also for plain batches). */
export function markerOf(batch: RecordBatch, where: string): 'commit' | 'abort' | null {
  if (!batch.control) return null;
  // The key of a control record: version and type, two bytes each. Compaction may have left the batch empty.
  const key = decodeRecords(batch, where)[0]?.key;
  if (key === undefined || key === null || key.length < 4) return null;
  const type = key.readInt16BE(2);
  if (type === 0) return 'abort';
  return type === 1 ? 'commit' : null;
}
