/**
 * A history file that is written synchronously, in pieces: what was flushed or fills a piece is with the system, and
 * survives a kill of this process. After a failed write nothing more is written: a half line must stay the last one.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { OrdealError } from '../core/errors.ts';
import { failedIo } from './failed-io.ts';
import type { HistorySink } from './memory-recorder.ts';

/** A system call per line would cost more than the rest of a simulated run. */
const pieceLength = 64 * 1024;

/** Creates the file, which must not exist. @throws OrdealError RECORDER_IO. */
export function openFileSink(path: string): HistorySink {
  let failure: OrdealError | null = null;
  let pending = '';
  const guarded = <T>(work: () => T): T => {
    if (failure !== null) throw failure;
    try {
      return work();
    } catch (error) {
      failure = failedIo(path, error);
      throw failure;
    }
  };
  const handle = guarded(() => openSync(path, 'wx'));
  const hand = (): void => {
    const bytes = Buffer.from(pending);
    pending = '';
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
  };
  return {
    write: (lines) => {
      guarded(() => {
        pending += lines;
        if (pending.length >= pieceLength) hand();
      });
    },
    flush: () => {
      guarded(() => {
        hand();
        fsyncSync(handle);
      });
    },
    close: () => {
      try {
        if (failure === null) guarded(hand);
      } finally {
        closeSync(handle);
      }
    },
  };
}
