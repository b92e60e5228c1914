/** What a member's own requests say of it, and what an error of a commit means. */
import { describe, expect, it } from 'vitest';
import { GroupRequests } from '../../../../src/clients/kafkajs/group-requests.ts';
import {
  commitOutcomeOf,
  commitOutcomes,
} from '../../../../src/clients/kafkajs/member-outcomes.ts';

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const int = (value: number, bytes: 2 | 4): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
};
/** A request as it goes over the wire: length, key, version, correlation id, client id, body. */
const frame = (key: number, body: Buffer): Buffer => {
  const request = Buffer.concat([int(key, 2), int(3, 2), int(7, 4), text('client'), body]);
  return Buffer.concat([int(request.length, 4), request]);
};
const ofGroup = (key: number, generation: number, member: string): Buffer =>
  frame(key, Buffer.concat([text('g'), int(generation, 4), text(member), Buffer.alloc(9)]));
const [sync, commit, fetch] = [14, 8, 1];

describe('the requests of a member', () => {
  it('tell generation and member, the newest last, and how often it tried to commit', () => {
    const requests = new GroupRequests();
    const watch = requests.watch();
    watch(ofGroup(sync, 4, 'm'));
    expect(requests).toMatchObject({ commits: 0, identity: { generation: 4, member: 'm' } });
    watch(Buffer.concat([ofGroup(commit, 5, 'n'), ofGroup(commit, 5, 'n')]));
    expect(requests).toMatchObject({ commits: 2, identity: { generation: 5, member: 'n' } });
  });

  it('may be cut anywhere, and come over several connections', () => {
    const requests = new GroupRequests();
    const bytes = Buffer.concat([frame(fetch, Buffer.alloc(300)), ofGroup(sync, 6, 'member')]);
    const [first, second] = [requests.watch(), requests.watch()];
    for (const byte of bytes) first(Buffer.from([byte]));
    second(ofGroup(commit, 6, 'member'));
    expect(requests).toMatchObject({ commits: 1, identity: { generation: 6, member: 'member' } });
  });

  it('are passed over where they are large, or of no generation', () => {
    const requests = new GroupRequests();
    const watch = requests.watch();
    const large = frame(fetch, Buffer.alloc(200_000));
    watch(large.subarray(0, 100_000));
    watch(large.subarray(100_000));
    watch(ofGroup(sync, 2, 'm'));
    watch(ofGroup(commit, -1, ''));
    expect(requests).toMatchObject({ commits: 1, identity: { generation: 2, member: 'm' } });
  });
});

describe('an error of a commit', () => {
  it('has each code once, with a reason', () => {
    const codes = commitOutcomes.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { why } of commitOutcomes) expect(why.length).toBeGreaterThan(10);
  });

  it('is fail where nothing was sent, or one request was refused for certain', () => {
    expect(commitOutcomeOf('ANYTHING', 0)).toBe('fail');
    for (const { code } of commitOutcomes) {
      expect(commitOutcomeOf(code, 1)).toBe('fail');
      expect(commitOutcomeOf(code, 2)).toBe('info');
    }
  });

  it('is info else', () => {
    expect(commitOutcomeOf('REQUEST_TIMED_OUT', 1)).toBe('info');
    expect(commitOutcomeOf('DEADLINE', 0)).toBe('info');
  });
});
