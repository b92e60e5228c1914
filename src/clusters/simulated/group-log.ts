/**
 * What a group coordinator writes to its log, and what it finds there when it takes over: the newest generation of each group, with
 * who is in it and what each was given, and the offsets that were committed.
 */
import type { LogName } from '../../history/event.ts';
import {
  UnencodedBatch,
  UnencodedRecord,
  type Content,
  type RecordBatch,
} from '../../kafka-protocol/record-batch.ts';

/** The one log of all groups: whoever leads it coordinates them. */
export const groupTopic = '__consumer_offsets';
export const groupLog = `${groupTopic}/0`;

export interface LoggedMember {
  readonly id: string;
  readonly sessionMs: number;
  readonly rebalanceMs: number;
  readonly metadata: Buffer | null;
  readonly assignment: Buffer | null;
}

export type GroupRecord =
  | {
      readonly kind: 'generation';
      readonly group: string;
      readonly generation: number;
      readonly leader: string | null;
      readonly members: readonly LoggedMember[];
    }
  | {
      readonly kind: 'offsets';
      readonly group: string;
      /** Of the next record to read. */
      readonly offsets: readonly (readonly [log: LogName, next: number])[];
    };

/** No client reads this log, so its records are never bytes. */
class GroupContent implements Content {
  readonly key = null;
  readonly record: GroupRecord;

  constructor(record: GroupRecord) {
    this.record = record;
  }

  get value(): Buffer {
    return Buffer.from(JSON.stringify(this.record), 'utf8');
  }

  shownAt(offset: number): object {
    return [offset, this.record.kind];
  }
}

/** A batch of one record, as a producer without id would send it. @param timestamp milliseconds since the epoch. */
export function batchOf(record: GroupRecord, timestamp: number): RecordBatch {
  const head = {
    ...{ timestamp, recordCount: 1 },
    ...{ producerId: -1, producerEpoch: -1, baseSequence: -1 },
  };
  return new UnencodedBatch(head, 0, -1, [
    new UnencodedRecord(new GroupContent(record), timestamp, 0),
  ]);
}

/** The records of a log in order, each with its offset. */
export function* recordsOf(
  batches: readonly RecordBatch[],
): Generator<{ readonly offset: number; readonly record: GroupRecord }> {
  for (const { records = [] } of batches) {
    for (const { offset, content } of records) {
      if (content instanceof GroupContent) yield { offset, record: content.record };
    }
  }
}
