/** A workload: which topics it needs, which worker does what, and which settings and claims go with it. */
import type { Random } from '../core/random.ts';
import type { LogName, Scalar } from '../history/event.ts';
import type { NodeId, TopicSpec } from './cluster.ts';

/** What a worker does next. `wait` gives the time of the next operation, ms since the workload's start. */
export type NextOperation =
  | {
      readonly do: 'send';
      /** At least one; they go out in one call of the client. A partition of null is the client's choice. */
      readonly records: readonly {
        readonly topic: string;
        readonly partition: number | null;
        readonly value: Scalar;
        readonly key?: string;
        /** Deletes the key: on the wire its value is null, and the value by which it is known travels in a header. */
        readonly tombstone?: boolean;
      }[];
    }
  | { readonly do: 'poll' }
  /** Members only: commits what was polled and is still theirs; reads the group's offsets; leaves; dies; both join again later. */
  | { readonly do: 'commit' | 'committed' | 'leave' | 'crash' }
  | { readonly do: 'wait'; readonly untilMs: number };

/** Asks for the next operation of one worker; pure but for the state that it closes over. */
export interface WorkerScript {
  readonly kind: 'producer' | 'reader' | 'member';
  /** Members only: the group. */
  readonly group: string | null;
  /** Logs that a reader is assigned, or whose offsets a member asks for. */
  readonly logs: readonly LogName[];
  /**
   * Producers only. Workers of one session share one client, which is used on whatever the outcome of a send. Null: the
   * worker has a client of its own, replaced after every outcome but ok; one session per process, nothing is recorded.
   */
  readonly session: string | null;
  next(nowMs: number): NextOperation;
}

/** How producers use their client. */
export interface SendStyle {
  /** Records of one call, at most; each call draws its number from 1 to this. */
  readonly recordsPerSendMax: number;
  readonly partition: 'explicit' | 'client';
  /** After an outcome that is not ok: a new client, or go on with the same one. */
  readonly afterFailure: 'replace' | 'continue';
  /** Workers (processes) that share one client and one session: so many sends of it may be open at once. */
  readonly sharedBy: number;
}

/** Awaited single-record sends to explicit partitions: what shows the broker's defects and none of the client's. */
export const plainSends: SendStyle = {
  recordsPerSendMax: 1,
  partition: 'explicit',
  afterFailure: 'replace',
  sharedBy: 1,
};

export interface WorkloadOptions {
  readonly topics: number;
  readonly partitions: number;
  readonly concurrency: number;
  /** Sends per second in all, over all producers; one of several records counts once. */
  readonly ratePerSecond: number;
  readonly sends: SendStyle;
  readonly nodes: readonly NodeId[];
  readonly topicConfig: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly name: string;
  readonly summary: string;
  topics(options: WorkloadOptions): readonly TopicSpec[];
  /** Consumer groups whose offsets are audited, and which must commit again before a run counts as recovered. */
  readonly groups: readonly string[];
  /** One script per worker; every random draw comes from `random(name)`. */
  workers(options: WorkloadOptions, random: (stream: string) => Random): readonly WorkerScript[];
}
