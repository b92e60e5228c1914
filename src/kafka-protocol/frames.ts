/**
 * Frames: size, header and body of requests and responses, and the cutting of a byte stream into frames. The header's
 * version follows from whether the request's version is flexible.
 */
import type { Api } from './api.ts';
import {
  createSink,
  malformed,
  remaining,
  reserve,
  type Sink,
  sinkBytes,
  type Source,
  sourceOf,
} from './bytes.ts';
import { int16, int32, nullableString, skipTags, writeNoTags } from './codec.ts';

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** A whole request frame, its four bytes of size included. */
export function encodeRequest<Request>(
  api: Api<Request, unknown>,
  correlationId: number,
  clientId: string | null,
  request: Request,
): Buffer {
  return framed((sink) => {
    int16.write(sink, api.key);
    int16.write(sink, api.version);
    int32.write(sink, correlationId);
    nullableString.write(sink, clientId);
    if (api.flexible) writeNoTags(sink);
    api.request.write(sink, request);
  });
}

/** The part of a request header that every version has; the source is left after it. */
export function decodeRequestHeader(source: Source): RequestHeader {
  return {
    apiKey: int16.read(source),
    apiVersion: int16.read(source),
    correlationId: int32.read(source),
    clientId: nullableString.read(source),
  };
}

/** The body after `decodeRequestHeader`, for whoever plays the broker. */
export function decodeRequestBody<Request>(api: Api<Request, unknown>, source: Source): Request {
  if (api.flexible) skipTags(source);
  const request = api.request.read(source);
  expectEnd(source, `${api.name} request`);
  return request;
}

/** A whole response frame, its four bytes of size included. */
export function encodeResponse<Response>(
  api: Api<unknown, Response>,
  correlationId: number,
  response: Response,
): Buffer {
  return framed((sink) => {
    int32.write(sink, correlationId);
    if (api.flexible) writeNoTags(sink);
    api.response.write(sink, response);
  });
}

/** The correlation id at the head of a response frame (size already cut off). */
export function correlationIdOf(frame: Buffer): number {
  return int32.read(sourceOf(frame));
}

/** The body of a response frame (size already cut off). */
export function decodeResponse<Response>(api: Api<unknown, Response>, frame: Buffer): Response {
  const source = sourceOf(frame);
  int32.read(source);
  if (api.flexible) skipTags(source);
  const response = api.response.read(source);
  expectEnd(source, `${api.name} response`);
  return response;
}

export interface FrameCutter {
  /** Takes what arrived and returns the frames that are now whole, without their size. Throws WIRE on a bad size. */
  push(chunk: Buffer): readonly Buffer[];
}

/** Cuts a stream into frames of at most `frameBytesMax` bytes; a larger one is refused before it is collected. */
export function createFrameCutter(frameBytesMax: number): FrameCutter {
  let parts: Buffer[] = [];
  let held = 0;
  const joined = (): Buffer => {
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(parts, held);
    parts = [whole];
    return whole;
  };
  let wanted = 4;
  return {
    push: (chunk) => {
      parts.push(chunk);
      held += chunk.length;
      const frames: Buffer[] = [];
      while (held >= wanted) {
        const bytes = joined();
        const size = bytes.readInt32BE(0);
        if (size < 4 || size > frameBytesMax) {
          throw malformed(`a frame of ${size} bytes is outside 4 to ${frameBytesMax} bytes`);
        }
        wanted = size + 4;
        if (held < wanted) break;
        frames.push(bytes.subarray(4, wanted));
        parts = [bytes.subarray(wanted)];
        held -= wanted;
        wanted = 4;
      }
      return frames;
    },
  };
}

function framed(write: (sink: Sink) => void): Buffer {
  const sink = createSink();
  reserve(sink, 4);
  write(sink);
  sink.bytes.writeInt32BE(sink.at - 4, 0);
  return sinkBytes(sink);
}

function expectEnd(source: Source, what: string): void {
  const left = remaining(source);
  if (left > 0) throw malformed(`${left} bytes are left over after the ${what}`);
}
