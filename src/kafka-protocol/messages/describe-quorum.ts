/** DescribeQuorum v0 (flexible): the leader of the metadata log is the active controller. */
import type { Api } from '../api.ts';
import {
  compactArray,
  compactString,
  flexibleStruct,
  int16,
  int32,
  int64,
  type Typed,
} from '../codec.ts';

const replica = flexibleStruct({ replicaId: int32, logEndOffset: int64 });

const request = flexibleStruct({
  topics: compactArray(
    flexibleStruct({
      name: compactString,
      partitions: compactArray(flexibleStruct({ partition: int32 })),
    }),
  ),
});

const response = flexibleStruct({
  errorCode: int16,
  topics: compactArray(
    flexibleStruct({
      name: compactString,
      partitions: compactArray(
        flexibleStruct({
          partition: int32,
          errorCode: int16,
          leader: int32,
          leaderEpoch: int32,
          highWatermark: int64,
          currentVoters: compactArray(replica),
          observers: compactArray(replica),
        }),
      ),
    }),
  ),
});

export type DescribeQuorumRequest = Typed<typeof request>;
export type DescribeQuorumResponse = Typed<typeof response>;

/** The log of the controllers' quorum; it has the one partition 0. */
export const clusterMetadataTopic = '__cluster_metadata';

export const describeQuorum: Api<DescribeQuorumRequest, DescribeQuorumResponse> = {
  name: 'DescribeQuorum',
  key: 55,
  version: 0,
  flexible: true,
  request,
  response,
};
