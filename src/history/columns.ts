/**
 * The loaded history: what checkers read. Sends, polled records and audited records are rows of typed arrays, sharded
 * by log; operations are rows of one table; whatever is rare stays an object. Pure data: no I/O, no clock, no node:.
 *
 * Ids are positions: an op id indexes `ops`, a value id `values`, a meta id `metas` (0 is "no meta"), a log id `logs`.
 */
import type {
  AuditView,
  Header,
  HistoryEvent,
  Meta,
  OperationError,
  Process,
  RawBatch,
  Scalar,
} from './event.ts';

export const opStatus = { open: 0, ok: 1, fail: 2, info: 3 } as const;
export type OpStatus = (typeof opStatus)[keyof typeof opStatus];

/** f's as small integers; 'other' is every f of nemeses and observers. */
export const opKinds = {
  send: 0,
  poll: 1,
  txn: 2,
  init: 3,
  assign: 4,
  subscribe: 5,
  close: 6,
  commit: 7,
  committed: 8,
  audit: 9,
  state: 10,
  other: 11,
} as const;

/** One row per invocation, in order of invocation. Times are nanoseconds of the history's clock. */
export interface OpColumns {
  readonly count: number;
  /** Index of the invoking event. */
  readonly invokeIndex: Float64Array;
  /** Index of the completing event, or -1. */
  readonly completeIndex: Float64Array;
  readonly invNs: Float64Array;
  /** Time of the completion if it is ok or fail, else Infinity: an info operation may take effect at any later time. */
  readonly retNs: Float64Array;
  /** Time of the completion whatever its type, Infinity if there is none. */
  readonly endNs: Float64Array;
  /** Positions in `processes` and `sessions`. */
  readonly process: Int32Array;
  readonly session: Int32Array;
  /** OpStatus; an invocation without completion is `open` and judged as info. */
  readonly status: Uint8Array;
  /** One of opKinds. */
  readonly kind: Uint8Array;
  /** Position in `errors`, or -1. */
  readonly error: Int32Array;
}

/**
 * Send micro-operations of one log in order of recording (invocation or attempt; within one event, in list order), also
 * those inside txn. Status is that of the op.
 */
export interface SendColumns {
  readonly count: number;
  readonly op: Int32Array;
  readonly value: Int32Array;
  /** As the completion (ok or info) gave it; -1 when the client never learned it. */
  readonly offset: Float64Array;
  readonly meta: Int32Array;
  /** When the send was recorded: its op's invocation, or the time of its attempt event. */
  readonly invNs: Float64Array;
  /** Index of the event that recorded it first. */
  readonly recordedIndex: Float64Array;
  /** 1 where the invocation named the topic alone and the client chose the partition. */
  readonly clientChose: Uint8Array;
}

/** Records returned by poll micro-operations (also inside txn), ordered by completing event, then as listed. */
export interface ReadColumns {
  readonly count: number;
  readonly op: Int32Array;
  readonly offset: Float64Array;
  readonly value: Int32Array;
  readonly meta: Int32Array;
}

/** One completed audit operation (ok), in order of completion. Info and failed audits say nothing and are absent here. */
export interface AuditChunk {
  readonly op: number;
  /** The scan id as given, else the default of the process. */
  readonly scan: string;
  readonly view: AuditView;
  /** Node number of the replica that was read, or null for the leader. */
  readonly replica: number | null;
  readonly from: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
  readonly lastStable: number | null;
  readonly leaderEpoch: number | null;
  readonly linearizable: boolean;
  /** Rows [recordsFrom, recordsTo) of the log's `audited`. Empty for raw views. */
  readonly recordsFrom: number;
  readonly recordsTo: number;
  readonly batches: readonly RawBatch[];
}

/** Records of audit chunks of one log. */
export interface AuditedColumns {
  readonly count: number;
  readonly offset: Float64Array;
  readonly value: Int32Array;
  readonly meta: Int32Array;
}

export interface LogColumns {
  readonly id: number;
  readonly name: string;
  readonly topic: string;
  /** Null for the pseudo-log of a topic: sends whose partition was never learned. */
  readonly partition: number | null;
  readonly sends: SendColumns;
  readonly reads: ReadColumns;
  readonly audits: readonly AuditChunk[];
  readonly audited: AuditedColumns;
}

/** An operation that is rare enough to stay an object: everything but send, poll and audit (txn too). */
export interface RareOperation {
  readonly op: number;
  readonly f: string;
  readonly process: Process;
  readonly invoked: HistoryEvent;
  readonly completed: HistoryEvent | null;
}

/** Where a send stands: log id and row of that log's `sends`. */
export interface SendRef {
  readonly log: number;
  readonly row: number;
}

export interface History {
  readonly header: Header;
  /** Events after the header. */
  readonly eventCount: number;
  /** Time of the last event, ns; 0 when there is none. */
  readonly lastTimeNs: number;
  /** What the loader forgave: a torn last line, a cut .gz. */
  readonly warnings: readonly string[];
  readonly processes: readonly Process[];
  readonly sessions: readonly string[];
  /** Value id to value. */
  readonly values: readonly Scalar[];
  readonly metas: readonly Meta[];
  readonly errors: readonly OperationError[];
  readonly ops: OpColumns;
  /** Sorted by topic, then partition (pseudo-logs first). */
  readonly logs: readonly LogColumns[];
  readonly logByName: ReadonlyMap<string, number>;
  /** In order of invocation. */
  readonly rare: readonly RareOperation[];
  /** Events of type `event`, in order: attempt, phase, rebalance, partitions, leader, delay, crash … */
  readonly observations: readonly HistoryEvent[];
  /**
   * The send that wrote `value` to log `log`, or that left the partition of that log's topic to the client and never
   * learned it. At most one exists: a second invocation of a value is an error of the file.
   */
  findSend(log: number, value: number): SendRef | null;
}
