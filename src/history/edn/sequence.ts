/**
 * From the operations of a Jepsen test to events that our rules accept: processes that go on after info get new numbers,
 * indexes are counted anew, times never fall, and what an operation says about others becomes events of its own. A file that
 * Ordeal wrote needs none of this: each of its operations is one event.
 *
 * The order of the file is taken for the order of things: Jepsen's interpreter, one thread, writes an invocation before the
 * client has it, and a completion after the client gave it.
 */
import type { SendCompleted, SendInvoked } from '../event.ts';
import { Bytes, Ints } from '../growable.ts';
import { Problem } from '../problem.ts';
import type { DecodedOperation, Draft } from './operation.ts';
import { Emission, type EventSink } from './emission.ts';

type Micro = readonly unknown[];

/** Bits of what an operation says of itself. */
const flags = { index: 1, time: 2 } as const;

export class JepsenSequence {
  /** Of each operation, until it went out: long histories must not be held twice. */
  readonly #events: (Draft | null)[] = [];
  readonly #lines = new Ints();
  readonly #flags = new Bytes();
  /** Of an invocation: the position of its completion, or -1. */
  readonly #completions = new Ints();
  /** The rare ones that have them. */
  readonly #judged = new Map<number, Draft>();
  readonly #rebalances = new Map<number, readonly unknown[]>();
  /** Process to the position of its open invocation. */
  readonly #open = new Map<number, number>();
  #processMax = -1;
  #transactional: boolean | null;
  #hasTransactions = false;
  readonly #emission = new Emission();
  /** Processes whose consumer subscribes, by their numbers in the file. */
  readonly #subscribed = new Set<number>();
  #unlogged = false;

  /** @param transactional what the test says of itself; null: nothing. */
  constructor(transactional: boolean | null) {
    this.#transactional = transactional;
  }

  /** Whether sends and polls are transactions too: a test that has any :txn runs all that it does in transactions. */
  get transactional(): boolean {
    return this.#transactional ?? this.#hasTransactions;
  }

  add({ event, judged, hasIndex, hasTime, rebalances }: DecodedOperation, line: number): void {
    const { process } = event;
    const position = this.#events.push(event) - 1;
    this.#lines.push(line);
    this.#flags.push((hasIndex ? flags.index : 0) | (hasTime ? flags.time : 0));
    this.#completions.push(-1);
    if (judged !== null) this.#judged.set(position, judged);
    if (rebalances !== null) this.#rebalances.set(position, rebalances);
    if (typeof process !== 'number') return;
    this.#processMax = Math.max(this.#processMax, process);
    if (event.type === 'event') return;
    if (event.f === 'txn') this.#hasTransactions = true;
    if (event.type === 'invoke') {
      this.#open.set(process, position);
      return;
    }
    const invocation = this.#open.get(process);
    if (invocation !== undefined) this.#completions.set(invocation, position);
    this.#open.delete(process);
  }

