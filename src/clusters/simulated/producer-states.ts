/**
 * What a log knows of idempotent producers: epoch, and the sequences of the last five batches of each. It is part of the
 * log: a replica that becomes leader knows them from what it has appended.
 */
import type { RecordBatch } from '../../kafka-protocol/record-batch.ts';

const batchesKept = 5;

interface KnownBatch {
  readonly first: number;
  readonly last: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

interface ProducerState {
  readonly epoch: number;
  /** The newest of them, the newest last. */
  readonly batches: KnownBatch[];
}

/** `duplicate`: it was appended before, at these offsets. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly lastOffset: number }
  | { readonly kind: 'refused'; readonly error: string };

export class ProducerStates {
  #states = new Map<number, ProducerState>();

  judge(batch: RecordBatch): SequenceVerdict {
    const state = this.#states.get(batch.producerId);
    const first = batch.baseSequence;
    const last = first + batch.recordCount - 1;
    // Without a state any sequence is the first.
    if (state === undefined) return { kind: 'append' };
    if (batch.producerEpoch < state.epoch) {
      return { kind: 'refused', error: 'INVALID_PRODUCER_EPOCH' };
    }
    if (batch.producerEpoch > state.epoch) {
      return first === 0
        ? { kind: 'append' }
        : { kind: 'refused', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' };
    }
    for (const known of state.batches) {
      if (known.first === first && known.last === last) return { kind: 'duplicate', ...known };
    }
    const newest = state.batches.at(-1);
    if (newest === undefined || first === newest.last + 1) return { kind: 'append' };
    const isOld = last < (state.batches[0]?.first ?? 0);
    return {
      kind: 'refused',
      error: isOld ? 'DUPLICATE_SEQUENCE_NUMBER' : 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    };
  }

  note(batch: RecordBatch): void {
    if (batch.producerId < 0) return;
    const { producerEpoch: epoch, baseSequence: first, baseOffset, lastOffset } = batch;
    let state = this.#states.get(batch.producerId);
    if (state?.epoch !== epoch) {
      state = { epoch, batches: [] };
      this.#states.set(batch.producerId, state);
    }
    if (state.batches.length === batchesKept) state.batches.shift();
    state.batches.push({ first, last: first + batch.recordCount - 1, baseOffset, lastOffset });
  }

  forget(): void {
    this.#states = new Map();
  }

  rebuild(batches: readonly RecordBatch[]): void {
    this.forget();
    for (const batch of batches) this.note(batch);
  }
}
