/**
 * The groups workload: producers as in the log workload, and the members of one consumer group, which read by its assignment,
 * commit what they have read, ask for the group's offsets, and now and then leave or die and join again. Where each begins after
 * a rebalance is what the checkers of group delivery judge.
 */
import type { Random } from '../core/random.ts';
import type { LogName } from '../history/event.ts';
import type { NextOperation, WorkerScript, Workload } from '../spi/workload.ts';
import { logNames, producerScripts, topicSpecs } from './log.ts';

const groupName = 'readers';
const membersCount = 3;
const stepIntervalMs = 150;
/** Of a hundred steps: polls take what the others leave. */
const shares = { commit: 40, committed: 4, leave: 1, crash: 1 } as const;

export const groupsWorkload: Workload = {
  name: 'groups',
  summary: 'Sends of unique values, and members of a consumer group that commit what they read.',
  topics: topicSpecs,
  groups: [groupName],
  workers: (options, random) => {
    const names = logNames(options);
    const members = Array.from({ length: membersCount }, (_, member) =>
      memberScript(names, (member * stepIntervalMs) / membersCount, random(`member-${member}`)),
    );
    return [...producerScripts(options, random), ...members];
  },
};

function memberScript(logs: readonly LogName[], firstMs: number, random: Random): WorkerScript {
  let dueMs = firstMs;
  const next = (nowMs: number): NextOperation => {
    if (dueMs > nowMs) return { do: 'wait', untilMs: dueMs };
    dueMs = nowMs + stepIntervalMs;
    return draw(random);
  };
  return { kind: 'member', group: groupName, logs, session: null, next };
}

function draw(random: Random): NextOperation {
  let left = random.below(100);
  for (const [step, share] of Object.entries(shares) as [keyof typeof shares, number][]) {
    if (left < share) return { do: step };
    left -= share;
  }
  return { do: 'poll' };
}
