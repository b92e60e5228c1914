/**
 * The outcome table of a member's commits with kafkajs. fail needs proof that the coordinator wrote nothing: a definite code and one
 * attempt, or no attempt at all. Everything else is info: a commit may be applied after its answer was lost.
 */
import type { OutcomeRule } from './outcomes.ts';

const refused = (code: string, why: string): OutcomeRule => ({ code, definite: true, why });

/** One row per code; a code without a row is info. */
export const commitOutcomes: readonly OutcomeRule[] = [
  refused('ILLEGAL_GENERATION', 'the generation is checked before the append'),
  refused('UNKNOWN_MEMBER_ID', 'the member is checked before the append'),
  refused('FENCED_INSTANCE_ID', 'the instance is checked before the append'),
  refused('REBALANCE_IN_PROGRESS', 'refused while members have not synced yet'),
  refused(
    'NOT_COORDINATOR_FOR_GROUP',
    'a broker that does not coordinate the group appends nothing',
  ),
  refused('GROUP_LOAD_IN_PROGRESS', 'a coordinator that is still loading appends nothing'),
  refused('GROUP_COORDINATOR_NOT_AVAILABLE', 'answered before the append'),
];

const definite = new Set(commitOutcomes.map(({ code }) => code));

/** @param attempts OffsetCommit requests written since the call began. */
export function commitOutcomeOf(code: string, attempts: number): 'fail' | 'info' {
  if (code === 'DEADLINE') return 'info';
  if (attempts === 0) return 'fail';
  return attempts === 1 && definite.has(code) ? 'fail' : 'info';
}
