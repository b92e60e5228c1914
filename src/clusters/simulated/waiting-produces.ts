/** Producers of one log that wait, with acks all, until the watermark has passed what they sent. */
import type { NodeProcess } from './node-process.ts';

/** What a produce request to one log comes to; `error` is Kafka's name, NONE for success. */
export interface Appended {
  readonly error: string;
  readonly baseOffset: number;
}

interface WaitingProduce {
  /** The watermark at which all in sync have it. */
  readonly required: number;
  readonly baseOffset: number;
  /** Null once it was answered. */
  done: ((appended: Appended) => void) | null;
}

export class WaitingProduces {
  readonly #process: NodeProcess;
  #waiting: WaitingProduce[] = [];

  constructor(process: NodeProcess) {
    this.#process = process;
  }

  /** @param done told when the watermark gets to `required`, or of a failure, or after `timeoutMs`. */
  add(
    required: number,
    baseOffset: number,
    timeoutMs: number,
    done: (appended: Appended) => void,
  ): void {
    const waiting: WaitingProduce = { required, baseOffset, done: null };
    this.#waiting.push(waiting);
    const timer = this.#process.after(timeoutMs, () => {
      settle(waiting, { error: 'REQUEST_TIMED_OUT', baseOffset: -1 });
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
    });
    waiting.done = (appended) => {
      timer.cancel();
      done(appended);
    };
  }

  /** All in sync have what is below the watermark, and they are enough: else it would not have risen. */
  answerUpTo(watermark: number): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const ready: WaitingProduce[] = [];
    for (const produce of waiting) {
      (produce.required <= watermark ? ready : this.#waiting).push(produce);
    }
    for (const produce of ready) settle(produce, { error: 'NONE', baseOffset: produce.baseOffset });
  }

  failAll(error: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const produce of waiting) settle(produce, { error, baseOffset: -1 });
  }

  /** The process ends: whoever waits hears no more. */
  forget(): void {
    for (const waiting of this.#waiting) waiting.done = null;
    this.#waiting = [];
  }
}

function settle(waiting: WaitingProduce, appended: Appended): void {
  const { done } = waiting;
  waiting.done = null;
  done?.(appended);
}
