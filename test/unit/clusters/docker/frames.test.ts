import { describe, expect, it } from 'vitest';
import { withoutFrames } from '../../../../src/clusters/docker/pods.ts';

const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

describe('withoutFrames', () => {
  it('joins both streams in their order', () => {
    const raw = Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n'), frame(1, '')]);
    expect(withoutFrames(raw).toString()).toBe('out\nerr\n');
  });

  it('takes what is there of a frame that was cut off', () => {
    const raw = Buffer.concat([frame(1, 'whole\n'), frame(1, 'cut off').subarray(0, 11)]);
    expect(withoutFrames(raw).toString()).toBe('whole\ncut');
    expect(withoutFrames(Buffer.from([1, 0, 0])).toString()).toBe('');
  });
});
