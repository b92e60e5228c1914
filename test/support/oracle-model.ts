/**
 * A tiny history as the generator made it, before it became events: what the oracles judge. No parser stands between, so
 * an oracle shares no reading of the format with the loader or with the certifier. Times are ms.
 */
import type { Header, HistoryEvent, Scalar } from '../../src/history/event.ts';

export interface ModelOp {
  readonly id: number;
  readonly process: number;
  readonly session: string;
  readonly f: 'send' | 'poll' | 'assign' | 'close' | 'audit';
  readonly status: 'ok' | 'fail' | 'info' | 'open';
  readonly inv: number;
  /** Time of the completion; Infinity without one. */
  readonly end: number;
}

export interface ModelSend {
  readonly op: ModelOp;
  readonly topic: string;
  /** Null: the client chose the partition and never said which. */
  readonly log: string | null;
  readonly topicOnly: boolean;
  readonly value: Scalar;
  readonly key: string | null;
  readonly tombstone: boolean;
  readonly hash: string | null;
  /** As the completion gave it. */
  readonly offset: number | null;
  /** Invocation or attempt. */
  readonly inv: number;
  readonly place: number;
}

export interface ModelSight {
  readonly op: ModelOp;
  readonly by: 'poll' | 'committed' | 'uncommitted';
  readonly log: string;
  readonly offset: number;
  readonly value: Scalar;
  readonly key: string | null;
  readonly hash: string | null;
  readonly place: number;
}

export interface ModelChunk {
  readonly op: ModelOp;
  readonly from: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
  readonly lastStable: number | null;
  readonly linearizable: boolean;
  readonly records: readonly (readonly [number, Scalar])[];
}

export interface ModelScan {
  readonly log: string;
  readonly view: 'committed' | 'uncommitted';
  readonly replica: number | null;
  readonly chunks: readonly ModelChunk[];
}

/** One assignment epoch of one reader and log, and the records of its polls in order. */
export interface ModelEpoch {
  readonly log: string;
  readonly process: number;
  /** First offset to be read; null: unknown. */
  readonly from: number | null;
  readonly sights: readonly ModelSight[];
}

export interface Model {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
  readonly ops: readonly ModelOp[];
  readonly sends: readonly ModelSend[];
  readonly sights: readonly ModelSight[];
  readonly scans: readonly ModelScan[];
  readonly epochs: readonly ModelEpoch[];
  readonly errorMs: number;
  readonly acksAll: boolean;
  readonly lagMs: number;
  readonly retention: boolean;
  readonly compacted: ReadonlySet<string>;
  readonly deleteRetentionMs: number;
  readonly external: ReadonlySet<string>;
}

/** What an oracle says of one anomaly; count is null where the definition does not fix one. */
export interface OracleAnswer {
  /** Null: the definition does not say what such a history means, and nothing is compared. */
  readonly found: boolean | null;
  readonly count: number | null;
}

export function counted(count: number): OracleAnswer {
  return { found: count > 0, count };
}

export function topicName(log: string): string {
  return log.split('/')[0]!;
}

/** a had ended before b began, whatever the clocks did. */
export function before(model: Model, a: ModelOp, b: ModelOp, begunAt: number = b.inv): boolean {
  if (a.process === b.process) return a.end < begunAt;
  return a.end + model.errorMs < begunAt - model.errorMs;
}

export function sendersOf(model: Model, log: string, value: Scalar): readonly ModelSend[] {
  return model.sends.filter(
    (send) =>
      send.value === value &&
      // Where the client chose the partition, a retry may have chosen another one.
      (send.topicOnly ? send.topic === topicName(log) : send.log === log),
  );
}
