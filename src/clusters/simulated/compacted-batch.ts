/** A batch that the cleaner has been through: some of its records are gone, and it covers the same offsets as before. */
import type { Compression, LogRecord, RecordBatch } from '../../kafka-protocol/record-batch.ts';

export class CompactedBatch implements RecordBatch {
  readonly records: readonly LogRecord[];
  /** When its tombstones may go, ns; null until the cleaner has met them. */
  readonly deleteHorizonNs: number | null;
  readonly #whole: RecordBatch;

  /** @param whole as it was appended, or as an earlier pass left it. */
  constructor(whole: RecordBatch, records: readonly LogRecord[], deleteHorizonNs: number | null) {
    this.#whole = whole instanceof CompactedBatch ? whole.#whole : whole;
    this.records = records;
    this.deleteHorizonNs = deleteHorizonNs;
  }

  get baseOffset(): number {
    return this.#whole.baseOffset;
  }

  get lastOffset(): number {
    return this.#whole.lastOffset;
  }

  get leaderEpoch(): number {
    return this.#whole.leaderEpoch;
  }

  get compression(): Compression {
    return this.#whole.compression;
  }

  get timestampType(): 'create' | 'append' {
    return this.#whole.timestampType;
  }

  get transactional(): boolean {
    return this.#whole.transactional;
  }

  get control(): boolean {
    return this.#whole.control;
  }

  get baseTimestamp(): number {
    return this.#whole.baseTimestamp;
  }

  get maxTimestamp(): number {
    return this.#whole.maxTimestamp;
  }

  get producerId(): number {
    return this.#whole.producerId;
  }

  get producerEpoch(): number {
    return this.#whole.producerEpoch;
  }

  get baseSequence(): number {
    return this.#whole.baseSequence;
  }

  get recordCount(): number {
    return this.records.length;
  }

  get payload(): Buffer {
    return this.#whole.payload;
  }
}
