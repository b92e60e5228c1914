/** The switch that instrumented sources ask: which mutant is on, which ones the running test reached, how many turns. */
export interface MutationSwitch {
  /** True if this mutant is on. While none is, notes that the running test reached it. */
  at(number: number): boolean;
  /** Counts one turn of a loop; throws past the limit. */
  turn(): void;
}

declare global {
  // A global must be declared with `var` for TypeScript to type globalThis by it.
  var ordealMutation: MutationSwitch;
}

/** What a test reached, and how many turns its loops took. */
export interface Reach {
  readonly mutants: readonly number[];
  readonly turns: number;
}

export class Switch implements MutationSwitch {
  #active = -1;
  #turns = 0;
  #turnsMax = Infinity;
  readonly #reached = new Set<number>();

  at(number: number): boolean {
    if (this.#active === -1) this.#reached.add(number);
    return this.#active === number;
  }

  turn(): void {
    if (++this.#turns > this.#turnsMax) {
      throw new Error(`more than ${this.#turnsMax} turns of loops`);
    }
  }

  /** Turns one mutant on, for one test. */
  on(number: number, turnsMax: number): void {
    this.#active = number;
    this.#turns = 0;
    this.#turnsMax = turnsMax;
  }

  /** The last test went past its limit, whatever became of the error. */
  get exhausted(): boolean {
    return this.#turns > this.#turnsMax;
  }

  /** No mutant is on; what is reached from here on is noted. */
  off(): void {
    this.on(-1, Infinity);
    this.#reached.clear();
  }

  reach(): Reach {
    return { mutants: [...this.#reached], turns: this.#turns };
  }
}
