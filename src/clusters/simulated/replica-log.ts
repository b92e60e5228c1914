/**
 * One replica's log as its disk holds it: batches, leader epochs, and the high watermark as it was last checkpointed. It
 * survives the process; a power loss takes what was appended last.
 */
import { nsPerMs } from '../../core/units.ts';
import type { RecordBatch } from '../../kafka-protocol/record-batch.ts';
import { ProducerStates } from './producer-states.ts';

/** A leader epoch and the first offset that it wrote. */
export interface EpochStart {
  readonly epoch: number;
  readonly start: number;
}

export interface LogEnd {
  readonly epoch: number;
  readonly end: number;
}

/** What a batch takes of a fetch, more or less: heads and records are small here. */
const batchBytes = 70;
const recordBytes = 40;
const nothing: readonly RecordBatch[] = [];

export class ReplicaLog {
  #batches: RecordBatch[] = [];
  /** When each batch was appended, ns. */
  #appendedNs: number[] = [];
  #epochs: EpochStart[] = [];
  readonly producers = new ProducerStates();
  checkpoint = 0;
  #end = 0;
  /** Where the segment begins that is appended to, and when it did, ns. */
  #segment = { base: 0, sinceNs: 0 };
  /** Below it the cleaner has been. */
  #cleanedTo = 0;

  /** The offset that the next record gets. */
  get end(): number {
    return this.#end;
  }

  /** The first offset of the segment that is appended to: the cleaner leaves it alone. */
  get activeSegment(): number {
    return this.#segment.base;
  }

  get cleanedTo(): number {
    return this.#cleanedTo;
  }

  get lastEpoch(): number {
    return this.#batches.at(-1)?.leaderEpoch ?? -1;
  }

  get batches(): readonly RecordBatch[] {
    return this.#batches;
  }

  /** A new leader's epoch begins at the end of the log. */
  beginEpoch(epoch: number): void {
    this.#noteEpoch(epoch, this.end);
  }

  /** @param nowNs when it reached this disk's page cache. */
  append(batch: RecordBatch, nowNs: number): void {
    if (batch.baseOffset < this.end) throw new Error('a log never goes backwards');
    this.#noteEpoch(batch.leaderEpoch, batch.baseOffset);
    this.#batches.push(batch);
    this.#appendedNs.push(nowNs);
    this.#end = batch.lastOffset + 1;
    this.producers.note(batch);
  }

  /** Before an append: begins another segment if this one is old enough. */
  roll(nowNs: number, segmentMs: number): void {
    if (this.#end === this.#segment.base) this.#segment.sinceNs = nowNs;
    else if (nowNs - this.#segment.sinceNs >= segmentMs * nsPerMs) {
      this.#segment = { base: this.#end, sinceNs: nowNs };
    }
  }

  /** Batches that begin in [from, bound). */
  batchesIn(from: number, bound: number): readonly RecordBatch[] {
    return this.#batches.slice(this.#indexOf(from), this.#indexOf(bound));
  }

  /**
   * Puts what `cleaned` makes of each batch below `bound` in its place. An empty one goes, unless it is its producer's newest: that
   * one holds its sequence.
   */
  clean(bound: number, cleaned: (batch: RecordBatch) => RecordBatch): void {
    const batches: RecordBatch[] = [];
    const appendedNs: number[] = [];
    for (const [at, batch] of this.#batches.entries()) {
      const left = batch.baseOffset < bound ? cleaned(batch) : batch;
      if (left.recordCount === 0 && !this.producers.isNewest(left)) continue;
      batches.push(left);
      appendedNs.push(this.#appendedNs[at] as number);
    }
    this.#batches = batches;
    this.#appendedNs = appendedNs;
    this.#cleanedTo = bound;
  }

  /** Batches from the one that holds `from` (or the next one) on, below `bound`, at most about `bytesMax`, at least one. */
  read(from: number, bound: number, bytesMax: number): readonly RecordBatch[] {
    // Followers that have everything ask again and again.
    if (from >= this.end) return nothing;
    const batches: RecordBatch[] = [];
    let bytes = 0;
    for (let at = this.#indexOf(from); at < this.#batches.length; at++) {
      const batch = this.#batches[at] as RecordBatch;
      if (batch.baseOffset >= bound) break;
      bytes += batchBytes + recordBytes * batch.recordCount;
      if (bytes > bytesMax && batches.length > 0) break;
      batches.push(batch);
    }
    return batches;
  }

  /** Where the newest epoch that is not above `epoch` ends in this log; epoch -1 and end 0 if there is none. */
  endOfEpoch(epoch: number): LogEnd {
    for (let at = this.#epochs.length - 1; at >= 0; at--) {
      const known = this.#epochs[at] as EpochStart;
      if (known.epoch > epoch) continue;
      return { epoch: known.epoch, end: this.#epochs[at + 1]?.start ?? this.end };
    }
    return { epoch: -1, end: 0 };
  }

  truncateTo(end: number): void {
    if (end >= this.end) return;
    const keep = this.#indexOf(end);
    const removed = this.#batches.splice(keep);
    // A batch goes whole; and where compaction has left nothing, the log ends at `end` all the same.
    this.#end = Math.min(end, removed[0]?.baseOffset ?? end);
    this.#appendedNs.length = keep;
    this.#epochs = this.#epochs.filter(({ start }) => start < this.end);
    this.checkpoint = Math.min(this.checkpoint, end);
    this.#cleanedTo = Math.min(this.#cleanedTo, this.#end);
    if (this.#segment.base > this.#end) this.#segment = { base: this.#end, sinceNs: 0 };
    this.producers.truncate(this.#batches, removed);
  }

  /** The power fails: what is younger than `flushNs` had not reached the disk. @returns how many records that took. */
  loseUnsynced(nowNs: number, flushNs: number): number {
    const before = this.end;
    let keep = this.#appendedNs.length;
    while (keep > 0 && nowNs - (this.#appendedNs[keep - 1] as number) < flushNs) keep -= 1;
    this.truncateTo(this.#batches[keep]?.baseOffset ?? before);
    return before - this.end;
  }

  /** Somebody deletes the directory. @returns how many bytes that took, more or less. */
  wipe(): number {
    const records = this.#batches.reduce((sum, { recordCount }) => sum + recordCount, 0);
    const bytes = this.#batches.length * batchBytes + records * recordBytes;
    this.truncateTo(0);
    return bytes;
  }

  #noteEpoch(epoch: number, start: number): void {
    // An epoch that wrote nothing leaves no trace, or what is copied of an older one would be taken for its own.
    while ((this.#epochs.at(-1)?.start ?? -1) >= start) this.#epochs.pop();
    const last = this.#epochs.at(-1);
    if (last === undefined || last.epoch < epoch) this.#epochs.push({ epoch, start });
  }

  /** Index of the first batch that ends at or after `offset`. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as RecordBatch).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
