/**
 * Readers that hand out what a sound one would not: wrappers that change the answers of another reader, so that what the
 * log holds and what an audit sees stay right.
 */
import type { Random } from '../../core/random.ts';
import type { LogName, RecordSeen } from '../../history/event.ts';
import type { Outcome, PollResult, ReaderClient, ReaderFactory } from '../../spi/client.ts';
import type { ReaderDefect } from './defects.ts';

const skippedMax = 3;
const rewindsOneIn = 20;
const dropsOneIn = 20;
const phantomsOneIn = 100;
const rewoundMax = 2;

/** @param defects names of defects that are on; those that are not a reader's mean nothing here. */
export function createFaultyReaderFactory(
  readers: ReaderFactory,
  defects: ReadonlySet<string>,
  random: Random,
): ReaderFactory {
  return {
    create: async (name, isolation) => {
      const reader = await readers.create(name, isolation);
      return createFaultyReader(reader, (defect) => defects.has(defect), random);
    },
  };
}

function createFaultyReader(
  reader: ReaderClient,
  has: (defect: ReaderDefect) => boolean,
  random: Random,
): ReaderClient {
  let failed = false;
  let phantoms = 0;
  /** By log: records that are still to be passed over. */
  const toSkip = new Map<LogName, number>();
  /** By log: the last records of the last poll of this epoch that had any. */
  const handedOut = new Map<LogName, readonly RecordSeen[]>();

  const skip = (log: LogName, records: readonly RecordSeen[]): readonly RecordSeen[] => {
    const count = toSkip.get(log) ?? 0;
    if (count === 0) return records;
    toSkip.set(log, Math.max(0, count - records.length));
    return records.slice(count);
  };
  const drop = (records: readonly RecordSeen[]): readonly RecordSeen[] => {
    if (records.length < 3 || !random.chance(1, dropsOneIn)) return records;
    const at = random.between(1, records.length - 2);
    return records.filter((_, index) => index !== at);
  };
  const forge = (records: readonly RecordSeen[]): readonly RecordSeen[] => {
    if (records.length === 0 || !random.chance(1, phantomsOneIn)) return records;
    const at = random.below(records.length);
    phantoms += 1;
    const value = `phantom-${phantoms}-${random.below(1_000_000_000)}`;
    return records.map((record, index): RecordSeen => {
      if (index !== at) return record;
      const [offset, , meta] = record;
      return meta === undefined ? [offset, value] : [offset, value, meta];
    });
  };

  const changed = (result: PollResult): PollResult => {
    const value: Record<LogName, readonly RecordSeen[]> = {};
    const logs = new Set([
      ...Object.keys(result),
      ...(has('reader-rewinds') ? handedOut.keys() : []),
    ]);
    for (const log of logs) {
      let records = skip(log, result[log] ?? []);
      if (has('reader-drops')) records = drop(records);
      if (has('poll-phantom')) records = forge(records);
      const before = handedOut.get(log);
      if (records.length > 0) handedOut.set(log, records.slice(-rewoundMax));
      if (has('reader-rewinds') && before !== undefined && random.chance(1, rewindsOneIn)) {
        records = [...before, ...records];
      }
      if (records.length > 0) value[log] = records;
    }
    return value;
  };

  return {
    assign: (logs, from) => {
      toSkip.clear();
      handedOut.clear();
      if (failed && has('reader-skips') && typeof from !== 'string') {
        for (const log of logs) toSkip.set(log, random.between(1, skippedMax));
      }
      failed = false;
      return reader.assign(logs, from);
    },
    poll: async (): Promise<Outcome<PollResult>> => {
      const outcome = await reader.poll();
      if (outcome.type === 'ok') return { type: 'ok', value: changed(outcome.value) };
      failed = true;
      return outcome;
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}
