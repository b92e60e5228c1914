/** ElectLeaders v1: preferred or unclean elections of named partitions. */
import type { Api } from '../api.ts';
import {
  array,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  string,
  struct,
  type Typed,
} from '../codec.ts';

const request = struct({
  /** 0 preferred, 1 unclean. */
  electionType: int8,
  /** Null asks for every partition. */
  topics: nullableArray(struct({ name: string, partitions: array(int32) })),
  timeoutMs: int32,
});

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  results: array(
    struct({
      name: string,
      partitions: array(
        struct({ partition: int32, errorCode: int16, errorMessage: nullableString }),
      ),
    }),
  ),
});

export type ElectLeadersRequest = Typed<typeof request>;
export type ElectLeadersResponse = Typed<typeof response>;

export const electLeaders: Api<ElectLeadersRequest, ElectLeadersResponse> = {
  name: 'ElectLeaders',
  key: 43,
  version: 1,
  flexible: false,
  request,
  response,
};
