/**
 * From the operations of a Jepsen test to events that our rules accept: processes that go on after info get new numbers,
 * indexes are counted anew, times never fall, and what an operation says about others becomes events of its own. A file that
 * Ordeal wrote needs none of this: each of its operations is one event.
 *
 * The order of the file is taken for the order of things: Jepsen's interpreter, one thread, writes an invocation before the
 * client has it, and a completion after the client gave it.
 */
import type { HistoryEvent, Process, SendCompleted, SendInvoked } from '../event.ts';
import type { DecodedOperation, Draft } from './operation.ts';

/** Where an event goes. `judged` is for the rules of reading. */
export type EventSink = (event: HistoryEvent, judged: HistoryEvent, line: number) => void;

interface Entry {
  readonly decoded: DecodedOperation;
  readonly line: number;
  /** Of an invocation: the position of its completion, or -1. */
  completion: number;
}

type Micro = readonly unknown[];

export class JepsenSequence {
  readonly #entries: (Entry | null)[] = [];
  /** Process to the position of its open invocation. */
  readonly #open = new Map<number, number>();
  #processMax = -1;
  #hasTransactions: boolean;
  readonly #emission = new Emission();

  /** @param transactional what the test says of itself: true if its clients use transactions. */
  constructor(transactional: boolean) {
    this.#hasTransactions = transactional;
  }

  /** Whether sends and polls are transactions too: a test that has any :txn runs all that it does in transactions. */
  get transactional(): boolean {
    return this.#hasTransactions;
  }

  add(decoded: DecodedOperation, line: number): void {
    const { event } = decoded;
    const { process } = event;
    const position = this.#entries.push({ decoded, line, completion: -1 }) - 1;
    if (typeof process !== 'number') return;
    this.#processMax = Math.max(this.#processMax, process);
    if (event.type === 'event') return;
    if (event.f === 'txn') this.#hasTransactions = true;
    if (event.type === 'invoke') {
      this.#open.set(process, position);
      return;
    }
    const invocation = this.#entries[this.#open.get(process) ?? -1];
    if (invocation) invocation.completion = position;
    this.#open.delete(process);
  }

  /** Call once. @returns warnings. */
  finish(sink: EventSink): readonly string[] {
    const emission = this.#emission;
    emission.start(sink, this.#processMax + 1);
    for (let position = 0; position < this.#entries.length; position++) {
      const entry = this.#entries[position] ?? null;
      if (entry === null) continue;
      // Each is needed once: a long history is not held twice.
      this.#entries[position] = null;
      this.#emit(entry);
    }
    return emission.warnings();
  }

  #emit({ decoded, line, completion }: Entry): void {
    const { event, rebalances } = decoded;
    const emission = this.#emission;
    if (typeof event.process === 'number') emission.renumber(event);
    if (event.type === 'event') {
      emission.emit(decoded, line);
      return;
    }
    const { f, process } = event;
    if (this.#hasTransactions && (f === 'send' || f === 'poll')) {
      event.f = 'txn';
      event.jepsen = { f, ...event.jepsen };
    }
    if (event.type !== 'invoke') {
      const timeNs = decoded.hasTime ? event.time : null;
      const origin = originOf(decoded);
      for (const value of rebalances)
        emission.derive(process, 'rebalance', value, { line, timeNs, origin });
    }
    emission.emit(decoded, line);
    const end = completion === -1 ? null : (this.#entries[completion] ?? null);
    if (event.type !== 'invoke' || end === null || f === 'assign' || f === 'subscribe') return;
    const late = sendsBeyond(event, end.decoded.event);
    // It may have been sent at any time since the invocation, and somebody may have read it since.
    if (late.length === 0) return;
    emission.derive(process, 'attempt', late, {
      line: end.line,
      timeNs: event.time,
      origin: originOf(end.decoded),
    });
  }
}

/** Sends that a completion lists and its invocation does not, in invoked form. */
function sendsBeyond(invoked: Draft, completed: Draft): readonly Micro[] {
  const names = new Set(sendsOf(invoked).map(nameOf));
  return sendsOf(completed)
    .filter((send) => !names.has(nameOf(send)))
    .map((send) => ['send', send[1], valueOf(send)]);
}

function sendsOf({ value }: Draft): readonly Micro[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Micro[]).filter((micro) => micro[0] === 'send');
}

