/** A workload: which topics it needs, which worker does what, and which settings and claims go with it. */
import type { Random } from '../core/random.ts';
import type { LogName, Scalar } from '../history/event.ts';
import type { NodeId, TopicSpec } from './cluster.ts';

/** What a worker does next. `wait` gives the time of the next operation, ms since the workload's start. */
export type NextOperation =
  | {
      readonly do: 'send';
      readonly topic: string;
      readonly partition: number;
      readonly value: Scalar;
      readonly key?: string;
    }
  | { readonly do: 'poll' }
  | { readonly do: 'wait'; readonly untilMs: number };

/** Asks for the next operation of one worker; pure but for the state that it closes over. */
export interface WorkerScript {
  readonly kind: 'producer' | 'reader';
  /** Logs that a reader is assigned. */
  readonly logs: readonly LogName[];
  next(nowMs: number): NextOperation;
}

/** How producers use their client. */
export interface SendStyle {
  /** Records of one call, at most: each call draws its number from 1 to this. */
  readonly recordsPerSendMax: number;
  /** Who chooses the partition. */
  readonly partition: 'explicit' | 'client';
  /** After an outcome that is not ok: take a new client, or go on with the same one. */
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
  /** Sends per second in all, over all producers. */
  readonly ratePerSecond: number;
  readonly sends: SendStyle;
  readonly nodes: readonly NodeId[];
  readonly topicConfig: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly name: string;
  readonly summary: string;
  topics(options: WorkloadOptions): readonly TopicSpec[];
  /** One script per worker; every random draw comes from `random(name)`. */
  workers(options: WorkloadOptions, random: (stream: string) => Random): readonly WorkerScript[];
}
