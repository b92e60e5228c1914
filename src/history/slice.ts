/**
 * Slices of histories: fewer operations, logs or records, and yet a history that every reader accepts and in which a checker
 * finds nothing that the whole does not hold (slice-closure.ts has the rules). Events are numbered anew; `origin` is the
 * index in the whole. A slice of a slice keeps the first origin. Pure.
 */
import type { Header, HistoryEvent, Scalar } from './event.ts';
import type { RawHistory } from './load-text.ts';
import { Closer, type Closed, type Selection } from './slice-closure.ts';
import { recordsOutside, sliceHeader } from './slice-header.ts';
import { indexHistory, type SliceIndex } from './slice-index.ts';
import { Trimmer } from './slice-trim.ts';

export type { Selection } from './slice-closure.ts';

/** A record by its log (or its topic, where the client chose the partition) and value. */
export interface RecordName {
  readonly log: string;
  readonly value: Scalar;
}

export interface SliceOptions {
  /** Logs to keep: records and audits of any other disappear. Absent: all. */
  readonly logs?: ReadonlySet<string>;
  /** Records that disappear together with their sends, wherever they were seen, and with what stood at the same offset. */
  readonly drop?: readonly RecordName[];
  /**
   * Present: of all records only these stay, and those that the chosen operations send or return from a poll. It makes
   * small slices: without it an audit keeps the writers of all that it read.
   */
  readonly only?: readonly RecordName[];
}

/**
 * The least slice that holds some operations and observations.
 * @param keep indexes of events; any event of an operation chooses the whole operation.
 */
export function sliceHistory(
  history: RawHistory,
  keep: ReadonlySet<number>,
  options: SliceOptions = {},
): RawHistory {
  const slicer = new Slicer(history);
  const { operations, observations } = slicer.select(keep);
  const { logs, drop = [], only } = options;
  const dropped = new Set(slicer.named(drop));
  if (only !== undefined) {
    const own = [...slicer.named(only), ...slicer.ownRecords(operations)];
    for (const record of slicer.allBut(own)) dropped.add(record);
  }
  return slicer.slice({ operations, observations, dropped, logs: logs ?? null });
}

/** The history without some records: without their sends, and without them wherever they were seen. */
export function dropValues(history: RawHistory, records: readonly RecordName[]): RawHistory {
  return sliceHistory(history, new Set(history.events.keys()), { drop: records });
}

/** Slices one history many times: what it knows of the history is computed once. */
export class Slicer {
  readonly index: SliceIndex;
  readonly #closer: Closer;

  constructor(history: RawHistory) {
    this.index = indexHistory(history);
    this.#closer = new Closer(this.index);
  }

  slice(selection: Selection): RawHistory {
    const { logs } = selection;
    const outside = logs === null ? [] : recordsOutside(this.index, logs);
    const dropped = new Set([...selection.dropped, ...outside]);
    return cut(this.index, this.#closer.close({ ...selection, dropped }));
  }

  /** Operations and observations of some events. */
  select(keep: Iterable<number>): Pick<Selection, 'operations' | 'observations'> {
    const operations = new Set<number>();
    const observations = new Set<number>();
    for (const position of keep) {
      const operation = this.index.operationAt[position];
      if (operation === undefined) continue;
      if (operation < 0) observations.add(position);
      else operations.add(operation);
    }
    return { operations, observations };
  }

  /** Ids of records; a name that the history does not know is passed over. */
  named(records: readonly RecordName[]): readonly number[] {
    return records.flatMap(({ log, value }) => this.index.recordOf(log, value)?.id ?? []);
  }

  /** Ids of the records that stand at a place, by whatever told so. */
  standingAt(log: string, offset: number): readonly number[] {
    const isThere = (place: { readonly log: string; readonly offset: number }) =>
      place.log === log && place.offset === offset;
    return this.index.records
      .filter((record) => isThere(record) || record.seen.some(isThere))
      .map(({ id }) => id);
  }

  /** Ids of all records but some, and what stands at an offset of one of these. */
  allBut(records: Iterable<number>): ReadonlySet<number> {
    const own = this.#closer.together(records);
    return new Set(this.index.records.map(({ id }) => id).filter((id) => !own.has(id)));
  }

  /** Ids of the records that some operations send, or return from a poll. */
  ownRecords(operations: Iterable<number>): readonly number[] {
    return [...operations].flatMap((id) => {
      const { f, sent, sights } = this.index.operations[id]!;
      return f === 'audit' ? [] : [...sent, ...sights.map(({ record }) => record)];
    });
  }
}

function cut(index: SliceIndex, closed: Closed): RawHistory {
  const trimmer = new Trimmer(index, closed);
  const events: HistoryEvent[] = [];
  index.history.events.forEach((event, position) => {
    const operation = index.operationAt[position]!;
    const kept =
      operation < 0 ? closed.observations.has(position) : closed.operations[operation] === 1;
    if (!kept) return;
    const origin = event.origin ?? event.index;
    events.push({ ...trimmer.trim(event), index: events.length, origin });
  });
  const header: Header = sliceHeader(index, closed);
  return { header, events, warnings: index.history.warnings };
}
