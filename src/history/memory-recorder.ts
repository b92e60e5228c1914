/**
 * Records a history without ever waiting: for simulated runs, whose time stands still while anything real is awaited.
 * Index, time, rules and bytes are those of the file recorder.
 */
import type { Clock } from '../core/clock.ts';
import { assert } from '../core/assert.ts';
import { DraftRules, lineOfHeader } from './drafts.ts';
import type { Header, HistoryEvent } from './event.ts';
import type { EventDraft, Recorder, RecorderStats } from './recording.ts';

/** Where lines go as they come, in order. */
export interface HistorySink {
  /** @throws OrdealError RECORDER_IO; every later call throws the same. */
  write(lines: string): void;
  /** Puts all that was written on disk. @throws OrdealError RECORDER_IO. */
  flush(): void;
  close(): void;
}

export interface MemoryRecorder extends Recorder {
  readonly header: Header;
  /** All that was recorded. They are the harness's own objects: read only. */
  readonly events: readonly HistoryEvent[];
}

/**
 * @param sink takes the file's text too; null: events stay in memory alone.
 * @throws OrdealError ILL_FORMED for a header that the format forbids, RECORDER_IO if the sink cannot take it.
 */
export function createMemoryRecorder(
  header: Header,
  clock: Clock,
  sink: HistorySink | null,
): MemoryRecorder {
  const drafts = new DraftRules(clock);
  const events: HistoryEvent[] = [];
  const headerText = lineOfHeader(header);
  let bytes = Buffer.byteLength(headerText);
  let closed = false;
  const writeTo = (to: HistorySink, draft: EventDraft): HistoryEvent => {
    const { event, line } = drafts.take(draft);
    to.write(line);
    bytes += Buffer.byteLength(line);
    return event;
  };
  sink?.write(headerText);
  sink?.flush();
  return {
    header,
    events,
    append: (draft: EventDraft): number => {
      assert(!closed, 'append to a closed recorder');
      const event = sink === null ? drafts.takeEvent(draft) : writeTo(sink, draft);
      events.push(event);
      return event.index;
    },
    sync: (): Promise<void> => immediately(() => sink?.flush()),
    stats: (): RecorderStats => ({ events: events.length, bytes, syncs: 0, syncLagMaxMs: 0 }),
    [Symbol.asyncDispose]: (): Promise<void> =>
      immediately(() => {
        if (closed) return;
        closed = true;
        sink?.close();
      }),
  };
}

/** A promise that is settled already; what the work throws rejects it. */
function immediately(work: () => void): Promise<void> {
  return new Promise((resolve) => {
    work();
    resolve();
  });
}
