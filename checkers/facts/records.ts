/**
 * Who wrote what, and where it was seen: one row per record of a log (a value that was sent to it or seen in it) and one
 * row per placement (an offset at which the record was acknowledged or seen). Nearly every record has one placement, so
 * placement p of a record r is r itself; further ones, which only duplicates and contradictions have, follow behind.
 */
import { Memo } from '../../src/core/memo.ts';
import {
  opStatus,
  type History,
  type LogColumns,
  type SendRef,
} from '../../src/history/columns.ts';
import { Floats, Ints } from '../../src/history/growable.ts';

export interface LogRecords {
  readonly log: LogColumns;
  /** Records: rows of `log.sends` first, at the same positions, then values seen here that are none of its sends. */
  readonly count: number;
  /** By record: value id. */
  readonly value: Int32Array;
  /** By record: log and row of the send that wrote it; -1 where nobody sent it here (a phantom, an external record). */
  readonly writerLog: Int32Array;
  readonly writerRow: Int32Array;
  /** By record: the operation of that send, or -1. */
  readonly writerOp: Int32Array;
  /** Number of placements; at least `count`. */
  readonly placements: number;
  /** By placement: its record. */
  readonly recordOf: Int32Array;
  /** By placement: the offset; -1 for the first placement of a record whose offset nobody told. */
  readonly offset: Float64Array;
  /** By placement: 1 where the answer to the send gave this offset (an ok one, or an info one that is proved). */
  readonly answered: Uint8Array;
  /** By placement: the operation that saw it there and ended first (poll or audit), or -1. */
  readonly sightOp: Int32Array;
  /** By placement: the same, polls alone. */
  readonly readOp: Int32Array;
  /** Rows of `log.reads` and `log.audited` to placements. */
  readonly readPlacement: Int32Array;
  readonly auditPlacement: Int32Array;
  /** Row of `log.audited` to the operation of its chunk. */
  readonly auditOp: Int32Array;
  /** Further placements: record to (offset to placement). */
  readonly extras: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** In pseudo-logs, by record: in how many partitions of the topic its value was seen; 2 stands for more. */
  readonly located: Uint8Array;
}

const known = new Memo<History, readonly LogRecords[]>();

/**
 * By log id. Offsets that info completions gave are placements here only once the value was seen; those of transactions
 * that are resolved as committed without a sight stay out. Linear; computed once per history.
 */
export function recordsOf(history: History): readonly LogRecords[] {
  return known.of(history, buildAll);
}

/** Calls back with every placement of a record that has an offset. */
export function eachPlacement(
  records: LogRecords,
  record: number,
  visit: (placement: number) => void,
): void {
  if (records.offset[record]! >= 0) visit(record);
  const extras = records.extras.size === 0 ? undefined : records.extras.get(record);
  if (extras !== undefined) for (const placement of extras.values()) visit(placement);
}

/** The operation that saw the record and ended first, wherever it stood; -1 if nobody saw it. */
export function firstSightOp(history: History, records: LogRecords, record: number): number {
  return firstOf(history, records, record, records.sightOp);
}

/** The poll that saw the record and ended first; -1 if no consumer did. */
export function firstReadOp(history: History, records: LogRecords, record: number): number {
  return firstOf(history, records, record, records.readOp);
}

function firstOf(history: History, records: LogRecords, record: number, op: Int32Array): number {
  let first = op[record]!;
  if (records.extras.size === 0 || !records.extras.has(record)) return first;
  eachPlacement(records, record, (placement) => {
    first = earlier(history, first, op[placement]!);
  });
  return first;
}

function earlier(history: History, a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return history.ops.endNs[b]! < history.ops.endNs[a]! ? b : a;
}

function buildAll(history: History): readonly LogRecords[] {
  const chosen = clientChosenSends(history);
  const recordByValue = new Int32Array(history.values.length).fill(-1);
  const all = history.logs.map((log) => {
    const builder = new Builder(history, log, recordByValue);
    builder.sends();
    const writerOf = (value: number) =>
      history.findSend(log.id, value) ?? chosen.get(log.topic)?.get(value) ?? null;
    const { readPlacement, auditPlacement, auditOp } = builder.sights(writerOf);
    builder.answersOfUncertainSends();
    return builder.finish({ readPlacement, auditPlacement, auditOp });
  });
  for (const records of all) locate(all, records);
  return all;
}

