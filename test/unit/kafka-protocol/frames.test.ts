import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sourceOf } from '../../../src/kafka-protocol/bytes.ts';
import {
  correlationIdOf,
  createFrameCutter,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../src/kafka-protocol/frames.ts';
import { describeQuorum } from '../../../src/kafka-protocol/messages/describe-quorum.ts';
import { findCoordinator } from '../../../src/kafka-protocol/messages/find-coordinator.ts';

const spaced = (hex: string): string => hex.replaceAll(/\s/g, '');

describe('golden frames', () => {
  test('a request of a plain version', () => {
    const frame = encodeRequest(findCoordinator, 7, 'me', { key: 'g', keyType: 1 });
    expect(frame.toString('hex')).toBe(spaced('00000010 000a 0002 00000007 0002 6d65 0001 67 01'));
  });

  test('a request of a flexible version has tags after its header too', () => {
    const request = { topics: [{ name: 'm', partitions: [{ partition: 0 }] }] };
    expect(encodeRequest(describeQuorum, 1, null, request).toString('hex')).toBe(
      spaced('00000016 0037 0000 00000001 ffff 00   02 02 6d 02 00000000 00 00 00'),
    );
  });

  test('a response of a flexible version', () => {
    const bytes = Buffer.from(
      spaced(`
        00000009 00 0000
        02 0261 02 00000000 0000 00000003 00000005 0000000000000064
          02 00000001 0000000000000063 00
          01
          00
        00
        00`),
      'hex',
    );
    expect(correlationIdOf(bytes)).toBe(9);
    const response = decodeResponse(describeQuorum, bytes);
    expect(response).toEqual({
      errorCode: 0,
      topics: [
        {
          name: 'a',
          partitions: [
            {
              partition: 0,
              errorCode: 0,
              leader: 3,
              leaderEpoch: 5,
              highWatermark: 100,
              currentVoters: [{ replicaId: 1, logEndOffset: 99 }],
              observers: [],
            },
          ],
        },
      ],
    });
    expect(encodeResponse(describeQuorum, 9, response).subarray(4)).toEqual(bytes);
  });
});

describe('both sides', () => {
  test('a broker reads what a client writes', () => {
    const frame = encodeRequest(findCoordinator, 42, 'client', { key: 'tx', keyType: 1 });
    const source = sourceOf(frame.subarray(4));
    expect(decodeRequestHeader(source)).toEqual({
      apiKey: 10,
      apiVersion: 2,
      correlationId: 42,
      clientId: 'client',
    });
    expect(decodeRequestBody(findCoordinator, source)).toEqual({ key: 'tx', keyType: 1 });
  });

  test('bytes left over are an error', () => {
    const frame = encodeResponse(findCoordinator, 1, {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      nodeId: 1,
      host: 'h',
      port: 1,
    });
    const longer = Buffer.concat([frame.subarray(4), Buffer.alloc(3)]);
    expect(() => decodeResponse(findCoordinator, longer)).toThrow(
      '3 bytes are left over after the FindCoordinator response',
    );
  });
});

describe('cutting a stream', () => {
  test('any split of the stream gives the same frames', () => {
    const body = fc.uint8Array({ minLength: 4, maxLength: 40 });
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 6 }), cuts, (bodies, lengths) => {
        const stream = Buffer.concat(
          bodies.flatMap((bytes) => {
            const size = Buffer.alloc(4);
            size.writeInt32BE(bytes.length);
            return [size, bytes];
          }),
        );
        const cutter = createFrameCutter(40);
        const frames: Buffer[] = [];
        let at = 0;
        for (let turn = 0; at < stream.length; turn++) {
          const length = lengths[turn % lengths.length]!;
          frames.push(...cutter.push(stream.subarray(at, at + length)));
          at += length;
        }
        expect(frames.map((frame) => [...frame])).toEqual(bodies.map((bytes) => [...bytes]));
      }),
    );
  });

  test('a frame above the bound is refused at its size', () => {
    const cutter = createFrameCutter(1000);
    expect(() => cutter.push(Buffer.from('000003e9', 'hex'))).toThrow(
      'a frame of 1001 bytes is outside 4 to 1000 bytes',
    );
  });

  test('a negative size is refused', () => {
    expect(() => createFrameCutter(1000).push(Buffer.from('ffffffff', 'hex'))).toThrow(/-1 bytes/);
  });
});
