import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../src/core/random.ts';
import { createFaultyReaderFactory } from '../../../../src/clients/simulated/faulty-reader.ts';
import type { ReaderDefect } from '../../../../src/clients/simulated/defects.ts';
import type { RecordSeen } from '../../../../src/history/event.ts';
import type {
  Outcome,
  PollResult,
  ReaderClient,
  ReaderFactory,
} from '../../../../src/spi/client.ts';

const log = 't/0';

/** Hands out an endless log, `size` records at a time; value and offset are one. Every `failEvery`-th poll fails. */
function createEndlessReaders(size: number, failEvery = Infinity): ReaderFactory {
  let at = 0;
  let polls = 0;
  const reader: ReaderClient = {
    assign: (_, from) => {
      at = typeof from === 'string' ? 0 : (from[log] ?? 0);
      return Promise.resolve({ type: 'ok', value: null });
    },
    poll: () => {
      polls += 1;
      if (polls % failEvery === 0) {
        return Promise.resolve({ type: 'fail', error: { code: 'X', message: 'x' } });
      }
      const records = Array.from({ length: size }, (_, i): RecordSeen => [at + i, at + i]);
      at += size;
      return Promise.resolve({ type: 'ok', value: { [log]: records } });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { create: () => Promise.resolve(reader) };
}

async function polls(defects: readonly ReaderDefect[], size: number, failEvery?: number) {
  const random = randomStream('seed', 'reader');
  const sound = createEndlessReaders(size, failEvery);
  const readers = createFaultyReaderFactory(sound, new Set(defects), random);
  const reader = await readers.create('r', 'read_committed');
  await reader.assign([log], 'beginning');
  const seen: (readonly RecordSeen[])[] = [];
  let next = 0;
  for (let i = 0; i < 400; i++) {
    const outcome: Outcome<PollResult> = await reader.poll();
    if (outcome.type !== 'ok') {
      await reader.assign([log], { [log]: next });
      continue;
    }
    const records = outcome.value[log] ?? [];
    next = (records.at(-1)?.[0] ?? next - 1) + 1;
    seen.push(records);
  }
  return seen;
}

/** Steps between neighbours, within polls and from poll to poll. */
function steps(seen: readonly (readonly RecordSeen[])[]) {
  const within: number[] = [];
  const between: number[] = [];
  let before = -1;
  for (const records of seen) {
    for (const [index, [offset]] of records.entries()) {
      (index === 0 ? between : within).push(offset - before);
      before = offset;
    }
  }
  return { within: new Set(within), between: new Set(between) };
}

describe('a faulty reader', () => {
  it('is sound as long as no defect is on', async () => {
    const { within, between } = steps(await polls([], 5, 7));
    expect([...within, ...between]).toEqual([1, 1]);
  });

  it('reader-skips: passes over one to three records after a failed poll', async () => {
    const { within, between } = steps(await polls(['reader-skips'], 5, 7));
    expect([...within]).toEqual([1]);
    expect([...between].sort()).toEqual([1, 2, 3, 4]);
  });

  it('reader-skips: passes over nothing without a failure', async () => {
    const { within, between } = steps(await polls(['reader-skips'], 5));
    expect([...within, ...between]).toEqual([1, 1]);
  });

  it('reader-rewinds: begins some polls with the end of the one before', async () => {
    const { within, between } = steps(await polls(['reader-rewinds'], 5));
    expect([...within]).toEqual([1]);
    expect([...between].sort()).toEqual([-1, 1]);
  });

  it('reader-drops: misses records in the middle of some polls', async () => {
    const { within, between } = steps(await polls(['reader-drops'], 5));
    expect([...within].sort()).toEqual([1, 2]);
    expect([...between]).toEqual([1]);
  });

  it('poll-phantom: puts a value of its own in the place of some records', async () => {
    const seen = await polls(['poll-phantom'], 5);
    const foreign = seen.flat().filter(([offset, value]) => offset !== value);
    expect(foreign.length).toBeGreaterThan(0);
    expect(foreign.length).toBeLessThan(20);
    expect(new Set(foreign.map(([, value]) => value)).size).toBe(foreign.length);
    expect(steps(seen)).toEqual({ within: new Set([1]), between: new Set([1]) });
  });
});
