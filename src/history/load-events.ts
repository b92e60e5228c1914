/** Builds the columns of a history that is in memory as events, without making text of it first. */
import { OrdealError } from '../core/errors.ts';
import { ColumnsBuilder } from './columns-builder.ts';
import type { History } from './columns.ts';
import type { Header, HistoryEvent } from './event.ts';
import { checkEvent } from './event-shape.ts';
import { checkHeader, sealHeader } from './header.ts';
import { Problem } from './problem.ts';

/**
 * The same history as that of the file which holds these lines. The events are kept, not copied.
 * @throws OrdealError BAD_HISTORY naming the event.
 */
export function loadHistoryEvents(header: Header, events: readonly HistoryEvent[]): History {
  const builder = new ColumnsBuilder();
  let place = 'header';
  try {
    checkHeader(header);
    for (const event of events) {
      place = `event ${event.index}`;
      checkEvent(event);
      builder.add(event);
    }
    // A copy: sealing takes the prototypes away.
    const sealed = sealHeader(JSON.parse(JSON.stringify(header)) as Header);
    return builder.finish(sealed, []);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw new OrdealError(
      'BAD_HISTORY',
      `${place}: ${problem.text}`,
      'docs/history-format.md has the rules',
    );
  }
}
