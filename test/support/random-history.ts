/**
 * Random tiny histories for the oracles: a ground log that nobody need respect. Each send has a place in it, readers and
 * scans report the places with drawn omissions and distortions, and everything overlaps in time. The draws
 * themselves are in random-history-draws.ts.
 */
import fc from 'fast-check';
import type { HistoryEvent, Scalar } from '../../src/history/event.ts';
import type {
  Model,
  ModelChunk,
  ModelOp,
  ModelScan,
  ModelSend,
  ModelSight,
} from './oracle-model.ts';
import { eventLine, headerLine } from '../../src/history/write.ts';
import { epochsOf } from './oracle-epochs.ts';

import {
  rawHistory,
  type RawAssign,
  type RawHistory,
  type RawPoll,
  type RawReader,
  type RawScan,
  type RawSend,
  type RawView,
} from './random-history-draws.ts';

const logs = ['t/0', 't/1'] as const;
const nsPerMs = 1_000_000;

/** Random histories, ready to be judged. */
export const randomModel: fc.Arbitrary<Model> = rawHistory
  .map(buildModel)
  .map((model) => Object.assign(model, { [fc.toStringMethod]: () => `\n${textOf(model)}` }));

/** The history as a file. */
export function textOf({ header, events }: Pick<Model, 'header' | 'events'>): string {
  return [headerLine(header), ...events.map(eventLine)].map((line) => `${line}\n`).join('');
}

interface Draft {
  readonly time: number;
  readonly order: number;
  readonly event: Omit<HistoryEvent, 'index' | 'time'>;
}

/** Turns drawn numbers into a history that the format allows. */
export function buildModel(raw: RawHistory): Model {
  const writer = new Writer(raw.topic === 'compact');
  raw.sends.forEach((send) => {
    writer.send(send);
  });
  raw.readers.forEach((reader, i) => {
    writer.reader(100 + 10 * i, reader);
  });
  raw.scans.forEach((scan, i) => {
    writer.scan(200 + i, `scan ${i}`, scan);
  });
  const config: Record<string, unknown> = { 'replica.lag.time.max.ms': 3 };
  if (raw.acks !== null) config['acks'] = raw.acks;
  if (raw.retention) config['retention.ms'] = 1000;
  if (raw.deleteRetentionMs !== null) config['delete.retention.ms'] = raw.deleteRetentionMs;
  const topics =
    raw.topic === 'plain'
      ? {}
      : {
          topics: {
            t: raw.topic === 'compact' ? { cleanup: 'compact' } : { writers: 'external' as const },
          },
        };
  const ops = writer.ops;
  return {
    header: { ordeal: 1, config, clock: { errorNs: raw.errorMs * nsPerMs }, ...topics },
    events: writer.events(),
    ops,
    sends: writer.sends,
    sights: writer.sights,
    scans: writer.scans,
    epochs: epochsOf(ops, writer.sights, writer.assigned),
    errorMs: raw.errorMs,
    acksAll: raw.acks !== '1',
    lagMs: 3,
    retention: raw.retention,
    deleteRetentionMs: raw.deleteRetentionMs ?? 86_400_000,
    compacted: new Set(raw.topic === 'compact' ? ['t'] : []),
    external: new Set(raw.topic === 'external' ? ['t'] : []),
  };
}

class Writer {
  readonly compacted: boolean;
  readonly ops: ModelOp[] = [];
  readonly sends: ModelSend[] = [];
  readonly sights: ModelSight[] = [];
  readonly scans: ModelScan[] = [];
  /** What an assign operation assigned. */
  readonly assigned = new Map<ModelOp, ReadonlyMap<string, number | null>>();
  readonly #drafts: Draft[] = [];
  readonly #places: { readonly log: string; readonly offset: number; readonly send: ModelSend }[] =
    [];
  readonly #cursor = new Map<number, number>();
  readonly #incarnation = new Map<number, number>();

  constructor(compacted: boolean) {
    this.compacted = compacted;
  }

  events(): readonly HistoryEvent[] {
    return this.#drafts
      .toSorted((a, b) => a.time - b.time || a.order - b.order)
      .map(({ time, event }, index) => ({ index, time: time * nsPerMs, ...event }));
  }

