/**
 * commit-regression and group-skip: where a member of a consumer group begins to read a log that it was assigned.
 *
 * A member goes on from the offset that the group committed, so the first record after an assignment must lie between the
 * least and the greatest of the offsets that may be committed by then (group-offsets.ts). commit-regression: it lies below
 * every one of them, so the group's place went backwards and what was processed is processed again. group-skip: a visible
 * offset (poll-skip's word) at or above every one of them lies below it, so a record is never processed; with no possible
 * commit the bound is the log start. group-skip with no commit before it is permitted by auto.offset.reset latest. Smallest
 * histories: a member commits 2 for t/0; the next one, assigned t/0, first reads offset 0, or first reads offset 3 though
 * offset 2 holds a record.
 *
 * An obligation of either is each log that a rebalance assigned and of which its member then returned a record. Where the first
 * record is not known for certain (it came in a poll during which the assignment changed, or after an operation that was not ok)
 * nothing is found, and the obligation is open if what was seen first lies out of bounds. It is open, too, where the process
 * never subscribed, and, of group-skip, where no complete scan covers the gap. The counts are of assignments and of skipped offsets. It cannot see commits that nobody recorded, nor what an assignment
 * skipped of which no record came. On compacted logs nothing is skipped. Cost: linear in reads, and for each assignment in the
 * commits of its group and log.
 */
import type { History, LogColumns } from '../src/history/columns.ts';
import type { Checker } from '../src/spi/checker.ts';
import type { Witness } from '../src/spi/verdict.ts';
import { assignmentEpochs } from './facts/epochs.ts';
import { collectFindings, type Findings } from './facts/findings.ts';
import { groupMembers, type Rebalance } from './facts/group-members.ts';
import {
  groupCommits,
  possibleOffsets,
  type GroupCommit,
  type PossibleOffsets,
} from './facts/group-offsets.ts';
import { layerOfDelivery } from './facts/layer.ts';
import { permittedBy } from './facts/permission.ts';
import { indexOf, isAcknowledged } from './facts/precedence.ts';
import { recordsOf } from './facts/records.ts';
import { gapJudge, type Gap, type GapVerdict } from './facts/visibility.ts';
import { showEnd, showProcess, showRecord, showTime } from './facts/witness-text.ts';

export const groupStartChecker: Checker = {
  name: 'group-start',
  anomalies: ['commit-regression', 'group-skip'],
  check: (history, limits) => {
    const regression = collectFindings(limits);
    const skip = collectFindings(limits);
    let forbidden = false;
    for (const log of history.logs) {
      const judgeGap = gapJudge(history, log);
      for (const start of startsOf(history, log)) {
        regression.arose(1);
        skip.arose(1);
        if (start.rebalance.subscription === null) {
          const why = (): string => whyUnknown(log, start.rebalance);
          regression.open(why);
          skip.open(why);
          continue;
        }
        const seen = start.seen.map((each) => judgeStart(history, log, start.rebalance, each));
        noteRegression(history, log, seen, regression);
        if (noteSkip(history, log, seen, judgeGap, skip)) forbidden = true;
      }
    }
    const permitted = forbidden ? null : permittedBy(history, 'group-skip');
    return {
      'commit-regression': regression.result(null),
      'group-skip': skip.result(permitted),
    };
  },
};

/** An assignment of the log to a member that then read of it. */
interface Start {
  readonly rebalance: Rebalance;
  /** One first record; two where the first came in a poll during which the assignment changed, and others after it. */
  readonly seen: FirstRecord[];
}

interface FirstRecord {
  /** Row of `log.reads`: of its operation's records the one at the lowest offset. */
  row: number;
  /** The record is of this assignment. */
  readonly own: boolean;
  /** Nothing of this assignment can have been returned before. */
  readonly first: boolean;
}

