/**
 * Every send of a history, in order of recording, and the index that finds it by log and value. The rows are columns of
 * typed arrays; the index is open addressing over their row numbers.
 */
import type { LogNames } from './log-name.ts';
import { Bytes, Floats, Ints } from './growable.ts';
import { mix } from './values.ts';

export interface SendRow {
  readonly log: number;
  readonly value: number;
  readonly op: number;
  readonly meta: number;
  readonly invNs: number;
  readonly recordedIndex: number;
  readonly clientChose: boolean;
}

export class SendTable {
  readonly log = new Ints();
  readonly value = new Ints();
  readonly op = new Ints();
  readonly meta = new Ints();
  /** -1 until a completion gives it. */
  readonly offset = new Floats();
  readonly invNs = new Floats();
  readonly recordedIndex = new Floats();
  readonly clientChose = new Bytes();
  readonly #names: LogNames;
  readonly #byLog: RowIndex;
  /** First row of each topic and value; made when the first send leaves its partition to the client. */
  #byTopic: RowIndex | null = null;

  constructor(names: LogNames) {
    this.#names = names;
    this.#byLog = new RowIndex(
      (row) => this.log.at(row),
      (row) => this.value.at(row),
    );
  }

  get count(): number {
    return this.log.count;
  }

  /** The row of a value in a log, or -1. */
  find(log: number, value: number): number {
    return this.#byLog.find(log, value);
  }

  /** The row that makes a new send of `value` a second one, or -1: in the log, or in the topic if the client chooses. */
  conflict(log: number, value: number, clientChose: boolean): number {
    const inLog = this.find(log, value);
    if (inLog !== -1) return inLog;
    if (clientChose) this.#indexTopics();
    const inTopic = this.#byTopic?.find(this.#names.pseudo[log]!, value) ?? -1;
    if (inTopic === -1) return -1;
    return clientChose || this.clientChose.at(inTopic) === 1 ? inTopic : -1;
  }

  /** Adds a send that has no conflict. */
  add(send: SendRow): void {
    const row = this.count;
    this.log.push(send.log);
    this.value.push(send.value);
    this.op.push(send.op);
    this.meta.push(send.meta);
    this.offset.push(-1);
    this.invNs.push(send.invNs);
    this.recordedIndex.push(send.recordedIndex);
    this.clientChose.push(send.clientChose ? 1 : 0);
    this.#byLog.insert(row);
    if (send.clientChose) this.#indexTopics();
    if (this.#byTopic !== null) this.#indexTopic(this.#byTopic, row);
  }

  /** The client said where a send went: it leaves the pseudo-log of its topic. */
  move(row: number, log: number): void {
    this.log.set(row, log);
    this.#byLog.insert(row);
  }

  #indexTopics(): void {
    if (this.#byTopic !== null) return;
    this.#byTopic = new RowIndex(
      (row) => this.#names.pseudo[this.log.at(row)]!,
      (row) => this.value.at(row),
    );
    for (let row = 0; row < this.count; row++) this.#indexTopic(this.#byTopic, row);
  }

  #indexTopic(index: RowIndex, row: number): void {
    const topic = this.#names.pseudo[this.log.at(row)]!;
    if (index.find(topic, this.value.at(row)) === -1) index.insert(row);
  }
}

/**
 * Rows by a pair of integers that the rows themselves hold. A row whose pair changes is inserted again: its old cell
 * then matches nothing.
 */
class RowIndex {
  /** Row + 1; 0 is free. */
  #cells = new Int32Array(1024);
  #used = 0;
  readonly #first: (row: number) => number;
  readonly #second: (row: number) => number;

  constructor(first: (row: number) => number, second: (row: number) => number) {
    this.#first = first;
    this.#second = second;
  }

  find(first: number, second: number): number {
    const mask = this.#cells.length - 1;
    let cell = mix(first, second) & mask;
    for (;;) {
      const row = this.#cells[cell]! - 1;
      if (row === -1) return -1;
      if (this.#second(row) === second && this.#first(row) === first) return row;
      cell = (cell + 1) & mask;
    }
  }

  insert(row: number): void {
    this.#place(row);
    this.#used++;
    if (this.#used * 2 > this.#cells.length) this.#grow();
  }

  #place(row: number): void {
    const mask = this.#cells.length - 1;
    let cell = mix(this.#first(row), this.#second(row)) & mask;
    while (this.#cells[cell] !== 0) cell = (cell + 1) & mask;
    this.#cells[cell] = row + 1;
  }

  #grow(): void {
    const old = this.#cells;
    this.#cells = new Int32Array(old.length * 2);
    for (const held of old) if (held !== 0) this.#place(held - 1);
  }
}
