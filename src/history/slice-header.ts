/**
 * The header of a slice. It loses topics that do not occur any more, and two promises that only the whole history could
 * decide: `transforms` of whose topics or group something was left out, and `recoveryMs` where what shows a recovery was.
 */
import type { Header } from './event.ts';
import { isNemesis } from './event-shape.ts';
import { sealHeader } from './header.ts';
import type { Closed } from './slice-closure.ts';
import { chunkOf, logsOf, statusOf } from './slice-index.ts';
import type { SliceIndex, SliceOperation, SliceRecord } from './slice-index.ts';
import { fieldsOf, textIn } from './slice-values.ts';

export function sliceHeader(index: SliceIndex, closed: Closed): Header {
  const { topics, config, recoveryMs, transforms, ...rest } = index.history.header;
  const occurring = topicsIn(index, closed);
  const whole = (transforms ?? []).filter((transform) => isWhole(index, closed, transform));
  return sealHeader({
    ...rest,
    ...(topics === undefined
      ? {}
      : { topics: Object.fromEntries(Object.entries(topics).filter(([t]) => occurring.has(t))) }),
    ...(recoveryMs === undefined || !showsRecovery(index, closed) ? {} : { recoveryMs }),
    ...(transforms === undefined ? {} : { transforms: whole }),
    ...(config === undefined ? {} : { config: { ...config } }),
  });
}

function topicsIn({ operations, records }: SliceIndex, closed: Closed): ReadonlySet<string> {
  const topics = new Set<string>();
  for (const { id, f, invoked, namedLogs, sent, sights } of operations) {
    if (closed.operations[id] === 0) continue;
    const audited = f === 'audit' ? [textIn(invoked.value, 'log') ?? ''] : [];
    for (const log of [...namedLogs, ...audited]) {
      if (closed.keepsLog(log)) topics.add(log.split('/')[0]!);
    }
    for (const record of [...sent, ...sights.map((sight) => sight.record)]) {
      if (closed.dropped[record] === 0) topics.add(records[record]!.topic);
    }
    if (f !== 'subscribe') continue;
    const named = fieldsOf(invoked.value).get('topics');
    for (const topic of Array.isArray(named) ? (named as readonly string[]) : []) topics.add(topic);
  }
  return topics;
}

/** Nothing of its group, input or output was left out. */
function isWhole(index: SliceIndex, closed: Closed, transform: unknown): boolean {
  const { operations, records } = index;
  const topics = ['input', 'output'].map((field) => textIn(transform, field));
  const group = textIn(transform, 'group');
  const concerns = (record: SliceRecord) => topics.includes(record.topic);
  if (records.some((record) => concerns(record) && closed.dropped[record.id] === 1)) return false;
  return operations.every(({ id, sent, sights, namedLogs, groups }) => {
    if (closed.operations[id] === 1) return true;
    return !(
      (group !== null && groups.includes(group)) ||
      namedLogs.some((log) => topics.includes(log.split('/')[0]!)) ||
      [...sent, ...sights.map(({ record }) => record)].some((record) => concerns(records[record]!))
    );
  });
}

/**
 * Whatever recovered in the whole history is seen to have recovered in the slice. Closures keep each fault and heal that
 * follows one that they keep, so the last heal is the same.
 */
function showsRecovery(index: SliceIndex, closed: Closed): boolean {
  const { operations, records } = index;
  const isKept = ({ id }: SliceOperation) => closed.operations[id] === 1;
  const nemeses = operations.filter((each) => isNemesis(each.process) && isKept(each));
  if (!nemeses.some(({ f }) => f !== 'heal')) return true;
  const heals = nemeses.filter(isProvedHeal);
  if (heals.length === 0) return true;
  const healNs = Math.max(...heals.map(({ completed }) => completed!.time));
  const late = records.filter(({ writer, timeNs }) => writer >= 0 && timeNs > healNs);
  const attempted = new Set(
    late
      .filter(({ id, writer }) => closed.operations[writer] === 1 && closed.dropped[id] === 0)
      .map(({ log }) => log),
  );
  const logsRecover = [...attempted].every((log) =>
    showsLogRecovery(
      index,
      closed,
      late.filter((record) => record.log === log),
    ),
  );
  return logsRecover && rareRecover(index, closed, healNs);
}

function isProvedHeal({ f, completed }: SliceOperation): boolean {
  if (f !== 'heal' || completed === null || completed.type === 'fail') return false;
  return fieldsOf(fieldsOf(completed.value).get('evidence')).get('tookEffect') === true;
}

/** @param late the records that were sent to one log after the last heal, in order */
function showsLogRecovery(
  { operations }: SliceIndex,
  closed: Closed,
  late: readonly SliceRecord[],
): boolean {
  const acknowledged = late.filter(({ writer }) => statusOf(operations[writer]!) === 'ok');
  const sights = acknowledged
    .flatMap(({ seen }) => seen)
    .filter(({ op }) => chunkOf(operations[op]!)?.view !== 'uncommitted');
  const isKept = ({ id, writer }: SliceRecord) =>
    closed.operations[writer] === 1 && closed.dropped[id] === 0;
  if (sights.length === 0) return acknowledged.slice(0, 1).every(isKept);
  return acknowledged.every(isKept) && sights.every(({ op }) => closed.operations[op] === 1);
}

/** Groups and transactional ids: all of what was tried after the heal is there, or nothing. */
function rareRecover(index: SliceIndex, closed: Closed, healNs: number): boolean {
  const { operations, records } = index;
  const whole = new Map<string, boolean>();
  const tried = new Set<string>();
  for (const operation of operations) {
    if (operation.invoked.time <= healNs) continue;
    const isKept = closed.operations[operation.id] === 1;
    const isShown = operation.sent.every(
      (record) =>
        closed.dropped[record] === 0 &&
        records[record]!.seen.every(({ op }) => closed.operations[op] === 1),
    );
    for (const subject of subjectsOf(operation)) {
      if (isKept) tried.add(subject);
      whole.set(subject, (whole.get(subject) ?? true) && isKept && isShown);
    }
  }
  return [...tried].every((subject) => whole.get(subject));
}

function subjectsOf({ f, groups, invoked, completed }: SliceOperation): readonly string[] {
  const id = f === 'init' ? textIn(invoked.value, 'id') : (invoked.txn?.id ?? completed?.txn?.id);
  const ids = (f === 'init' || f === 'txn') && typeof id === 'string' ? [`id ${id}`] : [];
  return [...groups.map((group) => `group ${group}`), ...ids];
}

/** Ids of the records that a restriction to some logs leaves out. */
export function recordsOutside(
  { records }: SliceIndex,
  logs: ReadonlySet<string>,
): readonly number[] {
  const topics = new Set([...logs].map((log) => log.split('/')[0]!));
  return records
    .filter((record) => {
      const places = logsOf(record);
      // One that was seen in another log too would seem to stand in one alone.
      return places.length === 0
        ? !topics.has(record.topic)
        : !places.every((log) => logs.has(log));
    })
    .map(({ id }) => id);
}
