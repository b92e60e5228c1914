/**
 * Values as small integers. Safe integers, which are nearly all values, go through an open-addressing table of typed
 * arrays; other scalars through a Map, which tells 1 from "1" and takes -0 for 0.
 */
import type { Scalar } from './event.ts';

const tableCellsMin = 1024;

export class Values {
  /** Id to value. */
  readonly list: Scalar[] = [];
  /** Cells hold id + 1; 0 is free. Always at least twice as many cells as integers. */
  #cells = new Int32Array(tableCellsMin);
  #keys = new Float64Array(tableCellsMin);
  #integers = 0;
  readonly #others = new Map<Scalar, number>();

  /** The id of a value, given on first sight. */
  intern(value: Scalar): number {
    return typeof value === 'number' && Number.isSafeInteger(value)
      ? this.#internInteger(value)
      : this.#internOther(value);
  }

  #internInteger(value: number): number {
    const mask = this.#cells.length - 1;
    let cell = hashInteger(value) & mask;
    for (;;) {
      const held = this.#cells[cell]!;
      if (held === 0) break;
      if (this.#keys[cell] === value) return held - 1;
      cell = (cell + 1) & mask;
    }
    const id = this.list.length;
    this.list.push(value + 0);
    this.#cells[cell] = id + 1;
    this.#keys[cell] = value;
    this.#integers++;
    if (this.#integers * 2 > this.#cells.length) this.#grow();
    return id;
  }

  #internOther(value: Scalar): number {
    const known = this.#others.get(value);
    if (known !== undefined) return known;
    const id = this.list.length;
    this.list.push(value);
    this.#others.set(value, id);
    return id;
  }

  #grow(): void {
    const cells = this.#cells;
    const keys = this.#keys;
    this.#cells = new Int32Array(cells.length * 2);
    this.#keys = new Float64Array(cells.length * 2);
    const mask = this.#cells.length - 1;
    for (let old = 0; old < cells.length; old++) {
      if (cells[old] === 0) continue;
      let cell = hashInteger(keys[old]!) & mask;
      while (this.#cells[cell] !== 0) cell = (cell + 1) & mask;
      this.#cells[cell] = cells[old]!;
      this.#keys[cell] = keys[old]!;
    }
  }
}

/** Mixes all 53 bits: built-in values differ in the high half (producer) and the low half (sequence). */
function hashInteger(value: number): number {
  const low = value | 0;
  const high = ((value - (low >>> 0)) / 4_294_967_296) | 0;
  return mix(low, high);
}

/** Mixes two 32-bit integers into one non-negative integer. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 1;
}
