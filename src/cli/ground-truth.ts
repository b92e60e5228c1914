/**
 * Compares a verdict with what the model itself knows: what its brokers' logs hold at the end, and what its brokers have
 * acknowledged, which no checker ever sees. What clients were told and shown comes from the events; a client that was told
 * of a success which no broker gave is a contradiction of its own. Of four anomalies that is the whole truth: lost-write,
 * truncated-read, duplicate and inconsistent-offsets.
 */
import type { GroundTruth, TrueRecord } from '../clusters/simulated/index.ts';
import type { Header, HistoryEvent, LogName, Scalar } from '../history/event.ts';
import type { AnomalyName, ResultDocument } from '../spi/verdict.ts';

/** Of each anomaly how many there are, by the model. */
export type TrueCounts = Readonly<Partial<Record<AnomalyName, number>>>;

export interface Comparison {
  /** Null while some log has no leader whose log could be the truth, or where logs are compacted: then nothing was compared. */
  readonly counts: TrueCounts | null;
  /**
   * Where the verdict says what the model knows to be otherwise, one sentence each: found where there is none, absent where
   * there is one, or counted wrong. What is unknown or was not exercised says nothing, so it contradicts nothing.
   */
  readonly disagreements: readonly string[];
}

export function compareWithModel(
  truth: GroundTruth,
  header: Header,
  events: readonly HistoryEvent[],
  document: ResultDocument,
): Comparison {
  const facts = factsOf(header, events);
  const invented = header.config?.['acks'] === '0' ? [] : inventedAcknowledgements(truth, facts);
  const counts = isCompacted(header) ? null : countTruth(truth, facts, chosenByClient(events));
  if (counts === null) return { counts, disagreements: invented };
  const contradicted = Object.entries(counts).flatMap(([name, count]) => {
    const { outcome, count: found } = document.anomalies[name as AnomalyName];
    if (outcome === 'found' && found !== count) {
      return [`${name}: ${found} found, and by the model there are ${count}`];
    }
    return outcome === 'absent' && count > 0
      ? [`${name}: called absent, and by the model there are ${count}`]
      : [];
  });
  return { counts, disagreements: [...invented, ...contradicted] };
}

/** What the cleaner has removed is gone from the truth too. */
function isCompacted({ topics }: Header): boolean {
  return Object.values(topics ?? {}).some(({ cleanup }) => cleanup === 'compact');
}

function inventedAcknowledgements(
  truth: GroundTruth,
  facts: ReadonlyMap<LogName, LogFacts>,
): readonly string[] {
  return [...facts].flatMap(([log, { acknowledged }]) => {
    const given = truth.acknowledged(log);
    return [...acknowledged]
      .filter((value) => !given.has(value))
      .map((value) => `${value} was recorded as acknowledged in ${log}, and no broker did that`);
  });
}

interface LogFacts {
  /** Values, as JSON text, that were acknowledged, and those that were acknowledged or shown by a poll. */
  readonly acknowledged: Set<string>;
  readonly owed: Set<string>;
  /** What polls showed: by value, at which offsets. */
  readonly shown: Map<string, Set<number>>;
  /** Values by offset that clients were told or shown. */
  readonly told: Map<number, Set<string>>;
  /** The highest end that a scan measured, null without one: what was appended later is nobody's business. */
  auditedEnd: number | null;
}

function countTruth(
  truth: GroundTruth,
  facts: ReadonlyMap<LogName, LogFacts>,
  chosen: ReadonlySet<string>,
): TrueCounts | null {
  const audited = new Map<LogName, readonly TrueRecord[]>();
  let lost = 0;
  let truncated = 0;
  let conflicts = 0;
  for (const [name, { owed, shown, told, auditedEnd }] of facts) {
    const records = truth.log(name);
    if (records === null) return null;
    // The whole log counts, also what lies beyond the audit: an audit that ended too early must not be believed.
    const held = new Set(records.map(({ value }) => value));
    const places = new Set(records.map(({ offset, value }) => placeOf(offset, value)));
    lost += [...owed].filter((value) => !held.has(value)).length;
    truncated += [...shown].filter(([value, offsets]) =>
      [...offsets].some((offset) => !places.has(placeOf(offset, value))),
    ).length;
    const below = records.filter(({ offset }) => offset < (auditedEnd ?? Infinity));
    audited.set(name, below);
    for (const { offset, value } of below) told.get(offset)?.add(value);
    conflicts += [...told.values()].filter((values) => values.size > 1).length;
  }
  return {
    'lost-write': lost,
    'truncated-read': truncated,
    'inconsistent-offsets': conflicts,
    duplicate: surplusCopies(audited, chosen),
  };
}

function factsOf(header: Header, events: readonly HistoryEvent[]): ReadonlyMap<LogName, LogFacts> {
  const facts = new Map<LogName, LogFacts>();
  for (const [topic, { partitions = 0 }] of Object.entries(header.topics ?? {})) {
    for (let partition = 0; partition < partitions; partition++) {
      facts.set(`${topic}/${partition}`, {
        acknowledged: new Set(),
        owed: new Set(),
        shown: new Map(),
        told: new Map(),
        auditedEnd: null,
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
    facts.get(log)?.acknowledged.add(text);
    facts.get(log)?.owed.add(text);
    if (offset !== null) note(facts, log, offset, text);
  }
}

function notePolls(facts: ReadonlyMap<LogName, LogFacts>, polls: readonly PollDone[]): void {
  for (const [, byLog] of polls) {
    for (const [log, records] of Object.entries(byLog)) {
      for (const [offset, value] of records) {
        const text = JSON.stringify(value);
        noteShown(facts.get(log), offset, text);
        facts.get(log)?.owed.add(text);
        note(facts, log, offset, text);
      }
    }
  }
}

function placeOf(offset: number, value: string): string {
  return `${offset} ${value}`;
}

function noteShown(facts: LogFacts | undefined, offset: number, value: string): void {
  const offsets = facts?.shown.get(value);
  if (offsets === undefined) facts?.shown.set(value, new Set([offset]));
  else offsets.add(offset);
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
  if (fact === undefined || view === 'raw' || from > 0) return;
  // A late retry may come between two scans: the one that saw it counts.
  fact.auditedEnd = Math.max(fact.auditedEnd ?? 0, end);
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
