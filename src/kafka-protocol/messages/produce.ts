/** Produce v7: appends record batches. With acks 0 the broker sends no response at all. */
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
import { nullableRecords } from '../records.ts';

const request = struct({
  transactionalId: nullableString,
  /** -1 all in-sync replicas, 1 the leader, 0 no answer. */
  acks: int16,
  timeoutMs: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(struct({ partition: int32, records: nullableRecords })),
    }),
  ),
});

const response = struct({
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          errorCode: int16,
          baseOffset: int64,
          /** -1 unless the topic keeps append times. */
          logAppendTimeMs: int64,
          logStartOffset: int64,
        }),
      ),
    }),
  ),
  throttleTimeMs: int32,
});

export type ProduceRequest = Typed<typeof request>;
export type ProduceResponse = Typed<typeof response>;

export const produce: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  version: 7,
  flexible: false,
  request,
  response,
};
