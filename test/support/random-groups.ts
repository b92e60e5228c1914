/**
 * Random tiny histories of consumer groups: members that subscribe, are told rebalances, poll and commit, over a fixed log of a
 * few keyed records (one offset is a gap) that a complete scan shows; and others that commit a group's offsets in transactions, take
 * their transactional id again, or read what is committed. Nobody need respect anything.
 */
import fc from 'fast-check';
import type { HistoryEvent, RecordSeen } from '../../src/history/event.ts';
import { eventLine, headerLine } from '../../src/history/write.ts';

export interface GroupStep {
  readonly f: 'subscribe' | 'rebalance' | 'poll' | 'commit' | 'close' | OutsideStep;
  readonly process: number;
  readonly status: 'ok' | 'fail' | 'info';
  /** ms; of a rebalance both are its time. */
  readonly inv: number;
  readonly end: number;
  /** Index of the invocation and of the completion (of the event, twice). */
  readonly index: number;
  readonly endIndex: number;
  readonly group: string;
  readonly generation: number | null;
  readonly member: string | null;
  readonly assigned: readonly string[];
  readonly revoked: readonly string[] | null;
  readonly log: string;
  readonly offsets: readonly number[];
  readonly next: number;
  /** Of a subscribe: the reader asks for stable offsets. */
  readonly stable: boolean;
  /** Of a transaction and of an init: the transactional id. */
  readonly id: string;
  /** Of a commit, in a transaction or not: from when on it may be in force, ms, and the index of that event. */
  readonly from: number;
  readonly fromIndex: number;
}

/** Steps of processes that are no members. */
type OutsideStep = 'txn' | 'init' | 'committed';

export interface GroupModel {
  readonly text: string;
  readonly events: readonly HistoryEvent[];
  readonly header: { readonly ordeal: 1; readonly clock: { readonly errorNs: number } };
  readonly errorMs: number;
  /** Per process in program order. */
  readonly steps: readonly GroupStep[];
  /** Offsets of each log that hold a record. */
  readonly present: readonly number[];
}

const logs = ['t/0', 't/1'];
const presentOffsets = [0, 1, 2, 4];
/** Keys by offset. */
export const keyAt = (offset: number): string => (offset === 2 ? 'l' : 'k');

interface RawStep {
  readonly f: GroupStep['f'];
  readonly gap: number;
  readonly length: number;
  readonly status: GroupStep['status'];
  readonly group: string;
  readonly generation: number | null;
  readonly member: 'id' | 'absent' | 'empty';
  readonly assigned: number;
  readonly revoked: number | null;
  readonly log: number;
  readonly from: number;
  readonly count: number;
  readonly next: number;
  readonly stable: boolean;
  readonly id: string;
  /** Of a transaction: when it attempts to commit, ms after its invocation; null: that is recorded nowhere. */
  readonly commitsAfter: number | null;
}

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });
const usually = <T>(usual: T, other: fc.Arbitrary<T>, weight = 6): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight }, { arbitrary: other, weight: 1 });

const rawStep: fc.Arbitrary<RawStep> = fc.record({
  f: fc.oneof(
    { arbitrary: fc.constant('poll' as const), weight: 4 },
    { arbitrary: fc.constant('commit' as const), weight: 4 },
    { arbitrary: fc.constant('rebalance' as const), weight: 3 },
    { arbitrary: fc.constantFrom('subscribe' as const, 'close' as const), weight: 1 },
  ),
  gap: small(3),
  length: small(3),
  status: usually<GroupStep['status']>('ok', fc.constantFrom('fail' as const, 'info' as const), 4),
  group: usually('g', fc.constant('h'), 8),
  // -1 and an empty id are what Kafka's clients write for none.
  generation: usually<number | null>(1, fc.constantFrom(null, -1, 0, 2, 3), 1),
  member: fc.constantFrom('id', 'absent', 'empty'),
  assigned: small(3),
  revoked: usually<number | null>(null, small(3), 1),
  log: usually(0, fc.constant(1), 4),
  from: small(4),
  count: small(3),
  next: small(5),
  stable: fc.boolean(),
  id: fc.constantFrom('x', 'y'),
  commitsAfter: usually<number | null>(null, small(3), 1),
});

