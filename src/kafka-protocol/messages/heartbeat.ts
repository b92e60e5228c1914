/** Heartbeat v3: a member says that it lives, and hears whether its generation does. */
import type { Api } from '../api.ts';
import { int16, int32, nullableString, string, struct, type Typed } from '../codec.ts';

const request = struct({
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: nullableString,
});

const response = struct({ throttleTimeMs: int32, errorCode: int16 });

export type HeartbeatRequest = Typed<typeof request>;
export type HeartbeatResponse = Typed<typeof response>;

export const heartbeat: Api<HeartbeatRequest, HeartbeatResponse> = {
  name: 'Heartbeat',
  key: 12,
  version: 3,
  flexible: false,
  request,
  response,
};
