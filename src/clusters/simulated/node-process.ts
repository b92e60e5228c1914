/**
 * The process of one node: runs, is frozen, dies. Whatever reaches a frozen process (messages, timers) waits and is
 * handled on resume, in the order in which it came; whatever belongs to a dead one is lost.
 */
import { nsPerMs } from '../../core/units.ts';
import type { NodeId, ProcessState } from '../../spi/cluster.ts';
import type { Kernel, Scheduled } from './kernel.ts';

export class NodeProcess {
  readonly id: NodeId;
  readonly kernel: Kernel;
  readonly #driftPpm: number;
  #running = false;
  #frozen = false;
  #exitCode: number | null = null;
  #starts = 0;
  #inbox: (() => void)[] = [];

  constructor(id: NodeId, kernel: Kernel, driftPpm: number) {
    this.id = id;
    this.kernel = kernel;
    this.#driftPpm = driftPpm;
  }

  get running(): boolean {
    return this.#running;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Counts the starts: tells one life of the process from the next. */
  get incarnation(): number {
    return this.#starts;
  }

  state(): ProcessState {
    return {
      running: this.#running,
      frozen: this.#frozen,
      exitCode: this.#exitCode,
      starts: this.#starts,
    };
  }

  begin(): void {
    this.#running = true;
    this.#frozen = false;
    this.#exitCode = null;
    this.#starts += 1;
    this.#inbox = [];
  }

  end(exitCode: number): void {
    this.#running = false;
    this.#frozen = false;
    this.#exitCode = exitCode;
    this.#inbox = [];
  }

  freeze(): void {
    if (this.#running) this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    const { incarnation } = this;
    const waiting = this.#inbox;
    this.#inbox = [];
    for (const handle of waiting) {
      // What is handled first may end the process.
      if (this.#running && incarnation === this.#starts) handle();
    }
  }

  /** Handles something that came from outside, now or on resume; a dead process never does. */
  receive(handle: () => void): void {
    if (!this.#running) return;
    if (this.#frozen) this.#inbox.push(handle);
    else handle();
  }

  /** A timer of this life of the process, by its own clock. */
  after(delayMs: number, run: () => void): Scheduled {
    const exactNs = Math.round(delayMs * nsPerMs);
    const driftNs = Math.trunc((exactNs / 1_000_000) * this.#driftPpm);
    const { incarnation } = this;
    return this.kernel.after(exactNs + driftNs, () => {
      if (incarnation === this.#starts) this.receive(run);
    });
  }

  /** Runs it every `intervalMs`, for this life of the process. */
  every(intervalMs: number, run: () => void): void {
    this.after(intervalMs, () => {
      run();
      this.every(intervalMs, run);
    });
  }
}
