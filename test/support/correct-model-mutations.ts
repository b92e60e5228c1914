/**
 * One fault put into a correct history by rewriting what somebody was told or saw. Each mutation names the anomaly that
 * it is, and the anomalies that follow from it; nothing else may be found.
 */
import type { AuditCompleted, HistoryEvent, RecordSeen, Scalar } from '../../src/history/event.ts';
import type { AnomalyName } from '../../src/spi/verdict.ts';
import type { CorrectHistory } from './correct-model.ts';

export interface Mutation {
  readonly name: string;
  readonly injects: readonly AnomalyName[];
  /** What may follow, depending on what else the history holds. */
  readonly allows: readonly AnomalyName[];
  /** @param pick chooses among the places where it can be done. @returns null where there is none. */
  apply(history: CorrectHistory, pick: number): CorrectHistory | null;
}

interface Acked {
  readonly event: HistoryEvent;
  readonly invoked: HistoryEvent;
  readonly log: string;
  readonly offset: number;
  readonly value: Scalar;
}

type Edit = (record: RecordSeen, event: HistoryEvent, log: string) => readonly RecordSeen[];

export const mutations: readonly Mutation[] = [
  {
    name: 'an audited record that no reader saw is dropped',
    injects: ['lost-write'],
    allows: ['scan-divergence', 'not-recovered'],
    apply: (history, pick) => {
      const polled = new Set(sightsBy(history, 'poll').map(({ record }) => record[1]));
      const victim = choose(
        acked(history).filter(({ value }) => !polled.has(value)),
        pick,
      );
      return victim && drop(history, victim, isFinal);
    },
  },
  {
    name: 'a record that a reader saw is dropped from the last audit',
    injects: ['lost-write', 'truncated-read'],
    allows: ['scan-divergence'],
    apply: (history, pick) => {
      const polled = new Set(sightsBy(history, 'poll').map(({ record }) => record[1]));
      const victim = choose(
        acked(history).filter(({ value }) => polled.has(value)),
        pick,
      );
      return victim && drop(history, victim, isFinal);
    },
  },
  {
    name: 'one replica is without a record',
    injects: ['scan-divergence', 'lost-write'],
    allows: ['truncated-read'],
    apply: (history, pick) => {
      const victim = choose(acked(history), pick);
      return (
        victim && drop(history, victim, (event) => isFinal(event) && auditOf(event).replica === 2)
      );
    },
  },
  {
    name: 'a record is written again behind the end',
    injects: ['duplicate'],
    allows: [],
    apply: (history, pick) => {
      const victim = choose(acked(history), pick);
      const seen = sightsBy(history, 'audit').find(({ record }) => record[1] === victim?.value);
      return victim && seen ? append(history, victim.log, seen.record) : null;
    },
  },
  {
    name: 'the log holds a value that nobody sent',
    injects: ['phantom'],
    allows: [],
    apply: (history, pick) => {
      const victim = choose(acked(history), pick);
      return victim && append(history, victim.log, [0, 'nobody']);
    },
  },
  {
    name: 'an acknowledgement gives the offset of another record',
    injects: ['inconsistent-offsets'],
    allows: [],
    apply: (history, pick) => {
      const pair = choose(pairs(history), pick);
      return pair && reoffset(history, new Map([[pair[0].value, pair[1].offset]]));
    },
  },
  {
    name: 'a reader sees another key than was sent',
    injects: ['corrupt-record'],
    allows: [],
    apply: (history, pick) => {
      const all = [...sightsBy(history, 'poll'), ...sightsBy(history, 'audit')];
      const victim = choose(all, pick);
      return (
        victim &&
        edit(history, (record) =>
          record === victim.record ? [[record[0], record[1], { key: 'another' }]] : [record],
        )
      );
    },
  },
  {
    name: 'a send that took effect is said to have failed',
    injects: ['aborted-read'],
    allows: ['not-recovered'],
    apply: (history, pick) => {
      const victim = choose(acked(history), pick);
      return victim && fail(history, new Set([victim.event]));
    },
  },
  {
    name: 'a poll returns what is sent only later',
    injects: ['future-read'],
    allows: [
      'poll-skip',
      'int-poll-skip',
      'nonmonotonic-poll',
      'int-nonmonotonic-poll',
      'real-time-inversion',
      // A scan between that poll and the send is without what the poll saw.
      'lost-write',
      'truncated-read',
    ],
    apply: (history, pick) => {
      const polls = history.events.filter((event) => event.f === 'poll' && event.type === 'ok');
      const chances = polls.flatMap((poll) =>
        acked(history)
          .filter((send) => send.invoked.time > poll.time)
          .map((send) => ({ poll, send })),
      );
      const chance = choose(chances, pick);
      return chance && showInPoll(history, chance.poll, chance.send);
    },
  },
  {
    name: 'a poll returns two records the wrong way round',
    injects: ['nonmonotonic-poll', 'int-nonmonotonic-poll'],
    allows: ['poll-skip', 'int-poll-skip'],
    apply: (history, pick) => {
      const victim = choose(neighbours(history, 2), pick);
      const [a, b] = victim ?? [];
      return a && b
        ? edit(history, (record) => (record === a ? [b] : record === b ? [a] : [record]))
        : null;
    },
  },
  {
    name: 'a poll leaves out a record between two others',
    injects: ['poll-skip', 'int-poll-skip'],
    allows: [],
    apply: (history, pick) => {
      const victim = choose(neighbours(history, 3), pick)?.[1];
      return victim ? edit(history, (record) => (record === victim ? [] : [record])) : null;
    },
  },
  {
    name: 'two records of different sessions change places',
    injects: ['real-time-inversion'],
    allows: ['future-read', 'nonmonotonic-send', 'int-nonmonotonic-send', 'key-reordered'],
    apply: (history, pick) => swap(history, pick, (a, b) => a.event.process !== b.event.process),
  },
  {
    name: 'two records of one session change places',
    injects: ['real-time-inversion', 'nonmonotonic-send'],
    allows: ['future-read', 'int-nonmonotonic-send', 'key-reordered'],
    apply: (history, pick) => swap(history, pick, (a, b) => a.event.process === b.event.process),
  },
  {
    name: 'the tail of the log is cut off',
    injects: ['lost-write'],
    allows: ['truncated-read', 'real-time-inversion', 'not-recovered'],
    apply: (history, pick) => {
      const lasts = acked(history).filter(({ log, offset }) =>
        history.events.some(
          (event) =>
            isFinal(event) && auditOf(event).log === log && auditOf(event).end === offset + 1,
        ),
      );
      const victim = choose(lasts, pick);
      return victim && resize(drop(history, victim, isFinal), victim.log, -1, () => undefined);
    },
  },
  {
    name: 'nothing sent to a log after the last heal is acknowledged',
    injects: ['not-recovered'],
    allows: [],
    apply: (history, pick) => {
      const healed = history.events.findLast(({ f, type }) => f === 'heal' && type === 'ok')!.time;
      const late = acked(history).filter(({ invoked }) => invoked.time > healed);
      const log = choose([...new Set(late.map((send) => send.log))], pick);
      const victims = late.filter((send) => send.log === log);
      const events = new Set(victims.map(({ event }) => event));
      const values = new Set(late.filter(({ event }) => events.has(event)).map((s) => s.value));
      const unseen = edit(history, (record) => (values.has(record[1]) ? [] : [record]));
      const indexes = new Set([...events].map(({ index }) => index));
      return fail(unseen, new Set(unseen.events.filter(({ index }) => indexes.has(index))));
    },
  },
];

