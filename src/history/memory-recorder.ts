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
  /** All that was recorded; none where a sink takes them. They are the harness's own objects: read only. */
  readonly events: readonly HistoryEvent[];
}

/**
 * @param openSink opens what takes the file's text, once the header is known to be well formed: events are not kept in
 * memory then, for a long run has too many. Null: they stay in memory alone.
 * @throws OrdealError ILL_FORMED for a header that the format forbids, RECORDER_IO if the sink cannot take it.
 */
export function createMemoryRecorder(
  header: Header,
  clock: Clock,
  openSink: (() => HistorySink) | null,
): MemoryRecorder {
  const drafts = new DraftRules(clock);
  const events: HistoryEvent[] = [];
  const headerText = lineOfHeader(header);
  let bytes = Buffer.byteLength(headerText);
  let closed = false;
  const sink = openSink === null ? null : openedWith(headerText, openSink);
  const writeTo = (to: HistorySink, draft: EventDraft): number => {
    const { event, line } = drafts.take(draft);
    to.write(line);
    bytes += Buffer.byteLength(line);
    return event.index;
  };
  const keep = (draft: EventDraft): number => {
    const event = drafts.takeEvent(draft);
    events.push(event);
    return event.index;
  };
  return {
    header,
    events,
    append: (draft: EventDraft): number => {
      assert(!closed, 'append to a closed recorder');
      return sink === null ? keep(draft) : writeTo(sink, draft);
    },
    sync: (): Promise<void> => immediately(() => sink?.flush()),
    stats: (): RecorderStats => ({ events: drafts.count, bytes, syncs: 0, syncLagMaxMs: 0 }),
    [Symbol.asyncDispose]: (): Promise<void> =>
      immediately(() => {
        if (closed) return;
        closed = true;
        sink?.close();
      }),
  };
}

/** A sink that holds the header; one that cannot take it is closed again. */
function openedWith(headerText: string, open: () => HistorySink): HistorySink {
  const sink = open();
  try {
    sink.write(headerText);
    sink.flush();
    return sink;
  } catch (thrown) {
    sink.close();
    throw thrown;
  }
}

/** A promise that is settled already; what the work throws rejects it. */
function immediately(work: () => void): Promise<void> {
  return new Promise((resolve) => {
    work();
    resolve();
  });
}
