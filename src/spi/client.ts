/**
 * What an adapter of a client library, or of our own wire client, offers to workloads and to the audit. Outcomes of the
 * system under test are values; only the harness's own trouble is thrown.
 */
import type {
  AuditCompleted,
  AuditView,
  IsolationLevel,
  LogName,
  Meta,
  OperationError,
  RecordSeen,
  Scalar,
} from '../history/event.ts';

/** DESIGN.md section 4: ok took effect, fail certainly did not, info may or may not, now or later. */
export type Outcome<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'fail'; readonly error: OperationError }
  | { readonly type: 'info'; readonly error: OperationError };

/** One record to send. */
export interface SendRequest {
  readonly topic: string;
  /** Null: the client chooses. */
  readonly partition: number | null;
  readonly value: Scalar;
  readonly meta: Meta;
}

/** Where one acknowledged record went; offset null where the client does not learn it. */
export interface Sent {
  readonly partition: number;
  readonly offset: number | null;
}

export interface ProducerClient extends AsyncDisposable {
  /**
   * Sends these records, at least one, in one call of the library and waits for its outcome, at most the operation
   * timeout. The value has one entry per request, in order. fail: none was written, nor will be; info: any may be. Calls may
   * be open at once. Whether a producer whose outcome was not ok is used again is the caller's choice: one that judges the
   * broker disposes it and creates another.
   */
  send(requests: readonly SendRequest[]): Promise<Outcome<readonly Sent[]>>;
}

/** Calls whose deadline passed while the client library went on with them. */
export interface AbandonedCalls {
  readonly total: number;
  /** Those that had not settled and may still write. */
  readonly open: number;
}

export interface ProducerSettings {
  /** Kafka's own keys. `request.timeout.ms` is per attempt. */
  readonly acks: 'all' | 0 | 1;
  readonly idempotent: boolean;
  readonly requestTimeoutMs: number;
  readonly retriesMax: number;
  /** Bound of one operation as the workload sees it; when it fires the outcome is info. */
  readonly operationTimeoutMs: number;
}

export interface ProducerFactory extends AsyncDisposable {
  /** Connects one producer of its own connections. @param name unique within the run, for logs. */
  create(name: string): Promise<ProducerClient>;
  abandoned(): AbandonedCalls;
  /** Waits until every abandoned call has settled, at most `timeoutMs`. */
  settle(timeoutMs: number): Promise<AbandonedCalls>;
}

export type PollResult = Readonly<Record<LogName, readonly RecordSeen[]>>;

/** A reader that is told which logs to read and from where: no group, no commits. */
export interface ReaderClient extends AsyncDisposable {
  /** Sets the logs and positions anew. */
  assign(
    logs: readonly LogName[],
    from: 'beginning' | 'end' | Readonly<Record<LogName, number>>,
  ): Promise<Outcome<null>>;
  /**
   * Waits for records at most the poll bound. An empty result is ok. After OFFSET_OUT_OF_RANGE the outcome is fail and
   * the caller assigns again before it polls on: no silent reset.
   */
  poll(): Promise<Outcome<PollResult>>;
}

export interface ReaderFactory {
  create(name: string, isolation: IsolationLevel): Promise<ReaderClient>;
}

/** What a group told one of its members; logs are named. What the client does not tell is absent. */
export interface RebalanceTold extends MemberIdentity {
  /** Newly added; an eager client, which gives up all before, lists all. */
  readonly assigned: readonly LogName[];
  readonly revoked: readonly LogName[];
  readonly lost: readonly LogName[];
}

/** Offsets of a group by log: of the next record to read. */
export type GroupOffsets = Readonly<Record<LogName, number>>;

/** As whom a member acts; what the client does not tell is absent. */
export interface MemberIdentity {
  readonly generation?: number;
  readonly member?: string;
}

/** One member of a consumer group. One operation is open at a time. Disposal ends it without a word to the group. */
export interface MemberClient extends AsyncDisposable {
  /** Joins. ok once the client has begun to; what it is given comes through `told`. */
  subscribe(topics: readonly string[]): Promise<Outcome<null>>;
  /**
   * Waits for records at most the poll bound; an empty result is ok. A poll during which the group rebalances returns nothing, so
   * that what was read under two assignments never mixes.
   */
  poll(): Promise<Outcome<PollResult>>;
  /** As whom it would commit now, as far as is known here. */
  identity(): MemberIdentity;
  /** Writes the group's offsets; the value says as whom it did. */
  commit(offsets: GroupOffsets): Promise<Outcome<MemberIdentity>>;
  /** Reads the group's offsets; a log for which nothing is committed is absent. */
  committed(logs: readonly LogName[]): Promise<Outcome<GroupOffsets>>;
  /** Leaves the group in good order. */
  close(): Promise<Outcome<null>>;
}

export interface MemberFactory extends AsyncDisposable {
  /**
   * A member that has not joined yet. @param name unique within the run. @param told called in the order of what happened, before
   * any poll returns a record of a new assignment, and never after disposal.
   */
  create(
    name: string,
    group: string,
    told: (rebalance: RebalanceTold) => void,
  ): Promise<MemberClient>;
}

export interface AuditRequest {
  readonly log: LogName;
  readonly view: AuditView;
  readonly from: number;
  /** Node number of one replica; absent: the leader on which all nodes agree. */
  readonly replica?: number;
}

/** Reads logs for proof: from the agreed leader only, bounded by the high watermark. */
export interface AuditClient extends AsyncDisposable {
  /** One chunk; `scan` is the caller's. Not ready (no agreed leader, a ListOffsets error) is fail. */
  chunk(request: AuditRequest): Promise<Outcome<Omit<AuditCompleted, 'scan'>>>;
  /** The offsets of a group, asked of its coordinator; a log for which nothing is committed is absent. */
  committed(group: string, logs: readonly LogName[]): Promise<Outcome<GroupOffsets>>;
}