/** Tells pseudo-logs which of their records this log holds. */
function locate(all: readonly LogRecords[], records: LogRecords): void {
  for (let record = records.log.sends.count; record < records.count; record++) {
    const writer = all[records.writerLog[record]!];
    if (writer === undefined || writer.log.partition !== null) continue;
    const row = records.writerRow[record]!;
    writer.located[row] = Math.min(2, writer.located[row]! + 1);
  }
}

/** By topic and value: sends that left the partition to the client, wherever they ended up. */
function clientChosenSends(history: History): ReadonlyMap<string, ReadonlyMap<number, SendRef>> {
  const topics = new Map<string, Map<number, SendRef>>();
  for (const { id, topic, sends } of history.logs) {
    for (let row = 0; row < sends.count; row++) {
      if (sends.clientChose[row] !== 1) continue;
      let values = topics.get(topic);
      if (values === undefined) topics.set(topic, (values = new Map<number, SendRef>()));
      values.set(sends.value[row]!, { log: id, row });
    }
  }
  return topics;
}

type Rows = Pick<LogRecords, 'readPlacement' | 'auditPlacement' | 'auditOp'>;

/** Columns of one log while they are built; `recordByValue` is scratch that is clean (-1) before and after. */
class Builder {
  readonly #history: History;
  readonly #log: LogColumns;
  readonly #recordByValue: Int32Array;
  readonly #value = new Ints();
  readonly #writerLog = new Ints();
  readonly #writerRow = new Ints();
  readonly #offset: Float64Array;
  readonly #sightOp: Int32Array;
  readonly #readOp: Int32Array;
  /** Placements behind the first of each record. */
  readonly #more = {
    record: new Ints(),
    offset: new Floats(),
    answered: new Ints(),
    sightOp: new Ints(),
    readOp: new Ints(),
  };
  readonly #extras = new Map<number, Map<number, number>>();
  readonly #answered: Uint8Array;

  constructor(history: History, log: LogColumns, recordByValue: Int32Array) {
    this.#history = history;
    this.#log = log;
    this.#recordByValue = recordByValue;
    const most = log.sends.count + log.reads.count + log.audited.count;
    this.#offset = new Float64Array(most).fill(-1);
    this.#sightOp = new Int32Array(most).fill(-1);
    this.#readOp = new Int32Array(most).fill(-1);
    this.#answered = new Uint8Array(most);
  }

  sends(): void {
    const { sends, id } = this.#log;
    for (let row = 0; row < sends.count; row++) {
      this.#recordByValue[sends.value[row]!] = row;
      this.#add(sends.value[row]!, { log: id, row });
      if (this.#history.ops.status[sends.op[row]!] !== opStatus.ok) continue;
      this.#offset[row] = sends.offset[row]!;
      this.#answered[row] = sends.offset[row]! >= 0 ? 1 : 0;
    }
  }

  sights(writerOf: (value: number) => SendRef | null): Rows {
    const { reads, audits, audited } = this.#log;
    const readPlacement = new Int32Array(reads.count);
    const auditPlacement = new Int32Array(audited.count);
    const auditOp = new Int32Array(audited.count);
    for (let row = 0; row < reads.count; row++) {
      const record = this.#recordFor(reads.value[row]!, writerOf);
      readPlacement[row] = this.#see(record, reads.offset[row]!, reads.op[row]!, true);
    }
    for (const chunk of audits) {
      for (let row = chunk.recordsFrom; row < chunk.recordsTo; row++) {
        const record = this.#recordFor(audited.value[row]!, writerOf);
        auditOp[row] = chunk.op;
        auditPlacement[row] = this.#see(record, audited.offset[row]!, chunk.op, false);
      }
    }
    return { readPlacement, auditPlacement, auditOp };
  }

  /** What an info completion said of the offset counts as soon as anybody saw the value. */
  answersOfUncertainSends(): void {
    const { sends } = this.#log;
    const { status } = this.#history.ops;
    sends.offset.forEach((offset, row) => {
      if (offset < 0 || this.#offset[row]! < 0) return;
      if (status[sends.op[row]!] !== opStatus.info) return;
      const placement = this.#place(row, offset);
      if (placement < this.#value.count) this.#answered[placement] = 1;
      else this.#more.answered.set(placement - this.#base(), 1);
    });
  }

  finish(rows: Rows): LogRecords {
    const log = this.#log;
    const count = this.#value.count;
    for (let record = 0; record < count; record++) this.#recordByValue[this.#value.at(record)] = -1;
    const writerOp = new Int32Array(count).fill(-1);
    for (let record = 0; record < count; record++) {
      const writer = this.#writerLog.at(record);
      if (writer < 0) continue;
      writerOp[record] = this.#history.logs[writer]!.sends.op[this.#writerRow.at(record)]!;
    }
    const moved = this.#renumber(rows, count);
    return {
      log,
      count,
      value: this.#value.view().slice(),
      writerLog: this.#writerLog.view().slice(),
      writerRow: this.#writerRow.view().slice(),
      writerOp,
      ...moved,
      extras: this.#extras,
      located: new Uint8Array(log.sends.count),
    };
  }

  /** While records are still being added, further placements count from the most records there can be. */
  #base(): number {
    return this.#offset.length;
  }

  #renumber({ readPlacement, auditPlacement, auditOp }: Rows, count: number) {
    const more = this.#more;
    const placements = count + more.record.count;
    const shift = this.#base() - count;
    for (const rows of [readPlacement, auditPlacement]) {
      for (let row = 0; row < rows.length; row++) {
        if (rows[row]! >= count) rows[row] = rows[row]! - shift;
      }
    }
    for (const extras of this.#extras.values()) {
      for (const [offset, placement] of extras) extras.set(offset, placement - shift);
    }
    const recordOf = new Int32Array(placements);
    for (let record = 0; record < count; record++) recordOf[record] = record;
    recordOf.set(more.record.view(), count);
    return {
      placements,
      recordOf,
      offset: joined(new Float64Array(placements), this.#offset, more.offset.view(), count),
      answered: joined(new Uint8Array(placements), this.#answered, more.answered.view(), count),
      sightOp: joined(new Int32Array(placements), this.#sightOp, more.sightOp.view(), count),
      readOp: joined(new Int32Array(placements), this.#readOp, more.readOp.view(), count),
      readPlacement,
      auditPlacement,
      auditOp,
    };
  }

  #add(value: number, writer: SendRef | null): number {
    this.#value.push(value);
    this.#writerLog.push(writer === null ? -1 : writer.log);
    this.#writerRow.push(writer === null ? -1 : writer.row);
    return this.#value.count - 1;
  }

  #recordFor(value: number, writerOf: (value: number) => SendRef | null): number {
    const record = this.#recordByValue[value]!;
    if (record >= 0) return record;
    const added = this.#add(value, writerOf(value));
    this.#recordByValue[value] = added;
    return added;
  }

  #see(record: number, offset: number, op: number, poll: boolean): number {
    const placement = this.#place(record, offset);
    const first = placement < this.#base();
    const sightOp = first
      ? this.#sightOp[placement]!
      : this.#more.sightOp.at(placement - this.#base());
    const sooner = earlier(this.#history, sightOp, op);
    if (first) this.#sightOp[placement] = sooner;
    else this.#more.sightOp.set(placement - this.#base(), sooner);
    if (!poll) return placement;
    const readOp = first
      ? this.#readOp[placement]!
      : this.#more.readOp.at(placement - this.#base());
    const readSooner = earlier(this.#history, readOp, op);
    if (first) this.#readOp[placement] = readSooner;
    else this.#more.readOp.set(placement - this.#base(), readSooner);
    return placement;
  }

  #place(record: number, offset: number): number {
    if (this.#offset[record]! < 0) this.#offset[record] = offset;
    if (this.#offset[record] === offset) return record;
    let extras = this.#extras.get(record);
    if (extras === undefined) this.#extras.set(record, (extras = new Map<number, number>()));
    let placement = extras.get(offset);
    if (placement === undefined) {
      placement = this.#base() + this.#more.record.count;
      extras.set(offset, placement);
      this.#more.record.push(record);
      this.#more.offset.push(offset);
      this.#more.answered.push(0);
      this.#more.sightOp.push(-1);
      this.#more.readOp.push(-1);
    }
    return placement;
  }
}

function joined<T extends Float64Array | Int32Array | Uint8Array>(
  whole: T,
  first: T,
  more: ArrayLike<number>,
  count: number,
): T {
  whole.set(first.subarray(0, count));
  whole.set(more, count);
  return whole;
}
