/** The checks by hand accept just what the schema accepts: on well-formed events, and on events with one thing wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkEvent } from '../../../src/history/event-shape.ts';
import { Problem } from '../../../src/history/problem.ts';
import { eventSchema } from '../../../src/history/schema.ts';

const scalar = fc.oneof(fc.integer(), fc.string({ maxLength: 3 }), fc.boolean(), fc.constant(null));
const log = fc.constantFrom('t/0', 'orders/12', 'a-b/3');
const topic = fc.constantFrom('t', 'orders');
const offset = fc.nat();
const meta = fc.record(
  {
    key: scalar,
    from: fc.constant('in/0@5'),
    slot: fc.string(),
    amount: fc.integer(),
    timestamp: fc.nat(),
    hash: fc.string(),
    tombstone: fc.boolean(),
    result: scalar,
    window: fc.tuple(fc.nat(), fc.nat()),
    final: fc.boolean(),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const record = fc.oneof(fc.tuple(offset, scalar), fc.tuple(offset, scalar, meta));
const send = fc.constant('send' as const);
const sendInvoked = fc.oneof(
  fc.tuple(send, fc.oneof(log, topic), scalar),
  fc.tuple(send, log, scalar, meta),
);
const offsetAndValue = fc.tuple(fc.option(offset), scalar);
const sendCompleted = fc.oneof(
  fc.tuple(send, log, offsetAndValue),
  fc.tuple(send, log, offsetAndValue, meta),
);
const poll = fc.tuple(fc.constant('poll' as const));
const polled = fc.tuple(
  fc.constant('poll' as const),
  fc.dictionary(log, fc.array(record, { maxLength: 3 }), { maxKeys: 2 }),
);
const offsets = fc.tuple(
  fc.constant('offsets' as const),
  fc.string(),
  fc.dictionary(log, offset, { maxKeys: 2 }),
);
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 });

const auditAsked = {
  log,
  from: offset,
  scan: fc.string(),
  replica: fc.option(fc.nat()),
};
const auditRead = {
  ...auditAsked,
  next: offset,
  start: offset,
  end: offset,
  lastStable: fc.option(offset),
  leaderEpoch: fc.option(fc.integer({ min: -1 })),
  linearizable: fc.boolean(),
};
const batch = fc.record({
  base: offset,
  last: offset,
  leaderEpoch: fc.integer({ min: -1 }),
  producerId: fc.integer({ min: -1 }),
  epoch: fc.integer({ min: -1 }),
  sequence: fc.integer({ min: -1 }),
  transactional: fc.boolean(),
  control: fc.constantFrom(null, 'commit', 'abort'),
});
const audit = fc.oneof(
  fc.record({
    ...auditRead,
    view: fc.constantFrom('committed', 'uncommitted'),
    records: list(record),
  }),
  fc.record({ ...auditRead, view: fc.constant('raw'), batches: list(batch) }),
);
const auditInvoked = fc.record({
  ...auditAsked,
  view: fc.constantFrom('committed', 'uncommitted', 'raw'),
});

/** f, type and value that belong together, of the kinds that are checked by hand. */
const matter = fc.oneof(
  operation('send', list(sendInvoked), list(sendCompleted)),
  operation('poll', list(poll), list(polled)),
  operation(
    'txn',
    list(fc.oneof(sendInvoked, poll, offsets)),
    list(fc.oneof(sendCompleted, polled, offsets)),
  ),
  operation('audit', auditInvoked, audit),
  fc.record({
    f: fc.constant('attempt'),
    type: fc.constant('event'),
    value: list(fc.oneof(sendInvoked, offsets, fc.constant(['commit']))),
  }),
  fc.record({ f: fc.string(), type: fc.constant('event'), value: fc.jsonValue() }),
);

