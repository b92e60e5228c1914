/**
 * Where the records of an acknowledged kafkajs send went. The answer has one entry per partition at best: it lacks one
 * that was never written (KAFKA.md K-1), and after a retry it may hold entries of two brokers for one partition.
 */
import type { RecordMetadata } from 'kafkajs';
import type { Sent } from '../../spi/client.ts';

/** One record of the call. */
export interface RoutedRecord {
  readonly topic: string;
  /** The partition that it names; null: the client's choice. */
  readonly partition: number | null;
  /** What was chosen for it, attempt by attempt. */
  readonly choices: readonly number[];
}

/**
 * One entry per record, in order; null where a record's partition cannot be told: of a call of several records that was
 * tried again with other choices, nobody knows which attempt the answer speaks of.
 */
export function placesOf(
  records: readonly RoutedRecord[],
  answer: readonly RecordMetadata[],
): readonly Sent[] | null {
  const only = records.length === 1 ? records[0] : undefined;
  const partitions = records.map((record) =>
    record === only ? partitionOfOne(record, answer) : partitionOfSeveral(record),
  );
  const positions = new Map<string, number>();
  const places: Sent[] = [];
  for (const [i, { topic }] of records.entries()) {
    const partition = partitions[i] ?? null;
    if (partition === null) return null;
    const log = `${topic}/${partition}`;
    const position = positions.get(log) ?? 0;
    positions.set(log, position + 1);
    const base = baseOffset(topic, partition, answer);
    places.push({ partition, offset: base === null ? null : base + position });
  }
  return places;
}

/** The answer to one record names its partition, and is surer than the last choice. */
function partitionOfOne(
  { topic, partition, choices }: RoutedRecord,
  answer: readonly RecordMetadata[],
): number | null {
  if (partition !== null) return partition;
  const told = answer.filter(({ topicName }) => topicName === topic);
  return told.length === 1 && told[0] !== undefined ? told[0].partition : (choices.at(-1) ?? null);
}

function partitionOfSeveral({ partition, choices }: RoutedRecord): number | null {
  if (partition !== null) return partition;
  const [first] = choices;
  return first !== undefined && choices.every((choice) => choice === first) ? first : null;
}

/** Null where the answer lacks the partition, contradicts itself, or the broker told no offset (acks=0). */
function baseOffset(
  topic: string,
  partition: number,
  answer: readonly RecordMetadata[],
): number | null {
  const told = new Set(
    answer
      .filter((entry) => entry.topicName === topic && entry.partition === partition)
      .map((entry) => Number(entry.baseOffset ?? entry.offset ?? -1)),
  );
  const [offset] = told;
  return told.size === 1 && Number.isSafeInteger(offset) && (offset ?? -1) >= 0
    ? (offset ?? null)
    : null;
}