function choose<T>(items: readonly T[], pick: number): T | null {
  return items[pick % Math.max(1, items.length)] ?? null;
}

/** Acknowledged records, in order of acknowledgement. */
function acked({ events }: CorrectHistory): readonly Acked[] {
  return events
    .filter((event) => event.f === 'send' && event.type === 'ok')
    .flatMap((event) =>
      (event.value as readonly ['send', string, readonly [number, Scalar]][]).map(
        ([, log, [offset, value]]) => ({
          event,
          invoked: events.findLast(
            (other) =>
              other.process === event.process &&
              other.index < event.index &&
              (other.type === 'invoke' || other.f === 'attempt') &&
              JSON.stringify(other.value).includes(`,${JSON.stringify(value)},`),
          )!,
          log,
          offset,
          value,
        }),
      ),
    );
}

/** Acknowledged pairs of one log: the first had returned before the second was sent. */
function pairs(history: CorrectHistory): readonly (readonly [Acked, Acked])[] {
  const all = acked(history);
  return all.flatMap((a) =>
    all
      .filter((b) => a.log === b.log && a.event.time < b.invoked.time)
      .map((b): readonly [Acked, Acked] => [a, b]),
  );
}

function auditOf(event: HistoryEvent): AuditCompleted {
  return event.value as AuditCompleted;
}

function isFinal(event: HistoryEvent): boolean {
  return (
    event.f === 'audit' && event.type === 'ok' && (auditOf(event).scan ?? '').startsWith('final/')
  );
}

function sightsBy(
  { events }: CorrectHistory,
  f: 'poll' | 'audit',
): readonly { readonly record: RecordSeen; readonly log: string }[] {
  return events
    .filter((event) => event.f === f && event.type === 'ok')
    .flatMap((event) =>
      Object.entries(recordsIn(event)).flatMap(([log, records]) =>
        records.map((record) => ({ record, log })),
      ),
    );
}

function recordsIn(event: HistoryEvent): Readonly<Record<string, readonly RecordSeen[]>> {
  if (event.f === 'audit') return { [auditOf(event).log]: auditOf(event).records ?? [] };
  const micro = (event.value as readonly ['poll', Record<string, RecordSeen[]>][])[0];
  return micro?.[1] ?? {};
}

