/**
 * Where Kafka's primitive fields meet bytes. A source is a buffer with a reading position, a sink a growing buffer;
 * both are plain data, and every read is checked, so that a cut or hostile message is an error and never a guess.
 */
import { assert } from '../core/assert.ts';
import { OrdealError } from '../core/errors.ts';

export interface Source {
  readonly bytes: Buffer;
  /** The next byte to read. */
  at: number;
}

export interface Sink {
  bytes: Buffer;
  /** Bytes written so far. */
  at: number;
}

/** Bytes that are not what the protocol allows. */
export function malformed(message: string): OrdealError {
  return new OrdealError(
    'WIRE',
    message,
    'check that the address is a Kafka broker of version 3.9 to 4.3, and report this if it is',
  );
}

export function sourceOf(bytes: Buffer): Source {
  return { bytes, at: 0 };
}

export function createSink(capacityBytes = 256): Sink {
  return { bytes: Buffer.allocUnsafe(capacityBytes), at: 0 };
}

/** What was written; later writes to the sink do not touch it. */
export function sinkBytes(sink: Sink): Buffer {
  return Buffer.from(sink.bytes.subarray(0, sink.at));
}

export function remaining(source: Source): number {
  return source.bytes.length - source.at;
}

/** Moves the position over `length` bytes and returns where they start. */
export function take(source: Source, length: number): number {
  const start = source.at;
  if (length < 0 || length > source.bytes.length - start) {
    throw malformed(
      `the message ends at byte ${source.bytes.length}, but a field at byte ${start} needs ${length} bytes`,
    );
  }
  source.at = start + length;
  return start;
}

/** Makes room for `length` bytes and returns where they start. It may replace `sink.bytes`: read that afterwards. */
export function reserve(sink: Sink, length: number): number {
  const start = sink.at;
  const needed = start + length;
  if (needed > sink.bytes.length) {
    const grown = Buffer.allocUnsafe(Math.max(needed, sink.bytes.length * 2));
    sink.bytes.copy(grown, 0, 0, start);
    sink.bytes = grown;
  }
  sink.at = needed;
  return start;
}

const twoTo32 = 0x1_0000_0000;

/** 64 bits as a number; Kafka's offsets, ids and times fit, and what does not fit is refused rather than rounded. */
export function readInt64(source: Source): number {
  const start = take(source, 8);
  const value = source.bytes.readInt32BE(start) * twoTo32 + source.bytes.readUInt32BE(start + 4);
  if (!Number.isSafeInteger(value)) {
    throw malformed(`the 64-bit field at byte ${start} is not below 2^53 in size`);
  }
  return value;
}

export function writeInt64(sink: Sink, value: number): void {
  assert(Number.isSafeInteger(value), 'a 64-bit field takes a safe integer');
  const start = reserve(sink, 8);
  const high = Math.floor(value / twoTo32);
  sink.bytes.writeInt32BE(high, start);
  sink.bytes.writeUInt32BE(value - high * twoTo32, start + 4);
}

/** Base-128, least group first, at most eight groups: more would not fit a double. */
export function readUnsignedVarint(source: Source): number {
  let value = 0;
  let scale = 1;
  for (let group = 0; group < 8; group++) {
    const byte = source.bytes[take(source, 1)] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 128;
  }
  throw malformed(`the variable-length number before byte ${source.at} is not below 2^53`);
}

export function writeUnsignedVarint(sink: Sink, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'an unsigned varint takes a natural number');
  let rest = value;
  while (rest >= 0x80) {
    writeByte(sink, (rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  writeByte(sink, rest);
}

function writeByte(sink: Sink, byte: number): void {
  const start = reserve(sink, 1);
  sink.bytes[start] = byte;
}

/** Zigzag: 0, -1, 1, -2 … as 0, 1, 2, 3 …, so that small negatives stay short. */
export function readVarint(source: Source): number {
  const raw = readUnsignedVarint(source);
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}

export function writeVarint(sink: Sink, value: number): void {
  writeUnsignedVarint(sink, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** The bytes themselves, shared with the source. */
export function readSlice(source: Source, length: number): Buffer {
  const start = take(source, length);
  return source.bytes.subarray(start, start + length);
}

export function writeSlice(sink: Sink, bytes: Uint8Array): void {
  const start = reserve(sink, bytes.length);
  sink.bytes.set(bytes, start);
}
