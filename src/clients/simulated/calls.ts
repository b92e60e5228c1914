/** One send: its batches, the one outcome that its records share, and what is left of it after its deadline. */
import type { Timer } from '../../core/clock.ts';
import type { Outcome, Sent } from '../../spi/client.ts';
import type { NodeId } from '../../spi/cluster.ts';
import { assert } from '../../core/assert.ts';
import { type Batch, type BatchOwner, batchesOf, type PlacedRequest } from './batches.ts';
import { type BatchResult, mergedOutcome } from './outcomes.ts';

export interface CallOptions {
  readonly placed: readonly PlacedRequest[];
  readonly deadlineNs: number;
  /** Milliseconds since the epoch, of every record. */
  readonly timestamp: number;
  readonly answer: (outcome: Outcome<readonly Sent[]>) => void;
  /** Told when the last batch has its result, also after the deadline. */
  readonly settled: (call: Call) => void;
}

export class Call implements BatchOwner {
  readonly deadlineNs: number;
  readonly acknowledgedBy: NodeId[] = [];
  readonly batches: readonly Batch[];
  readonly #options: CallOptions;
  #left: number;
  #answered = false;
  #timer: Timer | null = null;

  constructor(options: CallOptions) {
    this.#options = options;
    this.deadlineNs = options.deadlineNs;
    this.batches = batchesOf(this, options.placed, options.timestamp);
    this.#left = this.batches.length;
  }

  get isSettled(): boolean {
    return this.#left === 0;
  }

  /** The timer ends with the call. */
  expireBy(timer: Timer): void {
    this.#timer = timer;
  }

  finished(): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#timer?.cancel();
    if (!this.#answered) {
      this.#answered = true;
      const results = this.batches.map(resultOf);
      this.#options.answer(mergedOutcome(results, () => this.#sent()));
    }
    this.#options.settled(this);
  }

  /** Answers now, though batches are under way. */
  answerEarly(outcome: Outcome<readonly Sent[]>): void {
    assert(!this.#answered, 'a call is answered once');
    this.#answered = true;
    this.#options.answer(outcome);
  }

  #sent(): readonly Sent[] {
    const [first, second] = this.batches;
    // Records of one batch stand in the order of the call, unless a defect turned them round.
    if (first?.positions[0] === 0 && second === undefined) return sentOf(first);
    const sent: Sent[] = [];
    for (const batch of this.batches) {
      for (const [index, one] of sentOf(batch).entries()) {
        sent[batch.positions[index] as number] = one;
      }
    }
    return sent;
  }
}

function sentOf(batch: Batch): readonly Sent[] {
  const { partition, positions } = batch;
  const result = resultOf(batch);
  const base = result.type === 'ok' ? result.baseOffset : null;
  return positions.map((_, index) => ({ partition, offset: base === null ? null : base + index }));
}

function resultOf({ result }: Batch): BatchResult {
  assert(result !== null, 'a call is answered when its batches are finished');
  return result;
}

/** Calls that have not settled, and whoever waits until there are none. */
export class OpenCalls {
  /** A few at most, for which a list beats a set. */
  readonly #calls: Call[] = [];
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: Call): void {
    this.#calls.push(call);
  }

  delete(call: Call): void {
    const at = this.#calls.indexOf(call);
    if (at === -1) return;
    this.#calls.splice(at, 1);
    if (this.#calls.length > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  [Symbol.iterator](): Iterator<Call> {
    return [...this.#calls][Symbol.iterator]();
  }

  whenEmpty(): Promise<void> {
    if (this.#calls.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
