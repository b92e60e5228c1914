/** Messages for round trips: values that their fields can hold, and the trip itself, there and back as bytes. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { sourceOf } from '../../src/kafka-protocol/bytes.ts';
import type { Api } from '../../src/kafka-protocol/api.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/kafka-protocol/frames.ts';

export const spaced = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

export const int8 = fc.integer({ min: -128, max: 127 });
export const int16 = fc.integer({ min: -32_768, max: 32_767 });
export const int32 = fc.integer();
export const int64 = fc.maxSafeInteger();
export const text = fc.string({ maxLength: 8 });
export const maybeText = fc.option(text);
export const bytes = fc.option(fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)));
export const list = <T>(element: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(element, { maxLength: 3 });
export const perPartition = <T extends object>(fields: fc.Arbitrary<T>) =>
  list(fc.record({ name: text, partitions: list(fields) }));

export function survives<Q, R>(
  api: Api<Q, R>,
  request: fc.Arbitrary<Q>,
  response: fc.Arbitrary<R>,
): void {
  fc.assert(
    fc.property(request, response, fc.nat(), (sent, answered, id) => {
      const source = sourceOf(encodeRequest(api, id, 'c', sent).subarray(4));
      expect(decodeRequestHeader(source)).toEqual({
        apiKey: api.key,
        apiVersion: api.version,
        correlationId: id,
        clientId: 'c',
      });
      expect(decodeRequestBody(api, source)).toEqual(sent);
      expect(decodeResponse(api, encodeResponse(api, id, answered).subarray(4))).toEqual(answered);
    }),
    { numRuns: 60 },
  );
}
