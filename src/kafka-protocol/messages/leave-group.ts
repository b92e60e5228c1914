/** LeaveGroup v2: a member goes in good order. */
import type { Api } from '../api.ts';
import { int16, int32, string, struct, type Typed } from '../codec.ts';

const request = struct({ groupId: string, memberId: string });

const response = struct({ throttleTimeMs: int32, errorCode: int16 });

export type LeaveGroupRequest = Typed<typeof request>;
export type LeaveGroupResponse = Typed<typeof response>;

export const leaveGroup: Api<LeaveGroupRequest, LeaveGroupResponse> = {
  name: 'LeaveGroup',
  key: 13,
  version: 2,
  flexible: false,
  request,
  response,
};
