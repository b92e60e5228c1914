/** AddPartitionsToTxn v1 and EndTxn v1: the two requests that open a transaction on logs and end it. */
import type { Api } from '../api.ts';
import { array, boolean, int16, int32, int64, string, struct, type Typed } from '../codec.ts';

const addRequest = struct({
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  topics: array(struct({ name: string, partitions: array(int32) })),
});

const addResponse = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({ name: string, partitions: array(struct({ partition: int32, errorCode: int16 })) }),
  ),
});

const endRequest = struct({
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  /** True commits, false aborts. */
  committed: boolean,
});

const endResponse = struct({ throttleTimeMs: int32, errorCode: int16 });

export type AddPartitionsToTxnRequest = Typed<typeof addRequest>;
export type AddPartitionsToTxnResponse = Typed<typeof addResponse>;
export type EndTxnRequest = Typed<typeof endRequest>;
export type EndTxnResponse = Typed<typeof endResponse>;

export const addPartitionsToTxn: Api<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  version: 1,
  flexible: false,
  request: addRequest,
  response: addResponse,
};

export const endTxn: Api<EndTxnRequest, EndTxnResponse> = {
  name: 'EndTxn',
  key: 26,
  version: 1,
  flexible: false,
  request: endRequest,
  response: endResponse,
};
