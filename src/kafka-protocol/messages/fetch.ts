/** Fetch v11: record batches of logs, from the leader or, for clients of this version on, from any replica (KIP-392). */
import type { Api } from '../api.ts';
import {
  array,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  string,
  struct,
  type Typed,
} from '../codec.ts';
import { nullableRecords } from '../records.ts';

const request = struct({
  /** -1 for clients. */
  replicaId: int32,
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: int32,
  isolationLevel: int8,
  /** 0 with epoch -1: no fetch session. */
  sessionId: int32,
  sessionEpoch: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          currentLeaderEpoch: int32,
          fetchOffset: int64,
          /** -1 for clients. */
          logStartOffset: int64,
          partitionMaxBytes: int32,
        }),
      ),
    }),
  ),
  forgottenTopics: array(struct({ name: string, partitions: array(int32) })),
  rackId: string,
});

const partition = struct({
  partition: int32,
  errorCode: int16,
  highWatermark: int64,
  lastStableOffset: int64,
  logStartOffset: int64,
  /** In no order that one may rely on. */
  abortedTransactions: nullableArray(struct({ producerId: int64, firstOffset: int64 })),
  preferredReadReplica: int32,
  records: nullableRecords,
});

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  sessionId: int32,
  topics: array(struct({ name: string, partitions: array(partition) })),
});

export type FetchRequest = Typed<typeof request>;
export type FetchResponse = Typed<typeof response>;
export type FetchedPartition = Typed<typeof partition>;

export const fetch: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  version: 11,
  flexible: false,
  request,
  response,
};
