/**
 * The closure of a slice: which operations have to stay because others do, so that what is left of a correct history is
 * correct too. The rules, each for the anomaly that its lack would feign:
 *
 * - what a poll or an audit shows keeps its writer (phantom), and whatever stands at the same offset (the layer of a loss);
 * - a scan keeps all of its chunks, and a record whose place is disputed keeps what disputes it (slice-scans.ts): what is
 *   proved lost must not turn into a skip or an inversion;
 * - a read keeps what happened to its reader since the epoch began (slice-readers.ts: skips), and a record that it went past
 *   keeps somebody who saw it (losses that only readers show);
 * - what a store holds keeps the whole input of its fold; a slice that leaves some of it out leaves the store out;
 * - what names a consumer group keeps the group whole (skips and regressions of commits);
 * - a transaction keeps the init of its producer (zombies); an audit that met an unfinished transaction keeps those that
 *   were alive (hanging transactions);
 * - a fault or heal keeps every one after it (recovery), a log the audit that met its highest start and the events that
 *   tell its number of partitions (retention, moved keys);
 * - with acks other than all, a measured end keeps the send that ended last before it (tails cut off).
 */
import { isNemesis } from './event-shape.ts';
import type { AuditCompleted } from './event.ts';
import { closureRules, type ClosureRules } from './slice-rules.ts';
import { readersOf, type Readers } from './slice-readers.ts';
import { chunkOf, statusOf, type SliceIndex, type SliceOperation } from './slice-index.ts';
import { textIn } from './slice-values.ts';

export interface Selection {
  /** Ids of operations. */
  readonly operations: Iterable<number>;
  /** Positions of observations; an attempt belongs to its operation. */
  readonly observations: Iterable<number>;
  /** Ids of records to leave out everywhere, with what stands at the same offsets. */
  readonly dropped: ReadonlySet<number>;
  /** Logs to keep; null: all. */
  readonly logs: ReadonlySet<string> | null;
}

export interface Closed {
  /** By operation: 1 where it stays. */
  readonly operations: Uint8Array;
  /** Positions of the observations that stay. */
  readonly observations: ReadonlySet<number>;
  /** By record: 1 where it is left out. */
  readonly dropped: Uint8Array;
  readonly keepsLog: (log: string) => boolean;
}

/** Computes closures of one history; what it knows of the history is computed once. */
export class Closer {
  readonly #index: SliceIndex;
  readonly #rules: ClosureRules;
  readonly #readers: Readers;

  constructor(index: SliceIndex) {
    this.#index = index;
    this.#rules = closureRules(index);
    this.#readers = readersOf(index);
  }

