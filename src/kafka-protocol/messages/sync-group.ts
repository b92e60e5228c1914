/** SyncGroup v3: the leader brings what it assigned to whom, and every member hears its own part. */
import type { Api } from '../api.ts';
import {
  array,
  int16,
  int32,
  nullableBytes,
  nullableString,
  string,
  struct,
  type Typed,
} from '../codec.ts';

const request = struct({
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: nullableString,
  /** From the leader only. */
  assignments: array(struct({ memberId: string, assignment: nullableBytes })),
});

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  assignment: nullableBytes,
});

export type SyncGroupRequest = Typed<typeof request>;
export type SyncGroupResponse = Typed<typeof response>;

export const syncGroup: Api<SyncGroupRequest, SyncGroupResponse> = {
  name: 'SyncGroup',
  key: 14,
  version: 3,
  flexible: false,
  request,
  response,
};
