/**
 * What a slice has to know of a whole history: its operations, which records they sent and saw, and who belongs to whom.
 * A record is one send, or one value of a log that nobody sent. Ids are positions. Linear to build.
 */
import type {
  AuditCompleted,
  HistoryEvent,
  Process,
  RecordSeen,
  Scalar,
  SendCompleted,
  SendInvoked,
} from './event.ts';
import type { RawHistory } from './load-text.ts';
import { parseLogName, type LogParts } from './log-name.ts';
import { fieldsOf, stringsIn, textIn } from './slice-values.ts';

export interface SliceOperation {
  readonly id: number;
  readonly f: string;
  readonly process: Process;
  /** Positions of its events: the invocation, attempts, the completion. */
  readonly events: number[];
  readonly invoked: HistoryEvent;
  completed: HistoryEvent | null;
  /** Ids of the records that it sent. */
  readonly sent: number[];
  readonly sights: Sight[];
  /** Logs that it names besides: assigned, or with offsets of a group. */
  readonly namedLogs: string[];
  readonly groups: string[];
}

interface Sight {
  readonly record: number;
  readonly log: string;
  readonly offset: number;
}

export interface SliceRecord {
  readonly id: number;
  readonly value: Scalar;
  readonly topic: string;
  /** As its send, else the first sight, told it. */
  readonly key: Scalar | undefined;
  /** Where its send stands: a log, or the topic alone while nobody told; where it was seen if nobody sent it. */
  log: string;
  /** Id of the operation that sent it, or -1. */
  readonly writer: number;
  /** When its send was recorded, or its first sight: ns. */
  readonly timeNs: number;
  /** Where the answer to the send put it, or -1. */
  offset: number;
  /** Operations that saw it, with the places, in order of completion. */
  readonly seen: { readonly op: number; readonly log: string; readonly offset: number }[];
}

export interface SliceIndex {
  readonly history: RawHistory;
  /** In order of invocation. */
  readonly operations: readonly SliceOperation[];
  readonly records: readonly SliceRecord[];
  /** Position of an event to its operation, or -1: an observation. */
  readonly operationAt: Int32Array;
  /** The record that a value of a log (or of a topic alone) is, or undefined. */
  recordOf(log: string, value: Scalar): SliceRecord | undefined;
}

export function indexHistory(history: RawHistory): SliceIndex {
  const builder = new IndexBuilder();
  history.events.forEach((event, position) => {
    builder.pair(event, position);
  });
  builder.see();
  return builder.finish(history);
}

/** Logs where the record stands or was seen; empty while nobody knows its partition. */
export function logsOf(record: SliceRecord): readonly string[] {
  const seen = record.seen.map(({ log }) => log);
  return record.log === record.topic ? seen : [record.log, ...seen];
}

export function statusOf({ completed }: SliceOperation): 'ok' | 'fail' | 'info' {
  const type = completed?.type;
  return type === 'ok' || type === 'fail' ? type : 'info';
}

/** The value of a completed audit, or null: what is not ok says nothing. */
export function chunkOf({ f, completed }: SliceOperation): AuditCompleted | null {
  return f === 'audit' && completed?.type === 'ok' ? (completed.value as AuditCompleted) : null;
}

type AnyMicro = readonly unknown[];

class IndexBuilder {
  readonly #operations: SliceOperation[] = [];
  readonly #records: SliceRecord[] = [];
  readonly #operationAt: number[] = [];
  readonly #open = new Map<Process, SliceOperation>();
  /** Records by log and value, and those whose send named the topic alone by topic and value. */
  readonly #placed = new Map<string, SliceRecord>();
  readonly #alone = new Map<string, SliceRecord>();

  pair(event: HistoryEvent, position: number): void {
    const operation = this.#operationOf(event);
    this.#operationAt.push(operation?.id ?? -1);
    if (operation === undefined) return;
    operation.events.push(position);
    if (event.type === 'invoke' || event.type === 'event') this.#record(event, operation);
    else {
      operation.completed = event;
      this.#open.delete(event.process);
      this.#learn(event, operation);
    }
    if (event.type !== 'event') name(event, operation);
  }

  /** Reads what was seen; after the last event, for a value may be seen before it is sent. */
  see(): void {
    const finished = this.#operations.filter(({ completed }) => completed !== null);
    finished.sort((a, b) => a.events.at(-1)! - b.events.at(-1)!);
    for (const operation of finished) {
      const chunk = chunkOf(operation);
      if (chunk !== null) this.#seeAll(operation, chunk.log, chunk.records ?? []);
      if (operation.f !== 'poll' && operation.f !== 'txn') continue;
      for (const micro of microsOf(operation.completed!)) {
        if (micro[0] !== 'poll' || micro.length === 1) continue;
        for (const [log, records] of Object.entries(micro[1] as object)) {
          this.#seeAll(operation, log, records as readonly RecordSeen[]);
        }
      }
    }
  }

