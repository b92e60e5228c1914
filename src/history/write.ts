/** Serialisation: one header or event to one line of format 1, without its newline. Key order is fixed. */
import type { Header, HistoryEvent } from './event.ts';

/** The first line of a history. `ordeal` comes first, so that a reader of the bytes sees at once what it is. */
export function headerLine(header: Header): string {
  const { ordeal, ...rest } = header;
  return JSON.stringify({ ordeal, ...rest });
}

/** One event; index, time, process, type, f and value come first, then whatever else it carries. */
export function eventLine(event: HistoryEvent): string {
  const { index, time, process, type, f, value, ...rest } = event;
  return JSON.stringify({ index, time, process, type, f, value, ...rest });
}
