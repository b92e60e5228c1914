/** What a run does, wherever that was decided: by flags, by a scenario, or by a seed alone. */
import type { PhaseLimits } from '../run/options.ts';
import type { ScheduledFault } from '../spi/nemesis.ts';
import type { SimulatedProfile } from '../spi/simulation.ts';
import type { ScenarioSettings } from './scenarios/index.ts';

export interface Decision {
  readonly test: string;
  readonly workload: string;
  readonly faults: readonly string[];
  readonly nemesisIntervalMs: number;
  readonly limits: PhaseLimits;
  readonly ratePerSecond: number;
  readonly concurrency: number;
  readonly topics: number;
  readonly partitions: number;
  readonly claims: readonly string[] | null;
  readonly settings: ScenarioSettings;
  /** Defects that are switched on beside those that flags name; on the simulated cluster alone. */
  readonly defects: readonly string[];
  /** Of a simulated environment. */
  readonly profile: SimulatedProfile;
  /** How many of a hundred faults begin while the one before them stands. */
  readonly overlapPercent: number;
  /** Null: drawn from the seed. */
  readonly schedule: readonly ScheduledFault[] | null;
}
