/**
 * The schema of format 1: the reference for the shape of each line, and the source of schemas/history-1.schema.json.
 * Rules between lines (indexes, times, open operations, unique values) are sequence-rules.ts. The reader checks sends,
 * polls, transactions and audits by hand (event-shape.ts) for speed; a property test holds it to this schema.
 *
 * Unknown fields are accepted everywhere.
 */
import { z } from 'zod';
import { clientFunctions } from './event.ts';
import type { ClientFunction } from './event.ts';
import { knownClaims } from './claim-names.ts';
import { logPattern, topicPattern } from './log-name.ts';

/** 2^53 - 1: offsets, indexes and times stay below 2^53. */
const natural = named('natural', z.int().min(0).max(Number.MAX_SAFE_INTEGER));
/** Kafka's ids and epochs, where -1 means none. */
const idOrNone = z.int().min(-1).max(Number.MAX_SAFE_INTEGER);
const scalar = named('scalar', z.union([z.string(), z.number(), z.boolean(), z.null()]));
const logName = named('log', z.string().regex(logPattern, 'expected a log, "topic/partition"'));
const topicName = named(
  'topic',
  z.string().regex(topicPattern, 'expected a topic: a name without a slash'),
);
const words = z.array(z.string());

/** Gives a part of the schema its name in the published one. */
function named<T extends z.ZodType>(id: string, schema: T): T {
  return schema.meta({ id });
}

/** A record keyed by names; zod's own passes over "__proto__", which is no log, and must be no topic here. */
function mapOf(key: z.ZodString, value: z.ZodType): z.ZodType {
  return z
    .unknown()
    .refine(
      (map) => typeof map !== 'object' || map === null || !Object.hasOwn(map, '__proto__'),
      'a key must not be "__proto__"',
    )
    .pipe(z.record(key, value));
}

const meta = named(
  'meta',
  z.looseObject({
    key: scalar.optional(),
    from: z.string().optional(),
    slot: z.string().optional(),
    amount: z.number().optional(),
    timestamp: z.number().optional(),
    hash: z.string().optional(),
    tombstone: z.boolean().optional(),
    result: scalar.optional(),
    window: z.tuple([z.number(), z.number()]).optional(),
    final: z.boolean().optional(),
  }),
);

const recordSeen = named(
  'record',
  z.union([z.tuple([natural, scalar]), z.tuple([natural, scalar, meta])]),
);
const logOrTopic = z.union([logName, topicName]);
const offsetAndValue = z.tuple([natural.nullable(), scalar]);
const offsetsOfLogs = named('offsetsByLog', mapOf(logName, natural));

const sendInvoked = named(
  'sendInvoked',
  z.union([
    z.tuple([z.literal('send'), logOrTopic, scalar]),
    z.tuple([z.literal('send'), logOrTopic, scalar, meta]),
  ]),
);
const sendCompleted = named(
  'sendCompleted',
  z.union([
    z.tuple([z.literal('send'), logOrTopic, offsetAndValue]),
    z.tuple([z.literal('send'), logOrTopic, offsetAndValue, meta]),
  ]),
);
const pollInvoked = z.tuple([z.literal('poll')]);
const pollCompleted = named(
  'pollCompleted',
  z.tuple([z.literal('poll'), mapOf(logName, z.array(recordSeen))]),
);
const offsets = named('offsets', z.tuple([z.literal('offsets'), z.string(), offsetsOfLogs]));
const commitMark = z.tuple([z.literal('commit')]);
const sendLearned = z.union([sendInvoked, sendCompleted]);
const pollLearned = z.union([pollInvoked, pollCompleted]);