function nameOf(send: Micro): string {
  return JSON.stringify([send[1], valueOf(send)]);
}

function valueOf(send: Micro): unknown {
  const [, , sent] = send as unknown as SendInvoked | SendCompleted;
  return Array.isArray(sent) ? (sent as readonly unknown[])[1] : sent;
}

/** Of an event that an operation tells of: its line, its time, its index in the file. */
interface Derivation {
  readonly line: number;
  readonly timeNs: number | null;
  readonly origin: number | null;
}

/** The index in the file, while the event still has it. */
function originOf({ event, hasIndex }: DecodedOperation): number | null {
  return hasIndex ? (event.origin ?? event.index) : null;
}

/** Numbers events, times and processes as they go out. */
class Emission {
  #sink: EventSink = () => undefined;
  #nextIndex = 0;
  #lastTimeNs = 0;
  #nextProcess = 0;
  /** The test's number of a process to ours, where they differ. */
  readonly #numbers = new Map<number, number>();
  readonly #spent = new Set<number>();
  readonly #unknown = new Map<string, number>();
  #raised = 0;
  #renumbered = 0;

  start(sink: EventSink, nextProcess: number): void {
    this.#sink = sink;
    this.#nextProcess = nextProcess;
  }

  /** A client that goes on under the number of one that ended in info is another client. */
  renumber(event: Draft): void {
    const theirs = event.process as number;
    if (event.type === 'invoke' && this.#spent.delete(theirs)) {
      this.#numbers.set(theirs, this.#nextProcess++);
      this.#renumbered++;
    }
    if (event.type === 'info') this.#spent.add(theirs);
    event.process = this.#numbers.get(theirs) ?? theirs;
    if (event.type === 'event' && event.f.startsWith('jepsen:')) {
      this.#unknown.set(event.f, (this.#unknown.get(event.f) ?? 0) + 1);
    }
  }

  emit({ event, judged, hasIndex, hasTime }: DecodedOperation, line: number): void {
    const theirs = event.index;
    event.index = this.#nextIndex++;
    event.time = this.#timeOf(hasTime ? event.time : null);
    // Witnesses name our indexes; whoever has the file at hand needs those of the file.
    if (hasIndex && theirs !== event.index && event.origin === undefined) event.origin = theirs;
    this.#sink(event, judged === null ? event : { ...judged, ...placeOf(event) }, line);
  }

  derive(process: Process, f: string, value: unknown, from: Derivation): void {
    const { line, timeNs, origin } = from;
    const index = this.#nextIndex++;
    const event: HistoryEvent = {
      index,
      time: this.#timeOf(timeNs),
      process,
      type: 'event',
      f,
      value,
      ...(origin === null ? {} : { origin }),
    };
    this.#sink(event, event, line);
  }

  warnings(): readonly string[] {
    const unknown = [...this.#unknown].map(
      ([f, count]) =>
        `${count} operations of clients with the function :${f.slice('jepsen:'.length)}, which is none of jepsen.tests.kafka, were kept as observations`,
    );
    const raised = `${this.#raised} times were earlier than the one before and were raised to it`;
    const renumbered = `${this.#renumbered} processes acted after info and go on under new numbers`;
    return [
      ...unknown,
      ...(this.#raised > 0 ? [raised] : []),
      ...(this.#renumbered > 0 ? [renumbered] : []),
    ];
  }

  /** The order of the file counts: without a time an event is a nanosecond after the one before. */
  #timeOf(timeNs: number | null): number {
    const least = this.#lastTimeNs;
    if (timeNs !== null && timeNs < least) this.#raised++;
    const isFirst = this.#nextIndex === 1;
    this.#lastTimeNs = timeNs === null ? (isFirst ? 0 : least + 1) : Math.max(least, timeNs);
    return this.#lastTimeNs;
  }
}

function placeOf({ index, time, process }: Draft) {
  return { index, time, process };
}
