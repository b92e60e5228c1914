/** The shape of lists of micro-operations: the values of send, poll and txn, and of attempts. */
import { topicPattern } from './log-name.ts';
import { mismatch } from './problem.ts';
import {
  checkLogOffsets,
  isCount,
  isLog,
  isObject,
  isScalar,
  metaProblem,
  naturalText,
  recordProblem,
  scalarText,
} from './scalar-shape.ts';

/** `partial` is the value of a fail or info: invoked or completed form, micro-operation by micro-operation. */
export type MicroOpPart = 'invoke' | 'ok' | 'partial' | 'attempt';

const allowed = {
  send: '"send"',
  poll: '"poll"',
  txn: '"send", "poll" or "offsets"',
  attempt: '"send", "offsets" or "commit"',
} as const;

/** @throws Problem naming the first micro-operation that is wrong, from `value` on. */
export function checkMicroOps(value: unknown, f: 'send' | 'poll' | 'txn', part: MicroOpPart): void {
  if (!Array.isArray(value)) throw mismatch('value', 'a list of micro-operations', value);
  for (let i = 0; i < value.length; i++) checkMicroOp(value[i], f, part, i);
}

function checkMicroOp(
  micro: unknown,
  f: 'send' | 'poll' | 'txn',
  part: MicroOpPart,
  i: number,
): void {
  if (!Array.isArray(micro)) throw mismatch(`value[${i}]`, 'a micro-operation, a list', micro);
  const items: readonly unknown[] = micro;
  const word = items[0];
  if (word === 'send' && f !== 'poll') checkSend(items, part, i);
  else if (word === 'poll' && f !== 'send' && part !== 'attempt') checkPoll(items, part, i);
  else if (word === 'offsets' && f === 'txn') checkOffsets(items, i);
  else if (word === 'commit' && part === 'attempt') checkLength(items, 1, 1, i);
  else throw mismatch(`value[${i}][0]`, allowed[part === 'attempt' ? 'attempt' : f], word);
}

function checkLength(items: readonly unknown[], min: number, max: number, i: number): void {
  if (items.length < min || items.length > max) {
    const wanted = min === max ? String(min) : `${min} to ${max}`;
    throw mismatch(`value[${i}]`, `${wanted} items`, items);
  }
}

function checkSend(items: readonly unknown[], part: MicroOpPart, i: number): void {
  checkLength(items, 3, 4, i);
  const [, log, sent, meta] = items;
  if (!isLog(log) && !(typeof log === 'string' && topicPattern.test(log))) {
    throw mismatch(`value[${i}][1]`, 'a log, "topic/partition", or a topic', log);
  }
  if (part === 'ok' || (part === 'partial' && Array.isArray(sent))) {
    checkOffsetAndValue(sent, i);
  } else if (!isScalar(sent)) {
    throw mismatch(`value[${i}][2]`, scalarText, sent);
  }
  const problem = items.length === 4 ? metaProblem(meta) : null;
  if (problem !== null) throw problem(`value[${i}][3]`);
}

function checkOffsetAndValue(sent: unknown, i: number): void {
  if (!Array.isArray(sent) || sent.length !== 2) {
    throw mismatch(`value[${i}][2]`, '[offset, value]', sent);
  }
  const [offset, value] = sent as readonly unknown[];
  if (offset !== null && !isCount(offset)) {
    throw mismatch(`value[${i}][2][0]`, `an offset, ${naturalText}, or null`, offset);
  }
  if (!isScalar(value)) throw mismatch(`value[${i}][2][1]`, scalarText, value);
}

function checkPoll(items: readonly unknown[], part: MicroOpPart, i: number): void {
  checkLength(items, part === 'ok' ? 2 : 1, part === 'invoke' ? 1 : 2, i);
  if (items.length === 1) return;
  const records = items[1];
  if (!isObject(records)) {
    throw mismatch(`value[${i}][1]`, 'an object from logs to lists of records', records);
  }
  for (const log of Object.keys(records)) {
    if (!isLog(log)) throw mismatch(`value[${i}][1] key`, 'a log, "topic/partition"', log);
    const list = records[log];
    if (!Array.isArray(list)) {
      throw mismatch(`value[${i}][1]["${log}"]`, 'a list of records', list);
    }
    for (let k = 0; k < list.length; k++) {
      const problem = recordProblem(list[k]);
      if (problem !== null) throw problem(`value[${i}][1]["${log}"][${k}]`);
    }
  }
}

function checkOffsets(items: readonly unknown[], i: number): void {
  checkLength(items, 3, 3, i);
  if (typeof items[1] !== 'string') throw mismatch(`value[${i}][1]`, 'a group', items[1]);
  checkLogOffsets(items[2], `value[${i}][2]`);
}
