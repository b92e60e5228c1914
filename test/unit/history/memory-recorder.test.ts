/** The recorder that never waits: the bytes of the file recorder, and what a kill or a full disk leaves. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import type { Header } from '../../../src/history/event.ts';
import { openFileSink } from '../../../src/history/file-sink.ts';
import { loadHistoryEvents } from '../../../src/history/load-events.ts';
import { loadHistoryText, readEvents } from '../../../src/history/load-text.ts';
import { createMemoryRecorder } from '../../../src/history/memory-recorder.ts';
import type { HistorySink } from '../../../src/history/memory-recorder.ts';
import { openRecorder } from '../../../src/history/recorder.ts';
import type { EventDraft, Recorder } from '../../../src/history/recording.ts';
import { corpusRoots, readBytes, savedHistories } from '../../corpus/corpus.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'ordeal-memory-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});
let files = 0;
const freshPath = (): string => join(directory, `history-${files++}.jsonl`);

const header: Header = { ordeal: 1, run: 'test', topics: { constructor: { partitions: 1 } } };
const drafts: readonly EventDraft[] = [
  { process: 0, type: 'invoke', f: 'send', value: [['send', 't/0', 1]] },
  { process: 0, type: 'ok', f: 'send', value: [['send', 't/0', [7, 1]]] },
  { process: 'observer', type: 'event', f: 'phase', value: { phase: 'größer' } },
  { process: 1, type: 'invoke', f: 'send', value: [['send', 't/0', 2]], session: 's' },
  {
    process: 1,
    type: 'info',
    f: 'send',
    value: [['send', 't/0', 2]],
    error: { code: 'DEADLINE', message: 'late' },
  },
];

async function record(
  clock: ReturnType<typeof createVirtualClock>,
  recorder: Recorder,
): Promise<void> {
  for (const draft of drafts) {
    await clock.driveUntil(clock.nowNs() / 1_000_000 + 3);
    recorder.append(draft);
  }
  await recorder.sync();
  await recorder[Symbol.asyncDispose]();
}

describe('the memory recorder', () => {
  it('writes the bytes that the file recorder writes', async () => {
    const [slow, quick] = [freshPath(), freshPath()];
    // Two clocks: a real file takes turns of the loop, and virtual time must not pass in them.
    const clocks = [createVirtualClock(), createVirtualClock()] as const;
    const file = await openRecorder(slow, header, { ...clocks[0], after: () => idleTimer });
    await record(clocks[0], file);
    const memory = createMemoryRecorder(header, clocks[1], () => openFileSink(quick));
    await record(clocks[1], memory);
    expect(await readFile(quick, 'utf8')).toBe(await readFile(slow, 'utf8'));
    expect(memory.stats()).toMatchObject({
      events: drafts.length,
      bytes: readFileSync(quick).length,
    });
    expect(memory.events).toEqual([]);
  });

  it.each([
    ['with a file', (): HistorySink => openFileSink(freshPath())],
    ['in memory', null],
  ])('refuses what the format forbids, and goes on (%s)', (_name, openSink) => {
    const recorder = createMemoryRecorder(header, createVirtualClock(), openSink);
    recorder.append(drafts[0]!);
    expect(() => recorder.append(drafts[0]!)).toThrow(/already has an open operation/);
    expect(() => recorder.append({ ...drafts[3]!, f: 'sned' })).toThrow(/no client process/);
    expect(recorder.append(drafts[1]!)).toBe(1);
    expect(recorder.stats().events).toBe(2);
    expect(recorder.events).toHaveLength(openSink === null ? 2 : 0);
  });

  it('has the header on disk at once, and events in pieces: a kill costs the last piece', () => {
    const path = freshPath();
    const recorder = createMemoryRecorder(header, createVirtualClock(), () => openFileSink(path));
    expect(readEvents(readFileSync(path), path).events).toEqual([]);
    const observe = (text: string): number =>
      recorder.append({ process: 'observer', type: 'event', f: 'note', value: { text } });
    observe('short');
    expect(readEvents(readFileSync(path), path).events).toEqual([]);
    observe('x'.repeat(70_000));
    expect(readEvents(readFileSync(path), path).events).toHaveLength(2);
  });

  it('has the events of the file where there is none', async () => {
    const path = freshPath();
    const clocks = [createVirtualClock(), createVirtualClock()] as const;
    await record(
      clocks[0],
      createMemoryRecorder(header, clocks[0], () => openFileSink(path)),
    );
    const memory = createMemoryRecorder(header, clocks[1], null);
    await record(clocks[1], memory);
    expect(readEvents(readFileSync(path), path).events).toEqual(memory.events);
  });

  it('makes no file for a header that the format forbids', () => {
    const path = freshPath();
    const broken = { ...header, ordeal: 7 } as unknown as Header;
    const making = (): unknown =>
      createMemoryRecorder(broken, createVirtualClock(), () => openFileSink(path));
    expect(making).toThrow(/header/);
    expect(existsSync(path)).toBe(false);
  });

  it('closes a sink that cannot take the header', () => {
    let closed = 0;
    const full: HistorySink = {
      write: () => undefined,
      flush: () => {
        throw new Error('no space left');
      },
      close: () => {
        closed++;
      },
    };
    const making = (): unknown => createMemoryRecorder(header, createVirtualClock(), () => full);
    expect(making).toThrow('no space left');
    expect(closed).toBe(1);
  });

  it('refuses a file that is there', () => {
    expect(() => openFileSink('/dev/full')).toThrow(/the history cannot be written: .*EEXIST/);
  });

  it('records nothing after a sink that failed', async () => {
    const written: string[] = [];
    let full = false;
    const sink: HistorySink = {
      write: (lines) => {
        if (full) throw new Error('no space left');
        written.push(lines);
      },
      flush: () => undefined,
      close: () => undefined,
    };
    const filling = createMemoryRecorder(header, createVirtualClock(), () => sink);
    full = true;
    expect(() => filling.append(drafts[0]!)).toThrow('no space left');
    await filling[Symbol.asyncDispose]();
    expect(written).toHaveLength(1);
  });
});

const idleTimer = { cancel: (): void => undefined };

describe('loadHistoryEvents', () => {
  it.each(corpusRoots.flatMap(savedHistories).map(({ name, file }) => [name, file] as const))(
    'gives the verdict of the text: %s',
    (_name, path) => {
      const text = readBytes(path);
      const { header: first, events } = readEvents(text, 'corpus');
      expect(checkHistory(loadHistoryEvents(first, events))).toEqual(
        checkHistory(loadHistoryText(text, 'corpus')),
      );
    },
  );

  it('names the event that breaks a rule', () => {
    const event = { index: 0, time: 0, ...drafts[1]! };
    expect(() => loadHistoryEvents(header, [event])).toThrow(/event 0: process: .* no open/);
  });

  it('leaves the header as it is', () => {
    const given = structuredClone(header);
    loadHistoryEvents(given, []);
    expect(Object.getPrototypeOf(given.topics)).toBe(Object.prototype);
  });
});
