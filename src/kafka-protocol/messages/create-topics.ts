/** CreateTopics v4: topics with an explicit placement of every replica. */
import type { Api } from '../api.ts';
import {
  array,
  boolean,
  int16,
  int32,
  nullableString,
  string,
  struct,
  type Typed,
} from '../codec.ts';

const request = struct({
  topics: array(
    struct({
      name: string,
      /** -1 where `assignments` are given. */
      partitions: int32,
      replicationFactor: int16,
      assignments: array(struct({ partition: int32, brokers: array(int32) })),
      configs: array(struct({ name: string, value: nullableString })),
    }),
  ),
  timeoutMs: int32,
  validateOnly: boolean,
});

const response = struct({
  throttleTimeMs: int32,
  topics: array(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
});

export type CreateTopicsRequest = Typed<typeof request>;
export type CreateTopicsResponse = Typed<typeof response>;

export const createTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  name: 'CreateTopics',
  key: 19,
  version: 4,
  flexible: false,
  request,
  response,
};
