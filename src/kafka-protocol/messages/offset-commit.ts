/** OffsetCommit v5: writes offsets of a group, as a member of one of its generations. */
import type { Api } from '../api.ts';
import {
  array,
  int16,
  int32,
  int64,
  nullableString,
  string,
  struct,
  type Typed,
} from '../codec.ts';

const request = struct({
  groupId: string,
  /** -1, with no member id: from nobody's member; accepted only while the group has none. */
  generationId: int32,
  memberId: string,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          /** Of the next record to read. */
          offset: int64,
          metadata: nullableString,
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
      partitions: array(struct({ partition: int32, errorCode: int16 })),
    }),
  ),
});

export type OffsetCommitRequest = Typed<typeof request>;
export type OffsetCommitResponse = Typed<typeof response>;

export const offsetCommit: Api<OffsetCommitRequest, OffsetCommitResponse> = {
  name: 'OffsetCommit',
  key: 8,
  version: 5,
  flexible: false,
  request,
  response,
};
