/** What belongs to what in a history, looked up: the single rules of slice-closure.ts. Built in one pass each, on demand. */
import { isNemesis } from './event-shape.ts';
import { chunkOf, type SliceIndex, type SliceOperation } from './slice-index.ts';
import type { SliceRecord } from './slice-index.ts';
import { collectScans, disputesOf, scanKey } from './slice-scans.ts';
import { fieldsOf, textIn } from './slice-values.ts';

export interface ClosureRules {
  /** Records that stand at an offset of this one; on compacted topics also those of its key, of which a cleaner keeps one for all. */
  besides(record: number): readonly number[];
  /** All chunks of the scan of an audit. */
  scanOf(operation: number): readonly number[];
  /** What disputes where the record stands (slice-scans.ts). */
  disputesOf(record: SliceRecord): readonly number[];
  /** The audit that met the highest start of a log above 0, or -1. */
  highestStart(log: string): number;
  /** Positions of events that told the number of partitions of the log's topic. */
  partitionEvents(log: string): readonly number[];
  /** The last init of the process before a transaction. */
  initOf(operation: number): readonly number[];
  ofGroup(group: string): readonly number[];
  /** Records of the input whose fold a store holds. */
  inputOf(operation: number): readonly number[];
  /** A fault and its heals. */
  sameFault(operation: number): readonly number[];
  /** Every fault and heal from this one on. */
  faultsFrom(operation: number): readonly number[];
  /** Transactions that were under way in a stretch of time, ns. */
  transactionsBetween(fromNs: number, toNs: number): readonly number[];
  /** Of an audit that measured an end: the send of its log that had not ended before it, or ended last; else null. */
  guardOf(operation: number): number | null;
}

export function closureRules(index: SliceIndex): ClosureRules {
  const { operations } = index;
  const scans = collectScans(operations);
  const neighbours = collectNeighbours(index);
  const starts = collectStarts(operations);
  const partitions = collectPartitionEvents(index);
  const groups = new Map<string, number[]>();
  for (const { id, groups: named } of operations) {
    for (const group of named) push(groups, group, id);
  }
  const nemeses = operations.filter(({ process }) => isNemesis(process));
  const transactions = operations.filter(({ f }) => f === 'txn');
  const inits = operations.filter(({ f }) => f === 'init');
  return {
    besides: (record) => neighbours.get(record) ?? [],
    scanOf: (id) => scans.byKey.get(scanKey(operations[id]!)) ?? [],
    disputesOf: (record) => disputesOf(index, scans, record),
    highestStart: (log) => starts.get(log)?.operation ?? -1,
    partitionEvents: (log) => partitions.get(log.split('/')[0]!) ?? [],
    initOf: (id) => {
      const { process } = operations[id]!;
      const last = inits.findLast((init) => init.process === process && init.id < id);
      return last === undefined ? [] : [last.id];
    },
    ofGroup: (group) => groups.get(group) ?? [],
    inputOf: (id) => {
      const input = textIn(operations[id]!.invoked.value, 'input');
      const own = index.records.filter(({ log, topic }) => log === input || topic === input);
      return own.map((record) => record.id);
    },
    sameFault: (id) => {
      const fault = textIn(operations[id]!.invoked.value, 'fault');
      const same = nemeses.filter(({ invoked }) => textIn(invoked.value, 'fault') === fault);
      return fault === null ? [] : same.map((each) => each.id);
    },
    faultsFrom: (id) => nemeses.filter((each) => each.id >= id).map((each) => each.id),
    transactionsBetween: (fromNs, toNs) =>
      transactions
        .filter((each) => each.invoked.time <= toNs && endNsOf(each) >= fromNs)
        .map(({ id }) => id),
    guardOf: guardLookup(index),
  };
}

function endNsOf({ completed }: SliceOperation): number {
  return completed?.time ?? Infinity;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function collectNeighbours({
  history,
  records,
}: SliceIndex): ReadonlyMap<number, readonly number[]> {
  const first = new Map<string, number>();
  const neighbours = new Map<number, number[]>();
  const stand = (id: number, log: string, offset: number | string) => {
    const place = `${log} ${offset}`;
    const other = first.get(place);
    if (other === undefined) first.set(place, id);
    else if (other !== id && neighbours.get(id)?.includes(other) !== true) {
      push(neighbours, other, id);
      push(neighbours, id, other);
    }
  };
  const topics = new Map(Object.entries(history.header.topics ?? {}));
  const compacted = (topic: string): boolean =>
    topics.get(topic)?.cleanup?.includes('compact') === true;
  for (const { id, topic, key, log, offset, seen } of records) {
    // Standing together by key is the same relation as standing at one offset.
    if (key !== undefined && compacted(topic)) stand(id, `${topic} by key`, JSON.stringify(key));
    if (offset >= 0) stand(id, log, offset);
    for (const sight of seen) stand(id, sight.log, sight.offset);
  }
  return neighbours;
}

function collectStarts(operations: readonly SliceOperation[]) {
  const starts = new Map<string, { readonly start: number; readonly operation: number }>();
  for (const operation of operations) {
    const chunk = chunkOf(operation);
    if (chunk === null || chunk.start <= (starts.get(chunk.log)?.start ?? 0)) continue;
    starts.set(chunk.log, { start: chunk.start, operation: operation.id });
  }
  return starts;
}

function collectPartitionEvents({ history }: SliceIndex): ReadonlyMap<string, readonly number[]> {
  const events = new Map<string, number[]>();
  history.events.forEach(({ type, f, value }, position) => {
    const topic = type === 'event' && f === 'partitions' ? textIn(value, 'topic') : null;
    if (topic !== null) push(events, topic, position);
  });
  return events;
}

function guardLookup({ history, operations, records }: SliceIndex): ClosureRules['guardOf'] {
  const acks = fieldsOf(history.header.config).get('acks') ?? 'all';
  if (acks === 'all' || acks === -1 || acks === '-1') return () => null;
  const lastEnds = collectLastEnds(operations, records);
  return (id) => {
    const audit = operations[id]!;
    const chunk = chunkOf(audit);
    if (chunk?.linearizable !== true) return null;
    const lists = [chunk.log, chunk.log.split('/')[0]!].map((log) => lastEnds.get(log) ?? []);
    let guard: LastEnd | null = null;
    for (const list of lists) {
      const last = list.findLast(({ invNs }) => invNs <= audit.invoked.time);
      if (last !== undefined && (guard === null || last.endNs > guard.endNs)) guard = last;
    }
    return guard?.record ?? null;
  };
}

interface LastEnd {
  readonly record: number;
  readonly invNs: number;
  readonly endNs: number;
}

/** By log: each send that ended later than all that were invoked before it; few, where sends end in turn. */
function collectLastEnds(
  operations: readonly SliceOperation[],
  records: readonly SliceRecord[],
): ReadonlyMap<string, readonly LastEnd[]> {
  const lists = new Map<string, LastEnd[]>();
  const sent = records.filter(({ writer }) => writer >= 0);
  // A send may be recorded late, by an attempt: operations count in order of invocation.
  sent.sort((a, b) => a.writer - b.writer);
  for (const { id, log, writer } of sent) {
    const operation = operations[writer]!;
    const endNs = endNsOf(operation);
    if ((lists.get(log)?.at(-1)?.endNs ?? -Infinity) >= endNs) continue;
    push(lists, log, { record: id, invNs: operation.invoked.time, endNs });
  }
  return lists;
}