const auditView = z.enum(['committed', 'uncommitted', 'raw']);
const auditAsked = {
  log: logName,
  from: natural,
  scan: z.string().optional(),
  replica: natural.nullable().optional(),
};
const auditMeasured = {
  next: natural,
  start: natural,
  end: natural,
  lastStable: natural.nullable().optional(),
  leaderEpoch: idOrNone.nullable().optional(),
  linearizable: z.boolean().optional(),
};
const rawBatch = named(
  'rawBatch',
  z.looseObject({
    base: natural,
    last: natural,
    leaderEpoch: idOrNone,
    producerId: idOrNone,
    epoch: idOrNone,
    sequence: idOrNone,
    transactional: z.boolean(),
    control: z.enum(['commit', 'abort']).nullable(),
  }),
);
const auditInvoked = named('auditInvoked', z.looseObject({ ...auditAsked, view: auditView }));
const auditCompleted = named(
  'auditCompleted',
  z.union([
    z.looseObject({
      ...auditAsked,
      ...auditMeasured,
      view: z.enum(['committed', 'uncommitted']),
      records: z.array(recordSeen),
    }),
    z.looseObject({
      ...auditAsked,
      ...auditMeasured,
      view: z.literal('raw'),
      batches: z.array(rawBatch),
    }),
  ]),
);

const assign = named(
  'assign',
  z.looseObject({
    logs: z.array(logName),
    from: z.union([z.literal('beginning'), z.literal('end'), offsetsOfLogs]),
    isolation: z.enum(['read_committed', 'read_uncommitted']).optional(),
    stable: z.boolean().optional(),
  }),
);
const subscribe = named(
  'subscribe',
  z.looseObject({
    group: z.string(),
    topics: z.array(topicName),
    isolation: z.enum(['read_committed', 'read_uncommitted']).optional(),
    stable: z.boolean().optional(),
  }),
);
const commit = named(
  'commit',
  z.looseObject({
    group: z.string(),
    offsets: offsetsOfLogs,
    generation: idOrNone.optional(),
    member: z.string().optional(),
  }),
);
const state = z.looseObject({ input: z.string(), store: z.string() });
const empty = z.looseObject({});

/** The values of one f: as invoked, as completed with ok, and as listed with fail or info. */
export interface ValueShapes {
  readonly invoke: z.ZodType;
  readonly ok: z.ZodType;
  readonly partial: z.ZodType;
}

function shapes(invoke: z.ZodType, ok: z.ZodType = invoke): ValueShapes {
  const partial = invoke === ok ? invoke : z.union([ok, invoke]);
  return { invoke, ok, partial: partial.nullish() };
}

function microShapes(
  invoke: readonly z.ZodType[],
  ok: readonly z.ZodType[],
  partial: readonly z.ZodType[],
): ValueShapes {
  return {
    invoke: z.array(z.union(invoke)),
    ok: z.array(z.union(ok)),
    partial: z.array(z.union(partial)).nullish(),
  };
}

/** What each f of a client holds. */
export const clientValues: Readonly<Record<ClientFunction, ValueShapes>> = {
  send: microShapes([sendInvoked], [sendCompleted], [sendLearned]),
  poll: microShapes([pollInvoked], [pollCompleted], [pollLearned]),
  txn: microShapes(
    [sendInvoked, pollInvoked, offsets],
    [sendCompleted, pollCompleted, offsets],
    [sendLearned, pollLearned, offsets],
  ),
  init: shapes(
    z.looseObject({ id: z.string() }),
    z.looseObject({ id: z.string(), producerId: idOrNone, epoch: idOrNone }),
  ),
  assign: shapes(assign),
  subscribe: shapes(subscribe),
  close: shapes(empty),
  commit: shapes(commit),
  committed: shapes(
    z.looseObject({ group: z.string(), logs: z.array(logName) }),
    z.looseObject({ group: z.string(), offsets: offsetsOfLogs }),
  ),
  audit: shapes(auditInvoked, auditCompleted),
  state: shapes(
    state,
    state.extend({ position: natural, entries: z.array(z.tuple([scalar, scalar])) }),
  ),
};

const evidence = z.looseObject({ tookEffect: z.union([z.boolean(), z.literal('unknown')]) });
const plan = z.looseObject({});
/** A fault, and the heal that undoes it. */
export const nemesisValues = {
  fault: z.looseObject({
    fault: z.string(),
    targets: words,
    plan,
    evidence: evidence.optional(),
  }),
  heal: z.looseObject({ fault: z.string(), evidence: evidence.optional() }),
};

/** Observations that the format gives a meaning; any other is free. */
export const observationValues: Readonly<Record<string, z.ZodType>> = {
  attempt: z.array(z.union([sendInvoked, offsets, commitMark])),
  rebalance: z.looseObject({
    generation: idOrNone.optional(),
    member: z.string().optional(),
    assigned: z.array(logName).optional(),
    revoked: z.array(logName).optional(),
    lost: z.array(logName).optional(),
  }),
  partitions: z.looseObject({ topic: topicName, count: natural }),
};

