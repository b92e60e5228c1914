/** Events of a Jepsen test on their way out: indexes, times and processes as our rules want them. */
import type { HistoryEvent, Process } from '../event.ts';
import type { DecodedOperation, Draft } from './operation.ts';

/** Where an event goes. `judged` is for the rules of reading. */
export type EventSink = (event: HistoryEvent, judged: HistoryEvent, line: number) => void;

/** Of an event that an operation tells of: its line, its time, its index in the file. */
interface Derivation {
  readonly line: number;
  readonly timeNs: number | null;
  readonly origin: number | null;
}

type Emitted = Omit<DecodedOperation, 'rebalances'>;

/** Numbers events, times and processes as they go out. */
export class Emission {
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

  emit({ event, judged, hasIndex, hasTime }: Emitted, line: number): void {
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
