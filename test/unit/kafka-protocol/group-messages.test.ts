/** The messages of consumer groups: golden bytes by hand from Kafka's schemas, and round trips. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/kafka-protocol/consumer-protocol.ts';
import { encodeRequest, encodeResponse } from '../../../src/kafka-protocol/frames.ts';
import { heartbeat } from '../../../src/kafka-protocol/messages/heartbeat.ts';
import { joinGroup } from '../../../src/kafka-protocol/messages/join-group.ts';
import { leaveGroup } from '../../../src/kafka-protocol/messages/leave-group.ts';
import { offsetCommit } from '../../../src/kafka-protocol/messages/offset-commit.ts';
import { offsetFetch } from '../../../src/kafka-protocol/messages/offset-fetch.ts';
import { syncGroup } from '../../../src/kafka-protocol/messages/sync-group.ts';
import {
  bytes,
  int16,
  int32,
  int64,
  list,
  maybeText,
  perPartition,
  spaced,
  survives,
  text,
} from '../../support/messages.ts';

const answer = fc.record({ throttleTimeMs: int32, errorCode: int16 });

describe('golden bytes', () => {
  test('JoinGroup v5', () => {
    const request = {
      groupId: 'g',
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 7_000,
      memberId: 'm1',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: spaced('0a0b') }],
    };
    expect(encodeRequest(joinGroup, 9, 'o', request).subarray(4)).toEqual(
      spaced(`
        000b 0005 00000009 0001 6f
        0001 67 00001770 00001b58 0002 6d31 ffff 0008 636f6e73756d6572
        00000001 0005 72616e6765 00000002 0a0b`),
    );
    const response = {
      throttleTimeMs: 0,
      errorCode: 79,
      generationId: 3,
      protocolName: 'range',
      leader: 'm1',
      memberId: 'm2',
      members: [{ memberId: 'm2', groupInstanceId: null, metadata: spaced('ff') }],
    };
    expect(encodeResponse(joinGroup, 9, response).subarray(4)).toEqual(
      spaced(`
        00000009 00000000 004f 00000003 0005 72616e6765 0002 6d31 0002 6d32
        00000001 0002 6d32 ffff 00000001 ff`),
    );
  });

  test('OffsetCommit v5', () => {
    const request = {
      groupId: 'g',
      generationId: 4,
      memberId: 'm',
      topics: [{ name: 't', partitions: [{ partition: 1, offset: 258, metadata: null }] }],
    };
    expect(encodeRequest(offsetCommit, 1, null, request).subarray(4)).toEqual(
      spaced(`
        0008 0005 00000001 ffff
        0001 67 00000004 0001 6d
        00000001 0001 74 00000001 00000001 0000000000000102 ffff`),
    );
  });

  test('what consumers say to each other', () => {
    expect(encodeSubscription(['t'])).toEqual(spaced('0000 00000001 0001 74 ffffffff'));
    expect(encodeAssignment([{ name: 't', partitions: [2, 3] }])).toEqual(
      spaced('0000 00000001 0001 74 00000002 00000002 00000003 ffffffff'),
    );
  });
});

describe('round trips', () => {
  test('JoinGroup', () => {
    survives(
      joinGroup,
      fc.record({
        groupId: text,
        sessionTimeoutMs: int32,
        rebalanceTimeoutMs: int32,
        memberId: text,
        groupInstanceId: maybeText,
        protocolType: text,
        protocols: list(fc.record({ name: text, metadata: bytes })),
      }),
      fc.record({
        throttleTimeMs: int32,
        errorCode: int16,
        generationId: int32,
        protocolName: text,
        leader: text,
        memberId: text,
        members: list(fc.record({ memberId: text, groupInstanceId: maybeText, metadata: bytes })),
      }),
    );
  });

  test('SyncGroup', () => {
    survives(
      syncGroup,
      fc.record({
        groupId: text,
        generationId: int32,
        memberId: text,
        groupInstanceId: maybeText,
        assignments: list(fc.record({ memberId: text, assignment: bytes })),
      }),
      fc.record({ throttleTimeMs: int32, errorCode: int16, assignment: bytes }),
    );
  });

  test('Heartbeat, LeaveGroup', () => {
    survives(
      heartbeat,
      fc.record({
        groupId: text,
        generationId: int32,
        memberId: text,
        groupInstanceId: maybeText,
      }),
      answer,
    );
    survives(leaveGroup, fc.record({ groupId: text, memberId: text }), answer);
  });

  test('OffsetCommit, OffsetFetch', () => {
    survives(
      offsetCommit,
      fc.record({
        groupId: text,
        generationId: int32,
        memberId: text,
        topics: perPartition(fc.record({ partition: int32, offset: int64, metadata: maybeText })),
      }),
      fc.record({
        throttleTimeMs: int32,
        topics: perPartition(fc.record({ partition: int32, errorCode: int16 })),
      }),
    );
    survives(
      offsetFetch,
      fc.record({
        groupId: text,
        topics: list(fc.record({ name: text, partitions: list(int32) })),
      }),
      fc.record({
        throttleTimeMs: int32,
        topics: perPartition(
          fc.record({
            partition: int32,
            offset: int64,
            leaderEpoch: int32,
            metadata: maybeText,
            errorCode: int16,
          }),
        ),
        errorCode: int16,
      }),
    );
  });

  test('subscriptions and assignments', () => {
    fc.assert(
      fc.property(
        list(text),
        list(fc.record({ name: text, partitions: list(int32) })),
        (topics, given) => {
          expect(decodeSubscription(encodeSubscription(topics))).toEqual(topics);
          expect(decodeAssignment(encodeAssignment(given))).toEqual(given);
        },
      ),
    );
    expect(decodeAssignment(null)).toEqual([]);
  });
});
