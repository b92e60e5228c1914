/** FindCoordinator v2: which broker coordinates a group or a transactional id. */
import type { Api } from '../api.ts';
import { int16, int32, int8, nullableString, string, struct, type Typed } from '../codec.ts';

const request = struct({
  key: string,
  /** 0 group, 1 transactional id. */
  keyType: int8,
});

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  nodeId: int32,
  host: string,
  port: int32,
});

export type FindCoordinatorRequest = Typed<typeof request>;
export type FindCoordinatorResponse = Typed<typeof response>;

export const findCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = {
  name: 'FindCoordinator',
  key: 10,
  version: 2,
  flexible: false,
  request,
  response,
};
