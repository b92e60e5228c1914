/** OffsetFetch v5: the committed offsets of a group, asked of its coordinator. */
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

/** The answer's offset where the group has committed nothing. */
export const noCommittedOffset = -1;

const request = struct({
  groupId: string,
  topics: array(struct({ name: string, partitions: array(int32) })),
});

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          /** Of the next record to read, or `noCommittedOffset`. */
          offset: int64,
          leaderEpoch: int32,
          metadata: nullableString,
          errorCode: int16,
        }),
      ),
    }),
  ),
  errorCode: int16,
});

export type OffsetFetchRequest = Typed<typeof request>;
export type OffsetFetchResponse = Typed<typeof response>;

export const offsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  name: 'OffsetFetch',
  key: 9,
  version: 5,
  flexible: false,
  request,
  response,
};
