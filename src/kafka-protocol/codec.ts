/**
 * Codecs: one value describes both directions of a field, and fields compose into messages whose TypeScript type is
 * inferred. Both sides of every request use the same codec, so a simulated broker reads exactly what the client writes.
 */
import { assert } from '../core/assert.ts';
import {
  malformed,
  readInt64,
  readSlice,
  readUnsignedVarint,
  remaining,
  reserve,
  type Sink,
  type Source,
  take,
  writeInt64,
  writeSlice,
  writeUnsignedVarint,
} from './bytes.ts';

export interface Codec<T> {
  write(sink: Sink, value: T): void;
  read(source: Source): T;
}

/** The type that a codec carries. */
export type Typed<C> = C extends Codec<infer T> ? T : never;

type Fields = Readonly<Record<string, Codec<unknown>>>;
type Shape<F extends Fields> = { readonly [K in keyof F]: Typed<F[K]> };

export const int8: Codec<number> = {
  write: (sink, value) => {
    const start = reserve(sink, 1);
    sink.bytes.writeInt8(value, start);
  },
  read: (source) => source.bytes.readInt8(take(source, 1)),
};

export const int16: Codec<number> = {
  write: (sink, value) => {
    const start = reserve(sink, 2);
    sink.bytes.writeInt16BE(value, start);
  },
  read: (source) => source.bytes.readInt16BE(take(source, 2)),
};

export const int32: Codec<number> = {
  write: (sink, value) => {
    const start = reserve(sink, 4);
    sink.bytes.writeInt32BE(value, start);
  },
  read: (source) => source.bytes.readInt32BE(take(source, 4)),
};

export const int64: Codec<number> = { write: writeInt64, read: readInt64 };

export const boolean: Codec<boolean> = {
  write: (sink, value) => {
    int8.write(sink, value ? 1 : 0);
  },
  read: (source) => int8.read(source) !== 0,
};

export const nullableString: Codec<string | null> = {
  write: (sink, value) => {
    if (value === null) {
      int16.write(sink, -1);
      return;
    }
    const bytes = Buffer.from(value, 'utf8');
    int16.write(sink, bytes.length);
    writeSlice(sink, bytes);
  },
  read: (source) => {
    const length = int16.read(source);
    return length < 0 ? null : readSlice(source, length).toString('utf8');
  },
};

export const string: Codec<string> = required(nullableString, 'string');

export const nullableBytes: Codec<Buffer | null> = {
  write: (sink, value) => {
    int32.write(sink, value === null ? -1 : value.length);
    if (value !== null) writeSlice(sink, value);
  },
  read: (source) => {
    const length = int32.read(source);
    return length < 0 ? null : readSlice(source, length);
  },
};

export const compactNullableString: Codec<string | null> = {
  write: (sink, value) => {
    if (value === null) {
      writeUnsignedVarint(sink, 0);
      return;
    }
    const bytes = Buffer.from(value, 'utf8');
    writeUnsignedVarint(sink, bytes.length + 1);
    writeSlice(sink, bytes);
  },
  read: (source) => {
    const length = readUnsignedVarint(source) - 1;
    return length < 0 ? null : readSlice(source, length).toString('utf8');
  },
};

export const compactString: Codec<string> = required(compactNullableString, 'string');

export function nullableArray<T>(element: Codec<T>): Codec<readonly T[] | null> {
  return {
    write: (sink, value) => {
      int32.write(sink, value === null ? -1 : value.length);
      if (value !== null) writeElements(sink, element, value);
    },
    read: (source) => {
      const count = int32.read(source);
      return count < 0 ? null : readElements(source, element, count);
    },
  };
}

export function array<T>(element: Codec<T>): Codec<readonly T[]> {
  return required(nullableArray(element), 'array');
}

export function compactArray<T>(element: Codec<T>): Codec<readonly T[]> {
  return {
    write: (sink, value) => {
      writeUnsignedVarint(sink, value.length + 1);
      writeElements(sink, element, value);
    },
    read: (source) => {
      const count = readUnsignedVarint(source) - 1;
      if (count < 0) throw malformed(`an array before byte ${source.at} is null`);
      return readElements(source, element, count);
    },
  };
}

/** Fields in the order in which they are written here. */
export function struct<const F extends Fields>(fields: F): Codec<Shape<F>> {
  const entries = Object.entries(fields);
  return {
    write: (sink, value) => {
      const members = value as Readonly<Record<string, unknown>>;
      for (const [name, codec] of entries) codec.write(sink, members[name]);
    },
    read: (source) => {
      const members: Record<string, unknown> = {};
      for (const [name, codec] of entries) members[name] = codec.read(source);
      return members as Shape<F>;
    },
  };
}

/** A struct of a flexible version: tagged fields follow it. We define none, and skip those of newer brokers. */
export function flexibleStruct<const F extends Fields>(fields: F): Codec<Shape<F>> {
  const plain = struct(fields);
  return {
    write: (sink, value) => {
      plain.write(sink, value);
      writeNoTags(sink);
    },
    read: (source) => {
      const value = plain.read(source);
      skipTags(source);
      return value;
    },
  };
}

export function writeNoTags(sink: Sink): void {
  writeUnsignedVarint(sink, 0);
}

export function skipTags(source: Source): void {
  const count = readUnsignedVarint(source);
  for (let i = 0; i < count; i++) {
    readUnsignedVarint(source);
    take(source, readUnsignedVarint(source));
  }
}

function required<T>(nullable: Codec<T | null>, what: string): Codec<T> {
  return {
    write: (sink, value) => {
      nullable.write(sink, value);
    },
    read: (source) => {
      const value = nullable.read(source);
      if (value === null) throw malformed(`the ${what} before byte ${source.at} is null`);
      return value;
    },
  };
}

function writeElements<T>(sink: Sink, element: Codec<T>, values: readonly T[]): void {
  assert(values.length < 0x8000_0000, 'an array has fewer than 2^31 elements');
  for (const value of values) element.write(sink, value);
}

function readElements<T>(source: Source, element: Codec<T>, count: number): T[] {
  // No element is shorter than a byte, so a larger count is a lie, told before anything is allocated for it.
  if (count > remaining(source)) {
    throw malformed(
      `an array before byte ${source.at} claims ${count} elements in ${remaining(source)} bytes`,
    );
  }
  const values: T[] = [];
  for (let i = 0; i < count; i++) values.push(element.read(source));
  return values;
}
