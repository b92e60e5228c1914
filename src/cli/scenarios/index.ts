/** Name to scenario: what `ordeal test --scenario` knows. */
import { acksOne } from './acks-one.ts';
import { retriesWithoutIdempotence } from './retries-without-idempotence.ts';
import { uncleanElection } from './unclean-election.ts';
import type { Scenario } from './scenario.ts';

export { soundSettings } from './scenario.ts';
export type { Scenario, ScenarioSettings } from './scenario.ts';

export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [acksOne, retriesWithoutIdempotence, uncleanElection].map((scenario) => [
    scenario.name,
    scenario,
  ]),
);
