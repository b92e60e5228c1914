/** InitProducerId v1: a producer's identity; with a transactional id it fences the older holder. */
import type { Api } from '../api.ts';
import { int16, int32, int64, nullableString, struct, type Typed } from '../codec.ts';

const request = struct({ transactionalId: nullableString, transactionTimeoutMs: int32 });

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  producerId: int64,
  producerEpoch: int16,
});

export type InitProducerIdRequest = Typed<typeof request>;
export type InitProducerIdResponse = Typed<typeof response>;

export const initProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  name: 'InitProducerId',
  key: 22,
  version: 1,
  flexible: false,
  request,
  response,
};
