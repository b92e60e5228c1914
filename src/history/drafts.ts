/** From a draft to an event of the history: its index, its time, and the rules that it must keep. Every recorder's core. */
import type { Clock } from '../core/clock.ts';
import { OrdealError } from '../core/errors.ts';
import type { Header, HistoryEvent } from './event.ts';
import { checkEvent } from './event-shape.ts';
import { checkHeader } from './header.ts';
import { Problem } from './problem.ts';
import type { EventDraft } from './recording.ts';
import { SequenceRules } from './sequence-rules.ts';
import { eventLine, headerLine } from './write.ts';

/** What was taken: the event, and its line of the file with its newline. */
export interface TakenDraft {
  readonly event: HistoryEvent;
  readonly line: string;
}

/** The header's line with its newline. @throws OrdealError ILL_FORMED for a header that the format forbids. */
export function lineOfHeader(header: Header): string {
  try {
    checkHeader(header);
  } catch (problem) {
    throw illFormed('header', problem);
  }
  return `${headerLine(header)}\n`;
}

/** Time 0 is the moment of its making. */
export class DraftRules {
  readonly #clock: Clock;
  readonly #originNs: number;
  readonly #rules = new SequenceRules(false);

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originNs = clock.nowNs();
  }

  /** How many were taken. */
  get count(): number {
    return this.#rules.nextIndex;
  }

  /** @throws OrdealError ILL_FORMED, and nothing is changed, if the format forbids the event. */
  take(draft: EventDraft): TakenDraft {
    const event = this.#stamp(draft);
    try {
      // The line is made first, so that an event that cannot be written changes nothing.
      const line = `${eventLine(event)}\n`;
      this.#accept(event);
      return { event, line };
    } catch (problem) {
      throw refusalOf(event, problem);
    }
  }

  /** The same for a recorder that writes no lines. */
  takeEvent(draft: EventDraft): HistoryEvent {
    const event = this.#stamp(draft);
    try {
      this.#accept(event);
      return event;
    } catch (problem) {
      throw refusalOf(event, problem);
    }
  }

  /** Written out member by member: objects of one shape that no spread has built are smaller and many times faster. */
  #stamp(draft: EventDraft): HistoryEvent {
    const { lastTimeNs, nextIndex: index } = this.#rules;
    const time = Math.max(lastTimeNs, this.#clock.nowNs() - this.#originNs);
    const { process, type, f, value, session, error, txn } = draft;
    if (session === undefined && error === undefined && txn === undefined) {
      return { index, time, process, type, f, value };
    }
    return { index, time, ...draft };
  }

  #accept(event: HistoryEvent): void {
    checkEvent(event);
    this.#rules.accept(event);
  }
}

function refusalOf({ process, type, f }: HistoryEvent, problem: unknown): OrdealError {
  return illFormed(`${type} of "${f}" by process ${process}`, problem);
}

function illFormed(what: string, problem: unknown): OrdealError {
  const why = problem instanceof Problem ? problem.text : (problem as Error).message;
  return new OrdealError(
    'ILL_FORMED',
    `${what}: ${why}`,
    'this is a defect of whoever recorded it: docs/history-format.md has the rules',
    { cause: problem },
  );
}
