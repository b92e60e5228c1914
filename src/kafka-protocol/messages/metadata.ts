/** Metadata v8: brokers, and leaders with their epochs; the last version before flexible ones. */
import type { Api } from '../api.ts';
import {
  array,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  struct,
  type Typed,
} from '../codec.ts';

const request = struct({
  /** Null asks for every topic. */
  topics: nullableArray(struct({ name: string })),
  allowAutoTopicCreation: boolean,
  includeClusterAuthorizedOperations: boolean,
  includeTopicAuthorizedOperations: boolean,
});

const partition = struct({
  errorCode: int16,
  partition: int32,
  /** -1: none. */
  leader: int32,
  leaderEpoch: int32,
  replicas: array(int32),
  inSync: array(int32),
  offline: array(int32),
});

const response = struct({
  throttleTimeMs: int32,
  brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: nullableString })),
  clusterId: nullableString,
  /** Under KRaft a random live broker, not the active controller. */
  controllerId: int32,
  topics: array(
    struct({
      errorCode: int16,
      name: string,
      internal: boolean,
      partitions: array(partition),
      authorizedOperations: int32,
    }),
  ),
  clusterAuthorizedOperations: int32,
});

export type MetadataRequest = Typed<typeof request>;
export type MetadataResponse = Typed<typeof response>;

export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  version: 8,
  flexible: false,
  request,
  response,
};
