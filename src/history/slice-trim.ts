/** What is left of an event in a slice: records and logs that are left out disappear from it, all else stays as it was. */
import type { AuditCompleted, HistoryEvent, RawBatch, RecordSeen, Scalar } from './event.ts';
import type { Closed } from './slice-closure.ts';
import { microsOf, type SliceIndex } from './slice-index.ts';
import { fieldsOf } from './slice-values.ts';

type AnyMicro = readonly unknown[];

/** Makes the events of one slice. */
export class Trimmer {
  readonly #index: SliceIndex;
  readonly #closed: Closed;
  readonly #batchesToDrop: ReadonlyMap<string, ReadonlySet<number>>;

  constructor(index: SliceIndex, closed: Closed) {
    this.#index = index;
    this.#closed = closed;
    this.#batchesToDrop = emptiedOffsets(index, closed);
  }

  trim(event: HistoryEvent): HistoryEvent {
    const value = this.#valueOf(event);
    return value === event.value ? event : { ...event, value };
  }

  #valueOf(event: HistoryEvent): unknown {
    const { f, type, value } = event;
    if (value === null || value === undefined) return value;
    switch (f) {
      case 'send':
      case 'poll':
      case 'txn':
      case 'attempt':
        return microsOf(event).flatMap((micro) => this.#trimMicro(micro));
      case 'audit':
        return type === 'ok' ? this.#trimChunk(value as AuditCompleted) : value;
      case 'assign':
      case 'commit':
      case 'committed':
        return this.#trimFields(value, ['logs'], ['offsets', 'from']);
      case 'rebalance':
        return this.#trimFields(value, ['assigned', 'revoked', 'lost'], []);
      default:
        return value;
    }
  }

  #trimMicro(micro: AnyMicro): readonly AnyMicro[] {
    switch (micro[0]) {
      case 'send': {
        const sent = micro[2] as Scalar | readonly [number | null, Scalar];
        const value = Array.isArray(sent) ? (sent as readonly [unknown, Scalar])[1] : sent;
        return this.#keeps(micro[1] as string, value as Scalar) ? [micro] : [];
      }
      case 'poll':
        return micro.length === 1 ? [micro] : [['poll', this.#trimRead(micro[1])]];
      case 'offsets': {
        const offsets = this.#trimMap(micro[2]);
        return Object.keys(offsets).length === 0 ? [] : [['offsets', micro[1], offsets]];
      }
      default:
        return [micro];
    }
  }

  #trimRead(read: unknown): object {
    const kept: [string, readonly RecordSeen[]][] = [];
    for (const [log, records] of fieldsOf(read)) {
      if (!this.#closed.keepsLog(log)) continue;
      const left = this.#trimRecords(log, records as readonly RecordSeen[]);
      if (left.length > 0) kept.push([log, left]);
    }
    return Object.fromEntries(kept);
  }

  #trimRecords(log: string, records: readonly RecordSeen[]): readonly RecordSeen[] {
    return records.filter(([, value]) => this.#keeps(log, value));
  }

  #trimChunk(chunk: AuditCompleted): AuditCompleted {
    const { log, records, batches } = chunk;
    return {
      ...chunk,
      ...(records === undefined ? {} : { records: this.#trimRecords(log, records) }),
      ...(batches === undefined ? {} : { batches: this.#trimBatches(log, batches) }),
    };
  }

  /** Data batches go with the last of their records; control markers stay while their producer has data left. */
  #trimBatches(log: string, batches: readonly RawBatch[]): readonly RawBatch[] {
    const emptied = this.#batchesToDrop.get(log);
    if (emptied === undefined) return batches;
    const data = batches.filter(({ control, base, last }) => {
      if (control !== null) return false;
      for (let offset = base; offset <= last; offset++) if (!emptied.has(offset)) return true;
      return false;
    });
    const kept = new Set(data);
    const producers = new Set(data.map(({ producerId }) => producerId));
    return batches.filter((batch) =>
      batch.control === null ? kept.has(batch) : producers.has(batch.producerId),
    );
  }

  #trimFields(value: unknown, lists: readonly string[], maps: readonly string[]): object {
    const { keepsLog } = this.#closed;
    const fields = [...fieldsOf(value)].map(([name, held]): [string, unknown] => {
      if (lists.includes(name) && Array.isArray(held)) {
        return [name, (held as readonly string[]).filter(keepsLog)];
      }
      return [name, maps.includes(name) && typeof held === 'object' ? this.#trimMap(held) : held];
    });
    return Object.fromEntries(fields);
  }

  #trimMap(map: unknown): object {
    return Object.fromEntries([...fieldsOf(map)].filter(([log]) => this.#closed.keepsLog(log)));
  }

  #keeps(log: string, value: Scalar): boolean {
    const record = this.#index.recordOf(log, value);
    return record === undefined || this.#closed.dropped[record.id] === 0;
  }
}

/** By log: offsets at which everything that is known to stand there is left out. */
function emptiedOffsets(index: SliceIndex, { dropped }: Closed) {
  const emptied = new Map<string, Set<number>>();
  for (const keep of [false, true]) {
    for (const { id, log, offset, seen } of index.records) {
      if ((dropped[id] === 0) !== keep) continue;
      const places = offset < 0 ? seen : [{ log, offset }, ...seen];
      for (const place of places) {
        if (keep) emptied.get(place.log)?.delete(place.offset);
        else if (emptied.get(place.log)?.add(place.offset) === undefined) {
          emptied.set(place.log, new Set([place.offset]));
        }
      }
    }
  }
  return emptied;
}
