/** What writes a history. The file recorder is recorder.ts beside this file; tests and simulations may keep it in memory. */
import type { EventType, OperationError, Process } from './event.ts';

export interface EventDraft {
  readonly process: Process;
  readonly type: EventType;
  readonly f: string;
  readonly value: unknown;
  readonly session?: string;
  readonly error?: OperationError;
  readonly txn?: { readonly id?: string; readonly producerId?: number; readonly epoch?: number };
}

export interface RecorderStats {
  readonly events: number;
  readonly bytes: number;
  readonly syncs: number;
  /** Longest time between the first unsynced byte and the end of the fsync that covered it, ms. */
  readonly syncLagMaxMs: number;
}

export interface Recorder extends AsyncDisposable {
  /**
   * Appends one event: gives it the next index and the clock's time, and returns that index. Order of calls is order in
   * the file. It does not wait for the disk.
   * @throws OrdealError ILL_FORMED if the format forbids the event (two open operations in a process, a completion
   * without invocation, a client process acting after info, a value sent twice …); nothing is written then.
   */
  append(draft: EventDraft): number;
  /** Resolves when everything appended so far is on disk. */
  sync(): Promise<void>;
  stats(): RecorderStats;
}
