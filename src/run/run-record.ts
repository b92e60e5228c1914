/** The recorder as the parts of a run see it: a failure to record ends the run, and what comes too late is dropped. */
import type { EventDraft, Recorder } from '../history/recording.ts';

export interface RunRecord {
  /**
   * Appends one event and returns its index; -1 once the record is closed, for loops that a phase gave up on may
   * still finish later, and an operation without completion says all there is to say.
   * @throws whatever the recorder throws, after telling `onFailure`.
   */
  append(draft: EventDraft): number;
  /** Appends an observation of the harness. */
  observe(f: string, value: unknown): number;
  close(): Promise<void>;
}

export function createRunRecord(
  recorder: Recorder,
  onFailure: (error: unknown) => void,
): RunRecord {
  let closed = false;
  const append = (draft: EventDraft): number => {
    if (closed) return -1;
    try {
      return recorder.append(draft);
    } catch (error) {
      onFailure(error);
      throw error;
    }
  };
  return {
    append,
    observe: (f, value) => append({ process: 'observer', type: 'event', f, value }),
    close: async () => {
      if (closed) return;
      closed = true;
      try {
        await recorder.sync();
      } finally {
        await recorder[Symbol.asyncDispose]();
      }
    },
  };
}