const clientProcess = natural;
const nemesisProcess = z.string().regex(/^nemesis:/, 'expected "nemesis:<name>"');
const anyProcess = z.union([clientProcess, z.string().min(1)]);

/** The fields of an event other than process, type, f and value. */
const envelope = {
  index: natural,
  time: natural,
  session: z.string().optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
  txn: z
    .looseObject({
      id: z.string().optional(),
      producerId: idOrNone.optional(),
      epoch: idOrNone.optional(),
    })
    .optional(),
  origin: natural.optional(),
};

function clientLines(): z.ZodType[] {
  return clientFunctions.flatMap((f) => {
    const { invoke, ok, partial } = clientValues[f];
    const common = { ...envelope, process: clientProcess, f: z.literal(f) };
    return [
      z.looseObject({ ...common, type: z.literal('invoke'), value: invoke }),
      z.looseObject({ ...common, type: z.literal('ok'), value: ok }),
      z.looseObject({ ...common, type: z.enum(['fail', 'info']), value: partial }),
    ];
  });
}

function nemesisLines(): z.ZodType[] {
  const common = { ...envelope, process: nemesisProcess };
  const lines = (f: z.ZodType, value: z.ZodType): z.ZodType[] => [
    z.looseObject({ ...common, f, type: z.enum(['invoke', 'ok']), value }),
    z.looseObject({ ...common, f, type: z.enum(['fail', 'info']), value: value.nullish() }),
  ];
  return [
    ...lines(z.literal('heal'), nemesisValues.heal),
    ...lines(z.string().regex(/^(?!heal$)/), nemesisValues.fault),
  ];
}

function observationLines(): z.ZodType[] {
  const common = { ...envelope, type: z.literal('event') };
  const known = Object.entries(observationValues).map(([f, value]) =>
    z.looseObject({
      ...common,
      process: f === 'attempt' ? clientProcess : anyProcess,
      f: z.literal(f),
      value,
    }),
  );
  const names = Object.keys(observationValues).join('|');
  const free = z.string().regex(new RegExp(`^(?!(?:${names})$)`));
  return [
    ...known,
    z.looseObject({ ...common, process: anyProcess, f: free, value: z.unknown().optional() }),
  ];
}

/** Any line after the header. */
export const eventSchema = z.union([...clientLines(), ...nemesisLines(), ...observationLines()]);

const fold = z.looseObject({
  fold: z.enum(['count', 'sum', 'max']),
  mode: z.enum(['every', 'cached', 'final', 'revisions']).optional(),
  windowMs: natural.optional(),
  graceMs: natural.optional(),
  task: z.enum(['partition', 'topic']).optional(),
});
const transform = named(
  'transform',
  z.looseObject({
    group: z.string(),
    input: topicName,
    output: topicName,
    owes: z.union([z.literal('one-to-one'), z.literal('filter'), fold]),
  }),
);
const topic = z.looseObject({
  partitions: natural.optional(),
  cleanup: z.string().optional(),
  writers: z.enum(['recorded', 'external']).optional(),
});

/** The first line. */
export const headerSchema = z.looseObject({
  ordeal: z.literal(1),
  run: z.string().optional(),
  started: z.string().optional(),
  seed: z.string().optional(),
  system: z.looseObject({ name: z.string(), version: z.string().optional() }).optional(),
  claims: z.array(z.enum(knownClaims)).optional(),
  faults: words.optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  topics: mapOf(topicName, topic).optional(),
  clock: z.looseObject({ errorNs: natural.optional() }).optional(),
  recoveryMs: natural.optional(),
  transforms: z.array(transform).optional(),
});

/** The JSON Schema of one line of a history: a header or an event. */
export function historyJsonSchema(): object {
  const line = z.union([named('header', headerSchema), named('event', eventSchema)]).meta({
    title: 'Ordeal history, format 1: one line',
    description:
      'Line 1 is the header, every other line an event. Rules between lines are in docs/history-format.md.',
  });
  return z.toJSONSchema(line);
}
