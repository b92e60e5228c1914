/** The slice around some events and records of a history: what they did and saw, and no other records. Pure. */
import type { RawHistory } from './load-text.ts';
import type { Slicer } from './slice.ts';

/**
 * @param events indexes; any event of an operation chooses the whole operation.
 * @param records ids of records, chosen with whoever sent and saw them.
 */
export function sliceAroundEvents(
  slicer: Slicer,
  events: readonly number[],
  records: readonly number[],
): RawHistory {
  const chosen = slicer.select([...events, ...lastAfterHeal(slicer, events)]);
  // Of those that only tell about a record, what else they saw is left out.
  const telling = [
    ...records.flatMap((record) => tellersOf(slicer, record)),
    ...tellersOfPlaces(slicer, chosen.operations),
  ];
  const { observations } = chosen;
  const operations = new Set([...chosen.operations, ...telling]);
  const own = [...slicer.ownRecords(chosen.operations), ...records];
  // Audits alone say nothing without the records that they read.
  const dropped = own.length === 0 ? new Set<number>() : slicer.allBut(own);
  return slicer.slice({ operations, observations, dropped, logs: null });
}

/** How long the history went on after a heal is part of what the heal shows. */
function lastAfterHeal({ index }: Slicer, chosen: readonly number[]): readonly number[] {
  const { events } = index.history;
  return chosen.some((each) => events[each]?.f === 'heal') ? [events.length - 1] : [];
}

/** Who sent a record and who saw it. */
function tellersOf({ index }: Slicer, record: number): readonly number[] {
  const { writer, seen } = index.records[record]!;
  return [...(writer < 0 ? [] : [writer]), ...seen.map(({ op }) => op)];
}

/** Where a send stands that was not told so, only those know who saw it: the first of them for each place. */
function tellersOfPlaces({ index }: Slicer, operations: Iterable<number>): readonly number[] {
  return [...operations].flatMap((id) =>
    index.operations[id]!.sent.flatMap((record) => {
      const { offset, seen } = index.records[record]!;
      if (offset >= 0) return [];
      const firstByPlace = new Map(
        seen.toReversed().map((sight) => [`${sight.log} ${sight.offset}`, sight.op]),
      );
      return [...firstByPlace.values()];
    }),
  );
}
