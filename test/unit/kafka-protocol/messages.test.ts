import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../src/kafka-protocol/frames.ts';
import {
  spaced,
  int8,
  int16,
  int32,
  int64,
  text,
  maybeText,
  bytes,
  list,
  perPartition,
  survives,
} from '../../support/messages.ts';
import { createTopics } from '../../../src/kafka-protocol/messages/create-topics.ts';
import { alterPartitionReassignments } from '../../../src/kafka-protocol/messages/alter-partition-reassignments.ts';
import { describeQuorum } from '../../../src/kafka-protocol/messages/describe-quorum.ts';
import { electLeaders } from '../../../src/kafka-protocol/messages/elect-leaders.ts';
import { fetch } from '../../../src/kafka-protocol/messages/fetch.ts';
import { findCoordinator } from '../../../src/kafka-protocol/messages/find-coordinator.ts';
import { initProducerId } from '../../../src/kafka-protocol/messages/init-producer-id.ts';
import { listOffsets } from '../../../src/kafka-protocol/messages/list-offsets.ts';
import { metadata } from '../../../src/kafka-protocol/messages/metadata.ts';
import { produce } from '../../../src/kafka-protocol/messages/produce.ts';
import { addPartitionsToTxn, endTxn } from '../../../src/kafka-protocol/messages/transactions.ts';

describe('golden bytes', () => {
  test('Metadata v8 request and response', () => {
    const request = {
      topics: [{ name: 'orders' }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    };
    expect(encodeRequest(metadata, 5, 'o', request)).toEqual(
      spaced('0000001a 0003 0008 00000005 0001 6f   00000001 0006 6f7264657273 00 00 00'),
    );
    const response = spaced(`
      00000005
      00000000
      00000002
        00000001 0002 6e31 00002384 ffff
        00000002 0002 6e32 00002384 0001 72
      0003 636964
      00000002
      00000001
        0000 0006 6f7264657273 00
        00000001
          0000 00000000 00000002 00000007
          00000002 00000001 00000002
          00000001 00000002
          00000001 00000001
        80000000
      80000000`);
    const decoded = decodeResponse(metadata, response);
    expect(decoded).toEqual({
      throttleTimeMs: 0,
      brokers: [
        { nodeId: 1, host: 'n1', port: 9092, rack: null },
        { nodeId: 2, host: 'n2', port: 9092, rack: 'r' },
      ],
      clusterId: 'cid',
      controllerId: 2,
      topics: [
        {
          errorCode: 0,
          name: 'orders',
          internal: false,
          partitions: [
            {
              errorCode: 0,
              partition: 0,
              leader: 2,
              leaderEpoch: 7,
              replicas: [1, 2],
              inSync: [2],
              offline: [1],
            },
          ],
          authorizedOperations: -2147483648,
        },
      ],
      clusterAuthorizedOperations: -2147483648,
    });
    expect(encodeResponse(metadata, 5, decoded).subarray(4)).toEqual(response);
  });

  test('Fetch v11 request and response', () => {
    const request = {
      replicaId: -1,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1024,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partition: 2,
              currentLeaderEpoch: 3,
              fetchOffset: 40,
              logStartOffset: -1,
              partitionMaxBytes: 512,
            },
          ],
        },
      ],
      forgottenTopics: [],
      rackId: '',
    };
    expect(encodeRequest(fetch, 1, 'o', request).subarray(4)).toEqual(
      spaced(`
        0001 000b 00000001 0001 6f
        ffffffff 000001f4 00000001 00000400 01 00000000 ffffffff
        00000001 0001 74 00000001
          00000002 00000003 0000000000000028 ffffffffffffffff 00000200
        00000000
        0000`),
    );
    const response = spaced(`
      00000001
      00000000 0000 00000000
      00000001 0001 74 00000001
        00000002 0000 0000000000000030 0000000000000029 0000000000000005
        00000001 00000000000003e9 0000000000000028
        ffffffff
        00000003 0a0b0c`);
    const decoded = decodeResponse(fetch, response);
    expect(decoded).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partition: 2,
              errorCode: 0,
              highWatermark: 48,
              lastStableOffset: 41,
              logStartOffset: 5,
              abortedTransactions: [{ producerId: 1001, firstOffset: 40 }],
              preferredReadReplica: -1,
              records: Buffer.from([10, 11, 12]),
            },
          ],
        },
      ],
    });
    expect(encodeResponse(fetch, 1, decoded).subarray(4)).toEqual(response);
  });

  test('ListOffsets v5 carries the leader epoch', () => {
    const response = spaced(`
      00000002 00000000
      00000001 0001 74 00000001 00000000 0000 ffffffffffffffff 0000000000000011 00000004`);
    expect(decodeResponse(listOffsets, response)).toEqual({
      throttleTimeMs: 0,
      topics: [
        {
          name: 't',
          partitions: [{ partition: 0, errorCode: 0, timestamp: -1, offset: 17, leaderEpoch: 4 }],
        },
      ],
    });
  });
});

