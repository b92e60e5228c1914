/** What the header says of topics; one that it does not name is recorded, not compacted, of unknown partitions. */
import type { History, LogColumns } from '../../src/history/columns.ts';
import type { TopicHeader } from '../../src/history/event.ts';

/** A processor writes the topic: nothing in it is a phantom, a duplicate or a lost write. */
export function isExternal(history: History, log: LogColumns): boolean {
  return topicHeader(history, log.topic)?.writers === 'external';
}

/** Superseded records may vanish; Kafka writes `compact`, `delete` or both with a comma. */
export function isCompacted(history: History, log: LogColumns): boolean {
  return topicHeader(history, log.topic)?.cleanup?.includes('compact') === true;
}

/** The log start may rise: some retention is set. */
export function hasRetention(history: History): boolean {
  const config = history.header.config ?? {};
  return Object.hasOwn(config, 'retention.ms') || Object.hasOwn(config, 'retention.bytes');
}

/** Null where the header does not say. */
export function partitionsOf(history: History, topic: string): number | null {
  return topicHeader(history, topic)?.partitions ?? null;
}

function topicHeader(history: History, topic: string): TopicHeader | undefined {
  const topics = history.header.topics ?? {};
  return Object.hasOwn(topics, topic) ? topics[topic] : undefined;
}
