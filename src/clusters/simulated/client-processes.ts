/**
 * Clients that are processes of their own, as far as faults go: one that is frozen neither sends nor hears anything until it is thawed,
 * while its connections and the time of everybody else go on.
 */
import type { ClientPort } from '../../spi/cluster.ts';
import type { ClientProcess } from '../../spi/simulation.ts';
import type { Kernel } from './kernel.ts';
import { later } from './ports.ts';

class Freezable implements ClientProcess {
  #frozen = false;
  #waiting: (() => void)[] = [];
  readonly #ended: () => void;

  constructor(ended: () => void) {
    this.#ended = ended;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  pass(): Promise<void> {
    if (!this.#frozen) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#ended();
    this.thaw();
  }
}

export class ClientProcesses {
  readonly #running = new Map<string, Freezable>();

  start(name: string): ClientProcess {
    const process = new Freezable(() => this.#running.delete(name));
    this.#running.set(name, process);
    return process;
  }

  /** @returns the names of those that were frozen. */
  thawAll(): readonly string[] {
    const frozen = [...this.#running].filter(([, process]) => process.frozen);
    for (const [, process] of frozen) process.thaw();
    return frozen.map(([name]) => name);
  }

  port(kernel: Kernel): ClientPort {
    const running = this.#running;
    return {
      names: () => [...running.keys()],
      state: (name) =>
        later(kernel, () => {
          const process = running.get(name);
          return process === undefined ? null : { frozen: process.frozen };
        }),
      pause: (name) =>
        later(kernel, () => {
          running.get(name)?.freeze();
        }),
      resume: (name) =>
        later(kernel, () => {
          running.get(name)?.thaw();
        }),
    };
  }
}