function operation(
  f: string,
  invoked: fc.Arbitrary<unknown>,
  completed: fc.Arbitrary<unknown>,
): fc.Arbitrary<object> {
  const name = fc.constant(f);
  return fc.oneof(
    fc.record({ f: name, type: fc.constant('invoke'), value: invoked }),
    fc.record({ f: name, type: fc.constant('ok'), value: completed }),
    fc.record(
      { f: name, type: fc.constantFrom('fail', 'info'), value: fc.oneof(invoked, completed) },
      { requiredKeys: ['f', 'type'] },
    ),
  );
}

const envelope = fc.record(
  {
    index: fc.nat(),
    time: fc.nat(),
    process: fc.nat(),
    session: fc.string(),
    error: fc.record({ code: fc.string(), message: fc.string() }),
    txn: fc.record(
      { id: fc.string(), producerId: fc.nat(), epoch: fc.nat() },
      { requiredKeys: [] },
    ),
    origin: fc.nat(),
    note: fc.jsonValue(),
  },
  { requiredKeys: ['index', 'time', 'process'] },
);
const event = fc.tuple(envelope, matter).map(([outside, inside]) => ({ ...outside, ...inside }));

/** What may be put in a wrong place. */
const intruder = fc.oneof(
  fc.constantFrom<unknown>(-1, 0.5, 2 ** 53, 'send', 'poll', 'offsets', 'commit', 'event', 'ok'),
  fc.constantFrom<unknown>('t', 't/00', 't/0', '', null, true, [], {}, ['poll'], 'raw', 'info'),
  fc.jsonValue(),
);

type Change =
  | { readonly kind: 'replace'; readonly with: unknown }
  | { readonly kind: 'remove' }
  | { readonly kind: 'add'; readonly key: string; readonly value: unknown };
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), with: intruder }),
  fc.record({ kind: fc.constant('remove' as const) }),
  fc.record({
    kind: fc.constant('add' as const),
    key: fc.constantFrom('__proto__', 'constructor', 'key', 't/7', 'x'),
    value: intruder,
  }),
);

/** Changes one node of a JSON tree, chosen by walking down `path`. */
function changed(tree: unknown, path: readonly number[], what: Change): unknown {
  if (typeof tree !== 'object' || tree === null || path.length === 0) {
    return what.kind === 'replace' ? what.with : tree;
  }
  const keys = Object.keys(tree);
  if (what.kind === 'add' && path.length === 1 && !Array.isArray(tree)) {
    const added = JSON.parse(JSON.stringify(tree)) as object;
    const property = { value: what.value, enumerable: true, configurable: true, writable: true };
    return Object.defineProperty(added, what.key, property);
  }
  if (keys.length === 0) return tree;
  const key = keys[path[0]! % keys.length]!;
  const child: unknown = (tree as Record<string, unknown>)[key];
  const entries = Object.entries(tree).flatMap(([name, value]): [string, unknown][] => {
    if (name !== key) return [[name, value]];
    if (what.kind === 'remove' && (path.length === 1 || typeof child !== 'object')) return [];
    return [[name, changed(child, path.slice(1), what)]];
  });
  return Array.isArray(tree) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

function byHand(line: unknown): boolean {
  try {
    checkEvent(line);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

test('on well-formed events', () => {
  fc.assert(
    fc.property(event, (line) => {
      expect(eventSchema.safeParse(line).success).toBe(true);
      expect(byHand(line)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('on events with one or two things changed', () => {
  let refused = 0;
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(
      event,
      fc.array(fc.tuple(path, change), { minLength: 1, maxLength: 2 }),
      (line, changes) => {
        let mutant: unknown = line;
        for (const [where, what] of changes) mutant = changed(mutant, where, what);
        const expected = eventSchema.safeParse(mutant).success;
        if (!expected) refused++;
        expect(byHand(mutant)).toBe(expected);
      },
    ),
    { numRuns: 4_000 },
  );
  // The property would hold of nothing if all mutants, or none, were well-formed.
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(3_900);
});
