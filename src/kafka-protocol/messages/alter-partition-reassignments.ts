/** AlterPartitionReassignments v0 (flexible): other replicas for partitions, or the same ones in another order. */
import type { Api } from '../api.ts';
import {
  compactArray,
  compactNullableString,
  compactString,
  flexibleStruct,
  int16,
  int32,
  type Typed,
} from '../codec.ts';

const request = flexibleStruct({
  timeoutMs: int32,
  topics: compactArray(
    flexibleStruct({
      name: compactString,
      partitions: compactArray(
        /** The preferred leader first. Kafka takes null for "cancel"; we never do. */
        flexibleStruct({ partition: int32, replicas: compactArray(int32) }),
      ),
    }),
  ),
});

const response = flexibleStruct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: compactNullableString,
  topics: compactArray(
    flexibleStruct({
      name: compactString,
      partitions: compactArray(
        flexibleStruct({ partition: int32, errorCode: int16, errorMessage: compactNullableString }),
      ),
    }),
  ),
});

export type AlterPartitionReassignmentsRequest = Typed<typeof request>;
export type AlterPartitionReassignmentsResponse = Typed<typeof response>;

export const alterPartitionReassignments: Api<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
> = {
  name: 'AlterPartitionReassignments',
  key: 45,
  version: 0,
  flexible: true,
  request,
  response,
};
