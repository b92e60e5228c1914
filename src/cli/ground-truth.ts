/**
 * Compares a verdict with what the model itself knows. What clients were told and shown comes from the events; what the
 * logs hold at the end comes from the model's own brokers, which no checker ever sees. Of four anomalies that is the whole
 * truth: lost-write, truncated-read, duplicate and inconsistent-offsets.
 */
import type { GroundTruth, TrueRecord } from '../clusters/simulated/index.ts';
import type { Header, HistoryEvent, LogName, Scalar } from '../history/event.ts';
import type { AnomalyName, ResultDocument } from '../spi/verdict.ts';

/** Of each anomaly how many there are, by the model. */
type TrueCounts = Readonly<Partial<Record<AnomalyName, number>>>;

/**
 * Where the verdict says what the model knows to be otherwise, one sentence each: found where there is none, absent where
 * there is one, or counted wrong. What is unknown or was not exercised says nothing, so it contradicts nothing.
 */
export function disagreements(
  truth: GroundTruth,
  header: Header,
  events: readonly HistoryEvent[],
  document: ResultDocument,
): readonly string[] {
  const counts = countTruth(truth, header, events);
  if (counts === null) return [];
  return Object.entries(counts).flatMap(([name, count]) => {
    const { outcome, count: found } = document.anomalies[name as AnomalyName];
    if (outcome === 'found' && found !== count) {
      return [`${name}: ${found} found, and by the model there are ${count}`];
    }
    return outcome === 'absent' && count > 0
      ? [`${name}: called absent, and by the model there are ${count}`]
      : [];
  });
}

interface LogFacts {
  /** Values that were acknowledged, or shown by a poll, as JSON text. */
  readonly owed: Set<string>;
  readonly shown: Set<string>;
  /** Values by offset that clients were told or shown. */
  readonly told: Map<number, Set<string>>;
  /** The end that the audit measured: what was appended later is nobody's business. */
  auditedEnd: number;
}

/** Null while some log has no leader whose log could be the truth. */
function countTruth(
  truth: GroundTruth,
  header: Header,
  events: readonly HistoryEvent[],
): TrueCounts | null {
  const facts = factsOf(header, events);
  const logs = new Map<LogName, readonly TrueRecord[]>();
  for (const [name, { auditedEnd }] of facts) {
    const records = truth.log(name);
    if (records === null) return null;
    logs.set(
      name,
      records.filter(({ offset }) => offset < auditedEnd),
    );
  }
  let lost = 0;
  let truncated = 0;
  let conflicts = 0;
  for (const [name, { owed, shown, told }] of facts) {
    const records = logs.get(name) ?? [];
    const held = new Set(records.map(({ value }) => value));
    lost += [...owed].filter((value) => !held.has(value)).length;
    truncated += [...shown].filter((value) => !held.has(value)).length;
    for (const { offset, value } of records) told.get(offset)?.add(value);
    conflicts += [...told.values()].filter((values) => values.size > 1).length;
  }
  return {
    'lost-write': lost,
    'truncated-read': truncated,
    'inconsistent-offsets': conflicts,
    duplicate: surplusCopies(logs, chosenByClient(events)),
  };
}

function factsOf(header: Header, events: readonly HistoryEvent[]): ReadonlyMap<LogName, LogFacts> {
  const facts = new Map<LogName, LogFacts>();
  for (const [topic, { partitions = 0 }] of Object.entries(header.topics ?? {})) {
    for (let partition = 0; partition < partitions; partition++) {
      facts.set(`${topic}/${partition}`, {
        owed: new Set(),
        shown: new Set(),
        told: new Map(),
        auditedEnd: Infinity,
      });
    }
  }
  for (const event of events) {
    if (event.type !== 'ok') continue;
    if (event.f === 'send') noteSends(facts, event.value as readonly SendDone[]);
    else if (event.f === 'poll') notePolls(facts, event.value as readonly PollDone[]);
    else if (event.f === 'audit') noteAudit(facts, event.value as AuditDone);
  }
  return facts;
}

type SendDone = readonly ['send', LogName, readonly [number | null, Scalar]];
type PollDone = readonly [
  'poll',
  Readonly<Record<LogName, readonly (readonly [number, Scalar])[]>>,
];
interface AuditDone {
  readonly log: LogName;
  readonly view: string;
  readonly from: number;
  readonly end: number;
}

function noteSends(facts: ReadonlyMap<LogName, LogFacts>, sends: readonly SendDone[]): void {
  for (const [, log, [offset, value]] of sends) {
    const text = JSON.stringify(value);
    facts.get(log)?.owed.add(text);
    if (offset !== null) note(facts, log, offset, text);
  }
}

function notePolls(facts: ReadonlyMap<LogName, LogFacts>, polls: readonly PollDone[]): void {
  for (const [, byLog] of polls) {
    for (const [log, records] of Object.entries(byLog)) {
      for (const [offset, value] of records) {
        const text = JSON.stringify(value);
        facts.get(log)?.shown.add(text);
        facts.get(log)?.owed.add(text);
        note(facts, log, offset, text);
      }
    }
  }
}

function note(
  facts: ReadonlyMap<LogName, LogFacts>,
  log: LogName,
  offset: number,
  value: string,
): void {
  const told = facts.get(log)?.told;
  if (told === undefined) return;
  const known = told.get(offset);
  if (known === undefined) told.set(offset, new Set([value]));
  else known.add(value);
}

function noteAudit(
  facts: ReadonlyMap<LogName, LogFacts>,
  { log, view, from, end }: AuditDone,
): void {
  const fact = facts.get(log);
  if (fact !== undefined && view === 'committed' && from === 0) fact.auditedEnd = end;
}

/** Topics whose sends left the partition to the client: there one value in two partitions is a copy too. */
function chosenByClient(events: readonly HistoryEvent[]): ReadonlySet<string> {
  const topics = new Set<string>();
  for (const { type, f, value } of events) {
    if (type !== 'invoke' || f !== 'send') continue;
    for (const [, log] of value as readonly (readonly [string, LogName])[]) {
      if (!log.includes('/')) topics.add(log);
    }
  }
  return topics;
}

function surplusCopies(
  logs: ReadonlyMap<LogName, readonly TrueRecord[]>,
  chosen: ReadonlySet<string>,
): number {
  const copies = new Map<string, number>();
  for (const [name, records] of logs) {
    const topic = name.slice(0, name.lastIndexOf('/'));
    const place = chosen.has(topic) ? topic : name;
    for (const { value } of records) {
      const key = `${place} ${value}`;
      copies.set(key, (copies.get(key) ?? 0) + 1);
    }
  }
  return [...copies.values()].reduce((sum, count) => sum + count - 1, 0);
}
