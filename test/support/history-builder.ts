/**
 * Hand-written histories that read like a table, one line per operation:
 *
 *   const h = history({ config: { acks: 'all' } })
 *     .send(0, 't/0', 17, { at: [1, 5], ok: 41 })              // acknowledged at offset 41
 *     .send(0, 't/0', 18, { at: [6, 9], info: true })          // may or may not have happened
 *     .send(1, 't/0', 19, { at: [6, 8], fail: 'TOO_LARGE' })   // certainly did not
 *     .send(2, 't/0', 20, { at: 7 })                           // never completed
 *     .send(3, 't', 21, { at: [7, 9], ok: 3, to: 't/1' })      // partition left to the client
 *     .assign(10, ['t/0'], 'beginning', { at: [1, 2] })
 *     .poll(10, { 't/0': [[41, 17]] }, { at: [10, 12], as: 'the poll' })
 *     .scan(20, 't/0', [[41, 17]], { at: [50, 60], end: 42 })  // a whole audit scan in one call
 *     .fault('kill', 'f1', { at: [2, 3] }).heal('kill', 'f1', { at: [4, 5] })
 *     .event('phase', { phase: 'faults' }, { at: 1 });
 *   h.text()             // JSONL of format 1
 *   h.load()             // loaded into columns
 *   h.index('the poll')  // index of the completion (of the invocation where there is none): what witnesses name
 *
 * Times are milliseconds. Events are ordered by time; on a tie, by line of the table. Without `at` an operation follows
 * everything written above it: it takes the next two milliseconds. `{at: 7}` alone is an invocation without completion.
 * After `info` a process is spent: take another number.
 */
import type { History } from '../../src/history/columns.ts';
import type {
  EventType,
  Evidence,
  Header,
  HistoryEvent,
  LogName,
  Meta,
  OperationError,
  Process,
  RawBatch,
  RecordSeen,
  Scalar,
} from '../../src/history/event.ts';
import { loadHistoryText } from '../../src/history/load-text.ts';
import { eventLine, headerLine } from '../../src/history/write.ts';

/** [invocation, completion] in ms; a number alone, or a list of one, is an operation that never completes. */
export type At = number | readonly [number] | readonly [number, number];

interface Row {
  readonly at?: At;
  /** A label for `index` and `invokeIndex`. */
  readonly as?: string;
  readonly session?: string;
}

/** How an operation ended. A string is the error's code. None of them: ok. */
interface Ending extends Row {
  readonly fail?: string | true;
  readonly info?: string | true;
  /** Never completed, where `at` is not given. */
  readonly open?: true;
}

export interface SendRow extends Ending {
  /** Acknowledged at this offset; null where the client did not learn it. */
  readonly ok?: number | null;
  /** With `info`: the offset that the completion names all the same. */
  readonly offset?: number;
  /** With a topic alone: the log that the completion names. */
  readonly to?: LogName;
  readonly meta?: Meta;
}

export interface AssignRow extends Ending {
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  readonly stable?: boolean;
}

export interface ScanRow extends Ending {
  /** High watermark, exclusive. Default: one past the last record, or `start`. */
  readonly end?: number;
  /** The log's first offset; default 0. */
  readonly start?: number;
  /** Where the scan begins; default `start`. */
  readonly from?: number;
  /** Where the scan stops; default `end`, which makes it complete. */
  readonly upTo?: number;
  readonly view?: 'committed' | 'uncommitted';
  readonly scan?: string;
  readonly replica?: number;
  /** Default `end`. */
  readonly lastStable?: number;
  /** Default 0. */
  readonly leaderEpoch?: number;
  /** Default true. */
  readonly linearizable?: boolean;
  /** Records per chunk; default: all in one chunk. */
  readonly chunk?: number;
}

export type RawScanRow = Omit<ScanRow, 'view' | 'chunk'>;

export interface FaultRow extends Ending {
  readonly targets?: readonly string[];
  readonly plan?: Readonly<Record<string, unknown>>;
  /** Default true; null: the completion carries no evidence. */
  readonly tookEffect?: Evidence['tookEffect'] | null;
}

/** What can be passed to `op`: the completed value, and how it ended. */
export interface OperationRow extends Ending {
  /** The value of the completion; default: that of the invocation. */
  readonly completed?: unknown;
  readonly txn?: { readonly id?: string; readonly producerId?: number; readonly epoch?: number };
}

interface Pending extends Omit<HistoryEvent, 'index' | 'time'> {
  readonly atMs: number;
  readonly label: string | null;
}

/** Starts a history. What is not given in the header is absent from it, but for a run id and a system. */
export function history(header: Partial<Header> = {}): HistoryBuilder {
  return new HistoryBuilder({
    ordeal: 1,
    run: 'by-hand',
    system: { name: 'kafka', version: '4.1.1' },
    ...header,
  });
}

