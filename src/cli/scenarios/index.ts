/** Name to scenario: what `ordeal test --scenario` knows. */
import { acksOne } from './acks-one.ts';
import { compactionRace } from './compaction-race.ts';
import { concurrentSends } from './concurrent-sends.ts';
import { keylessRetry } from './keyless-retry.ts';
import { minIsrOne } from './min-isr-one.ts';
import { movedAcksOne } from './moved-acks-one.ts';
import { offsetResetLatest } from './offset-reset-latest.ts';
import { partialAcknowledgement } from './partial-acknowledgement.ts';
import { retriesWithoutIdempotence } from './retries-without-idempotence.ts';
import { sequenceReuse } from './sequence-reuse.ts';
import { uncleanElection } from './unclean-election.ts';
import { unorderedInFlight } from './unordered-in-flight.ts';
import type { Scenario } from './scenario.ts';

export { soundSettings } from './scenario.ts';
export type { Scenario, ScenarioSettings } from './scenario.ts';

export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    acksOne,
    retriesWithoutIdempotence,
    uncleanElection,
    unorderedInFlight,
    sequenceReuse,
    concurrentSends,
    keylessRetry,
    partialAcknowledgement,
    movedAcksOne,
    minIsrOne,
    compactionRace,
    offsetResetLatest,
  ].map((scenario) => [scenario.name, scenario]),
);
