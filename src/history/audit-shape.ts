/** The shape of audit chunks. */
import type { AuditCompleted } from './event.ts';
import { Problem, mismatch } from './problem.ts';
import {
  isCount,
  isIdOrNone,
  isLog,
  isObject,
  isTextOrAbsent,
  naturalText,
  recordProblem,
  type FieldProblem,
  wrongPart,
} from './scalar-shape.ts';

type Fields = Readonly<Record<string, unknown>>;

/** @throws Problem naming the field that is wrong. In a fail or info the invoked form will do. */
export function checkAudit(value: unknown, part: 'invoke' | 'ok' | 'partial'): void {
  if (!isObject(value)) throw mismatch('value', 'an object', value);
  checkAsked(value);
  if (part === 'ok') checkRead(value);
}

function checkAsked(value: Fields): void {
  const { log, view, from, scan, replica } = value;
  if (!isLog(log)) throw mismatch('value.log', 'a log, "topic/partition"', log);
  if (view !== 'committed' && view !== 'uncommitted' && view !== 'raw') {
    throw mismatch('value.view', '"committed", "uncommitted" or "raw"', view);
  }
  if (!isCount(from)) throw mismatch('value.from', naturalText, from);
  if (!isTextOrAbsent(scan)) throw mismatch('value.scan', 'a string', scan);
  if (replica !== undefined && replica !== null && !isCount(replica)) {
    throw mismatch('value.replica', 'a node number', replica);
  }
}

function checkRead(value: Fields): void {
  const { next, start, end, lastStable, leaderEpoch, linearizable } = value;
  if (!isCount(next)) throw mismatch('value.next', naturalText, next);
  if (!isCount(start)) throw mismatch('value.start', naturalText, start);
  if (!isCount(end)) throw mismatch('value.end', naturalText, end);
  if (lastStable !== undefined && lastStable !== null && !isCount(lastStable)) {
    throw mismatch('value.lastStable', naturalText, lastStable);
  }
  if (leaderEpoch !== undefined && leaderEpoch !== null && !isIdOrNone(leaderEpoch)) {
    throw mismatch('value.leaderEpoch', 'an integer ≥ -1', leaderEpoch);
  }
  if (linearizable !== undefined && typeof linearizable !== 'boolean') {
    throw mismatch('value.linearizable', 'true or false', linearizable);
  }
  if (value['view'] === 'raw') checkBatches(value['batches']);
  else checkRecords(value['records']);
}

function checkRecords(records: unknown): void {
  if (!Array.isArray(records)) throw mismatch('value.records', 'a list of records', records);
  for (let i = 0; i < records.length; i++) {
    const problem = recordProblem(records[i]);
    if (problem !== null) throw problem(`value.records[${i}]`);
  }
}

function checkBatches(batches: unknown): void {
  if (!Array.isArray(batches)) throw mismatch('value.batches', 'a list of batches', batches);
  for (let i = 0; i < batches.length; i++) {
    const problem = batchProblem(batches[i]);
    if (problem !== null) throw problem(`value.batches[${i}]`);
  }
}

const batchOffsets = ['base', 'last'] as const;
const batchIds = ['leaderEpoch', 'producerId', 'epoch', 'sequence'] as const;

function batchProblem(batch: unknown): FieldProblem | null {
  if (!isObject(batch)) return wrongPart('', 'an object', batch);
  for (const name of batchOffsets) {
    if (!isCount(batch[name])) return wrongPart(`.${name}`, naturalText, batch[name]);
  }
  for (const name of batchIds) {
    if (!isIdOrNone(batch[name])) return wrongPart(`.${name}`, 'an integer ≥ -1', batch[name]);
  }
  const { transactional, control } = batch;
  if (typeof transactional !== 'boolean') {
    return wrongPart('.transactional', 'true or false', transactional);
  }
  if (control !== null && control !== 'commit' && control !== 'abort') {
    return wrongPart('.control', 'null, "commit" or "abort"', control);
  }
  return null;
}

/** Rules inside one completed chunk that a schema cannot say. @throws Problem naming the field. */
export function checkChunk(chunk: AuditCompleted): void {
  const { from, next, records } = chunk;
  if (next < from) throw new Problem('value.next', `${next} is below from, ${from}`);
  records?.forEach(([offset], i) => {
    if (offset < from || offset >= next) {
      const range = `[from, next) = [${from}, ${next})`;
      throw new Problem(`value.records[${i}][0]`, `offset ${offset} lies outside ${range}`);
    }
  });
}
