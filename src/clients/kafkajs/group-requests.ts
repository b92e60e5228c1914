/**
 * What a group's member says of itself on the wire. kafkajs tells no generation through its interface, but its requests hold it:
 * SyncGroup and OffsetCommit begin with group, generation and member. And a commit that was tried more than once may have been
 * written by an earlier attempt whatever the last one says, so attempts are counted.
 */
import type { MemberIdentity } from '../../spi/client.ts';

const syncGroupKey = 14;
const offsetCommitKey = 8;
const lengthBytes = 4;
/** API key, version and correlation id. */
const headBytes = 8;
/** Requests that are looked into are far smaller; of a larger one nothing but its length is needed. */
const lookedIntoBytesMax = 64 * 1024;

export class GroupRequests {
  /** OffsetCommit requests written so far. */
  commits = 0;
  /** As the newest of these requests says. */
  identity: MemberIdentity = {};

  /** For one connection. */
  watch(): (bytes: Uint8Array) => void {
    let pending = Buffer.alloc(0);
    let skipping = 0;
    return (bytes) => {
      let rest = Buffer.from(bytes);
      if (skipping > 0) {
        const skipped = Math.min(skipping, rest.length);
        skipping -= skipped;
        rest = rest.subarray(skipped);
      }
      pending = Buffer.concat([pending, rest]);
      while (pending.length >= lengthBytes) {
        const end = lengthBytes + pending.readInt32BE(0);
        if (pending.length < end) {
          if (end <= lookedIntoBytesMax) return;
          skipping = end - pending.length;
          pending = Buffer.alloc(0);
          return;
        }
        this.#read(pending.subarray(lengthBytes, end));
        pending = pending.subarray(end);
      }
    };
  }

  #read(request: Buffer): void {
    if (request.length < headBytes + 2) return;
    const key = request.readInt16BE(0);
    if (key !== syncGroupKey && key !== offsetCommitKey) return;
    if (key === offsetCommitKey) this.commits += 1;
    const clientId = stringAt(request, headBytes);
    const group = clientId === null ? null : stringAt(request, clientId.end);
    if (group === null || request.length < group.end + 4) return;
    const generation = request.readInt32BE(group.end);
    const member = stringAt(request, group.end + 4);
    if (member === null || generation < 0) return;
    this.identity = { generation, member: member.text };
  }
}

/** A 2-byte length and so many bytes; -1: null. */
function stringAt(
  request: Buffer,
  at: number,
): { readonly text: string; readonly end: number } | null {
  if (request.length < at + 2) return null;
  const end = at + 2 + Math.max(0, request.readInt16BE(at));
  return end > request.length ? null : { text: request.toString('utf8', at + 2, end), end };
}
