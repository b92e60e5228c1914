/** JoinGroup v5: a member asks to be in the next generation of its group; answered when all have, or their time is up. */
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
  sessionTimeoutMs: int32,
  /** How long the others may take to join. */
  rebalanceTimeoutMs: int32,
  /** Empty: the coordinator gives one, with MEMBER_ID_REQUIRED, and the member asks again with it. */
  memberId: string,
  groupInstanceId: nullableString,
  protocolType: string,
  /** What it can do, best first; the metadata is the assignor's own (consumer-protocol.ts). */
  protocols: array(struct({ name: string, metadata: nullableBytes })),
});

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  generationId: int32,
  protocolName: string,
  leader: string,
  memberId: string,
  /** For the leader, who assigns; empty for all others. */
  members: array(
    struct({ memberId: string, groupInstanceId: nullableString, metadata: nullableBytes }),
  ),
});

export type JoinGroupRequest = Typed<typeof request>;
export type JoinGroupResponse = Typed<typeof response>;

export const joinGroup: Api<JoinGroupRequest, JoinGroupResponse> = {
  name: 'JoinGroup',
  key: 11,
  version: 5,
  flexible: false,
  request,
  response,
};
