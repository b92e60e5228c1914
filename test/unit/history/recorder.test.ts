/** The recorder on real files: order, refusals, durability, and what a failing disk leaves behind. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRealClock } from '../../../src/core/clock.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Header } from '../../../src/history/event.ts';
import { loadHistory } from '../../../src/history/load.ts';
import { readEvents } from '../../../src/history/load-text.ts';
import { openRecorder } from '../../../src/history/recorder.ts';
import type { EventDraft } from '../../../src/history/recording.ts';
import { transpile } from '../../support/transpiled.ts';

const header: Header = { ordeal: 1, run: 'test' };
const clock = createRealClock();
let directory: string;
let code: string;
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordeal-recorder-'));
  code = await transpile(['src/core', 'src/history']);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await rm(code, { recursive: true });
});

const freshPath = (): string => join(directory, `history-${files++}.jsonl`);
const invoke = (process: number, value: number): EventDraft => {
  return { process, type: 'invoke', f: 'send', value: [['send', 't/0', value]] };
};
const ok = (process: number, value: number, offset: number): EventDraft => {
  return { process, type: 'ok', f: 'send', value: [['send', 't/0', [offset, value]]] };
};

describe('appending', () => {
  test('the header is on disk when the recorder opens', async () => {
    const path = freshPath();
    await using recorder = await openRecorder(path, header, clock);
    expect(await readFile(path, 'utf8')).toBe('{"ordeal":1,"run":"test"}\n');
    expect(recorder.stats()).toMatchObject({ events: 0, syncs: 1 });
  });

  test('events stand in order, with indexes and times of their own', async () => {
    const path = freshPath();
    {
      await using recorder = await openRecorder(path, header, clock);
      expect(recorder.append(invoke(0, 1))).toBe(0);
      expect(recorder.append(ok(0, 1, 7))).toBe(1);
      expect(
        recorder.append({ process: 'observer', type: 'event', f: 'phase', value: { phase: 'x' } }),
      ).toBe(2);
    }
    const { events } = readEvents(await readFile(path), path);
    expect(events.map(({ index, type, f }) => [index, type, f])).toEqual([
      [0, 'invoke', 'send'],
      [1, 'ok', 'send'],
      [2, 'event', 'phase'],
    ]);
  });

  test('time 0 is the opening, and time never falls even if the clock does', async () => {
    const path = freshPath();
    const readings = [5_000, 5_000, 5_700, 5_600, 6_000];
    const falling: Clock = { ...clock, nowNs: () => readings.shift() ?? 6_000 };
    {
      await using recorder = await openRecorder(path, header, falling);
      readings.splice(0, readings.length, 5_700);
      recorder.append(invoke(0, 1));
      readings.splice(0, readings.length, 5_600);
      recorder.append(invoke(1, 2));
      readings.splice(0, readings.length, 6_000);
      recorder.append(invoke(2, 3));
    }
    const { events } = readEvents(await readFile(path), path);
    expect(events.map(({ time }) => time)).toEqual([700, 700, 1_000]);
  });

  test('a file that exists is not touched', async () => {
    const path = freshPath();
    await using first = await openRecorder(path, header, clock);
    first.append(invoke(0, 1));
    await expect(openRecorder(path, header, clock)).rejects.toMatchObject({ code: 'RECORDER_IO' });
    await first.sync();
    expect((await loadHistory(path)).eventCount).toBe(1);
  });

  test('a header that the format forbids is refused', async () => {
    const path = freshPath();
    const bad: Header = { ordeal: 1, claims: ['durabilty'] };
    await expect(openRecorder(path, bad, clock)).rejects.toMatchObject({ code: 'ILL_FORMED' });
  });
});

describe('refusals', () => {
  const observed: EventDraft = { process: 0, type: 'event', f: 'attempt', value: [['commit']] };
  test.each<readonly [string, readonly EventDraft[], EventDraft]>([
    ['a second open operation', [invoke(0, 1)], invoke(0, 2)],
    ['a completion without invocation', [], ok(0, 1, 7)],
    ['a value sent twice', [invoke(0, 1)], invoke(1, 1)],
    ['a send that was not recorded', [invoke(0, 1)], ok(0, 2, 7)],
    ['a client acting after info', [invoke(0, 1), { ...invoke(0, 1), type: 'info' }], invoke(0, 2)],
    ['an attempt without an operation', [], observed],
    ['an unknown function', [], { ...invoke(0, 1), f: 'sned' }],
    ['an offset that is no number', [invoke(0, 1)], ok(0, 1, Number.NaN)],
    ['a value that JSON cannot hold', [], { ...invoke(0, 1), value: [['send', 't/0', 1n]] }],
    [
      'half of several sends',
      [invoke(0, 1)],
      {
        ...invoke(1, 2),
        value: [
          ['send', 't/0', 2],
          ['send', 't/0', 1],
        ],
      },
    ],
  ])('%s is refused, nothing is written, and the recorder goes on', async (_, before, bad) => {
    const path = freshPath();
    {
      await using recorder = await openRecorder(path, header, clock);
      for (const draft of before) recorder.append(draft);
      expect(() => recorder.append(bad)).toThrow(
        expect.objectContaining({ code: 'ILL_FORMED' }) as Error,
      );
      // What the refused event would have taken is still free: its process, and its values.
      expect(recorder.append(invoke(9, 2))).toBe(before.length);
      recorder.append(ok(9, 2, 8));
    }
    expect((await loadHistory(path)).eventCount).toBe(before.length + 2);
  });
});

describe('durability', () => {
  test('sync resolves when all that was appended is in the file', async () => {
    const path = freshPath();
    await using recorder = await openRecorder(path, header, clock);
    for (let i = 0; i < 1_000; i++) recorder.append(invoke(i, i));
    await recorder.sync();
    expect((await loadHistory(path)).eventCount).toBe(1_000);
    expect(recorder.stats()).toMatchObject({ events: 1_000, bytes: (await readFile(path)).length });
  });

  test('an fsync begins within 100 ms of the first byte, unasked, and its lag is measured', async () => {
    let nowNs = 0;
    const timers: { readonly delayMs: number; readonly run: () => void }[] = [];
    const virtual: Clock = {
      ...clock,
      nowNs: () => nowNs,
      after: (delayMs, run) => {
        timers.push({ delayMs, run });
        return { cancel: () => undefined };
      },
    };
    const until = async (condition: () => boolean): Promise<void> => {
      for (let turns = 0; !condition(); turns++) {
        expect(turns).toBeLessThan(100_000);
        await clock.turn();
      }
    };
    await using recorder = await openRecorder(freshPath(), header, virtual);
    recorder.append(invoke(0, 1));
    await until(() => timers.length > 0);
    expect(timers.map(({ delayMs }) => delayMs <= 100)).toEqual([true]);
    expect(recorder.stats().syncs).toBe(1);
    nowNs += timers[0]!.delayMs * 1e6;
    timers[0]!.run();
    await until(() => recorder.stats().syncs === 2);
    expect(recorder.stats().syncLagMaxMs).toBe(timers[0]!.delayMs);
  });

  test('kill -9 loses nothing that was synced, and leaves a history', async () => {
    const path = freshPath();
    const child = spawn(process.execPath, ['--input-type=module', '-e', recordForever(path)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise((resolve) =>
      child.on('exit', (_, signal) => {
        resolve(signal);
      }),
    );
    let synced = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      synced = Number(line);
      if (synced > 20_000) child.kill('SIGKILL');
    }
    expect(await exited).toBe('SIGKILL');
    const loaded = await loadHistory(path);
    expect(synced).toBeGreaterThan(20_000);
    expect(loaded.eventCount).toBeGreaterThanOrEqual(synced);
  });

  test('a disk that is full stops the recorder; what it wrote can be read', async () => {
    const path = freshPath();
    // A file size limit is a full disk that needs no privilege: the write that crosses it is cut short.
    const limited = 'trap "" XFSZ; ulimit -f 64; exec "$@"';
    const child = spawn(
      'bash',
      ['-c', limited, 'bash', process.execPath, '--input-type=module', '-e', recordForever(path)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) said.push(line);
    expect(said.slice(-3)).toEqual(['append RECORDER_IO', 'sync RECORDER_IO', 'close RECORDER_IO']);
    const loaded = await loadHistory(path);
    expect((await readFile(path)).length).toBeLessThanOrEqual(64 * 1024);
    expect(loaded.eventCount).toBeGreaterThan(100);
    expect(loaded.warnings.length).toBeLessThanOrEqual(1);
  });
});

/** A program that records until it is stopped, and says how many events are synced; then how appends end. */
function recordForever(path: string): string {
  return `
    const { openRecorder } = await import(${JSON.stringify(join(code, 'src/history/recorder.js'))});
    const { createRealClock } = await import(${JSON.stringify(join(code, 'src/core/clock.js'))});
    const clock = createRealClock();
    const recorder = await openRecorder(${JSON.stringify(path)}, { ordeal: 1 }, clock);
    const code = (error) => error.code;
    let sent = 0;
    let failed = null;
    while (failed === null) {
      try {
        for (let i = 0; i < 100; i++, sent++) {
          recorder.append({ process: sent, type: 'invoke', f: 'send', value: [['send', 't/0', sent]] });
        }
        if (sent % 1000 === 0) await recorder.sync();
      } catch (error) {
        failed = error;
      }
      if (failed === null && sent % 1000 === 0) console.log(sent);
      await clock.turn();
    }
    try { recorder.append({ process: -1 }); } catch (error) { console.log('append ' + error.code); }
    console.log('sync ' + await recorder.sync().catch(code));
    console.log('close ' + await recorder[Symbol.asyncDispose]().catch(code));
  `;
}