/** Rewrites every record seen, one by one. */
function edit(history: CorrectHistory, change: Edit): CorrectHistory {
  return {
    ...history,
    events: history.events.map((event) => {
      if (event.type !== 'ok' || (event.f !== 'poll' && event.f !== 'audit')) return event;
      const changed = Object.entries(recordsIn(event)).map(([log, records]) => {
        return [log, records.flatMap((record) => change(record, event, log))] as const;
      });
      const value =
        event.f === 'poll'
          ? [['poll', Object.fromEntries(changed)]]
          : { ...auditOf(event), records: changed[0]?.[1] ?? [] };
      return { ...event, value };
    }),
  };
}

function drop(
  history: CorrectHistory,
  victim: Acked,
  where: (event: HistoryEvent) => boolean,
): CorrectHistory {
  return edit(history, (record, event, log) =>
    log === victim.log && record[1] === victim.value && where(event) ? [] : [record],
  );
}

/** Moves the end that the last audits of a log measured, and lets `last` rewrite their last chunks. */
function resize(
  history: CorrectHistory,
  log: string,
  by: number,
  last: (value: AuditCompleted) => AuditCompleted | undefined,
): CorrectHistory {
  return {
    ...history,
    events: history.events.map((event) => {
      if (!isFinal(event) || auditOf(event).log !== log) return event;
      const old = auditOf(event);
      const whole = { ...old, end: old.end + by, lastStable: old.end + by };
      if (old.next < old.end) return { ...event, value: whole };
      const value = { ...whole, next: Math.max(old.from, old.next + by) };
      return { ...event, value: last(value) ?? value };
    }),
  };
}

function append(history: CorrectHistory, log: string, record: RecordSeen): CorrectHistory {
  return resize(history, log, 1, (value) => ({
    ...value,
    records: [...(value.records ?? []), [value.end - 1, record[1], record[2] ?? {}]],
  }));
}

function reoffset(history: CorrectHistory, offsets: ReadonlyMap<Scalar, number>): CorrectHistory {
  return {
    ...history,
    events: history.events.map((event) => {
      if (event.f !== 'send' || event.type !== 'ok') return event;
      const value = (
        event.value as readonly [string, string, readonly [number, Scalar], object][]
      ).map(([send, log, [offset, sent], meta]) => [
        send,
        log,
        [offsets.get(sent) ?? offset, sent],
        meta,
      ]);
      return { ...event, value };
    }),
  };
}

function swap(
  history: CorrectHistory,
  pick: number,
  fits: (a: Acked, b: Acked) => boolean,
): CorrectHistory | null {
  const pair = choose(
    // An audit after the first, but for the last ones, could show it lost, and what is lost has no place to be compared.
    pairs(history).filter(([a, b]) => fits(a, b) && !isAuditedAfter(history, a)),
    pick,
  );
  if (pair === null) return null;
  const [a, b] = pair;
  const metas = new Map(sightsBy(history, 'audit').map(({ record }) => [record[1], record[2]]));
  const other = (record: RecordSeen, value: Scalar): RecordSeen => [
    record[0],
    value,
    metas.get(value) ?? {},
  ];
  const seen = edit(history, (record) => {
    if (record[1] === a.value) return [other(record, b.value)];
    return [record[1] === b.value ? other(record, a.value) : record];
  });
  return reoffset(
    seen,
    new Map([
      [a.value, b.offset],
      [b.value, a.offset],
    ]),
  );
}

function isAuditedAfter({ events }: CorrectHistory, a: Acked): boolean {
  return events.some(
    (event) =>
      event.f === 'audit' &&
      event.type === 'ok' &&
      auditOf(event).log === a.log &&
      event.index > a.event.index &&
      !isFinal(event),
  );
}

function fail(history: CorrectHistory, victims: ReadonlySet<HistoryEvent>): CorrectHistory {
  return {
    ...history,
    events: history.events.map((event) => {
      if (!victims.has(event)) return event;
      const value = (
        event.value as readonly [string, string, readonly [number, Scalar], object][]
      ).map(([send, log, [, sent], meta]) => [send, log, sent, meta]);
      return { ...event, type: 'fail' as const, value, error: { code: 'TOO_LARGE', message: '' } };
    }),
  };
}

function showInPoll(history: CorrectHistory, poll: HistoryEvent, send: Acked): CorrectHistory {
  const sent = sightsBy(history, 'audit').find(({ record }) => record[1] === send.value)!.record;
  const shown: RecordSeen = [send.offset, send.value, sent[2] ?? {}];
  return {
    ...history,
    events: history.events.map((event) => {
      if (event !== poll) return event;
      const records = recordsIn(event);
      const more = { ...records, [send.log]: [...(records[send.log] ?? []), shown] };
      return { ...event, value: [['poll', more]] };
    }),
  };
}

/** Runs of `length` records that one poll returned from one log. */
function neighbours(history: CorrectHistory, length: number): readonly (readonly RecordSeen[])[] {
  return history.events
    .filter((event) => event.f === 'poll' && event.type === 'ok')
    .flatMap((event) => Object.values(recordsIn(event)))
    .flatMap((records) => records.slice(length - 1).map((_, i) => records.slice(i, i + length)));
}
