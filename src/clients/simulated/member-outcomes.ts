/**
 * The outcome table of the modelled member's commits: each is asked once. fail needs proof that the coordinator wrote nothing; everything
 * else is info, for a commit may be applied after its answer was lost.
 */

/** Kafka's names of what a coordinator answers before it appends. */
const refusedBefore: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

/** @param sent false: nothing was written to any connection. */
export function memberOutcomeOf(code: string, sent: boolean): 'fail' | 'info' {
  return !sent || refusedBefore.has(code) ? 'fail' : 'info';
}
