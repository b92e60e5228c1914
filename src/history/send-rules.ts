/**
 * The rules of sends: each is recorded before it is sent, a value is sent once per log (once per topic where the client
 * chooses the partition), and a completion speaks of sends that its own operation recorded.
 */
import type { HistoryEvent, Meta, Scalar, SendCompleted, SendInvoked } from './event.ts';
import type { LogNames } from './log-name.ts';
import { Problem, show } from './problem.ts';
import type { OpenOperation } from './sequence-rules.ts';
import type { SendTable } from './send-table.ts';
import type { Values } from './values.ts';

/** Where sends are kept; SequenceRules is one. */
export interface SendStore {
  readonly values: Values;
  readonly logs: LogNames;
  readonly sends: SendTable;
  readonly metas: Meta[];
}

type AnyMicro = readonly unknown[];

export class SendRules {
  readonly #store: SendStore;
  readonly #keepMeta: boolean;
  // Of the sends of the event at hand, in order; kept between calls to save allocations.
  readonly #rows: number[] = [];
  readonly #logIds: number[] = [];
  readonly #valueIds: number[] = [];

  constructor(store: SendStore, keepMeta: boolean) {
    this.#store = store;
    this.#keepMeta = keepMeta;
  }

  /** Takes the sends of an invocation or an attempt. @throws Problem if one is a second invocation of its value. */
  record(event: HistoryEvent, open: OpenOperation): void {
    const micros = event.value as readonly AnyMicro[];
    this.#refuseSecond(micros);
    const { logs, sends } = this.#store;
    let next = 0;
    for (const micro of micros) {
      if (micro[0] !== 'send') continue;
      const log = this.#logIds[next]!;
      sends.add({
        log,
        value: this.#valueIds[next++]!,
        op: open.op,
        meta: this.#keep((micro as unknown as SendInvoked)[3]),
        invNs: event.time,
        recordedIndex: event.index,
        clientChose: logs.parts[log]!.partition === null,
      });
      open.sends++;
    }
  }

  /** Takes what a completion says of its sends. @throws Problem if it names one that its operation did not record. */
  complete(event: HistoryEvent, open: OpenOperation): void {
    const micros = (event.value ?? []) as readonly AnyMicro[];
    this.#matchAll(micros, open);
    const listed = this.#rows.length;
    if (event.type === 'ok' && listed < open.sends) {
      const counts = `lists ${listed} of the ${open.sends} sends`;
      throw new Problem('value', `ok ${counts} that the invocation and its attempts recorded`);
    }
    let next = 0;
    for (const micro of micros) {
      if (micro[0] === 'send') this.#learn(this.#rows[next++]!, micro, event);
    }
  }

  #refuseSecond(micros: readonly AnyMicro[]): void {
    const { logs, sends, values } = this.#store;
    const within = micros.length > 1 ? new WithinEvent() : null;
    this.#logIds.length = 0;
    this.#valueIds.length = 0;
    for (let i = 0; i < micros.length; i++) {
      const micro = micros[i]!;
      if (micro[0] !== 'send') continue;
      const [, name, value] = micro as unknown as SendInvoked;
      const log = logs.intern(name);
      const valueId = values.intern(value);
      this.#logIds.push(log);
      this.#valueIds.push(valueId);
      const alone = logs.parts[log]!.partition === null;
      const row = sends.conflict(log, valueId, alone);
      if (row === -1 && within?.admit(log, logs.pseudo[log]!, valueId) !== false) continue;
      const first =
        row === -1 ? 'in this event' : `at index ${String(sends.recordedIndex.at(row))}`;
      const place = alone ? `topic "${name}"` : `log "${name}"`;
      throw new Problem(
        `value[${i}][2]`,
        `${show(value)} was already sent to ${place}, ${first}; values are unique per log, ` +
          'and per topic where the client chooses the partition',
      );
    }
  }

  #matchAll(micros: readonly AnyMicro[], open: OpenOperation): void {
    this.#rows.length = 0;
    const seen = micros.length > 1 ? new Set<number>() : null;
    for (let i = 0; i < micros.length; i++) {
      const micro = micros[i]!;
      if (micro[0] !== 'send') continue;
      const [, name, sent] = micro as unknown as SendInvoked | SendCompleted;
      const row = this.#match(name, valueOf(sent), open);
      if (row === -1) {
        const what = `${show(valueOf(sent))} to "${name}"`;
        throw new Problem(
          `value[${i}]`,
          `the send of ${what} was recorded neither in the invocation nor in an attempt`,
        );
      }
      if (seen?.has(row) === true) throw new Problem(`value[${i}]`, 'the send is listed twice');
      seen?.add(row);
      this.#rows.push(row);
    }
  }

  /** The row that this operation recorded for a value in a log, or in its topic while its partition is not learned. */
  #match(name: string, value: Scalar, open: OpenOperation): number {
    const { logs, sends, values } = this.#store;
    const log = logs.intern(name);
    const valueId = values.intern(value);
    const direct = sends.find(log, valueId);
    if (direct !== -1 && sends.op.at(direct) === open.op) return direct;
    const alone = sends.find(logs.pseudo[log]!, valueId);
    return alone !== -1 && sends.op.at(alone) === open.op ? alone : -1;
  }

  #learn(row: number, micro: AnyMicro, event: HistoryEvent): void {
    const { logs, sends, metas } = this.#store;
    const [, name, sent, meta] = micro as unknown as SendInvoked | SendCompleted;
    const log = logs.intern(name);
    if (sends.log.at(row) !== log) sends.move(row, log);
    if (isPair(sent) && sent[0] !== null && event.type !== 'fail') sends.offset.set(row, sent[0]);
    if (meta === undefined || !this.#keepMeta) return;
    const invoked = metas[sends.meta.at(row)]!;
    // What was sent is what the invocation said; the completion only adds to it.
    if (Object.keys(meta).every((field) => Object.hasOwn(invoked, field))) return;
    sends.meta.set(row, this.#keep({ ...meta, ...invoked }));
  }

  #keep(meta: Meta | undefined): number {
    if (!this.#keepMeta || meta === undefined) return 0;
    return keepMeta(this.#store.metas, meta);
  }
}

/** The id of a meta; an empty one is 0, "no meta". */
export function keepMeta(metas: Meta[], meta: Meta): number {
  for (const field in meta) {
    if (meta[field] !== undefined) return metas.push(meta) - 1;
  }
  return 0;
}

/** Values that one event sends, by log and by topic: the table knows only those of earlier events. */
class WithinEvent {
  readonly #seen = new Set<string>();

  admit(log: number, topic: number, value: number): boolean {
    const alone = log === topic;
    const inLog = `${log} ${value}`;
    const anywhere = `any ${topic} ${value}`;
    if (this.#seen.has(inLog) || this.#seen.has(`${topic} ${value}`)) return false;
    if (alone && this.#seen.has(anywhere)) return false;
    this.#seen.add(inLog).add(anywhere);
    return true;
  }
}

function isPair(
  sent: Scalar | readonly [offset: number | null, value: Scalar],
): sent is readonly [offset: number | null, value: Scalar] {
  return Array.isArray(sent);
}

function valueOf(sent: Scalar | readonly [offset: number | null, value: Scalar]): Scalar {
  return isPair(sent) ? sent[1] : sent;
}