export class HistoryBuilder {
  readonly header: Header;
  readonly #rows: Pending[] = [];
  #nextMs = 1;

  constructor(header: Header) {
    this.header = header;
  }

  /** One record to one log (`t/0`), or to a topic (`t`) whose partition the client chooses. */
  send(process: number, log: LogName, value: Scalar, row: SendRow = {}): this {
    const meta = row.meta === undefined ? [] : [row.meta];
    const offset = row.ok ?? row.offset ?? null;
    const learned = row.fail === undefined && (row.info === undefined || offset !== null);
    const done = learned ? [offset, value] : value;
    return this.op(process, 'send', [['send', log, value, ...meta]], {
      ...row,
      completed: [['send', row.to ?? log, done, ...meta]],
    });
  }

  /** A poll and what it returned, by log. */
  poll(
    process: number,
    records: Readonly<Record<LogName, readonly RecordSeen[]>> | null,
    row: Ending = {},
  ): this {
    const completed = records === null ? [['poll']] : [['poll', records]];
    return this.op(process, 'poll', [['poll']], { ...row, completed });
  }

  assign(
    process: number,
    logs: readonly LogName[],
    from: 'beginning' | 'end' | Readonly<Record<LogName, number>>,
    row: AssignRow = {},
  ): this {
    const { isolation, stable } = row;
    return this.op(process, 'assign', { logs, from, isolation, stable }, row);
  }

  /** Joins a consumer group; `rebalance` events then say what it was given. */
  subscribe(
    process: number,
    group: string,
    row: Ending & { readonly topics?: readonly string[]; readonly stable?: boolean } = {},
  ): this {
    const { topics, stable } = row;
    return this.op(process, 'subscribe', { group, topics: topics ?? ['t'], stable }, row);
  }

  /** What a member was told: generation, member, assigned, revoked, lost. */
  rebalance(process: number, value: object, row: Row = {}): this {
    return this.event('rebalance', value, { ...row, process });
  }

  /** Writes offsets of a group. */
  commit(
    process: number,
    group: string,
    offsets: Readonly<Record<LogName, number>>,
    row: Ending & { readonly generation?: number; readonly member?: string } = {},
  ): this {
    const { generation, member } = row;
    return this.op(process, 'commit', { group, offsets, generation, member }, row);
  }

  /** Reads offsets of a group. */
  committed(
    process: number,
    group: string,
    offsets: Readonly<Record<LogName, number>>,
    row: Ending & { readonly logs?: readonly LogName[] } = {},
  ): this {
    const logs = row.logs ?? Object.keys(offsets);
    return this.op(
      process,
      'committed',
      { group, logs },
      { ...row, completed: { group, offsets } },
    );
  }

  close(process: number, row: Ending = {}): this {
    return this.op(process, 'close', {}, row);
  }

  /** A scan of a log from its start to its end, in one chunk or more; `at` is shared out among the chunks. */
  scan(process: number, log: LogName, records: readonly RecordSeen[], row: ScanRow = {}): this {
    const view = row.view ?? 'committed';
    const size = Math.max(1, row.chunk ?? records.length);
    const parts: (readonly RecordSeen[])[] = [];
    for (let i = 0; i < records.length; i += size) parts.push(records.slice(i, i + size));
    if (parts.length === 0) parts.push([]);
    const start = row.start ?? 0;
    const end = row.end ?? (records.at(-1)?.[0] ?? start - 1) + 1;
    let from = row.from ?? start;
    parts.forEach((part, i) => {
      const last = i === parts.length - 1;
      const next = last ? (row.upTo ?? end) : (part.at(-1)?.[0] ?? from - 1) + 1;
      const asked = { log, view, from, scan: row.scan, replica: row.replica };
      this.audit(
        process,
        asked,
        { ...asked, next, records: part, start, end, ...readAt(row, end) },
        { ...row, ...share(row.at, i, parts.length) },
      );
      from = next;
    });
    return this;
  }

  /** A scan of the raw log, in one chunk. */
  rawScan(process: number, log: LogName, batches: readonly RawBatch[], row: RawScanRow = {}): this {
    const start = row.start ?? 0;
    const end = row.end ?? (batches.at(-1)?.last ?? start - 1) + 1;
    const from = row.from ?? start;
    const asked = { log, view: 'raw', from, scan: row.scan, replica: row.replica };
    return this.audit(
      process,
      asked,
      { ...asked, next: row.upTo ?? end, batches, start, end, ...readAt(row, end) },
      row,
    );
  }

  /** One audit chunk, given in full. */
  audit(process: number, invoked: object, completed: object, row: Ending = {}): this {
    return this.op(process, 'audit', invoked, { ...row, completed });
  }

