/**
 * What a simulated run can be told beyond what a real one can: what the environment is like, and which defects of
 * implementation the model and its clients have.
 */
import type { AnomalyName } from './verdict.ts';
import type { SendStyle } from './workload.ts';

/** The environment of a simulated cluster. All numbers are integers; ranges include both ends. */
export interface SimulatedProfile {
  /** One way, per message, µs. */
  readonly latencyUs: readonly [low: number, high: number];
  /** Share of messages whose first transmission is lost; they come with the retransmission, in order. */
  readonly lossPerMillion: number;
  /** Each node's clock runs fast or slow by at most this. */
  readonly driftPpmMax: number;
  /** What a broker takes to handle one request, µs. */
  readonly serviceUs: readonly [low: number, high: number];
  /** From the start of a process until it asks to join, ms. */
  readonly startMs: readonly [low: number, high: number];
  /** How long an append stays in the page cache only; a power loss takes what is younger, ms. */
  readonly flushMs: number;
}

/** An idle machine with three brokers, as measured in KAFKA.md part A. */
export const quietProfile: SimulatedProfile = {
  latencyUs: [100, 400],
  lossPerMillion: 0,
  driftPpmMax: 50,
  serviceUs: [50, 300],
  startMs: [2_500, 3_500],
  flushMs: 5_000,
};

export interface SimulatedOptions {
  readonly profile: SimulatedProfile;
  /** Names out of the registry of defects. */
  readonly defects: readonly string[];
}

/** A client that is a process of its own, so that it can be frozen. */
export interface ClientProcess {
  /** Resolves at once, or when it is thawed: to be awaited before whatever it does and after whatever it hears. */
  pass(): Promise<void>;
  /** It is gone; thaws it too. */
  end(): void;
}

/** A fault of implementation that can be switched on: docs/defects.md is generated from these. */
export interface Defect {
  /** What `--defect` and docs/defects.md call it. */
  readonly name: string;
  readonly layer: 'broker' | 'client';
  /** One sentence: what is done wrong. */
  readonly summary: string;
  /** A real system or client that did this, or null. */
  readonly twin: string | null;
  /** What a run with it shows first of all. */
  readonly primary: AnomalyName;
  /** What may be found besides; anything else found is a fault of checkers or of this declaration. */
  readonly consequences: readonly AnomalyName[];
  /** Settings without which it never shows; explore draws all others. */
  readonly needs: {
    readonly nemeses?: readonly string[];
    readonly sends?: Partial<SendStyle>;
    readonly idempotent?: boolean;
    readonly acks?: 'all' | 1;
    readonly requestTimeoutMs?: number;
    readonly retriesMax?: number;
    readonly minInSync?: 1 | 2;
    readonly workload?: string;
  };
}
