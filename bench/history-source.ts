/** A history of any size for benchmarks: correct, deterministic, and written as a run would have written it. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Header, HistoryEvent, RecordSeen } from '../src/history/event.ts';
import { eventLine, headerLine } from '../src/history/write.ts';

export interface SourceSize {
  /** Sends, and polled records: each acknowledged send is polled once. */
  readonly sends: number;
  readonly producers: number;
  readonly logs: number;
  /** Records per poll. */
  readonly pollRecords: number;
}

const header: Header = {
  ordeal: 1,
  run: 'bench',
  started: '1970-01-01T00:00:00.000Z',
  seed: '0',
  system: { name: 'kafka', version: '4.1.1' },
  config: { acks: 'all', 'enable.idempotence': true, 'min.insync.replicas': 2 },
};

interface LogState {
  readonly name: string;
  /** Appended and not yet polled. */
  waiting: RecordSeen[];
  next: number;
}

/** Writes the history and returns its size in bytes. */
export function writeHistory(path: string, size: SourceSize): number {
  const file = openSync(path, 'w');
  let bytes = 0;
  let batch: string[] = [headerLine(header)];
  const flush = (): void => {
    bytes += writeSync(file, `${batch.join('\n')}\n`);
    batch = [];
  };
  for (const event of events(size)) {
    batch.push(eventLine(event));
    if (batch.length === 4096) flush();
  }
  flush();
  closeSync(file);
  return bytes;
}

/** Every producer has a send open at any time; a log is polled once a batch waits, by a reader of its own. */
function* events(size: SourceSize): Generator<HistoryEvent> {
  let index = 0;
  const stamp = (): { readonly index: number; readonly time: number } => ({
    index,
    time: index++ * 1_000,
  });
  const logs = Array.from({ length: size.logs }, (_, i): LogState => {
    return { name: `orders/${i}`, waiting: [], next: 0 };
  });
  const open: (number | undefined)[] = [];
  const complete = function* (process: number): Generator<HistoryEvent> {
    const sequence = open[process];
    if (sequence === undefined) return;
    open[process] = undefined;
    const log = logs[(process + sequence) % logs.length]!;
    const value = process * 2 ** 32 + sequence;
    const offset = log.next++;
    log.waiting.push([offset, value]);
    const sent = ['send', log.name, [offset, value]];
    yield { ...stamp(), process, type: 'ok', f: 'send', value: [sent] };
    if (log.waiting.length >= size.pollRecords) yield* poll(log);
  };
  const poll = function* (log: LogState): Generator<HistoryEvent> {
    const process = size.producers + logs.indexOf(log);
    yield { ...stamp(), process, type: 'invoke', f: 'poll', value: [['poll']] };
    const records = { [log.name]: log.waiting };
    yield { ...stamp(), process, type: 'ok', f: 'poll', value: [['poll', records]] };
    log.waiting = [];
  };
  for (let i = 0; i < size.sends; i++) {
    const process = i % size.producers;
    yield* complete(process);
    const sequence = Math.floor(i / size.producers);
    const log = logs[(process + sequence) % logs.length]!;
    const value = [['send', log.name, process * 2 ** 32 + sequence]];
    yield { ...stamp(), process, type: 'invoke', f: 'send', value };
    open[process] = sequence;
  }
  for (let process = 0; process < size.producers; process++) yield* complete(process);
  for (const log of logs) if (log.waiting.length > 0) yield* poll(log);
}
