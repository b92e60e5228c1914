/** What a random tiny history is drawn from: small integers and few flags, so that a failure shrinks to its core. */
import fc from 'fast-check';
import type { ModelOp } from './oracle-model.ts';

interface RawRecord {
  readonly log: number;
  readonly place: number;
  readonly topicOnly: boolean;
  /** For a client that chose the partition: it says which. */
  readonly told: boolean;
  /** The completion gives an offset, and this far from the true place. */
  readonly learned: boolean;
  readonly shift: number;
  readonly key: string | null;
  readonly tombstone: boolean;
  readonly hash: string | null;
  readonly attempt: boolean;
}

export interface RawSend {
  readonly process: number;
  readonly gap: number;
  readonly length: number;
  readonly status: ModelOp['status'];
  readonly session: boolean;
  readonly records: readonly RawRecord[];
}

export interface RawView {
  /** Bit i: the i-th record of the log, by place, is missing. */
  readonly omit: number;
  readonly from: number;
  readonly upTo: number;
  /** Distortions: replaces one record seen. */
  readonly odd: {
    readonly at: number;
    readonly place: number;
    readonly value: number;
    readonly swap: boolean;
    readonly key: string | null;
    readonly hash: string | null;
  } | null;
}

export interface RawPoll {
  readonly gap: number;
  readonly length: number;
  readonly status: ModelOp['status'];
  readonly views: readonly (RawView & { readonly log: number })[];
}

export interface RawAssign {
  readonly gap: number;
  readonly length: number;
  readonly status: 'ok' | 'fail';
  readonly from: 'beginning' | 'end' | number;
  readonly logs: number;
  readonly close: boolean;
}

export interface RawReader {
  readonly gap: number;
  readonly steps: readonly ({ readonly poll: RawPoll } | { readonly assign: RawAssign })[];
}

export interface RawScan {
  readonly log: number;
  readonly gap: number;
  readonly length: number;
  readonly view: 'committed' | 'uncommitted';
  readonly replica: number | null;
  readonly start: number;
  readonly from: number;
  readonly end: number;
  readonly short: number;
  readonly split: number | null;
  readonly linearizable: boolean;
  readonly stable: number | null;
  readonly status: 'ok' | 'fail' | 'info' | 'open';
  readonly seen: RawView;
}

export interface RawHistory {
  readonly sends: readonly RawSend[];
  readonly readers: readonly RawReader[];
  readonly scans: readonly RawScan[];
  readonly acks: string | null;
  readonly errorMs: number;
  readonly retention: boolean;
  /** Of tombstones, ms; null: not given. */
  readonly deleteRetentionMs: number | null;
  readonly topic: 'plain' | 'compact' | 'external';
}

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });
const rarely = <T>(usual: T, unusual: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight }, { arbitrary: unusual, weight: 1 });
const status: fc.Arbitrary<ModelOp['status']> = fc.oneof(
  { arbitrary: fc.constant('ok' as const), weight: 6 },
  { arbitrary: fc.constantFrom('info' as const, 'open' as const), weight: 2 },
  { arbitrary: fc.constant('fail' as const), weight: 1 },
);

const rawRecord: fc.Arbitrary<RawRecord> = fc.record({
  log: rarely(0, fc.constant(1), 3),
  place: small(4),
  topicOnly: rarely(false, fc.constant(true)),
  told: rarely(true, fc.constant(false), 3),
  learned: rarely(true, fc.constant(false), 4),
  shift: rarely(0, fc.constantFrom(-1, 1, 2)),
  key: fc.constantFrom(null, 'a', 'b'),
  tombstone: rarely(false, fc.constant(true), 3),
  hash: rarely(null, fc.constantFrom('x', 'y')),
  attempt: rarely(false, fc.constant(true)),
});

const rawSend: fc.Arbitrary<RawSend> = fc.record({
  process: small(2),
  gap: small(6),
  length: small(6),
  status,
  session: rarely(false, fc.constant(true), 2),
  records: fc.oneof(
    { arbitrary: fc.array(rawRecord, { minLength: 1, maxLength: 1 }), weight: 4 },
    { arbitrary: fc.array(rawRecord, { minLength: 2, maxLength: 3 }), weight: 1 },
  ),
});

const rawView: fc.Arbitrary<RawView> = fc.record({
  omit: rarely(0, small(31), 2),
  from: rarely(0, small(5), 3),
  upTo: rarely(9, small(6), 2),
  odd: rarely(
    null,
    fc.record({
      at: small(4),
      place: small(5),
      value: fc.integer({ min: -1, max: 5 }),
      swap: fc.boolean(),
      key: fc.constantFrom(null, 'a', 'b'),
      hash: fc.constantFrom(null, 'x', 'y'),
    }),
    4,
  ),
});

const rawPoll: fc.Arbitrary<RawPoll> = fc.record({
  gap: small(4),
  length: small(4),
  status: fc.oneof(
    { arbitrary: fc.constant('ok' as const), weight: 6 },
    { arbitrary: status, weight: 1 },
  ),
  views: fc.array(
    fc.tuple(rawView, rarely(0, fc.constant(1), 3)).map(([view, log]) => ({ ...view, log })),
    { minLength: 1, maxLength: 2 },
  ),
});

const rawAssign: fc.Arbitrary<RawAssign> = fc.record({
  gap: small(2),
  length: small(2),
  status: rarely<'ok' | 'fail'>('ok', fc.constant('fail')),
  from: fc.oneof(fc.constantFrom('beginning' as const, 'end' as const), small(3)),
  logs: fc.integer({ min: 1, max: 3 }),
  close: rarely(false, fc.constant(true)),
});

const rawReader: fc.Arbitrary<RawReader> = fc.record({
  gap: small(12),
  steps: fc.array(
    fc.oneof(
      { arbitrary: fc.record({ poll: rawPoll }), weight: 2 },
      { arbitrary: fc.record({ assign: rawAssign }), weight: 1 },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

const rawScan: fc.Arbitrary<RawScan> = fc.record({
  log: rarely(0, fc.constant(1), 3),
  gap: small(30),
  length: small(4),
  view: fc.constantFrom('committed' as const, 'uncommitted' as const),
  replica: rarely<number | null>(null, fc.constantFrom(1, 2), 2),
  start: rarely(0, small(3), 5),
  from: rarely(0, small(2), 6),
  end: small(6),
  short: rarely(0, small(3), 4),
  split: rarely<number | null>(null, small(4), 3),
  linearizable: rarely(true, fc.constant(false), 2),
  stable: rarely<number | null>(null, small(5), 5),
  status: rarely<RawScan['status']>(
    'ok',
    fc.constantFrom('fail' as const, 'info' as const, 'open' as const),
  ),
  seen: rawView,
});

export const rawHistory: fc.Arbitrary<RawHistory> = fc.record({
  sends: fc.array(rawSend, { minLength: 1, maxLength: 4 }),
  readers: fc.array(rawReader, { maxLength: 2 }),
  scans: fc.array(rawScan, { maxLength: 3 }),
  acks: fc.constantFrom(null, 'all', '1'),
  errorMs: rarely(0, fc.constantFrom(1, 2), 3),
  retention: rarely(false, fc.constant(true)),
  deleteRetentionMs: rarely<number | null>(null, fc.constantFrom(0, 2, 10), 1),
  topic: rarely<RawHistory['topic']>(
    'plain',
    fc.constantFrom('compact' as const, 'external' as const),
  ),
});