  /** Call once. @returns warnings. @throws Problem, of the operation that the sink was given last or `onLine` named. */
  finish(sink: EventSink, onLine: (line: number) => void): readonly string[] {
    this.#emission.start(sink, this.#processMax + 1);
    for (let position = 0; position < this.#events.length; position++) {
      onLine(this.#lines.at(position));
      this.#emit(position, this.#events[position]!);
      this.#events[position] = null;
    }
    const unlogged =
      'no operation has a :rebalance-log, so what subscribers read is judged within each poll alone';
    return [...this.#emission.warnings(), ...(this.#unlogged ? [unlogged] : [])];
  }

  #emit(position: number, event: Draft): void {
    const emission = this.#emission;
    const said = this.#flags.at(position);
    const known = {
      event,
      judged: this.#judged.get(position) ?? null,
      hasIndex: (said & flags.index) !== 0,
      hasTime: (said & flags.time) !== 0,
    };
    const line = this.#lines.at(position);
    const isClient = event.type !== 'event';
    if (isClient && typeof event.process === 'number') this.#followSubscriber(event.process, event);
    const theirs = event.process as number;
    if (typeof event.process === 'number') emission.renumber(event);
    if (!isClient) {
      emission.emit(known, line);
      return;
    }
    this.#settleFunction(event);
    const { f, process } = event;
    if (event.type !== 'invoke') {
      const timeNs = known.hasTime ? event.time : null;
      const from = { line, timeNs, origin: known.hasIndex ? event.index : null };
      for (const value of this.#rebalancesOf(position, theirs, event)) {
        emission.derive(process, 'rebalance', value, from);
      }
    }
    emission.emit(known, line);
    const completion = this.#completions.at(position);
    const end = completion === -1 ? null : this.#events[completion]!;
    if (end === null || f === 'assign' || f === 'subscribe') return;
    const late = sendsBeyond(event, end);
    if (late.length === 0) return;
    // It may have been sent at any time since the invocation, and somebody may have read it since.
    emission.derive(process, 'attempt', late, {
      line: this.#lines.at(completion),
      timeNs: event.time,
      origin: (this.#flags.at(completion) & flags.index) === 0 ? null : end.index,
    });
  }

  /** In a test with transactions everything is one; in a test that says it has none, nothing is. */
  #settleFunction(event: Draft): void {
    const { f } = event;
    if (this.transactional) {
      if (f === 'send' || f === 'poll') rename(event, 'txn');
      return;
    }
    if (f !== 'txn') return;
    const words = new Set(microsOf(event).map(([word]) => word));
    if (words.size > 1) {
      throw new Problem(
        'value',
        'sends and polls in one operation, of a test whose :txn? is not true: format 1 has no word for that',
      );
    }
    rename(event, words.has('poll') ? 'poll' : 'send');
  }

  #followSubscriber(process: number, { type, f }: Draft): void {
    if (type !== 'invoke') return;
    if (f === 'subscribe') this.#subscribed.add(process);
    else if (f === 'assign') this.#subscribed.delete(process);
  }

  /**
   * What the client logged. Clients that log no rebalance at all may be rebalanced in any poll: then each poll of a
   * subscriber is an epoch of its own.
   */
  #rebalancesOf(position: number, theirs: number, event: Draft): readonly unknown[] {
    const logged = this.#rebalances.get(position);
    if (logged !== undefined) return logged;
    if (this.#rebalances.size > 0 || !this.#subscribed.has(theirs)) return [];
    const revoked = new Set(
      microsOf(event).flatMap(([word, records]) =>
        word === 'poll' ? Object.keys(records ?? {}) : [],
      ),
    );
    if (revoked.size === 0) return [];
    this.#unlogged = true;
    return [{ revoked: [...revoked] }];
  }
}

function rename(event: Draft, f: string): void {
  event.jepsen = { f: event.f, ...event.jepsen };
  event.f = f;
}

function microsOf({ f, value }: Draft): readonly Micro[] {
  const holdsMicros = f === 'send' || f === 'poll' || f === 'txn';
  return holdsMicros && Array.isArray(value) ? (value as readonly Micro[]) : [];
}

/** Sends that a completion lists and its invocation does not, in invoked form. */
function sendsBeyond(invoked: Draft, completed: Draft): readonly Micro[] {
  const names = new Set(sendsOf(invoked).map(nameOf));
  return sendsOf(completed)
    .filter((send) => !names.has(nameOf(send)))
    .map((send) => ['send', send[1], valueOf(send)]);
}

function sendsOf(event: Draft): readonly Micro[] {
  return microsOf(event).filter((micro) => micro[0] === 'send');
}

function nameOf(send: Micro): string {
  return JSON.stringify([send[1], valueOf(send)]);
}

function valueOf(send: Micro): unknown {
  const [, , sent] = send as unknown as SendInvoked | SendCompleted;
  return Array.isArray(sent) ? (sent as readonly unknown[])[1] : sent;
}
