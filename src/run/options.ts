/** One run, completely decided: written to options.json before anything starts, and enough to run it again. */
import type { ProducerSettings } from '../spi/client.ts';
import type { ScheduledFault } from '../spi/nemesis.ts';
import type { SimulatedOptions } from '../spi/simulation.ts';
import type { SendStyle } from '../spi/workload.ts';

/** The bound of each phase (DESIGN.md section 2). */
export interface PhaseLimits {
  readonly setUpMs: number;
  /** Length of the faults phase: `--time-limit`. */
  readonly faultsMs: number;
  readonly healMs: number;
  readonly recoveryMs: number;
  readonly drainMs: number;
  readonly auditMs: number;
  readonly tearDownMs: number;
}

/** The clusters that can be chosen. */
export type ClusterKind = 'simulated' | 'docker';

export interface RunOptions {
  /** Names the directory store/<test>/: the workload, or the scenario ("acks-one", "acks-one-control"). */
  readonly test: string;
  readonly cluster: ClusterKind;
  readonly workload: string;
  readonly seed: string;
  /** Kinds of fault asked for; the header's `faults`. */
  readonly faults: readonly string[];
  /** Mean time from the end of one fault to the start of the next, ms. */
  readonly nemesisIntervalMs: number;
  /** The faults with their times: drawn from the seed, or fixed by a scenario. */
  readonly schedule: readonly ScheduledFault[];
  readonly limits: PhaseLimits;
  readonly ratePerSecond: number;
  /** Number of producing workers. */
  readonly concurrency: number;
  readonly topics: number;
  readonly partitions: number;
  readonly producer: ProducerSettings;
  readonly sends: SendStyle;
  readonly topicConfig: Readonly<Record<string, string>>;
  /** Claims demanded (the header's `claims`), or null for the default. */
  readonly claims: readonly string[] | null;
  /** Kafka's keys for the header's `config`: what permits what is judged by these. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What only the simulated cluster can be told; null on any other. */
  readonly simulated: SimulatedOptions | null;
  readonly image: string | null;
  readonly brokerVersion: string;
  readonly leaveRunning: boolean;
}
