/**
 * Records a history to a file. Events are appended in memory and written at once, one write after another; an fsync
 * begins at most 100 ms after the first byte that none has covered, never two at once. A process that is killed loses
 * what was not yet written; the file then ends in a torn line at worst, which readers drop.
 *
 * After a failed write or fsync nothing more is written: a half line must stay the last one, and after a failed fsync
 * nobody can say what is on disk.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert } from '../core/assert.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { OrdealError } from '../core/errors.ts';
import { nsPerMs } from '../core/units.ts';
import { DraftRules, lineOfHeader } from './drafts.ts';
import type { Header } from './event.ts';
import { failedIo } from './failed-io.ts';
import type { EventDraft, Recorder, RecorderStats } from './recording.ts';

/** From the first byte that no fsync covers to the fsync: half of what is promised, the rest is for a busy loop. */
const syncDelayMs = 50;
/** Appended but not yet written: a disk that is this far behind has failed. */
const pendingBytesMax = 2 ** 28;

/**
 * Creates the file, which must not exist, and resolves when its header is on disk. Time 0 of the history is the moment
 * of this call's return.
 * @throws OrdealError RECORDER_IO, or ILL_FORMED for a header that the format forbids.
 */
export async function openRecorder(path: string, header: Header, clock: Clock): Promise<Recorder> {
  const bytes = Buffer.from(lineOfHeader(header));
  try {
    const handle = await open(path, 'wx');
    await writeAll(handle, bytes);
    await handle.sync();
    await syncDirectory(dirname(path));
    return new FileRecorder(path, handle, bytes.length, clock);
  } catch (error) {
    throw failedIo(path, error);
  }
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class FileRecorder implements Recorder {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #clock: Clock;
  readonly #drafts: DraftRules;
  #failure: OrdealError | null = null;
  #closing: Promise<void> | null = null;

  /** Lines appended and not yet handed to a write. */
  #pending = '';
  /** When the first byte of each stage came in, ns; null where the stage is empty. */
  #pendingSinceNs: number | null = null;
  #writtenSinceNs: number | null = null;
  #writing = false;
  #syncing = false;
  #syncTimer: Timer | null = null;
  #waiters: Waiter[] = [];

  #appendedBytes: number;
  #writtenBytes: number;
  #syncedBytes: number;
  #syncs = 1;
  #syncLagMaxNs = 0;

  constructor(path: string, handle: FileHandle, headerBytes: number, clock: Clock) {
    this.#path = path;
    this.#handle = handle;
    this.#clock = clock;
    this.#drafts = new DraftRules(clock, true);
    this.#appendedBytes = headerBytes;
    this.#writtenBytes = headerBytes;
    this.#syncedBytes = headerBytes;
  }

  append(draft: EventDraft): number {
    assert(this.#closing === null, 'append to a closed recorder');
    if (this.#failure !== null) throw this.#failure;
    if (this.#appendedBytes - this.#writtenBytes > pendingBytesMax) {
      throw this.#fail(new Error(`more than ${pendingBytesMax} bytes wait to be written`));
    }
    const { event, line } = this.#drafts.take(draft);
    this.#pending += line;
    this.#pendingSinceNs ??= this.#clock.nowNs();
    this.#appendedBytes += Buffer.byteLength(line);
    this.#write();
    return event.index;
  }

  async sync(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#syncedBytes === this.#appendedBytes) return;
    const done = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ bytes: this.#appendedBytes, resolve, reject });
    });
    this.#write();
    this.#scheduleSync();
    await done;
  }

  stats(): RecorderStats {
    return {
      events: this.#drafts.count,
      bytes: this.#appendedBytes,
      syncs: this.#syncs,
      syncLagMaxMs: this.#syncLagMaxNs / nsPerMs,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      this.#syncTimer?.cancel();
      await this.#handle.close();
    }
  }

  /** Starts a write of all that is pending, unless one is under way: its end starts the next. */
  #write(): void {
    if (this.#writing || this.#failure !== null || this.#pendingSinceNs === null) return;
    const bytes = Buffer.from(this.#pending);
    const sinceNs = this.#pendingSinceNs;
    this.#pending = '';
    this.#pendingSinceNs = null;
    this.#writing = true;
    writeAll(this.#handle, bytes).then(
      () => {
        this.#writing = false;
        this.#writtenBytes += bytes.length;
        this.#writtenSinceNs ??= sinceNs;
        this.#scheduleSync();
        this.#write();
      },
      (error: unknown) => {
        this.#writing = false;
        this.#fail(error);
      },
    );
  }

  /** Sees to it that what is written gets synced: now if somebody waits for it or it is due, else by a timer. */
  #scheduleSync(): void {
    if (this.#syncing || this.#failure !== null || this.#writtenSinceNs === null) return;
    const ageMs = (this.#clock.nowNs() - this.#writtenSinceNs) / nsPerMs;
    if (this.#waiters.length > 0 || ageMs >= syncDelayMs) {
      this.#startSync(this.#writtenSinceNs);
      return;
    }
    this.#syncTimer ??= this.#clock.after(Math.ceil(syncDelayMs - ageMs), () => {
      this.#syncTimer = null;
      this.#scheduleSync();
    });
  }

  #startSync(sinceNs: number): void {
    const covered = this.#writtenBytes;
    this.#writtenSinceNs = null;
    this.#syncing = true;
    this.#handle.datasync().then(
      () => {
        this.#syncing = false;
        this.#syncs++;
        this.#syncedBytes = covered;
        this.#syncLagMaxNs = Math.max(this.#syncLagMaxNs, this.#clock.nowNs() - sinceNs);
        this.#release();
        this.#scheduleSync();
      },
      (error: unknown) => {
        this.#syncing = false;
        this.#fail(error);
      },
    );
  }

  #release(): void {
    const waiting = this.#waiters.filter(({ bytes }) => bytes > this.#syncedBytes);
    const released = this.#waiters.filter(({ bytes }) => bytes <= this.#syncedBytes);
    this.#waiters = waiting;
    for (const { resolve } of released) resolve();
  }

  #fail(error: unknown): OrdealError {
    const failure = (this.#failure ??= failedIo(this.#path, error));
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(failure);
    return failure;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

/** A new file survives a power cut only once its directory is on disk too. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