describe('round trips of both sides', () => {
  test('Metadata', () => {
    survives(
      metadata,
      fc.record({
        topics: fc.option(list(fc.record({ name: text }))),
        allowAutoTopicCreation: fc.boolean(),
        includeClusterAuthorizedOperations: fc.boolean(),
        includeTopicAuthorizedOperations: fc.boolean(),
      }),
      fc.record({
        throttleTimeMs: int32,
        brokers: list(fc.record({ nodeId: int32, host: text, port: int32, rack: maybeText })),
        clusterId: maybeText,
        controllerId: int32,
        topics: list(
          fc.record({
            errorCode: int16,
            name: text,
            internal: fc.boolean(),
            partitions: list(
              fc.record({
                errorCode: int16,
                partition: int32,
                leader: int32,
                leaderEpoch: int32,
                replicas: list(int32),
                inSync: list(int32),
                offline: list(int32),
              }),
            ),
            authorizedOperations: int32,
          }),
        ),
        clusterAuthorizedOperations: int32,
      }),
    );
  });

  test('ListOffsets', () => {
    const asked = fc.record({ partition: int32, currentLeaderEpoch: int32, timestamp: int64 });
    const answered = fc.record({
      partition: int32,
      errorCode: int16,
      timestamp: int64,
      offset: int64,
      leaderEpoch: int32,
    });
    survives(
      listOffsets,
      fc.record({ replicaId: int32, isolationLevel: int8, topics: perPartition(asked) }),
      fc.record({ throttleTimeMs: int32, topics: perPartition(answered) }),
    );
  });

  test('Fetch', () => {
    const asked = fc.record({
      partition: int32,
      currentLeaderEpoch: int32,
      fetchOffset: int64,
      logStartOffset: int64,
      partitionMaxBytes: int32,
    });
    const answered = fc.record({
      partition: int32,
      errorCode: int16,
      highWatermark: int64,
      lastStableOffset: int64,
      logStartOffset: int64,
      abortedTransactions: fc.option(list(fc.record({ producerId: int64, firstOffset: int64 }))),
      preferredReadReplica: int32,
      records: bytes,
    });
    survives(
      fetch,
      fc.record({
        replicaId: int32,
        maxWaitMs: int32,
        minBytes: int32,
        maxBytes: int32,
        isolationLevel: int8,
        sessionId: int32,
        sessionEpoch: int32,
        topics: perPartition(asked),
        forgottenTopics: list(fc.record({ name: text, partitions: list(int32) })),
        rackId: text,
      }),
      fc.record({
        throttleTimeMs: int32,
        errorCode: int16,
        sessionId: int32,
        topics: perPartition(answered),
      }),
    );
  });

  test('Produce', () => {
    const appended = fc.record({
      partition: int32,
      errorCode: int16,
      baseOffset: int64,
      logAppendTimeMs: int64,
      logStartOffset: int64,
    });
    survives(
      produce,
      fc.record({
        transactionalId: maybeText,
        acks: int16,
        timeoutMs: int32,
        topics: perPartition(fc.record({ partition: int32, records: bytes })),
      }),
      fc.record({ topics: perPartition(appended), throttleTimeMs: int32 }),
    );
  });

  test('DescribeQuorum', () => {
    const replicas = list(fc.record({ replicaId: int32, logEndOffset: int64 }));
    const quorum = fc.record({
      partition: int32,
      errorCode: int16,
      leader: int32,
      leaderEpoch: int32,
      highWatermark: int64,
      currentVoters: replicas,
      observers: replicas,
    });
    survives(
      describeQuorum,
      fc.record({ topics: perPartition(fc.record({ partition: int32 })) }),
      fc.record({ errorCode: int16, topics: perPartition(quorum) }),
    );
  });

  test('FindCoordinator, InitProducerId', () => {
    survives(
      findCoordinator,
      fc.record({ key: text, keyType: int8 }),
      fc.record({
        throttleTimeMs: int32,
        errorCode: int16,
        errorMessage: maybeText,
        nodeId: int32,
        host: text,
        port: int32,
      }),
    );
    survives(
      initProducerId,
      fc.record({ transactionalId: maybeText, transactionTimeoutMs: int32 }),
      fc.record({
        throttleTimeMs: int32,
        errorCode: int16,
        producerId: int64,
        producerEpoch: int16,
      }),
    );
  });

  test('ElectLeaders, CreateTopics', () => {
    const elected = fc.record({ partition: int32, errorCode: int16, errorMessage: maybeText });
    survives(
      electLeaders,
      fc.record({
        electionType: int8,
        topics: fc.option(list(fc.record({ name: text, partitions: list(int32) }))),
        timeoutMs: int32,
      }),
      fc.record({ throttleTimeMs: int32, errorCode: int16, results: perPartition(elected) }),
    );
    survives(
      createTopics,
      fc.record({
        topics: list(
          fc.record({
            name: text,
            partitions: int32,
            replicationFactor: int16,
            assignments: list(fc.record({ partition: int32, brokers: list(int32) })),
            configs: list(fc.record({ name: text, value: maybeText })),
          }),
        ),
        timeoutMs: int32,
        validateOnly: fc.boolean(),
      }),
      fc.record({
        throttleTimeMs: int32,
        topics: list(fc.record({ name: text, errorCode: int16, errorMessage: maybeText })),
      }),
    );
  });

  test('AlterPartitionReassignments', () => {
    const done = fc.record({ partition: int32, errorCode: int16, errorMessage: maybeText });
    survives(
      alterPartitionReassignments,
      fc.record({
        timeoutMs: int32,
        topics: perPartition(fc.record({ partition: int32, replicas: list(int32) })),
      }),
      fc.record({
        throttleTimeMs: int32,
        errorCode: int16,
        errorMessage: maybeText,
        topics: perPartition(done),
      }),
    );
  });

  test('AddPartitionsToTxn, EndTxn', () => {
    const producer = { transactionalId: text, producerId: int64, producerEpoch: int16 };
    survives(
      addPartitionsToTxn,
      fc.record({
        ...producer,
        topics: list(fc.record({ name: text, partitions: list(int32) })),
      }),
      fc.record({
        throttleTimeMs: int32,
        topics: perPartition(fc.record({ partition: int32, errorCode: int16 })),
      }),
    );
    survives(
      endTxn,
      fc.record({ ...producer, committed: fc.boolean() }),
      fc.record({ throttleTimeMs: int32, errorCode: int16 }),
    );
  });
});
