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

/** What was taken: the event, and its line of the file with its newline; empty if nobody wants text. */
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
  readonly #wantsText: boolean;
  readonly #rules = new SequenceRules(false);

  /** @param wantsText false: events get no lines, which take as long to make as all else together. */
  constructor(clock: Clock, wantsText: boolean) {
    this.#clock = clock;
    this.#wantsText = wantsText;
    this.#originNs = clock.nowNs();
  }

  /** How many were taken. */
  get count(): number {
    return this.#rules.nextIndex;
  }

  /** @throws OrdealError ILL_FORMED, and nothing is changed, if the format forbids the event. */
  take(draft: EventDraft): TakenDraft {
    const rules = this.#rules;
    const time = Math.max(rules.lastTimeNs, this.#clock.nowNs() - this.#originNs);
    const event: HistoryEvent = { index: rules.nextIndex, time, ...draft };
    try {
      // The line is made first, so that an event that cannot be written changes nothing.
      const line = this.#wantsText ? `${eventLine(event)}\n` : '';
      checkEvent(event);
      rules.accept(event);
      return { event, line };
    } catch (problem) {
      const { process, type, f } = event;
      throw illFormed(`${type} of "${f}" by process ${process}`, problem);
    }
  }
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
