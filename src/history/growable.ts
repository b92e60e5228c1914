/** Typed arrays that grow by doubling: the columns while they are being built. */

class Growable<T extends Float64Array | Int32Array | Uint8Array> {
  count = 0;
  protected cells: T;
  readonly #grow: (cells: T) => T;

  constructor(cells: T, grow: (cells: T) => T) {
    this.cells = cells;
    this.#grow = grow;
  }

  push(value: number): void {
    if (this.count === this.cells.length) this.cells = this.#grow(this.cells);
    this.cells[this.count++] = value;
  }

  at(i: number): number {
    return this.cells[i]!;
  }

  set(i: number, value: number): void {
    this.cells[i] = value;
  }

  /** The cells in use, sharing memory with this. */
  view(): T {
    return this.cells.subarray(0, this.count) as T;
  }
}

/** A history of some hundred operations, of which simulations check thousands, hardly grows. */
const initialCells = 256;

export class Floats extends Growable<Float64Array> {
  constructor() {
    super(new Float64Array(initialCells), (cells) => {
      const grown = new Float64Array(cells.length * 2);
      grown.set(cells);
      return grown;
    });
  }
}

export class Ints extends Growable<Int32Array> {
  constructor() {
    super(new Int32Array(initialCells), (cells) => {
      const grown = new Int32Array(cells.length * 2);
      grown.set(cells);
      return grown;
    });
  }
}

export class Bytes extends Growable<Uint8Array> {
  constructor() {
    super(new Uint8Array(initialCells), (cells) => {
      const grown = new Uint8Array(cells.length * 2);
      grown.set(cells);
      return grown;
    });
  }
}
