/**
 * The shape of one event, checked before anything is done with it. Frequent kinds are checked by hand; the rest by the
 * schema, which is the reference for all of them.
 */
import type { z } from 'zod';
import { clientFunctions } from './event.ts';
import type { ClientFunction, HistoryEvent, Process } from './event.ts';
import { checkAudit } from './audit-shape.ts';
import { checkMicroOps } from './micro-op-shape.ts';
import { Problem, mismatch } from './problem.ts';
import { checkSchema } from './schema-problem.ts';
import { isCount, isIdOrNone, isObject, isTextOrAbsent, naturalText, own } from './scalar-shape.ts';
import { clientValues, nemesisValues, observationValues } from './schema.ts';

const clientFunctionSet: ReadonlySet<string> = new Set(clientFunctions);

/** Whether client processes may invoke `f`. */
export function isClientFunction(f: string): f is ClientFunction {
  return clientFunctionSet.has(f);
}

/** Whether a process is a nemesis: a string "nemesis:<name>". */
export function isNemesis(process: Process): boolean {
  return typeof process === 'string' && process.startsWith('nemesis:');
}

/** @throws Problem naming the field that is wrong. */
export function checkEvent(line: unknown): HistoryEvent {
  if (!isObject(line)) throw mismatch('', 'an object', line);
  checkEnvelope(line);
  const event = line as unknown as HistoryEvent;
  if (event.type === 'event') checkObservation(event);
  else if (typeof event.process === 'number') checkClientEvent(event);
  else checkNemesisEvent(event);
  return event;
}

function checkEnvelope(line: Readonly<Record<string, unknown>>): void {
  const { index, time, process, type, f, session, error, txn, origin } = line;
  if (!isCount(index)) throw mismatch('index', naturalText, index);
  if (!isCount(time)) throw mismatch('time', `integer nanoseconds, ${naturalText}`, time);
  if (typeof process === 'string' ? process === '' : !isCount(process)) {
    throw mismatch('process', 'an integer in [0, 2^53) or a name', process);
  }
  switch (type) {
    case 'invoke':
    case 'ok':
    case 'fail':
    case 'info':
    case 'event':
      break;
    default:
      throw mismatch('type', '"invoke", "ok", "fail", "info" or "event"', type);
  }
  if (typeof f !== 'string') throw mismatch('f', 'a string', f);
  if (!isTextOrAbsent(session)) throw mismatch('session', 'a string', session);
  if (origin !== undefined && !isCount(origin)) throw mismatch('origin', naturalText, origin);
  if (error !== undefined) checkError(error);
  if (txn !== undefined) checkTxn(txn);
}

function checkError(error: unknown): void {
  if (!isObject(error)) throw mismatch('error', 'an object', error);
  const { code, message } = error;
  if (typeof code !== 'string') throw mismatch('error.code', 'a string', code);
  if (typeof message !== 'string') throw mismatch('error.message', 'a string', message);
}

function checkTxn(txn: unknown): void {
  if (!isObject(txn)) throw mismatch('txn', 'an object', txn);
  const { id, producerId, epoch } = txn;
  if (!isTextOrAbsent(id)) throw mismatch('txn.id', 'a string', id);
  for (const [field, value] of [
    ['txn.producerId', producerId],
    ['txn.epoch', epoch],
  ] as const) {
    if (value !== undefined && !isIdOrNone(value)) throw mismatch(field, 'an integer ≥ -1', value);
  }
}

function checkClientEvent(event: HistoryEvent): void {
  const { f, type, value } = event;
  if (!isClientFunction(f)) {
    throw new Problem('f', `no client process has the function "${f}"`);
  }
  const part = type === 'invoke' || type === 'ok' ? type : 'partial';
  if (part === 'partial' && (value === null || value === undefined)) return;
  switch (f) {
    case 'send':
    case 'poll':
    case 'txn':
      checkMicroOps(value, f, part);
      return;
    case 'audit':
      checkAudit(value, part);
      return;
    case 'init':
    case 'assign':
    case 'subscribe':
    case 'close':
    case 'commit':
    case 'committed':
    case 'state':
      checkSchema(clientValues[f][part], value, 'value');
  }
}

function checkNemesisEvent(event: HistoryEvent): void {
  const { process, f, type, value } = event;
  if (!isNemesis(process)) {
    throw mismatch('process', 'an integer or "nemesis:<name>" for an operation', process);
  }
  if ((type === 'fail' || type === 'info') && (value === null || value === undefined)) return;
  checkSchema(f === 'heal' ? nemesisValues.heal : nemesisValues.fault, value, 'value');
}

function checkObservation(event: HistoryEvent): void {
  const { f, process, value } = event;
  if (f === 'attempt') {
    if (typeof process !== 'number') throw mismatch('process', 'the client process', process);
    checkMicroOps(value, 'txn', 'attempt');
    return;
  }
  const schema: z.ZodType | undefined = own(observationValues, f);
  if (schema !== undefined) checkSchema(schema, value, 'value');
}
