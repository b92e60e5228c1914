/**
 * What stands around a witness, beside its explanation: the raw log and the delivered view at its offset, and the uncertain
 * sends to its log that nobody ever saw. A witness without an offset has none.
 */
import { opStatus, type History, type LogColumns } from '../../src/history/columns.ts';
import type { RawBatch } from '../../src/history/event.ts';
import type { Surroundings, Witness } from '../../src/spi/verdict.ts';
import { indexOf } from './precedence.ts';
import { firstSightOp, recordsOf } from './records.ts';
import { scansOf, type Scan } from './scans.ts';

/** Offsets on either side. */
const reach = 2;
const batchesMax = 5;
const uncertainMax = 5;

/** Linear in the log's sends and in the scans that speak of the offset: for witnesses, not for passes. */
export function surroundingsOf(history: History, witness: Witness): Surroundings | null {
  const { log: name, offset } = witness;
  const id = name === undefined ? undefined : history.logByName.get(name);
  if (id === undefined || offset === undefined) return null;
  const log = history.logs[id]!;
  return {
    raw: rawAround(history, log, offset),
    delivered: deliveredAround(history, log, offset),
    uncertain: uncertainSends(history, log, Math.max(...witness.operations)),
  };
}

/** The last scan of a view that speaks of the offset, of the leader before any replica. */
function lastSpeaking(
  history: History,
  log: LogColumns,
  offset: number,
  views: readonly Scan['view'][],
): Scan | null {
  const scans = scansOf(history, log.id).filter(
    ({ view, start, auditedEnd, complete }) =>
      views.includes(view) && offset >= start && (offset < auditedEnd || complete),
  );
  return scans.findLast(({ replica }) => replica === null) ?? scans.at(-1) ?? null;
}

function rawAround(history: History, log: LogColumns, offset: number): Surroundings['raw'] {
  const scan = lastSpeaking(history, log, offset, ['raw']);
  if (scan === null) return null;
  const near = ({ base, last }: RawBatch) => last >= offset - reach && base <= offset + reach;
  const batches = scan.chunks.flatMap((chunk) => chunk.batches.filter(near));
  return { replica: scan.replica, batches: batches.slice(0, batchesMax) };
}

function deliveredAround(
  history: History,
  log: LogColumns,
  offset: number,
): Surroundings['delivered'] {
  const scan =
    lastSpeaking(history, log, offset, ['committed']) ??
    lastSpeaking(history, log, offset, ['uncommitted']);
  if (scan === null) return null;
  const records: [number, string | number | boolean | null][] = [];
  for (const { recordsFrom, recordsTo } of scan.chunks) {
    for (let row = recordsFrom; row < recordsTo; row++) {
      const at = log.audited.offset[row]!;
      if (Math.abs(at - offset) > reach) continue;
      records.push([at, history.values[log.audited.value[row]!]!]);
    }
  }
  return { view: scan.view, scan: scan.id, replica: scan.replica, records };
}

/** Those invoked before event `until` to this log, or to its topic without saying where, that no poll and no audit ever showed. */
function uncertainSends(
  history: History,
  log: LogColumns,
  until: number,
): Surroundings['uncertain'] {
  const { ops } = history;
  const found: number[] = [];
  let count = 0;
  const pseudo = history.logByName.get(log.topic);
  for (const id of new Set([log.id, ...(pseudo === undefined ? [] : [pseudo])])) {
    const { sends } = history.logs[id]!;
    const records = recordsOf(history)[id]!;
    sends.op.forEach((op, row) => {
      const status = ops.status[op]!;
      if (status !== opStatus.info && status !== opStatus.open) return;
      if (sends.recordedIndex[row]! > until || firstSightOp(history, records, row) >= 0) return;
      if (records.located[row] !== 0) return;
      count++;
      if (found.length < uncertainMax) found.push(indexOf(history, op));
    });
  }
  return { count, operations: [...new Set(found)].sort((a, b) => a - b) };
}
