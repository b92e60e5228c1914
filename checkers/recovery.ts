/**
 * not-recovered: after the last heal, something that was attempted did not come back to work.
 *
 * A system that tolerates faults serves again once they are gone. When every fault is proved healed and the history
 * reaches the header's `recoveryMs` past the last heal, a log, group or transactional id is not recovered if it was
 * attempted in that time and nothing of it was acknowledged; or if nothing that was acknowledged after the heal on a
 * log was returned by a read-committed reader or scan, though attempts to read it went on for `recoveryMs` after the
 * acknowledgement. Nothing permits it. Smallest history: kill, heal, and sends to t/0 that all time out for `recoveryMs`.
 *
 * An obligation is each log, group and id attempted after the last heal; what discharges it is an acknowledgement, and a
 * read of what was acknowledged. It stays open if the history ends sooner or a heal is not proved. No fault, no
 * obligation. It cannot see a system that is slow but alive. Cost: linear.
 */
import type { History } from '../src/history/columns.ts';
import type { Checker, CheckLimits } from '../src/spi/checker.ts';
import type { AnomalyResult, Witness } from '../src/spi/verdict.ts';
import { faultsOf, type Fault } from './facts/faults.ts';
import { collectFindings } from './facts/findings.ts';
import { indexOf } from './facts/precedence.ts';
import { subjectsAfter, type Subject } from './facts/recovery-subjects.ts';

export const recoveryChecker: Checker = {
  name: 'recovery',
  anomalies: ['not-recovered'],
  check: (history, limits) => ({ 'not-recovered': judgeRecovery(history, limits) }),
};

const nsPerMs = 1_000_000;

function judgeRecovery(history: History, limits: CheckLimits): AnomalyResult {
  const faults = faultsOf(history);
  const findings = collectFindings(limits);
  if (faults.length === 0) return findings.result(null);
  const standing = faults.filter(({ healed }) => healed === null);
  const heal = lastHeal(faults);
  const subjects = subjectsAfter(history, heal === null ? 0 : heal.timeNs);
  findings.arose(subjects.length);
  if (heal === null || standing.length > 0) {
    const names = standing.map(({ id, kind }) => `${kind} ${id}`);
    // Whatever was attempted: a fault that still stands leaves recovery itself open.
    if (subjects.length === 0) findings.arose(1);
    findings.open(
      () =>
        `no heal proves that ${listSome(names)} ${names.length === 1 ? 'was' : 'were'} undone; ` +
        'a heal whose evidence says tookEffect true would decide it',
    );
    return findings.result(null);
  }
  const recoveryNs = (history.header.recoveryMs ?? Infinity) * nsPerMs;
  for (const subject of subjects) {
    const failure = failureOf(history, subject, heal.timeNs, recoveryNs);
    if (failure === 'recovered') continue;
    if (failure === 'open') findings.open(() => whyOpen(history, subject));
    else {
      findings.found(indexOf(history, subject.attempts.last), 1, () =>
        witnessOf(history, subject, heal, failure),
      );
    }
  }
  return findings.result(null);
}

type Failure = 'recovered' | 'open' | 'nothing acknowledged' | 'nothing read';

function failureOf(
  history: History,
  subject: Subject,
  healNs: number,
  recoveryNs: number,
): Failure {
  const { attempts, acknowledged } = subject;
  const deadlineNs = healNs + recoveryNs;
  const { invNs } = history.ops;
  const inTime = invNs[attempts.first]! <= deadlineNs;
  const acknowledgedInTime = acknowledged !== null && invNs[acknowledged]! <= deadlineNs;
  if (inTime && !acknowledgedInTime && history.lastTimeNs >= deadlineNs) {
    return 'nothing acknowledged';
  }
  if (acknowledged === null) return 'open';
  if (subject.read) return 'recovered';
  const readUntilNs = subject.lastReadAttempt < 0 ? -Infinity : invNs[subject.lastReadAttempt]!;
  return readUntilNs >= history.ops.endNs[acknowledged]! + recoveryNs ? 'nothing read' : 'open';
}

function lastHeal(faults: readonly Fault[]): Fault['healed'] {
  let last: Fault['healed'] = null;
  for (const { healed } of faults) {
    if (healed !== null && (last === null || healed.timeNs > last.timeNs)) last = healed;
  }
  return last;
}

function whyOpen(history: History, { name, acknowledged }: Subject): string {
  const { recoveryMs } = history.header;
  if (acknowledged !== null) {
    return `${name}: what was acknowledged after the last heal was never read; a poll or scan of it would decide it`;
  }
  return recoveryMs === undefined
    ? `${name}: nothing was acknowledged after the last heal, and the header sets no recoveryMs`
    : `${name}: nothing was acknowledged after the last heal, and the history ends less than ${recoveryMs} ms after it`;
}

function witnessOf(
  history: History,
  subject: Subject,
  heal: NonNullable<Fault['healed']>,
  failure: 'nothing acknowledged' | 'nothing read',
): Witness {
  const { attempts, acknowledged, name, count, lastReadAttempt } = subject;
  const since = (ns: number): string => `${Math.round((ns - heal.timeNs) / nsPerMs)} ms`;
  const limitMs = history.header.recoveryMs;
  const { invNs, endNs } = history.ops;
  const named = (ops: readonly number[]): readonly number[] =>
    [...new Set([heal.index, ...ops.map((op) => indexOf(history, op))])].sort((a, b) => a - b);
  const subjectOf = subject.log === null ? {} : { log: subject.log };
  if (failure === 'nothing acknowledged' || acknowledged === null) {
    return {
      operations: named([attempts.first, attempts.last]),
      ...subjectOf,
      layer: 'unknown',
      subject: name,
      explanation:
        `Every fault was proved healed by event ${heal.index}. From then on ${name} was attempted ${count} ` +
        `${count === 1 ? 'time' : 'times'} (first ${since(invNs[attempts.first]!)}, last ` +
        `${since(invNs[attempts.last]!)} after the heal), and none of those begun within the ${limitMs} ms ` +
        'allowed for recovery was acknowledged.',
    };
  }
  return {
    operations: named([acknowledged, lastReadAttempt]),
    ...subjectOf,
    layer: 'unknown',
    subject: name,
    explanation:
      `${name} acknowledged a write ${since(endNs[acknowledged]!)} after the last heal (event ${heal.index}). ` +
      `Reads went on until ${since(invNs[lastReadAttempt]!)} after the heal, longer than the ${limitMs} ms allowed, ` +
      'and none of them returned anything that was acknowledged after the heal.',
  };
}

function listSome(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