function startsOf(history: History, log: LogColumns): readonly Start[] {
  const byIndex = new Map(
    groupMembers(history).rebalances.map((rebalance) => [rebalance.event.index, rebalance]),
  );
  if (byIndex.size === 0) return [];
  const { epochs, epochOf } = assignmentEpochs(history)[log.id]!;
  const starts = new Map<number, Start>();
  for (let row = 0; row < log.reads.count; row++) {
    const epoch = epochs[epochOf[row]!]!;
    const rebalance = byIndex.get(epoch.assignedIndex);
    if (rebalance === undefined) continue;
    const start = starts.get(epoch.assignedIndex) ?? { rebalance, seen: [] };
    starts.set(epoch.assignedIndex, start);
    const known = epoch.openedIndex === epoch.assignedIndex;
    const last = start.seen.at(-1);
    if (last === undefined) start.seen.push({ row, own: known, first: known });
    else if (log.reads.op[last.row] === log.reads.op[row]) {
      // Within one poll the lowest offset counts: what came out of order was not skipped.
      if (log.reads.offset[row]! < log.reads.offset[last.row]!) last.row = row;
    } else if (known && !last.own) start.seen.push({ row, own: true, first: false });
  }
  return [...starts.values()];
}

interface JudgedStart extends FirstRecord {
  readonly rebalance: Rebalance;
  readonly offset: number;
  readonly op: number;
  readonly possible: PossibleOffsets;
}

function judgeStart(
  history: History,
  log: LogColumns,
  rebalance: Rebalance,
  seen: FirstRecord,
): JudgedStart {
  const { event, process, subscription } = rebalance;
  const { group, stable } = subscription!;
  const possible = possibleOffsets(
    history,
    groupCommits(history, group, log.name),
    { ns: event.time, index: event.index, process },
    stable,
  );
  const { offset, op } = log.reads;
  return { ...seen, rebalance, offset: offset[seen.row]!, op: op[seen.row]!, possible };
}

/** What is not certain to be of the assignment may lie where it likes: then a low record proves nothing, and decides nothing. */
function noteRegression(
  history: History,
  log: LogColumns,
  seen: readonly JudgedStart[],
  findings: Findings,
): void {
  const low = seen.filter(
    ({ possible, offset }) =>
      !possible.none && possible.least !== null && offset < possible.least.next,
  );
  const proof = low.find(({ own }) => own);
  if (proof !== undefined) {
    findings.found(indexOf(history, proof.op), 1, () => regressionWitness(history, log, proof));
  } else if (low.length > 0) findings.open(() => whyUnknown(log, low[0]!.rebalance));
}

function regressionWitness(history: History, log: LogColumns, start: JudgedStart): Witness {
  const { possible, offset, op, row, rebalance } = start;
  const least = possible.least!;
  return {
    operations: sorted(history, [least.op, op]),
    events: [rebalance.event.index],
    log: log.name,
    offset,
    value: history.values[log.reads.value[row]!]!,
    committed: least.next,
    layer: 'unknown',
    explanation:
      `${assignedText(start, log)} first read ${firstText(history, log, start)}. Yet the least offset that the group may ` +
      `have committed by then is ${least.next}: ${commitText(history, least)}. Every acknowledged commit that no later one ` +
      'replaced, and every uncertain or concurrent one, is at least that.',
  };
}

/** True where something was skipped and no setting permits it. */
function noteSkip(
  history: History,
  log: LogColumns,
  seen: readonly JudgedStart[],
  judgeGap: (gap: Gap) => GapVerdict,
  findings: Findings,
): boolean {
  let why: (() => string) | null = null;
  for (const start of seen) {
    const { possible, offset, op, first } = start;
    const after = (possible.greatest?.next ?? 0) - 1;
    if (offset <= after + 1) continue;
    const gap = { after, before: offset, op };
    const verdict = judgeGap(gap);
    if (verdict.skipped > 0 && first) {
      findings.found(indexOf(history, op), verdict.skipped, () =>
        skipWitness(history, log, start, verdict),
      );
      return !possible.none || permittedBy(history, 'group-skip') === null;
    }
    if (verdict.skipped > 0) why ??= () => whyUnknown(log, start.rebalance);
    else if (verdict.open !== null) why ??= () => whyOpen(log, start, gap, verdict);
  }
  if (why !== null) findings.open(why);
  return false;
}

