/**
 * A broker that does nothing wrong, with clients that overlap, time out and retry nothing: what it produces may hold no
 * anomaly. An append takes effect at one moment between its invocation and its acknowledgement, or, if its outcome is
 * uncertain, at any later moment or never; a read returns a consistent piece of the log. Every choice is a drawn
 * number, so that fast-check can shrink a run.
 */
import fc from 'fast-check';
import type { Header, HistoryEvent, RecordSeen, Scalar } from '../../src/history/event.ts';
import { eventLine, headerLine } from '../../src/history/write.ts';

export interface CorrectHistory {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
}

export interface CorrectDraw {
  readonly steps: readonly (readonly [what: number, who: number, how: number])[];
  readonly final: 'complete' | 'none';
}

const logs = ['t/0', 't/1', 'u/0'] as const;
const nsPerMs = 1_000_000;
const recoveryMs = 50;
const workers = 3;
const readers = 2;

const header: Header = {
  ordeal: 1,
  run: 'correct',
  system: { name: 'model' },
  faults: ['kill'],
  config: { acks: 'all', 'enable.idempotence': true, 'min.insync.replicas': 2 },
  topics: { t: { partitions: 2 }, u: { partitions: 1 } },
  recoveryMs,
};

/** Draws of runs that end in a complete audit of every log. */
const correctDraw: fc.Arbitrary<CorrectDraw> = fc.record({
  steps: fc.array(
    fc.tuple(fc.nat({ max: 23 }), fc.nat({ max: 5 }), fc.nat({ max: 23 })) as fc.Arbitrary<
      readonly [number, number, number]
    >,
    { minLength: 20, maxLength: 120, size: 'max' },
  ),
  final: fc.constant('complete' as const),
});

export const correctHistory: fc.Arbitrary<CorrectHistory> = correctDraw.map((draw) =>
  withText(new CorrectRun().run(draw)),
);

/** Shows a failing history as a file. */
export function withText(history: CorrectHistory): CorrectHistory {
  return Object.assign(history, { [fc.toStringMethod]: () => `\n${textOfHistory(history)}` });
}

export function textOfHistory({ header: first, events }: CorrectHistory): string {
  return [headerLine(first), ...events.map(eventLine)].map((line) => `${line}\n`).join('');
}

interface Sending {
  readonly process: number;
  readonly worker: number;
  readonly topicOnly: boolean;
  readonly records: { readonly log: string; readonly value: number; readonly key: string }[];
  /** Offsets once appended. */
  offsets: number[] | null;
  settled: boolean;
}

interface Reading {
  readonly process: number;
  readonly reader: number;
  /** Filled in when the read takes effect. */
  records: Record<string, RecordSeen[]> | null;
}

