/**
 * What consumers put into JoinGroup and SyncGroup, which the coordinator passes on unread: the topics that a member wants, and the
 * partitions that it is given. Version 0 of Kafka's consumer protocol.
 */
import { createSink, sinkBytes, sourceOf } from './bytes.ts';
import {
  array,
  int16,
  int32,
  nullableBytes,
  string,
  struct,
  type Codec,
  type Typed,
} from './codec.ts';

const version = 0;

const subscription = struct({ version: int16, topics: array(string), userData: nullableBytes });

const assignment = struct({
  version: int16,
  topics: array(struct({ name: string, partitions: array(int32) })),
  userData: nullableBytes,
});

export type AssignedTopics = Typed<typeof assignment>['topics'];

export function encodeSubscription(topics: readonly string[]): Buffer {
  return encoded(subscription, { version, topics, userData: null });
}

/** The topics that a member wants. */
export function decodeSubscription(bytes: Buffer): readonly string[] {
  return subscription.read(sourceOf(bytes)).topics;
}

export function encodeAssignment(topics: AssignedTopics): Buffer {
  return encoded(assignment, { version, topics, userData: null });
}

/** What a member is given; nothing, where the coordinator sent no bytes. */
export function decodeAssignment(bytes: Buffer | null): AssignedTopics {
  return bytes === null || bytes.length === 0 ? [] : assignment.read(sourceOf(bytes)).topics;
}

function encoded<T>(codec: Codec<T>, value: T): Buffer {
  const sink = createSink();
  codec.write(sink, value);
  return sinkBytes(sink);
}
