/**
 * ListOffsets v5: start and end of logs, with the leader epoch. From this version on a new leader that does not know
 * its high watermark yet says OFFSET_NOT_AVAILABLE instead of answering too low (KIP-207).
 */
import type { Api } from '../api.ts';
import { array, int16, int32, int64, int8, string, struct, type Typed } from '../codec.ts';

const request = struct({
  /** -1 for clients. */
  replicaId: int32,
  /** 0 read uncommitted: the end is the high watermark; 1 read committed: the last stable offset. */
  isolationLevel: int8,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          /** -1: unknown, no fencing. */
          currentLeaderEpoch: int32,
          /** `latestOffset` or `earliestOffset`, or milliseconds since the epoch. */
          timestamp: int64,
        }),
      ),
    }),
  ),
});

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          errorCode: int16,
          timestamp: int64,
          offset: int64,
          leaderEpoch: int32,
        }),
      ),
    }),
  ),
});

export type ListOffsetsRequest = Typed<typeof request>;
export type ListOffsetsResponse = Typed<typeof response>;

/** Timestamps with a meaning of their own. */
export const latestOffset = -1;
export const earliestOffset = -2;

export const listOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: 'ListOffsets',
  key: 2,
  version: 5,
  flexible: false,
  request,
  response,
};
