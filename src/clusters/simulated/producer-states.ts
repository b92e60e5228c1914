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
  /** Offset of its first batch of this epoch. */
  readonly since: number;
  /** The newest of them, the newest last. */
  batches: KnownBatch[];
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
    const epoch = batch.producerEpoch;
    let state = this.#states.get(batch.producerId);
    if (state?.epoch !== epoch) {
      state = { epoch, since: batch.baseOffset, batches: [] };
      this.#states.set(batch.producerId, state);
    }
    if (state.batches.length === batchesKept) state.batches.shift();
    state.batches.push(knownOf(batch));
  }

  /** True for the newest batch that its producer has in this log. */
  isNewest({ producerId, baseOffset }: RecordBatch): boolean {
    return this.#states.get(producerId)?.batches.at(-1)?.baseOffset === baseOffset;
  }

  forget(): void {
    this.#states = new Map();
  }

  /**
   * The log was cut: its end, `removed`, is gone and `kept` is left. Whoever is in the removed part is as it was after the
   * last kept batch; all others are as they were, which spares a walk through the whole log.
   */
  truncate(kept: readonly RecordBatch[], removed: readonly RecordBatch[]): void {
    const end = removed[0]?.baseOffset ?? Infinity;
    for (const producerId of new Set(removed.map((batch) => batch.producerId))) {
      const state = this.#states.get(producerId);
      if (state === undefined) continue;
      if (state.since < end) state.batches = newestOf(kept, producerId, state);
      else {
        this.#states.delete(producerId);
        // Only a producer that was fenced has an earlier epoch to go back to.
        if (state.epoch > 0) this.#noteAgain(kept, producerId);
      }
    }
  }

  #noteAgain(kept: readonly RecordBatch[], producerId: number): void {
    for (const batch of kept) if (batch.producerId === producerId) this.note(batch);
  }
}

/** The newest batches of a producer in its epoch, the newest last. */
function newestOf(
  kept: readonly RecordBatch[],
  producerId: number,
  { epoch, since }: ProducerState,
): KnownBatch[] {
  const newest: KnownBatch[] = [];
  for (let at = kept.length - 1; at >= 0 && newest.length < batchesKept; at--) {
    const batch = kept[at] as RecordBatch;
    if (batch.baseOffset < since) break;
    if (batch.producerId !== producerId || batch.producerEpoch !== epoch) continue;
    newest.unshift(knownOf(batch));
  }
  return newest;
}

function knownOf({ baseSequence: first, baseOffset, lastOffset }: RecordBatch): KnownBatch {
  // The cleaner may have taken records of it.
  return { first, last: first + lastOffset - baseOffset, baseOffset, lastOffset };
}