class CorrectRun {
  readonly #events: HistoryEvent[] = [];
  readonly #held = new Map<string, Map<number, { value: number; key: string }>>(
    logs.map((log) => [log, new Map()]),
  );
  readonly #ends = new Map<string, number>(logs.map((log) => [log, 0]));
  readonly #sending = new Map<number, Sending>();
  /** Uncertain sends that may still take effect. */
  readonly #late: Sending[] = [];
  readonly #reading = new Map<number, Reading>();
  readonly #incarnation = new Map<string, number>();
  readonly #positions = new Map<number, Map<string, number>>();
  #timeNs = 0;
  #nextValue = 0;
  #faults = 0;
  #standing: string | null = null;

  run({ steps, final }: CorrectDraw): CorrectHistory {
    this.#event('phase', { phase: 'faults' });
    for (let reader = 0; reader < readers; reader++) this.#assign(reader, 7);
    for (const [what, who, how] of steps) {
      this.#timeNs += (how % 3) * nsPerMs;
      this.#step(what, who, how);
    }
    this.#recover();
    this.#settle();
    if (final === 'complete') this.#audits();
    return { header, events: this.#events };
  }

  #step(what: number, who: number, how: number): void {
    const worker = who % workers;
    const reader = who % readers;
    const log = logs[how % logs.length]!;
    if (what <= 4) this.#invokeSend(worker, how);
    else if (what <= 6) this.#append(this.#sending.get(worker));
    else if (what <= 11) this.#completeSend(worker, how);
    else if (what === 12) this.#append(this.#late[how % Math.max(1, this.#late.length)]);
    else if (what <= 19) this.#poll(reader, how);
    else if (what === 20) this.#assign(reader, how);
    else if (what === 21) this.#scan(`mid ${this.#events.length}`, log, how);
    else if (what === 22) this.#fault();
    // A marker or a gap: offsets need not be dense.
    else this.#ends.set(log, this.#ends.get(log)! + 1);
  }

  #invokeSend(worker: number, how: number): void {
    if (this.#sending.has(worker)) return;
    const process = this.#process('worker', worker, 0);
    const topicOnly = how % 7 === 0;
    const count = how % 5 === 0 ? 2 : 1;
    const records = Array.from({ length: count }, (_, i) => {
      const log = logs[(how + i) % logs.length]!;
      // A client that chooses the partition chooses it by the key.
      const key = topicOnly ? `of ${log}` : `k${how % 2}`;
      return { log, value: this.#nextValue++, key };
    });
    const sending: Sending = { process, worker, topicOnly, records, offsets: null, settled: false };
    const micros = this.#invoked(sending);
    if (how % 4 === 0) {
      this.#write(process, 'invoke', 'send', []);
      this.#write(process, 'event', 'attempt', micros);
    } else this.#write(process, 'invoke', 'send', micros);
    this.#sending.set(worker, sending);
  }

  #append(sending: Sending | undefined): void {
    if (sending === undefined || sending.offsets !== null) return;
    sending.offsets = sending.records.map(({ log, value, key }) => {
      const offset = this.#ends.get(log)!;
      this.#held.get(log)!.set(offset, { value, key });
      this.#ends.set(log, offset + 1);
      return offset;
    });
  }

  #completeSend(worker: number, how: number): void {
    const sending = this.#sending.get(worker);
    if (sending === undefined) return;
    this.#sending.delete(worker);
    if (how % 3 !== 0) this.#append(sending);
    const { process, offsets } = sending;
    if (offsets !== null && how % 4 !== 0) {
      const completed = sending.records.map(({ log, value, key }, i) => [
        'send',
        log,
        [offsets[i], value],
        { key },
      ]);
      this.#write(process, 'ok', 'send', completed);
    } else if (offsets === null && how % 2 === 0) {
      this.#write(process, 'fail', 'send', this.#invoked(sending), 'MESSAGE_TOO_LARGE');
    } else {
      // Half of the uncertain ones never complete at all.
      if (how % 2 === 0) this.#write(process, 'info', 'send', this.#invoked(sending), 'TIMEOUT');
      this.#spend('worker', worker);
      if (offsets === null) this.#late.push(sending);
    }
  }

  #invoked({ records, topicOnly }: Sending): readonly unknown[] {
    return records.map(({ log, value, key }) => [
      'send',
      topicOnly ? log.split('/')[0] : log,
      value,
      { key },
    ]);
  }

  #assign(reader: number, how: number): void {
    if (this.#reading.has(reader)) return;
    const process = this.#process('reader', reader, 100);
    const given = logs.filter((_, i) => (how & (1 << i)) !== 0);
    const from = how % 5 === 0 ? 'end' : how % 5 === 1 ? 'positions' : 'beginning';
    const positions = new Map(
      given.map((log, i) => {
        const end = this.#ends.get(log)!;
        return [log, from === 'beginning' ? 0 : from === 'end' ? end : Math.max(0, end - 1 - i)];
      }),
    );
    const value = {
      logs: given,
      from: from === 'positions' ? Object.fromEntries(positions) : from,
    };
    this.#write(process, 'invoke', 'assign', value);
    this.#write(process, 'ok', 'assign', value);
    this.#positions.set(reader, positions);
  }

  /** Invokes a poll, lets the open one take effect, or completes it: whichever comes next. */
  #poll(reader: number, how: number): void {
    const open = this.#reading.get(reader);
    const process = this.#process('reader', reader, 100);
    if (open === undefined) {
      if (this.#positions.get(reader) === undefined) return;
      this.#write(process, 'invoke', 'poll', [['poll']]);
      this.#reading.set(reader, { process, reader, records: null });
      return;
    }
    if (open.records === null && how % 2 === 0) {
      open.records = this.#read(reader, 1 + (how % 4));
      return;
    }
    this.#reading.delete(reader);
    if (how % 11 === 10) {
      this.#write(process, 'fail', 'poll', [['poll']], 'OFFSET_OUT_OF_RANGE');
      this.#positions.delete(reader);
    } else if (how % 13 === 12) {
      this.#write(process, 'info', 'poll', [['poll']], 'TIMEOUT');
      this.#spend('reader', reader);
      this.#positions.delete(reader);
    } else {
      const records = open.records ?? this.#read(reader, 1 + (how % 4));
      this.#write(process, 'ok', 'poll', [['poll', records]]);
    }
  }

  #read(reader: number, most: number): Record<string, RecordSeen[]> {
    const seen: Record<string, RecordSeen[]> = {};
    for (const [log, position] of this.#positions.get(reader) ?? []) {
      const records = this.#recordsOf(log, position, this.#ends.get(log)!).slice(0, most);
      if (records.length > 0) seen[log] = records;
      this.#positions.get(reader)!.set(log, (records.at(-1)?.[0] ?? position - 1) + 1);
    }
    return seen;
  }

  #recordsOf(log: string, from: number, to: number): RecordSeen[] {
    return [...this.#held.get(log)!]
      .filter(([offset]) => offset >= from && offset < to)
      .map(([offset, { value, key }]): RecordSeen => [offset, value as Scalar, { key }]);
  }

  /** A scan in one chunk or more; it ends early now and then. */
  #scan(scan: string, log: string, how: number, whole = false): void {
    const process = this.#process(scan, 0, 1000 + this.#events.length);
    const replica = how % 4 === 3 ? 1 + (how % 3) : null;
    const view = replica !== null || how % 2 === 1 ? 'uncommitted' : 'committed';
    const size = 1 + (how % 4);
    let from = 0;
    for (;;) {
      const asked = { log, view, from, scan, ...(replica === null ? {} : { replica }) };
      this.#write(process, 'invoke', 'audit', asked);
      this.#timeNs += nsPerMs;
      const end = this.#ends.get(log)!;
      const next = Math.min(end, from + size);
      const records = this.#recordsOf(log, from, next);
      const rest = { next, records, start: 0, end, lastStable: end, leaderEpoch: 0 };
      this.#write(process, 'ok', 'audit', { ...asked, ...rest, linearizable: true });
      from = next;
      if (from >= end || (!whole && how % 5 === 0)) return;
    }
  }

  #fault(): void {
    if (this.#standing === null) {
      this.#standing = `f${++this.#faults}`;
      this.#nemesis('kill', { fault: this.#standing, targets: ['node-1'], plan: {} });
    } else {
      this.#nemesis('heal', { fault: this.#standing });
      this.#standing = null;
    }
  }

  #nemesis(f: string, value: object): void {
    this.#write('nemesis:kill', 'invoke', f, value);
    this.#timeNs += nsPerMs;
    this.#write('nemesis:kill', 'ok', f, { ...value, evidence: { tookEffect: true } });
  }

  /** At least one fault bites and is healed; then every log is written, acknowledged and read, for long enough. */
  #recover(): void {
    if (this.#standing === null) this.#fault();
    this.#fault();
    this.#timeNs += nsPerMs;
    for (let worker = 0; worker < workers; worker++) {
      this.#append(this.#sending.get(worker));
      this.#completeSend(worker, 1);
    }
    [6, 1, 2].forEach((how) => {
      this.#invokeSend(0, how);
      this.#append(this.#sending.get(0));
      this.#completeSend(0, 1);
    });
    this.#timeNs += (recoveryMs + 1) * nsPerMs;
  }

  /** What is still open takes effect or not, and is never heard of again. */
  #settle(): void {
    this.#late.forEach((sending, i) => {
      if (i % 2 === 0) this.#append(sending);
    });
    for (const [reader] of this.#reading) {
      this.#poll(reader, 1);
    }
  }

  #audits(): void {
    for (const log of logs) {
      for (const how of [0, 1, 3, 7]) this.#scan(`final/${log}/${how}`, log, how, true);
    }
  }

  #process(kind: string, number: number, base: number): number {
    const key = `${kind} ${number}`;
    if (base >= 1000 && !this.#incarnation.has(key)) this.#incarnation.set(key, 0);
    return base + number + 10_000 * (this.#incarnation.get(key) ?? 0);
  }

  #spend(kind: string, number: number): void {
    const key = `${kind} ${number}`;
    this.#incarnation.set(key, (this.#incarnation.get(key) ?? 0) + 1);
  }

  #event(f: string, value: unknown): void {
    this.#write('observer', 'event', f, value);
  }

  #write(
    process: number | string,
    type: HistoryEvent['type'],
    f: string,
    value: unknown,
    code?: string,
  ): void {
    this.#events.push({
      index: this.#events.length,
      time: this.#timeNs,
      process,
      type,
      f,
      value,
      ...(code === undefined ? {} : { error: { code, message: '' } }),
    });
  }
}