  /** Records, and those that stand at an offset of one of them: they stay or go together. */
  together(records: Iterable<number>): ReadonlySet<number> {
    const all = new Set(records);
    for (const record of all) for (const other of this.#rules.besides(record)) all.add(other);
    return all;
  }

  close(selection: Selection): Closed {
    const keepsLog = logFilter(selection.logs);
    const dropped = new Uint8Array(this.#index.records.length);
    for (const record of this.together(selection.dropped)) dropped[record] = 1;
    for (;;) {
      const closing = new Closing(this.#index, this.#rules, this.#readers, { dropped, keepsLog });
      closing.start(selection);
      const guards = closing.guards();
      // Each round gives back at least one record, so there are no more rounds than logs with audits.
      if (guards.every((record) => dropped[record] === 0 && closing.keeps(record))) {
        return closing.finish();
      }
      for (const record of this.together(guards)) dropped[record] = 0;
      selection = {
        ...selection,
        operations: [
          ...selection.operations,
          ...guards.map((record) => this.#index.records[record]!.writer),
        ],
      };
    }
  }
}

/** A topic alone is kept while one of its logs is. */
function logFilter(logs: ReadonlySet<string> | null): (log: string) => boolean {
  if (logs === null) return () => true;
  const topics = new Set([...logs].map((log) => log.split('/')[0]!));
  return (log) => logs.has(log) || (!log.includes('/') && topics.has(log));
}

interface Limits {
  readonly dropped: Uint8Array;
  readonly keepsLog: (log: string) => boolean;
}

class Closing {
  readonly #index: SliceIndex;
  readonly #rules: ClosureRules;
  readonly #readers: Readers;
  readonly #limits: Limits;
  readonly #kept: Uint8Array;
  readonly #records: Uint8Array;
  readonly #queue: number[] = [];
  readonly #observations = new Set<number>();
  readonly #logs = new Set<string>();
  readonly #groups = new Set<string>();
  readonly #reading = new Map<string, { from: number; to: number }>();
  #firstFault = Infinity;

  constructor(index: SliceIndex, rules: ClosureRules, readers: Readers, limits: Limits) {
    this.#index = index;
    this.#rules = rules;
    this.#readers = readers;
    this.#limits = limits;
    this.#kept = new Uint8Array(index.operations.length);
    this.#records = new Uint8Array(index.records.length);
  }

  start({ operations, observations }: Selection): void {
    for (const position of observations) this.#observe(position);
    for (const id of operations) this.#add(id);
    do this.#drain();
    while (this.#addLiveTransactions() || this.#addSights());
  }

  keeps(record: number): boolean {
    return this.#records[record] === 1;
  }

  /** With acks other than all: the sends that show of each kept end whether its log was calm. */
  guards(): readonly number[] {
    const guards = new Set<number>();
    for (const { id } of this.#index.operations) {
      if (this.#kept[id] === 0) continue;
      const guard = this.#rules.guardOf(id);
      if (guard !== null) guards.add(guard);
    }
    return [...guards];
  }

  finish(): Closed {
    return {
      operations: this.#kept,
      observations: this.#observations,
      dropped: this.#limits.dropped,
      keepsLog: this.#limits.keepsLog,
    };
  }

  #observe(position: number): void {
    const event = this.#index.history.events[position]!;
    this.#observations.add(position);
    if (event.f === 'rebalance') this.#addAll(this.#readers.subscribesBefore(position));
  }

  #addAll(ids: Iterable<number>): void {
    for (const id of ids) this.#add(id);
  }

  /** Adds an operation, unless nothing of what it did is left. */
  #add(id: number): void {
    if (this.#kept[id] === 1 || this.#isEmptied(this.#index.operations[id]!)) return;
    this.#keep(id);
  }

  /** Adds an operation for itself: for when it was, and how it ended. */
  #keep(id: number): void {
    if (this.#kept[id] === 1) return;
    this.#kept[id] = 1;
    this.#queue.push(id);
  }

  #isEmptied(operation: SliceOperation): boolean {
    const { dropped, keepsLog } = this.#limits;
    if (operation.f === 'audit') return !keepsLog(textIn(operation.invoked.value, 'log') ?? '');
    if (operation.f === 'state') {
      return this.#rules.inputOf(operation.id).some((record) => dropped[record] === 1);
    }
    const { sent, sights, namedLogs } = operation;
    if (sent.length + sights.length + namedLogs.length === 0) return false;
    return !(
      sent.some((record) => dropped[record] === 0) ||
      this.#shows(operation) ||
      namedLogs.some(keepsLog)
    );
  }

  #drain(): void {
    for (let id = this.#queue.pop(); id !== undefined; id = this.#queue.pop()) {
      this.#follow(this.#index.operations[id]!);
    }
  }

  #follow(operation: SliceOperation): void {
    const { id, f, process } = operation;
    const { dropped, keepsLog } = this.#limits;
    for (const record of operation.sent) if (dropped[record] === 0) this.#addRecord(record);
    for (const { record, log } of operation.sights) {
      if (dropped[record] === 1 || !keepsLog(log)) continue;
      this.#useLog(log);
      this.#addRecord(record);
    }
    if (f === 'audit') this.#addAll(this.#rules.scanOf(id));
    if (f === 'state') for (const record of this.#rules.inputOf(id)) this.#addRecord(record);
    if (f === 'poll' || f === 'txn') this.#addReading(id);
    if (f === 'txn') this.#addAll(this.#rules.initOf(id));
    this.#addGroups(operation);
    if (isNemesis(process)) this.#addFaults(id);
  }

  #addRecord(id: number): void {
    if (this.#records[id] === 1) return;
    this.#records[id] = 1;
    const record = this.#index.records[id]!;
    if (record.writer >= 0) this.#add(record.writer);
    this.#useLog(record.log);
    for (const other of this.#rules.besides(id)) {
      if (this.#limits.dropped[other] === 0) this.#addRecord(other);
    }
    this.#addAll(this.#rules.disputesOf(record));
  }

  #useLog(log: string): void {
    if (this.#logs.has(log)) return;
    this.#logs.add(log);
    const highest = this.#rules.highestStart(log);
    if (highest >= 0) this.#add(highest);
    for (const position of this.#rules.partitionEvents(log)) this.#observations.add(position);
  }

  #addReading(id: number): void {
    const reading = this.#readers.segmentOf(id);
    for (const change of reading.changes) this.#keep(change);
    for (const position of reading.rebalances) this.#observe(position);
    const range = this.#reading.get(reading.name) ?? { from: reading.from, to: reading.from };
    const from = Math.min(range.from, reading.from);
    const to = Math.max(range.to, reading.at);
    this.#reading.set(reading.name, { from, to });
    for (const each of reading.between(from, to)) {
      const operation = this.#index.operations[each]!;
      if (statusOf(operation) !== 'ok' || this.#shows(operation)) this.#keep(each);
    }
  }

  #shows({ sights }: SliceOperation): boolean {
    const { dropped, keepsLog } = this.#limits;
    return sights.some(({ record, log }) => dropped[record] === 0 && keepsLog(log));
  }

  #addGroups({ f, groups, namedLogs }: SliceOperation): void {
    if (f !== 'subscribe' && !namedLogs.some(this.#limits.keepsLog)) return;
    for (const group of groups) {
      if (this.#groups.has(group)) continue;
      this.#groups.add(group);
      for (const id of this.#rules.ofGroup(group)) {
        this.#add(id);
        if (this.#index.operations[id]!.f !== 'subscribe') continue;
        for (const position of this.#readers.rebalancesOf(id)) this.#observations.add(position);
      }
    }
  }

  #addFaults(id: number): void {
    this.#addAll(this.#rules.sameFault(id));
    if (id >= this.#firstFault) return;
    this.#firstFault = id;
    this.#addAll(this.#rules.faultsFrom(id));
  }

  /** What somebody saw, and a reader that stays went past, must not look as if nobody had. @returns true if it added one. */
  #addSights(): boolean {
    const highest = new Map<string, number>();
    for (const operation of this.#index.operations) {
      if (this.#kept[operation.id] === 0 || operation.f === 'audit') continue;
      for (const { record, log, offset } of operation.sights) {
        if (this.#limits.dropped[record] === 1) continue;
        highest.set(log, Math.max(offset, highest.get(log) ?? -1));
      }
    }
    for (const { id, seen } of this.#index.records) {
      if (this.#records[id] === 0 || seen.some(({ op }) => this.#kept[op] === 1)) continue;
      const past = seen.find(({ log, offset }) => offset < (highest.get(log) ?? -1));
      if (past !== undefined) this.#add(past.op);
    }
    return this.#queue.length > 0;
  }

  /** @returns true if it added one. */
  #addLiveTransactions(): boolean {
    const unfinished = this.#index.operations.filter(
      (operation) => this.#kept[operation.id] === 1 && isUnfinished(chunkOf(operation)),
    );
    if (unfinished.length === 0) return false;
    const fromNs = Math.min(...unfinished.map(({ invoked }) => invoked.time));
    const toNs = Math.max(...unfinished.map(({ completed }) => completed!.time));
    for (const id of this.#rules.transactionsBetween(fromNs, toNs)) this.#keep(id);
    return this.#queue.length > 0;
  }
}

/** It met a transaction that had not ended. */
function isUnfinished(chunk: AuditCompleted | null): boolean {
  const lastStable = chunk?.lastStable ?? null;
  return chunk !== null && lastStable !== null && lastStable < chunk.end;
}
