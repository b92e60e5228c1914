/** Splits the table of all sends by log, and finds sends in the result. */
import type { SendColumns, SendRef } from './columns.ts';
import type { LogNames } from './log-name.ts';
import type { SendTable } from './send-table.ts';

interface SplitSends {
  /** By position in `order`. */
  readonly bySend: readonly SendColumns[];
  readonly findSend: (log: number, value: number) => SendRef | null;
}

/** @param order ids of LogNames in the order of the finished history; every log with a send is among them. */
export function splitSends(
  table: SendTable,
  names: LogNames,
  order: readonly number[],
): SplitSends {
  const counts = new Int32Array(names.names.length);
  const rowInLog = new Int32Array(table.count);
  for (let row = 0; row < table.count; row++) rowInLog[row] = counts[table.log.at(row)]!++;
  const positions = new Int32Array(names.names.length).fill(-1);
  order.forEach((id, position) => (positions[id] = position));
  const bySend = order.map((id) => emptyColumns(counts[id]!));
  for (let row = 0; row < table.count; row++) {
    const columns = bySend[positions[table.log.at(row)]!]!;
    const to = rowInLog[row]!;
    columns.op[to] = table.op.at(row);
    columns.value[to] = table.value.at(row);
    columns.offset[to] = table.offset.at(row);
    columns.meta[to] = table.meta.at(row);
    columns.invNs[to] = table.invNs.at(row);
    columns.recordedIndex[to] = table.recordedIndex.at(row);
    columns.clientChose[to] = table.clientChose.at(row);
  }
  return {
    bySend,
    findSend: (log, value) => {
      const id = order[log];
      if (id === undefined) return null;
      const direct = table.find(id, value);
      const row = direct === -1 ? table.find(names.pseudo[id]!, value) : direct;
      return row === -1 ? null : { log: positions[table.log.at(row)]!, row: rowInLog[row]! };
    },
  };
}

function emptyColumns(count: number): SendColumns {
  return {
    count,
    op: new Int32Array(count),
    value: new Int32Array(count),
    offset: new Float64Array(count),
    meta: new Int32Array(count),
    invNs: new Float64Array(count),
    recordedIndex: new Float64Array(count),
    clientChose: new Uint8Array(count),
  };
}