  send(raw: RawSend): void {
    const session = raw.session ? 'shared' : undefined;
    const op = this.#op(raw.process, raw, 'send', raw.status, session);
    const attempted = op.end - op.inv >= 2 ? op.inv + 1 : op.inv;
    const invoked: unknown[] = [];
    const later: unknown[] = [];
    const completed: unknown[] = [];
    raw.records.forEach((record) => {
      const log = logs[record.log]!;
      const learned = record.learned && (!record.topicOnly || record.told);
      const done = raw.status === 'ok' || (raw.status === 'info' && learned);
      const offset = done && learned ? Math.max(0, record.place + record.shift) : null;
      const names = raw.status !== 'open' && record.told;
      const attempt = record.attempt && attempted !== op.inv;
      const send: ModelSend = {
        op,
        topic: 't',
        log: record.topicOnly && !names ? null : log,
        topicOnly: record.topicOnly,
        value: this.sends.length,
        key: record.key,
        tombstone: record.tombstone && record.key !== null,
        hash: record.hash,
        offset,
        inv: attempt ? attempted : op.inv,
        place: 0,
      };
      const meta = metaOf(record.key, record.hash, send.tombstone);
      const named = record.topicOnly ? 't' : log;
      (attempt ? later : invoked).push({ send, micro: ['send', named, send.value, ...meta] });
      this.#places.push({ log, offset: record.place, send });
      this.sends.push(send);
      completed.push(['send', send.log ?? 't', done ? [offset, send.value] : send.value, ...meta]);
    });
    this.#number([...invoked, ...later] as { send: ModelSend }[]);
    const microsOf = (list: unknown[]): unknown[] =>
      list.map((x) => (x as { micro: unknown }).micro);
    this.#write(op, microsOf(invoked), completed);
    if (later.length > 0) {
      const event = {
        process: op.process,
        type: 'event',
        f: 'attempt',
        value: microsOf(later),
      } as const;
      this.#drafts.push({
        time: attempted,
        order: this.#drafts.length,
        event: withSession(event, op),
      });
    }
  }

  reader(process: number, raw: RawReader): void {
    this.#cursor.set(process, raw.gap);
    for (const step of raw.steps) {
      if ('poll' in step) this.#poll(process, step.poll);
      else this.#assign(process, step.assign);
    }
  }

  scan(process: number, name: string, raw: RawScan): void {
    const log = logs[raw.log]!;
    const end = Math.max(raw.end, raw.start);
    const stable = raw.stable === null ? null : Math.min(end, Math.max(raw.start, raw.stable));
    // A scan holds one record at an offset, as the log does; readers may return anything.
    const seen = this.#seen(log, raw.seen)
      .filter(({ offset }) => offset < (raw.view === 'committed' ? (stable ?? end) : end))
      .filter((record, i, all) => all.findIndex((r) => r.offset === record.offset) === i);
    const upTo = Math.max(raw.from, raw.start, end - raw.short);
    const cuts =
      raw.split === null
        ? [upTo]
        : [Math.min(upTo, Math.max(raw.from, raw.start, raw.split)), upTo];
    const chunks: ModelChunk[] = [];
    let from = raw.from;
    for (const [i, next] of cuts.entries()) {
      const last = i === cuts.length - 1;
      const how = last ? raw.status : 'ok';
      const op = this.#op(
        process,
        { gap: i === 0 ? raw.gap : 1, length: raw.length },
        'audit',
        how,
      );
      const records = seen.filter(
        ({ offset }) => offset >= Math.max(from, raw.start) && offset < next,
      );
      const asked = {
        log,
        view: raw.view,
        from,
        scan: name,
        ...(raw.replica === null ? {} : { replica: raw.replica }),
      };
      const chunk = {
        from,
        next,
        start: raw.start,
        end,
        lastStable: stable,
        linearizable: raw.linearizable,
      };
      const { lastStable, ...rest } = chunk;
      this.#write(op, asked, {
        ...asked,
        ...rest,
        ...(lastStable === null ? {} : { lastStable }),
        records: records.map(({ offset, value, key, hash }) => [
          offset,
          value,
          ...metaOf(key, hash),
        ]),
      });
      if (how === 'ok') {
        chunks.push({ op, ...chunk, records: records.map(({ offset, value }) => [offset, value]) });
        records.forEach((record, place) => {
          this.sights.push({ op, by: raw.view, log, ...record, place });
        });
      }
      from = next;
    }
    if (chunks.length > 0) this.scans.push({ log, view: raw.view, replica: raw.replica, chunks });
  }

  #poll(process: number, raw: RawPoll): void {
    const op = this.#op(process, raw, 'poll', raw.status);
    const byLog = new Map<string, unknown[]>();
    const micros: unknown[] = [];
    for (const view of raw.views) {
      const log = logs[view.log]!;
      if (byLog.has(log)) continue;
      const seen = this.#seen(log, view);
      byLog.set(
        log,
        seen.map(({ offset, value, key, hash }) => [offset, value, ...metaOf(key, hash)]),
      );
      if (raw.status === 'open') continue;
      seen.forEach((record, place) => {
        this.sights.push({ op, by: 'poll', log, ...record, place });
      });
    }
    micros.push(['poll', Object.fromEntries(byLog)]);
    this.#write(op, [['poll']], micros);
  }

  #assign(process: number, raw: RawAssign): void {
    if (raw.close) {
      this.#write(this.#op(process, raw, 'close', raw.status), {}, {});
      return;
    }
    const op = this.#op(process, raw, 'assign', raw.status);
    const given = logs.filter((_, i) => (raw.logs & (1 << i)) !== 0);
    const from =
      typeof raw.from === 'number'
        ? Object.fromEntries(given.map((log) => [log, raw.from]))
        : raw.from;
    const first = raw.from === 'beginning' ? 0 : raw.from === 'end' ? null : raw.from;
    this.assigned.set(op, new Map(given.map((log) => [log, first])));
    this.#write(op, { logs: given, from }, { logs: given, from });
  }

  /** The records of a log as somebody saw them. */
  #seen(
    log: string,
    view: RawView,
  ): { offset: number; value: Scalar; key: string | null; hash: string | null }[] {
    const held = this.#places
      .filter((place) => place.log === log)
      .toSorted((a, b) => a.offset - b.offset)
      .filter((_, i) => (view.omit & (1 << i)) === 0)
      .filter(({ offset }) => offset >= view.from && offset < view.upTo)
      .map(({ offset, send }) => ({ offset, value: send.value, key: send.key, hash: send.hash }));
    const seen = held.filter(
      (record, i) => held.findIndex((r) => r.offset === record.offset) === i,
    );
    const { odd } = view;
    if (odd === null) return seen;
    if (odd.swap && seen.length >= 2) return [seen[1]!, seen[0]!, ...seen.slice(2)];
    const value = odd.value < 0 ? 'nobody' : Math.min(odd.value, this.sends.length - 1);
    // What a compacted log holds is told by keys: there only values are odd.
    const key = this.compacted ? (this.sends[Number(value)]?.key ?? null) : odd.key;
    const record = { offset: odd.place, value, key, hash: odd.hash };
    seen.splice(Math.min(odd.at, seen.length), odd.at % 2, record);
    return seen;
  }

  #op(
    worker: number,
    raw: { readonly gap: number; readonly length: number },
    f: ModelOp['f'],
    status: ModelOp['status'],
    session?: string,
  ): ModelOp {
    const incarnation = this.#incarnation.get(worker) ?? 0;
    const process = worker + incarnation * 1000;
    const inv = (this.#cursor.get(worker) ?? 0) + 1 + raw.gap;
    const end = inv + raw.length;
    this.#cursor.set(worker, end);
    if (status === 'info' || status === 'open') this.#incarnation.set(worker, incarnation + 1);
    const op: ModelOp = {
      id: this.ops.length,
      process,
      session: session ?? `of ${process}`,
      f,
      status,
      inv,
      end: status === 'open' ? Infinity : end,
    };
    this.ops.push(op);
    return op;
  }

  #write(op: ModelOp, invoked: unknown, completed: unknown): void {
    const base = { process: op.process, f: op.f };
    const error = op.status === 'ok' ? {} : { error: { code: 'X', message: '' } };
    this.#drafts.push({
      time: op.inv,
      order: this.#drafts.length,
      event: withSession({ ...base, type: 'invoke', value: invoked }, op),
    });
    if (op.status === 'open') return;
    // Of events at one time any order is legal but for that within an operation: time decides, not the index.
    this.#drafts.push({
      time: op.end,
      order: this.#drafts.length + (op.end === op.inv || op.id % 2 === 0 ? 1_000_000 : -1_000_000),
      event: withSession({ ...base, type: op.status, value: completed, ...error }, op),
    });
  }

  #number(list: readonly { send: ModelSend }[]): void {
    list.forEach(({ send }, place) => {
      this.sends[this.sends.indexOf(send)] = { ...send, place };
    });
  }
}

function withSession<T extends object>(event: T, op: ModelOp): T & { session?: string } {
  return op.session === 'shared' ? { ...event, session: 'shared' } : event;
}

function metaOf(key: string | null, hash: string | null, tombstone = false): readonly object[] {
  if (key === null && hash === null) return [];
  return [
    {
      ...(key === null ? {} : { key }),
      ...(hash === null ? {} : { hash }),
      ...(tombstone ? { tombstone } : {}),
    },
  ];
}