  /** An observation, by "observer" unless said otherwise. */
  event(f: string, value: unknown, row: Row & { readonly process?: Process } = {}): this {
    const [atMs] = this.#interval(row.at, true);
    this.#add({ atMs, label: row.as ?? null, ...pick(row), process: row.process ?? 'observer' }, [
      'event',
      f,
      value,
    ]);
    return this;
  }

  /** Micro-operations of an open operation that its invocation did not list. */
  attempt(process: number, microOps: readonly unknown[], row: Row = {}): this {
    return this.event('attempt', microOps, { ...row, process });
  }

  /** A fault of one kind, by nemesis:<kind>. */
  fault(kind: string, fault: string, row: FaultRow = {}): this {
    const value = { fault, targets: row.targets ?? ['node-1'], plan: row.plan ?? {} };
    return this.#nemesis(kind, kind, value, row);
  }

  /** The undoing of a fault of that kind. */
  heal(kind: string, fault: string, row: FaultRow = {}): this {
    return this.#nemesis(kind, 'heal', { fault }, row);
  }

  /** Any operation: txn, init, subscribe, commit, committed, state … */
  op(process: Process, f: string, invoked: unknown, row: OperationRow = {}): this {
    const [invMs, retMs] = this.#interval(row.at, row.open === true);
    const label = row.as ?? null;
    const who = { process, ...pick(row), ...(row.txn === undefined ? {} : { txn: row.txn }) };
    this.#add({ atMs: invMs, label, ...who }, ['invoke', f, invoked]);
    if (retMs === null) return this;
    const code = row.fail ?? row.info;
    const type: EventType =
      row.fail !== undefined ? 'fail' : row.info !== undefined ? 'info' : 'ok';
    const error: OperationError | undefined =
      code === undefined ? undefined : { code: code === true ? 'TIMEOUT' : code, message: '' };
    const value = row.completed === undefined ? invoked : row.completed;
    const failure = error === undefined ? {} : { error };
    this.#add({ atMs: retMs, label, ...who, ...failure }, [type, f, value]);
    return this;
  }

  /** All events in order, as a history holds them. */
  events(): readonly HistoryEvent[] {
    return this.#ordered().map(({ event }) => event);
  }

  text(): string {
    const lines = [headerLine(this.header), ...this.events().map(eventLine)];
    return lines.map((line) => `${line}\n`).join('');
  }

  load(): History {
    return loadHistoryText(this.text(), 'by-hand.jsonl');
  }

  /** Index of the completion of the labelled operation, or of its invocation if it has none. */
  index(label: string): number {
    return this.#labelled(label).at(-1)!;
  }

  /** Index of the invocation of the labelled operation. */
  invokeIndex(label: string): number {
    return this.#labelled(label)[0]!;
  }

  #nemesis(kind: string, f: string, value: object, row: FaultRow): this {
    const tookEffect = row.tookEffect === undefined ? true : row.tookEffect;
    const completed = tookEffect === null ? value : { ...value, evidence: { tookEffect } };
    return this.op(`nemesis:${kind}`, f, value, { ...row, completed });
  }

  #labelled(label: string): number[] {
    const found = this.#ordered().filter((entry) => entry.label === label);
    if (found.length === 0) throw new Error(`no operation is labelled "${label}"`);
    return found.map(({ event }) => event.index);
  }

  #ordered(): { readonly event: HistoryEvent; readonly label: string | null }[] {
    const sorted = this.#rows.toSorted((a, b) => a.atMs - b.atMs);
    return sorted.map(({ atMs, label, ...rest }, index) => ({
      event: { index, time: Math.round(atMs * 1e6), ...rest },
      label,
    }));
  }

  #add(
    who: Omit<Pending, 'type' | 'f' | 'value'>,
    [type, f, value]: readonly [EventType, string, unknown],
  ): void {
    this.#rows.push({ ...who, type, f, value });
  }

  #interval(at: At | undefined, open: boolean): readonly [number, number | null] {
    let interval: readonly [number, number | null];
    if (at === undefined) interval = [this.#nextMs, open ? null : this.#nextMs + 1];
    else if (typeof at === 'number') interval = [at, null];
    else interval = [at[0], at[1] ?? null];
    this.#nextMs = Math.max(this.#nextMs, (interval[1] ?? interval[0]) + 1);
    return interval;
  }
}

function pick(row: Row): { readonly session?: string } {
  return row.session === undefined ? {} : { session: row.session };
}

function readAt(row: ScanRow, end: number): object {
  return {
    lastStable: row.lastStable ?? end,
    leaderEpoch: row.leaderEpoch ?? 0,
    linearizable: row.linearizable ?? true,
  };
}

/** The i-th of n equal parts of an interval. */
function share(at: At | undefined, i: number, n: number): { readonly at?: At } {
  if (at === undefined || n === 1) return at === undefined ? {} : { at };
  if (typeof at === 'number' || at.length === 1) return { at };
  const step = (at[1] - at[0]) / n;
  return { at: [at[0] + i * step, at[0] + (i + 1) * step] };
}