const outsideStep: fc.Arbitrary<RawStep> = fc
  .record({
    step: rawStep,
    f: fc.constantFrom<OutsideStep>('txn', 'txn', 'init', 'committed'),
  })
  .map(({ step, f }) => ({ ...step, f, log: 0 }));

interface RawGroups {
  readonly members: readonly { readonly gap: number; readonly steps: readonly RawStep[] }[];
  readonly outsiders: RawGroups['members'];
  readonly errorMs: number;
}

const rawGroups: fc.Arbitrary<RawGroups> = fc.record({
  members: fc.array(fc.record({ gap: small(4), steps: fc.array(rawStep, { maxLength: 5 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  outsiders: fc.oneof(
    fc.constant([]),
    fc.array(
      fc.record({ gap: small(4), steps: fc.array(outsideStep, { minLength: 1, maxLength: 3 }) }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
  errorMs: usually(0, fc.constant(1), 3),
});

export const randomGroups: fc.Arbitrary<GroupModel> = rawGroups
  .map(build)
  .map((model) => Object.assign(model, { [fc.toStringMethod]: () => `\n${model.text}` }));

type Unplaced = Omit<GroupStep, 'index' | 'endIndex' | 'fromIndex'> & { readonly told: object };

interface Draft {
  readonly ms: number;
  readonly order: number;
  readonly event: Omit<HistoryEvent, 'index' | 'time'>;
  readonly step: number;
  readonly part: 'index' | 'endIndex' | 'fromIndex' | null;
}

function build({ members, outsiders, errorMs }: RawGroups): GroupModel {
  const drafts: Draft[] = [];
  const steps: Unplaced[] = [];
  const push = (ms: number, event: Draft['event'], step = -1, part: Draft['part'] = null): void => {
    drafts.push({ ms, order: drafts.length, event, step, part });
  };
  for (const [position, log] of logs.entries()) {
    for (const offset of presentOffsets) {
      const value = [['send', log, offset, { key: keyAt(offset) }]];
      push(0, { process: 50 + position, type: 'invoke', f: 'send', value });
      const done = [['send', log, [offset, offset], { key: keyAt(offset) }]];
      push(0, { process: 50 + position, type: 'ok', f: 'send', value: done });
    }
    const asked = { log, view: 'committed', from: 0, scan: `of ${log}` };
    const records = presentOffsets.map((offset): RecordSeen => [offset, offset]);
    const measured = { next: 5, start: 0, end: 5, lastStable: 5, linearizable: true, records };
    push(900, { process: 60 + position, type: 'invoke', f: 'audit', value: asked });
    push(901, { process: 60 + position, type: 'ok', f: 'audit', value: { ...asked, ...measured } });
  }
  members.forEach(({ gap, steps: raw }, position) => {
    let process = 1 + position;
    let at = 1 + gap;
    const join: RawStep = { ...plainStep, f: 'subscribe', stable: raw[0]?.stable === true };
    for (const each of [join, ...raw]) {
      const inv = at + each.gap;
      const step = stepOf(each, process, inv);
      const id = steps.push(step) - 1;
      at = step.end;
      if (step.f === 'rebalance') {
        const event = { process, type: 'event', f: 'rebalance', value: valueOf(step) } as const;
        push(inv, event, id, 'index');
        continue;
      }
      const value = valueOf(step);
      const error = step.status === 'ok' ? {} : { error: { code: 'X', message: '' } };
      const invoked = step.f === 'poll' ? [['poll']] : value;
      push(inv, { process, type: 'invoke', f: step.f, value: invoked }, id, 'index');
      push(step.end, { process, type: step.status, f: step.f, value, ...error }, id, 'endIndex');
      if (step.status === 'info') process += 100;
    }
  });
  outsiders.forEach(({ gap, steps: raw }, position) => {
    let process = 30 + position;
    let at = 1 + gap;
    for (const each of raw) {
      const step = stepOf(each, process, at + each.gap);
      const id = steps.push(step) - 1;
      at = step.end;
      const { f, status } = step;
      const txn = f === 'txn' ? { txn: { id: step.id } } : {};
      const error = status === 'ok' ? {} : { error: { code: 'X', message: '' } };
      const value = valueOf(step);
      const asked = f === 'committed' ? { group: step.group, logs: [step.log] } : value;
      const commits = f === 'txn' && each.commitsAfter !== null;
      // Where an attempt names them nothing else need do so, unless the transaction is acknowledged.
      const silent = commits && status !== 'ok';
      push(
        step.inv,
        { process, type: 'invoke', f, ...txn, value: silent ? [] : asked },
        id,
        'index',
      );
      if (commits) {
        const named = [...(value as readonly unknown[]), ['commit']];
        push(step.from, { process, type: 'event', f: 'attempt', value: named }, id, 'fromIndex');
      }
      const begun = { id: step.id, producerId: 1, epoch: 0 };
      const ok = f === 'init' ? begun : value;
      const done = status === 'ok' ? ok : asked;
      push(
        step.end,
        { process, type: status, f, ...txn, value: silent ? [] : done, ...error },
        id,
        'endIndex',
      );
      if (status === 'info') process += 100;
    }
  });
  return finish(drafts, steps, errorMs);
}

const plainStep: RawStep = {
  f: 'subscribe',
  gap: 0,
  length: 0,
  status: 'ok',
  group: 'g',
  generation: null,
  member: 'absent',
  assigned: 0,
  revoked: null,
  log: 0,
  from: 0,
  count: 0,
  next: 0,
  stable: false,
  id: 'x',
  commitsAfter: null,
};

function stepOf(raw: RawStep, process: number, inv: number): Unplaced {
  const some = (mask: number): string[] => logs.filter((_, i) => (mask & (1 << i)) !== 0);
  const from = presentOffsets.filter((offset) => offset >= raw.from);
  return {
    f: raw.f,
    process,
    status: raw.f === 'rebalance' ? 'ok' : raw.status,
    inv,
    end: raw.f === 'rebalance' ? inv : inv + raw.length,
    group: raw.group,
    generation: raw.generation === -1 ? null : raw.generation,
    member: raw.member === 'id' ? `m${process}` : null,
    assigned: some(raw.assigned),
    revoked: raw.revoked === null ? null : some(raw.revoked),
    log: logs[raw.log]!,
    offsets: from.slice(0, raw.count),
    next: raw.next,
    stable: raw.stable,
    id: raw.id,
    from: raw.f === 'txn' ? inv + Math.min(raw.length, raw.commitsAfter ?? 0) : inv,
    told: {
      ...(raw.generation === null ? {} : { generation: raw.generation }),
      ...(raw.member === 'absent' ? {} : { member: raw.member === 'id' ? `m${process}` : '' }),
    },
  };
}

function valueOf(step: Unplaced): unknown {
  const { group, assigned, revoked, log, offsets, next, told, stable, id } = step;
  switch (step.f) {
    case 'subscribe':
      return { group, topics: ['t'], ...(stable ? { stable } : {}) };
    case 'rebalance':
      return { ...told, assigned, ...(revoked === null ? {} : { revoked }) };
    case 'poll':
      return [['poll', { [log]: offsets.map((offset) => [offset, offset]) }]];
    case 'commit':
      return { group, offsets: { [log]: next }, ...told };
    case 'close':
      return {};
    case 'txn':
      return [['offsets', group, { [log]: next }]];
    case 'init':
      return { id };
    case 'committed':
      return { group, offsets: { [log]: next } };
  }
}

function finish(drafts: readonly Draft[], steps: readonly Unplaced[], errorMs: number): GroupModel {
  const placed = steps.map((step) => ({ ...step, index: -1, endIndex: -1, fromIndex: -1 }));
  const events = drafts
    .toSorted((a, b) => a.ms - b.ms || a.order - b.order)
    .map(({ ms, event, step, part }, index): HistoryEvent => {
      if (part !== null) placed[step]![part] = index;
      return { index, time: ms * 1_000_000, ...event };
    });
  for (const step of placed) {
    if (step.endIndex < 0) step.endIndex = step.index;
    if (step.fromIndex < 0) step.fromIndex = step.index;
  }
  const header = { ordeal: 1, clock: { errorNs: errorMs * 1_000_000 } } as const;
  const text = [headerLine(header), ...events.map(eventLine)].map((line) => `${line}\n`).join('');
  return { text, events, header, errorMs, steps: placed, present: presentOffsets };
}
