/**
 * History format 1 in types (the contract is docs/history-format.md; the zod schema in schema.ts is the reference for
 * reading). One header, then events; a pair of events, invocation and completion, is an operation.
 */

/** What an acknowledged value may be: any JSON scalar that a double holds exactly. */
export type Scalar = string | number | boolean | null;

/** `topic/partition`, or the topic alone while the client has not said where a send went. */
export type LogName = string;

/** Integers are clients (one worker incarnation each); strings are nemeses ("nemesis:kill") and observers. */
export type Process = number | string;

export type EventType = 'invoke' | 'ok' | 'fail' | 'info' | 'event';

/** What is known of a record besides its value; only what exists is present. */
export interface Meta {
  readonly key?: Scalar;
  readonly from?: string;
  readonly slot?: string;
  readonly amount?: number;
  /** Milliseconds since the epoch; never used for order. */
  readonly timestamp?: number;
  readonly hash?: string;
  readonly tombstone?: boolean;
  readonly result?: Scalar;
  readonly window?: readonly [number, number];
  readonly final?: boolean;
  readonly [extra: string]: unknown;
}

/** One record as a reader or an audit saw it. */
export type RecordSeen =
  readonly [offset: number, value: Scalar] | readonly [offset: number, value: Scalar, meta: Meta];

export type SendInvoked =
  readonly ['send', LogName, Scalar] | readonly ['send', LogName, Scalar, Meta];
export type SendCompleted =
  | readonly ['send', LogName, readonly [offset: number | null, value: Scalar]]
  | readonly ['send', LogName, readonly [offset: number | null, value: Scalar], Meta];
export type PollInvoked = readonly ['poll'];
export type PollCompleted = readonly ['poll', Readonly<Record<LogName, readonly RecordSeen[]>>];
export type MicroOp = SendInvoked | SendCompleted | PollInvoked | PollCompleted;

export interface OperationError {
  /** The system's own code where it has one (REQUEST_TIMED_OUT), else the harness's (DEADLINE). */
  readonly code: string;
  readonly message: string;
}

export type IsolationLevel = 'read_committed' | 'read_uncommitted';
export type AuditView = 'committed' | 'uncommitted' | 'raw';

export interface AssignValue {
  readonly logs: readonly LogName[];
  readonly from: 'beginning' | 'end' | Readonly<Record<LogName, number>>;
  readonly isolation?: IsolationLevel;
  readonly stable?: boolean;
}

export interface AuditInvoked {
  readonly log: LogName;
  readonly view: AuditView;
  readonly from: number;
  readonly scan?: string;
  readonly replica?: number;
}

/** One chunk of a scan. Offsets are of the log; `end` is the high watermark in every view, exclusive. */
export interface AuditCompleted extends AuditInvoked {
  /** Where the next chunk starts: the first offset that this one says nothing about. */
  readonly next: number;
  /** Absent in raw views. */
  readonly records?: readonly RecordSeen[];
  /** Present in raw views. */
  readonly batches?: readonly RawBatch[];
  /** The log's first offset when the chunk was read. */
  readonly start: number;
  readonly end: number;
  readonly lastStable?: number;
  readonly leaderEpoch?: number;
  readonly linearizable?: boolean;
}

export interface RawBatch {
  readonly base: number;
  readonly last: number;
  readonly leaderEpoch: number;
  readonly producerId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly transactional: boolean;
  readonly control: null | 'commit' | 'abort';
}

export type TookEffect = boolean | 'unknown';

/** What was measured before and after a fault or its heal; a free record whose keys are the nemesis's own. */
export interface Evidence {
  readonly tookEffect: TookEffect;
  readonly [measure: string]: unknown;
}

export interface FaultValue {
  /** Unique within the run; the heal names it too. */
  readonly fault: string;
  readonly targets: readonly string[];
  readonly plan: Readonly<Record<string, unknown>>;
  readonly evidence?: Evidence;
}

export interface HistoryEvent {
  readonly index: number;
  /** Integer nanoseconds since the start of the run. */
  readonly time: number;
  readonly process: Process;
  readonly type: EventType;
  readonly f: string;
  readonly value: unknown;
  readonly session?: string;
  readonly error?: OperationError;
  readonly txn?: { readonly id?: string; readonly producerId?: number; readonly epoch?: number };
  /** In a slice: the index of this event in the whole history. */
  readonly origin?: number;
}

export interface TopicHeader {
  readonly partitions?: number;
  readonly cleanup?: string;
  readonly writers?: 'recorded' | 'external';
}

export interface Header {
  readonly ordeal: 1;
  readonly run?: string;
  /** ISO 8601. */
  readonly started?: string;
  readonly seed?: string;
  readonly system?: {
    readonly name: string;
    readonly version?: string;
    readonly [extra: string]: unknown;
  };
  /** Present means demanded; an empty list demands nothing. */
  readonly claims?: readonly string[];
  /** Kinds of fault that the run asked for. */
  readonly faults?: readonly string[];
  /** Kafka's own configuration keys. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly topics?: Readonly<Record<string, TopicHeader>>;
  readonly clock?: { readonly errorNs?: number };
  readonly recoveryMs?: number;
  readonly transforms?: readonly unknown[];
  readonly [extra: string]: unknown;
}

/** The f's a client process may invoke; any other f belongs to a nemesis or an observer. */
export const clientFunctions = [
  'send',
  'poll',
  'txn',
  'init',
  'assign',
  'subscribe',
  'close',
  'commit',
  'committed',
  'audit',
  'state',
] as const;
export type ClientFunction = (typeof clientFunctions)[number];