function skipWitness(
  history: History,
  log: LogColumns,
  start: JudgedStart,
  { skipped, placement }: GapVerdict,
): Witness {
  const { possible, op } = start;
  const records = recordsOf(history)[log.id]!;
  const record = records.recordOf[placement]!;
  const writer = records.writerOp[record]!;
  const sight = records.sightOp[placement]!;
  const acknowledged = writer >= 0 && isAcknowledged(history, writer);
  const proofOp = acknowledged || sight < 0 ? writer : sight;
  const { greatest } = possible;
  const bound =
    greatest === null
      ? 'No commit of the group was possible by then, so it had to begin at the log start'
      : `The greatest offset that the group may have committed by then is ${greatest.next}: ${commitText(history, greatest)}`;
  const missing = showRecord(history, log, records.offset[placement]!, records.value[record]!);
  const proof =
    proofOp === sight
      ? `${showProcess(history, sight)} saw it ${showEnd(history, sight)}`
      : `it was acknowledged ${showEnd(history, writer)}`;
  const permitted = possible.none ? permittedBy(history, 'group-skip') : null;
  return {
    operations: sorted(history, [proofOp, op, ...(greatest === null ? [] : [greatest.op])]),
    events: [start.rebalance.event.index],
    log: log.name,
    offset: records.offset[placement]!,
    value: history.values[records.value[record]!]!,
    layer: layerOfDelivery(history, log, [records.offset[placement]!]),
    skipped,
    explanation:
      `${assignedText(start, log)} first read ${firstText(history, log, start)}. ${bound}. So it never read ` +
      `${skipped === 1 ? '' : `${skipped} records, the first of them `}${missing}: ${proof}, and no scan shows it lost.` +
      (permitted === null ? '' : ` ${permitted}=latest permits this.`),
  };
}

function whyUnknown(log: LogColumns, { event, subscription }: Rebalance): string {
  const what = `process ${event.process} was assigned ${log.name} by event ${event.index}`;
  return subscription === null
    ? `${what} and never subscribed: its group is not known`
    : `${what}, and which record it read first is not certain: the assignment changed during a poll, or an operation was not ok`;
}

function whyOpen(
  log: LogColumns,
  { rebalance }: JudgedStart,
  { after, before }: Gap,
  { open }: GapVerdict,
): string {
  const what = `process ${rebalance.event.process} began to read ${log.name} at offset ${before}, behind ${after + 1}`;
  return open === 'log start unknown'
    ? `${what}, and retention may have removed what was there; an audit of the log would decide it`
    : `${what}, and no scan covers the offsets between; a complete scan of the log would decide it`;
}

function assignedText({ rebalance }: JudgedStart, log: LogColumns): string {
  const { event, subscription, generation } = rebalance;
  const of = generation === null ? '' : ` in generation ${generation}`;
  return (
    `Process ${event.process} of group ${subscription!.group} was assigned ${log.name}${of} at ` +
    `${showTime(event.time)} (event ${event.index}), and`
  );
}

function firstText(history: History, log: LogColumns, { offset, row, op }: JudgedStart): string {
  return `${showRecord(history, log, offset, log.reads.value[row]!)}, ${showEnd(history, op)}`;
}

function commitText(history: History, { op, next, acknowledged }: GroupCommit): string {
  const what = `${showProcess(history, op)} committed ${next}`;
  return acknowledged
    ? `${what}, acknowledged ${showEnd(history, op)}`
    : `${what}, with uncertain outcome`;
}

function sorted(history: History, ops: readonly number[]): readonly number[] {
  return [...new Set(ops.map((op) => indexOf(history, op)))].sort((a, b) => a - b);
}
