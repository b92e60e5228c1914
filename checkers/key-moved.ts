/**
 * key-moved.
 *
 * A client that is left to choose the partition of a keyed record chooses by the key, so while the number of partitions
 * does not change, all records of one key go to one partition: consumers rely on it for the order of a key. Found when
 * two proved sends of one key that named the topic alone stand in different partitions, with no `partitions` event of
 * the topic between the invocation of the first and the end of the last. Nothing permits it. Smallest history: key k sent
 * to t lands in t/0, then in t/1.
 *
 * An obligation is each proved keyed send that left the partition to the client; one that was acknowledged without saying
 * where, and that nobody saw, is open. It cannot see sends that were under way while the count changed. Cost: linear.
 */
import { opStatus, type History } from '../src/history/columns.ts';
import type { Scalar } from '../src/history/event.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Layer, Witness } from '../src/spi/verdict.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { layerOfDelivery } from './facts/layer.ts';
import { indexOf } from './facts/precedence.ts';
import { standings, standingsOf } from './facts/proved.ts';
import { recordsOf } from './facts/records.ts';
import { showSend } from './facts/witness-text.ts';

export const keyMovedChecker: Checker = {
  name: 'key-moved',
  anomalies: ['key-moved'],
  check: (history, limits) => {
    const findings = collectFindings(limits);
    const counts = countChanges(history);
    const homes = new Map<string, Map<Scalar, Map<number, Home>>>();
    for (const log of history.logs) {
      const changes = counts.get(log.topic) ?? [];
      for (const sight of placedKeys(history, log.id, findings)) {
        const during = periodOf(history, changes, sight.op);
        if (during < 0) continue;
        const keys = entry(homes, log.topic, () => new Map<Scalar, Map<number, Home>>());
        const periods = entry(keys, sight.key, () => new Map<number, Home>());
        const home = entry(periods, during, () => ({ ...sight, place: log.id }));
        if (home.place === log.id) continue;
        const at = Math.max(indexOf(history, home.op), indexOf(history, sight.op));
        findings.found(at, 1, () => witnessOf(history, home, { ...sight, place: log.id }));
      }
    }
    return { 'key-moved': findings.result(null) };
  },
};

interface PlacedKey {
  readonly key: Scalar;
  readonly op: number;
  /** Where the send is recorded. */
  readonly log: number;
  readonly row: number;
}

interface Home extends PlacedKey {
  /** Id of the log where the record stands. */
  readonly place: number;
}

/** Proved keyed sends that the client placed in this log, by its answer or because they were seen here. */
function placedKeys(history: History, log: number, findings: Findings): readonly PlacedKey[] {
  const records = recordsOf(history)[log]!;
  const standing = standingsOf(history)[log]!;
  const { partition } = history.logs[log]!;
  const placed: PlacedKey[] = [];
  for (let record = 0; record < records.count; record++) {
    const writer = records.writerLog[record]!;
    if (writer < 0 || standing[record] === standings.unproved) continue;
    const { sends, partition: told } = history.logs[writer]!;
    const row = records.writerRow[record]!;
    const key = history.metas[sends.meta[row]!]?.key;
    const op = sends.op[row]!;
    if (sends.clientChose[row] === 0 || key === undefined) continue;
    if (history.ops.status[op] === opStatus.fail) continue;
    // A send whose answer named another log was judged there.
    if (writer !== log && told !== null) continue;
    if (partition !== null) {
      findings.arose(1);
      placed.push({ key, op, log: writer, row });
    } else if (records.located[record] === 0) {
      findings.arose(1);
      findings.open(
        () =>
          `${showSend(history, history.logs[writer]!, row)}: no answer and no reader says in which partition it is`,
      );
    }
  }
  return placed;
}

/** By topic: indexes of the events that told another number of partitions. */
function countChanges(history: History): ReadonlyMap<string, readonly number[]> {
  const changes = new Map<string, number[]>();
  for (const { f, value, index } of history.observations) {
    if (f !== 'partitions') continue;
    const { topic } = value as { readonly topic: string };
    entry(changes, topic, () => []).push(index);
  }
  return changes;
}

/** Number of changes before the operation, or -1 if one came while it was under way. */
function periodOf(history: History, changes: readonly number[], op: number): number {
  const begun = history.ops.invokeIndex[op]!;
  const settled = history.ops.status[op] === opStatus.ok;
  const ended = settled ? history.ops.completeIndex[op]! : Infinity;
  const before = changes.filter((index) => index < begun).length;
  const after = changes.filter((index) => index > ended).length;
  return before + after === changes.length ? before : -1;
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

function witnessOf(history: History, first: Home, second: Home): Witness {
  const [a, b] = [first.place, second.place].map((id) => history.logs[id]!.name);
  const operations = [indexOf(history, first.op), indexOf(history, second.op)];
  const tell = (home: Home): string => showSend(history, history.logs[home.log]!, home.row);
  return {
    operations: [...new Set(operations)].sort((x, y) => x - y),
    log: b!,
    value: history.values[history.logs[second.log]!.sends.value[second.row]!]!,
    layer: layerOfChoice(history, first, second),
    explanation:
      `Two records of key ${JSON.stringify(second.key)} stand in different partitions, ${a!} and ${b!}: ` +
      `${tell(first)}; ${tell(second)}. Both named the topic alone, and its number of partitions did not change between them.`,
  };
}

/** The client chose both partitions, where the raw logs hold the records at the offsets that its answers gave. */
function layerOfChoice(history: History, first: Home, second: Home): Layer {
  const layers = [first, second].map(({ log, row, place }): Layer => {
    const offset = history.logs[log]!.sends.offset[row]!;
    return offset < 0 ? 'unknown' : layerOfDelivery(history, history.logs[place]!, [offset]);
  });
  if (layers.includes('processor')) return 'processor';
  return layers.every((layer) => layer === 'client') ? 'client' : 'unknown';
}