  finish(history: RawHistory): SliceIndex {
    return {
      history,
      operations: this.#operations,
      records: this.#records,
      operationAt: Int32Array.from(this.#operationAt),
      recordOf: (log, value) => this.#find(log, value),
    };
  }

  #operationOf(event: HistoryEvent): SliceOperation | undefined {
    if (event.type === 'event') {
      return event.f === 'attempt' ? this.#open.get(event.process) : undefined;
    }
    if (event.type !== 'invoke') return this.#open.get(event.process);
    const operation: SliceOperation = {
      id: this.#operations.length,
      f: event.f,
      process: event.process,
      events: [],
      invoked: event,
      completed: null,
      sent: [],
      sights: [],
      namedLogs: [],
      groups: [],
    };
    this.#operations.push(operation);
    this.#open.set(event.process, operation);
    return operation;
  }

  #record(event: HistoryEvent, operation: SliceOperation): void {
    for (const micro of microsOf(event)) {
      if (micro[0] !== 'send') continue;
      const [, log, value, meta] = micro as unknown as SendInvoked;
      const { topic, partition } = partsOf(log);
      const sent = { writer: operation.id, timeNs: event.time };
      const record = this.#add({ log, topic, value, key: meta?.key, ...sent });
      operation.sent.push(record.id);
      (partition === null ? this.#alone : this.#placed).set(keyOf(log, value), record);
    }
  }

  #learn(event: HistoryEvent, operation: SliceOperation): void {
    for (const micro of microsOf(event)) {
      if (micro[0] !== 'send') continue;
      const [, log, sent] = micro as unknown as SendCompleted | SendInvoked;
      const [offset, value] = Array.isArray(sent)
        ? (sent as readonly [number | null, Scalar])
        : [null, sent as Scalar];
      const record = this.#find(log, value);
      if (record?.writer !== operation.id) continue;
      record.log = log;
      if (offset !== null && event.type !== 'fail') record.offset = offset;
    }
  }

  #seeAll(operation: SliceOperation, log: string, records: readonly RecordSeen[]): void {
    for (const [offset, value, meta] of records) {
      const record = this.#find(log, value) ?? this.#unsent(log, value, meta?.key, operation);
      operation.sights.push({ record: record.id, log, offset });
      record.seen.push({ op: operation.id, log, offset });
    }
  }

  #unsent(
    log: string,
    value: Scalar,
    key: Scalar | undefined,
    { completed }: SliceOperation,
  ): SliceRecord {
    const { topic } = partsOf(log);
    const record = this.#add({ log, topic, value, key, writer: -1, timeNs: completed!.time });
    this.#placed.set(keyOf(log, value), record);
    return record;
  }

  #add(fields: Omit<SliceRecord, 'id' | 'offset' | 'seen'>): SliceRecord {
    const record = { ...fields, id: this.#records.length, offset: -1, seen: [] };
    this.#records.push(record);
    return record;
  }

  #find(log: string, value: Scalar): SliceRecord | undefined {
    return this.#placed.get(keyOf(log, value)) ?? this.#alone.get(keyOf(partsOf(log).topic, value));
  }
}

/** Notes logs and groups that the event names outside sends and polls. */
function name(event: HistoryEvent, operation: SliceOperation): void {
  const { f, value } = event;
  const add = (list: string[], each: string) => {
    if (!list.includes(each)) list.push(each);
  };
  for (const micro of microsOf(event)) {
    if (micro[0] !== 'offsets') continue;
    add(operation.groups, micro[1] as string);
    for (const log of Object.keys(micro[2] as object)) add(operation.namedLogs, log);
  }
  if (f === 'subscribe' || f === 'commit' || f === 'committed') {
    const group = textIn(value, 'group');
    if (group !== null) add(operation.groups, group);
  }
  if (f === 'assign' || f === 'commit' || f === 'committed') {
    for (const log of stringsIn(value, 'logs')) add(operation.namedLogs, log);
    for (const log of fieldsOf(fieldsOf(value).get('offsets')).keys())
      add(operation.namedLogs, log);
  }
}

/** The micro-operations of an event of a send, poll or txn; none of any other. */
export function microsOf({ f, value }: HistoryEvent): readonly AnyMicro[] {
  const holdsThem = f === 'send' || f === 'poll' || f === 'txn' || f === 'attempt';
  return holdsThem && Array.isArray(value) ? (value as readonly AnyMicro[]) : [];
}

function partsOf(log: string): LogParts {
  return parseLogName(log) ?? { topic: log, partition: null };
}

/** Tells 1 from "1", and takes -0 for 0, as identity does. */
function keyOf(log: string, value: Scalar): string {
  return `${log} ${JSON.stringify(value)}`;
}
